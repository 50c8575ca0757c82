"""A plate with an AprilTag, as Spot's fiducials are: family 36h11, 146 mm."""

import cv2
import numpy as np

TAG_ID = 523
TAG_M = 0.146  # outer edge of the tag's black border, the size that Spot expects
PLATE_M = 0.186
_CELL_PX, _CELLS = 24, 8  # a 36h11 tag has 6x6 bits and a border
# The tag's frame: x to the right and y up on the plate as one reads it, z out of the plate.


def tag_texture() -> dict[str, bytes]:
    """The texture file that `plate` names."""
    side = _CELLS * _CELL_PX
    tags = cv2.aruco.getPredefinedDictionary(cv2.aruco.DICT_APRILTAG_36h11)
    tag = cv2.aruco.generateImageMarker(tags, TAG_ID, side)
    margin = round((PLATE_M / TAG_M - 1) / 2 * side)
    plate = np.full((side + 2 * margin,) * 2, 250, np.uint8)
    plate[margin : margin + side, margin : margin + side] = tag
    return {"fiducial.png": cv2.imencode(".png", cv2.cvtColor(plate, cv2.COLOR_GRAY2BGR))[1].tobytes()}


def plate_assets() -> str:
    """Texture and material of the plate."""
    return (
        '<texture name="fiducial" type="2d" file="fiducial.png"/>'
        '<material name="fiducial" texture="fiducial" specular=".1" shininess=".1"/>'
    )


def plate(position_m: tuple[float, float, float]) -> str:
    """The plate as a geom and the site "fiducial" in its middle, upright, facing -x."""
    place = " ".join(f"{value:.5g}" for value in position_m)
    half_m = PLATE_M / 2
    return (
        f'<geom type="box" size="{half_m} {half_m} .002" pos="{place}" xyaxes="0 -1 0 0 0 1" '
        'material="fiducial" class="scenery"/>'
        f'<site name="fiducial" pos="{place}" xyaxes="0 -1 0 0 0 1" size=".002" rgba="0 0 0 0"/>'
    )
