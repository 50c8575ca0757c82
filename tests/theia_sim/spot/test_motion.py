import time

import numpy as np
import pytest
from bosdyn.client.exceptions import InvalidRequestError
from bosdyn.client.frame_helpers import get_a_tform_b
from bosdyn.client.math_helpers import SE3Pose
from bosdyn.client.robot_command import (
    BehaviorFaultError,
    ExpiredError,
    NotClearedError,
    UnknownFrameError,
    block_for_trajectory_cmd,
    block_until_arm_arrives,
)
from bosdyn.client.robot_command import RobotCommandBuilder as Builder
from bosdyn.util import seconds_to_timestamp

from .conftest import wait_until

COMPLETE, IN_PROGRESS, CANCELLED, STALLED = 1, 2, 3, 4


def frame(ready, parent, child="hand"):
    state = ready.state.get_robot_state()
    return get_a_tform_b(state.kinematic_state.transforms_snapshot, parent, child)


def shifted(pose, x=0.0, y=0.0, z=0.0):
    return SE3Pose(pose.x + x, pose.y + y, pose.z + z, pose.rot).to_proto()


def arm_status(ready, command_id):
    feedback = ready.command.robot_command_feedback(command_id).feedback.synchronized_feedback
    return feedback.arm_command_feedback.arm_cartesian_feedback.status


def distance(first, second):
    return np.linalg.norm([first.x - second.x, first.y - second.y, first.z - second.z])


@pytest.mark.parametrize("root", ["vision", "odom", "body"])
def test_hand_goes_to_a_pose_in_every_root_frame(ready, root):
    goal = SE3Pose.from_proto(shifted(frame(ready, root), x=0.03, y=-0.04, z=0.12))
    command = Builder.arm_cartesian_move_helper([goal.to_proto()], [0.5], root)
    assert block_until_arm_arrives(ready.command, ready.command.robot_command(command), 20)
    assert distance(frame(ready, root), goal) < 0.02


def test_overlapping_segments_with_one_reference_time_are_one_smooth_motion(simulator, ready):
    start, reference = frame(ready, "vision"), seconds_to_timestamp(time.time())
    began, places = time.time(), []
    for segment in range(5):
        first = segment - 1  # one knot in the past
        knots = [shifted(start, z=0.02 * max(knot, 0)) for knot in range(first, first + 5)]
        times = [0.2 * knot + 0.2 for knot in range(first, first + 5)]
        ready.command.robot_command(
            Builder.arm_cartesian_move_helper(knots, times, "vision", ref_time=reference)
        )
        while time.time() < began + 0.2 * (segment + 1):
            with simulator.robot.lock:
                places.append((time.time(), simulator.env.hand_pose("world").position_m[2]))
            time.sleep(0.01)
    times, heights = np.array(places).T
    assert heights[-1] - heights[0] > 0.03
    assert np.all(np.diff(heights) > -0.004)  # never back at a seam


def test_gripper_opens_by_fraction_and_state_is_in_per_cent(ready):
    ready.command.robot_command(Builder.claw_gripper_open_fraction_command(0.5))
    wait_until(lambda: abs(ready.state.get_robot_state().manipulator_state.gripper_open_percentage - 50) < 5)


def test_pose_out_of_reach_stalls_and_says_so(ready):
    far = shifted(frame(ready, "body"), x=1.5)
    command_id = ready.command.robot_command(Builder.arm_cartesian_move_helper([far], [0.5], "body"))
    assert arm_status(ready, command_id) == IN_PROGRESS
    wait_until(lambda: arm_status(ready, command_id) == STALLED)


def test_blocked_arm_stalls(simulator, ready):
    simulator.inject({"fault": "block_arm", "seconds": 30})
    before = frame(ready, "body")
    goal = shifted(before, z=0.2)
    command_id = ready.command.robot_command(Builder.arm_cartesian_move_helper([goal], [0.5], "body"))
    wait_until(lambda: arm_status(ready, command_id) == STALLED)
    assert distance(frame(ready, "body"), before) < 0.02


def test_stop_cancels_what_is_under_way(ready):
    goal = shifted(frame(ready, "body"), z=0.3)
    command_id = ready.command.robot_command(Builder.arm_cartesian_move_helper([goal], [20.0], "body"))
    ready.command.robot_command(Builder.stop_command())
    assert arm_status(ready, command_id) == CANCELLED


def test_command_that_was_replaced_is_overridden(ready):
    goal = shifted(frame(ready, "body"), z=0.1)
    first = ready.command.robot_command(Builder.arm_cartesian_move_helper([goal], [20.0], "body"))
    ready.command.robot_command(Builder.arm_cartesian_move_helper([goal], [20.0], "body"))
    feedback = ready.command.robot_command_feedback(first).feedback.synchronized_feedback
    assert feedback.arm_command_feedback.status == 2


def test_walk_arrives_in_the_frame_it_was_ordered_in(ready):
    before = frame(ready, "vision", "body")
    command = Builder.synchro_se2_trajectory_point_command(
        before.x - 0.1, before.y + 0.05, before.rot.to_yaw() + 0.1, "vision"
    )
    command_id = ready.command.robot_command(command, end_time_secs=time.time() + 20)
    assert block_for_trajectory_cmd(ready.command, command_id, timeout_sec=20, feedback_interval_secs=0.1)
    after = frame(ready, "vision", "body")
    assert (after.x, after.y) == pytest.approx((before.x - 0.1, before.y + 0.05), abs=0.02)
    assert after.rot.to_yaw() == pytest.approx(before.rot.to_yaw() + 0.1, abs=0.03)


def test_walk_ends_with_its_time(simulator, ready):
    before = frame(ready, "odom", "body")
    command = Builder.synchro_velocity_command(-0.3, 0.0, 0.0)
    ready.command.robot_command(command, end_time_secs=time.time() + 0.5)
    wait_until(lambda: distance(frame(ready, "odom", "body"), before) > 0.02)
    wait_until(lambda: simulator.env.base_stands())
    assert distance(frame(ready, "odom", "body"), before) < 0.35


def test_walk_whose_time_is_over_is_refused(ready):
    command = Builder.synchro_velocity_command(-0.3, 0.0, 0.0)
    with pytest.raises(ExpiredError):
        ready.command.robot_command(command, end_time_secs=time.time() - 1.0)


def test_clock_that_jumps_makes_commands_of_the_old_time_expire(simulator, ready):
    simulator.inject({"fault": "clock_jump", "seconds": 30})
    command = Builder.synchro_velocity_command(-0.1, 0.0, 0.0)
    with pytest.raises(ExpiredError):
        ready.command.robot_command(command, end_time_secs=time.time() + 5.0)


def test_unknown_frame_and_numbers_that_are_none_are_refused(ready):
    pose = frame(ready, "body").to_proto()
    with pytest.raises(UnknownFrameError):
        ready.command.robot_command(Builder.arm_cartesian_move_helper([pose], [1.0], "kitchen"))
    pose.position.x = float("nan")
    with pytest.raises(InvalidRequestError):
        ready.command.robot_command(Builder.arm_cartesian_move_helper([pose], [1.0], "body"))


def test_behaviour_fault_stops_until_it_is_cleared(simulator, ready):
    goal = shifted(frame(ready, "body"), z=0.2)
    command = Builder.arm_cartesian_move_helper([goal], [5.0], "body")
    command_id = ready.command.robot_command(command)
    simulator.inject({"fault": "behavior_fault", "cause": "fall"})
    assert arm_status(ready, command_id) == CANCELLED
    with pytest.raises(BehaviorFaultError):
        ready.command.robot_command(command)
    (fault,) = ready.state.get_robot_state().behavior_fault_state.faults
    assert ready.command.clear_behavior_fault(fault.behavior_fault_id)
    ready.command.robot_command(command)
    simulator.inject({"fault": "behavior_fault", "clearable": False})
    (fault,) = ready.state.get_robot_state().behavior_fault_state.faults
    with pytest.raises(NotClearedError):
        ready.command.clear_behavior_fault(fault.behavior_fault_id)
