import time

import cv2
import numpy as np
import pytest
from bosdyn.api import image_pb2, world_object_pb2
from bosdyn.client.frame_helpers import get_a_tform_b
from bosdyn.client.image import UnknownImageSourceError, build_image_request
from bosdyn.util import timestamp_to_sec

from theia_sim.scenes.fiducial import TAG_ID

SOURCE = "frontleft_fisheye_image"
GREY, RGB = image_pb2.Image.PIXEL_FORMAT_GREYSCALE_U8, image_pb2.Image.PIXEL_FORMAT_RGB_U8


def take(client, pixel_format=RGB, quality=95):
    request = build_image_request(SOURCE, quality_percent=quality, pixel_format=pixel_format)
    (response,) = client.ensure_client("image").get_image([request], timeout=30)
    return response


def test_picture_turned_upright_shows_what_the_scene_camera_sees(simulator, client):
    (source,) = client.ensure_client("image").list_image_sources()
    assert (source.name, list(source.pixel_formats)) == (SOURCE, [RGB, GREY])
    response = take(client)
    raw = cv2.imdecode(np.frombuffer(response.shot.image.data, np.uint8), cv2.IMREAD_COLOR)[..., ::-1]
    height, width = raw.shape[:2]
    assert (width, height) == (source.cols, source.rows)
    turn = cv2.getRotationMatrix2D((width / 2 - 0.5, height / 2 - 0.5), -78, 1.0)
    turn[:, 2] += (640 - width) / 2, (480 - height) / 2
    upright = cv2.warpAffine(np.ascontiguousarray(raw), turn, (640, 480))
    renderer = simulator.env.new_renderer()
    expected = renderer.render(simulator.env.snapshot(), "policy", 640, 480)
    renderer.close()
    difference = np.abs(upright.astype(float) - expected)
    print(f"mean difference {difference.mean():.2f}, 99 % below {np.percentile(difference, 99):.0f} of 255")
    assert difference.mean() < 3.0
    assert upright.min(axis=2)[[0, 0, -1, -1], [0, -1, 0, -1]].min() > 0  # no black corners


def test_stamp_is_in_robot_time_and_the_sensor_is_in_the_frame_tree(client):
    response = take(client)
    stamp_s = timestamp_to_sec(response.shot.acquisition_time)
    assert stamp_s == pytest.approx(time.time() + 500.0, abs=20.0)
    tree = response.shot.transforms_snapshot
    sensor = get_a_tform_b(tree, "body", response.shot.frame_name_image_sensor)
    ahead = np.array(sensor.rot.to_matrix())[:, 2]
    assert ahead[0] > 0.9  # looks forward
    assert 0.3 < sensor.x < 0.6


def test_older_camera_knows_no_colours(simulator, client):
    simulator.inject({"fault": "greyscale"})
    (source,) = client.ensure_client("image").list_image_sources()
    assert list(source.pixel_formats) == [GREY]
    assert take(client, GREY).shot.image.pixel_format == GREY


def test_unknown_camera_is_refused(client):
    with pytest.raises(UnknownImageSourceError):
        client.ensure_client("image").get_image([build_image_request("back_fisheye_image")])


def test_fiducial_is_found_where_it_is(simulator, client):
    kinds = [world_object_pb2.WORLD_OBJECT_APRILTAG]
    (found,) = client.ensure_client("world-objects").list_world_objects(kinds).world_objects
    tag = found.apriltag_properties
    assert tag.tag_id == TAG_ID
    for frame in ("body", "vision", "odom"):
        pose = get_a_tform_b(found.transforms_snapshot, frame, tag.frame_name_fiducial_filtered)
        expected = simulator.env.fiducial_pose(frame)
        assert (pose.x, pose.y, pose.z) == pytest.approx(tuple(expected.position_m), abs=1e-3)
        assert np.allclose(pose.rot.to_matrix(), expected.rotation, atol=1e-3)
