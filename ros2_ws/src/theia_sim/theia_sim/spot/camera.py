"""A camera of the robot: mounted askew as the real one, rendered in a thread of its own."""

import math
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import mujoco
import numpy as np
from scipy.spatial.transform import Rotation

from theia_core.actions.poses import Pose
from theia_sim.scenes.rendering import SnapshotRenderer

if TYPE_CHECKING:
    from theia_sim.scenes.spot_world import SpotWorld

FRONT_LEFT, FRONT_LEFT_TURN_DEG = "frontleft_fisheye_image", 78.0
_SCENE_CAMERA = "policy"


@dataclass(frozen=True)
class Shot:
    """What is needed to draw a picture later.

    Attributes:
        snapshot: of the scene.
        body_tform_sensor: pose of the sensor (x right, y down, z ahead in its own picture).
    """

    snapshot: Any
    body_tform_sensor: Pose


class SpotCamera:
    """The scene's forward camera behind a source of the robot, whose pictures must be turned to be upright.

    The sensor is as large as an upright picture of the task's size needs it, pixel for pixel.

    Attributes:
        source: name of the image source.
        width, height: of the picture that the robot delivers.
    """

    def __init__(self, world: "SpotWorld", size: tuple[int, int]) -> None:
        """Look at `world`; `size` is (width, height) of the upright picture that clients want."""
        self.source, self._world = FRONT_LEFT, world
        turn_rad = math.radians(FRONT_LEFT_TURN_DEG)
        cosine, sine = abs(math.cos(turn_rad)), abs(math.sin(turn_rad))
        upright_width, upright_height = size
        self.width = 2 * math.ceil((upright_width * cosine + upright_height * sine) / 2) + 2
        self.height = 2 * math.ceil((upright_width * sine + upright_height * cosine) / 2) + 2
        self._upright_height = upright_height
        # A picture turned counter-clockwise: the sensor is turned clockwise, seen from behind it.
        self._turn = Rotation.from_euler("z", turn_rad).as_matrix()
        self._renderer = SnapshotRenderer(world.model, self._place, samples=0)
        self._thread = ThreadPoolExecutor(1, "spot camera")

    @property
    def focal_px(self) -> float:
        """Focal length in the present scene; pixels are square."""
        return self._focal_px(self._world.camera_fovy_rad(_SCENE_CAMERA))

    def shot(self) -> Shot:
        """The present moment, to be drawn later; whoever calls it holds the robot's lock."""
        upright = self._world.camera_pose(_SCENE_CAMERA)
        return Shot(self._world.snapshot(), Pose(upright.position_m, upright.rotation @ self._turn))

    def draw(self, shot: Shot) -> np.ndarray:
        """The picture (height, width, 3) uint8 RGB of a shot; without the robot's lock."""
        return self._thread.submit(
            self._renderer.render, shot.snapshot, _SCENE_CAMERA, self.width, self.height
        ).result()

    def close(self) -> None:
        """Free OpenGL."""
        self._thread.submit(self._renderer.close).result()
        self._thread.shutdown()

    def _place(self, model: mujoco.MjModel, params: Any) -> None:
        self._world.place(model, params)
        camera = model.camera(_SCENE_CAMERA)
        upright = Rotation.from_quat(np.roll(camera.quat, -1)).as_matrix()
        flip = np.diag([1.0, -1.0, -1.0])  # MuJoCo's cameras look along -z with y up
        turned = upright @ flip @ self._turn @ flip
        camera.quat[:] = np.roll(Rotation.from_matrix(turned).as_quat(), 1)
        focal_px = self._focal_px(math.radians(camera.fovy[0]))
        camera.fovy[:] = math.degrees(2 * math.atan(self.height / 2 / focal_px))

    def _focal_px(self, fovy_rad: float) -> float:
        return self._upright_height / 2 / math.tan(fovy_rad / 2)
