"""Spot in its scene: commands, frames and state of what roll-outs and the simulated robot drive."""

import cv2
import numpy as np
import pytest

from theia_core.actions.poses import Pose
from theia_core.actions.rotations import matrix_from_euler
from theia_core.errors import TheiaError
from theia_sim.scenes import fiducial
from theia_sim.scenes.drawer import DrawerEnv
from theia_sim.scenes.drawer_params import DrawerParams


@pytest.fixture(scope="module")
def scene():
    env = DrawerEnv()
    yield env
    env.close()


@pytest.fixture
def world(scene):
    scene.reset(DrawerParams.sample(3))
    return scene


def settle(world, seconds=2.0):
    world.step(seconds)
    return world


def test_the_hand_goes_to_a_target_in_the_body_and_rests_there(world):
    target = Pose(np.array([0.75, 0.1, 0.2]), matrix_from_euler(np.array([0.0, 0.3, 0.2])))
    world.set_hand_target(target, "body")
    settle(world)
    apart_m, apart_rad = world.hand_pose("body").distance_to(target)
    assert apart_m < 0.004 and apart_rad < 0.02
    assert np.linalg.norm(world.hand_velocity()[0]) < 0.01
    assert world.hand_error()[0] == pytest.approx(apart_m)
    assert world.hand_miss()[0] < 1e-3


@pytest.mark.parametrize("frame", ["odom", "vision", "world"])
def test_a_target_in_the_room_stays_there_while_the_base_walks_and_one_in_the_body_goes_along(world, frame):
    for which, target in ((frame, world.hand_pose(frame)), ("body", world.hand_pose("body"))):
        world.set_hand_target(target, which)
        world.set_base_target(world.body_pose(frame) @ Pose.on_plane(-0.08, 0.05, 0.1), frame)
        settle(world, 3.0)
        assert world.base_stands()
        assert world.hand_pose(which).distance_to(target)[0] < 0.006


def test_base_target_and_velocity_move_the_base_within_its_speed(world):
    world.set_base_target(Pose.on_plane(-0.5, -0.2, 0.6), "world")
    fastest = 0.0
    for _ in range(40):
        world.step(0.1)
        fastest = max(fastest, float(np.linalg.norm(world.base_velocity()[:2])))
    body = world.body_pose("world")
    assert body.position_m[:2] == pytest.approx([-0.5, -0.2], abs=0.005)
    assert body.yaw_rad == pytest.approx(0.6, abs=0.01)
    assert fastest < 0.75
    world.set_base_velocity(0.2, 0.0, 0.0)
    world.step(1.0)
    assert world.base_velocity() == pytest.approx([0.2, 0.0, 0.0], abs=0.02)
    assert not world.base_stands()
    world.stop_base()
    world.step(1.0)
    assert world.base_stands()


def test_odom_and_vision_are_different_frames_of_one_room(world):
    for frame in ("odom", "vision"):
        there_and_back = world.frame_pose("body", frame) @ world.frame_pose(frame, "body")
        assert there_and_back.distance_to(Pose()) == pytest.approx((0.0, 0.0), abs=1e-6)
        via_body = world.body_pose(frame) @ world.hand_pose("body")
        assert via_body.distance_to(world.hand_pose(frame)) == pytest.approx((0.0, 0.0), abs=1e-6)
    assert world.body_pose("odom").distance_to(world.body_pose("vision"))[0] > 0.5


def test_a_target_out_of_reach_is_approached_and_reported(world):
    world.set_hand_target(Pose(np.array([1.9, 0.0, 0.3])), "body")
    settle(world)
    assert world.hand_miss()[0] > 0.5
    assert world.hand_error()[0] > 0.5
    assert np.linalg.norm(world.hand_velocity()[0]) < 0.02
    assert world.failure() is None
    world.stop_arm()
    assert world.hand_error() == (0.0, 0.0)


def test_the_gripper_opens_at_its_speed_and_holds_nothing(world):
    world.set_gripper(1.0)
    world.step(0.2)
    assert world.gripper_fraction() < 0.6
    world.step(0.8)
    assert world.gripper_fraction() == pytest.approx(1.0, abs=0.03)
    world.set_gripper(0.0)
    world.step(1.0)
    assert world.gripper_fraction() == pytest.approx(0.0, abs=0.02)
    assert not world.is_holding_item()


def test_without_power_the_arm_sinks_and_with_it_stays_where_it_has_sunk_to(world):
    before_m = world.hand_pose("body").position_m[2]
    world.set_hand_target(world.hand_pose("body"), "body")
    world.set_power(False)
    world.step(0.6)
    sunk_m = world.hand_pose("body").position_m[2]
    assert sunk_m < before_m - 0.05
    world.set_power(True)
    world.step(1.0)
    assert world.hand_pose("body").position_m[2] == pytest.approx(sunk_m, abs=0.06)
    assert world.failure() is None


def test_observed_state_has_the_hand_in_the_root_frame_which_does_not_move_with_the_base(world):
    start = world.observed_state()
    assert start.shape == (17,) and start.dtype == np.float32
    assert start[7:10] == pytest.approx(world.hand_pose("body").position_m, abs=1e-6)
    world.set_base_target(world.body_pose("world") @ Pose.on_plane(-0.2, 0.0, 0.0), "world")
    settle(world, 3.0)
    assert world.observed_state()[7] == pytest.approx(start[7] - 0.2, abs=0.01)
    assert world.observed_state()[:6] == pytest.approx(start[:6], abs=0.01)


def test_wrong_commands_are_refused(world):
    with pytest.raises(TheiaError, match="no frame 'map'"):
        world.set_hand_target(Pose(), "map")
    with pytest.raises(TheiaError, match="not finite"):
        world.set_hand_target(Pose(np.array([np.nan, 0, 0])), "body")
    with pytest.raises(TheiaError, match="6 finite angles"):
        world.set_joint_targets(np.zeros(7))
    with pytest.raises(TheiaError, match="fraction"):
        world.set_gripper(float("nan"))


def test_the_camera_sees_the_fiducial_where_its_pose_says(world):
    world.reset(DrawerParams.sample(3, start_yaw_rad=0.0))
    picture = world.render()
    tags = cv2.aruco.getPredefinedDictionary(cv2.aruco.DICT_APRILTAG_36h11)
    corners, found, _ = cv2.aruco.ArucoDetector(tags).detectMarkers(picture)
    assert list(found.ravel()) == [fiducial.TAG_ID]
    half_m = fiducial.TAG_M / 2
    in_camera = world.camera_pose().inverse() @ world.fiducial_pose("body")
    focal_px = 240 / np.tan(world.camera_fovy_rad() / 2)
    for corner, (x, y) in zip(corners[0][0], ((-1, 1), (1, 1), (1, -1), (-1, -1)), strict=True):
        point_m = in_camera.at(np.array([x * half_m, y * half_m, 0.0]))
        pixel = np.array([320.0, 240.0]) + focal_px * point_m[:2] / point_m[2]
        assert np.linalg.norm(pixel - corner) < 3.0
    assert world.sees_fiducial()
    world.set_base_target(Pose.on_plane(0.0, 0.0, 3.1), "world")
    settle(world, 8.0)
    assert world.fiducial_pose("body").position_m[0] < 0
