"""Commands of arm, gripper and base, for the holder of the lease."""

from typing import Any

import numpy as np
from bosdyn.api import (
    arm_command_pb2,
    basic_command_pb2,
    gripper_command_pb2,
    robot_command_pb2,
    robot_command_service_pb2_grpc,
)

from theia_core.actions.poses import Pose
from theia_sim.scenes.spot import READY_RAD, STOWED_RAD
from theia_sim.spot import frames
from theia_sim.spot.answers import InvalidRequest, Service, answer, to_s
from theia_sim.spot.arm_motion import GripperMotion, HandMotion, JointMotion, Knots, Progress
from theia_sim.spot.base_motion import Drive, Posture, Walk
from theia_sim.spot.body import OPEN_RAD, WRIST_TFORM_HAND
from theia_sim.spot.robot import Motion, SimulatedSpot

_Status = robot_command_pb2.RobotCommandResponse.Status
_Feedback = basic_command_pb2.RobotCommandFeedbackStatus.Status
_Hand = arm_command_pb2.ArmCartesianCommand.Feedback.Status
_Named = arm_command_pb2.NamedArmPositionsCommand
_LONGEST_S = 600.0
_HAND_STATUS = {
    Progress.MOVING: _Hand.STATUS_IN_PROGRESS,
    Progress.DONE: _Hand.STATUS_TRAJECTORY_COMPLETE,
    Progress.CANCELLED: _Hand.STATUS_TRAJECTORY_CANCELLED,
    Progress.STALLED: _Hand.STATUS_TRAJECTORY_STALLED,
}
_POSITIONS = {_Named.POSITIONS_READY: READY_RAD, _Named.POSITIONS_STOW: STOWED_RAD}


class Refused(Exception):
    """The command is not obeyed; `status` says why."""

    def __init__(self, status: int, message: str = "") -> None:
        """Refuse with a status of RobotCommandResponse."""
        super().__init__(message)
        self.status = status


class RobotCommandService(Service, robot_command_service_pb2_grpc.RobotCommandServiceServicer):
    """Takes commands, says how far they have come, clears behaviour faults."""

    @answer(robot_command_pb2.RobotCommandResponse)
    def RobotCommand(self, request: Any, response: Any) -> None:
        """Obey a command, or say why not."""
        robot = self.robot
        response.lease_use_result.CopyFrom(robot.leases.use(request.lease))
        if response.lease_use_result.status != response.lease_use_result.STATUS_OK:
            return
        try:
            if request.command.WhichOneof("command") == "full_body_command":
                _full_body(robot, request.command.full_body_command)
                response.robot_command_id = robot.new_command_id()
            else:
                _why_not(robot, request)
                motions = _motions(robot, request.command.synchronized_command)
                response.robot_command_id = robot.new_command_id()
                for part, what in motions.items():
                    robot.motions[part] = Motion(response.robot_command_id, what)
            response.status = _Status.STATUS_OK
        except Refused as refused:
            response.status, response.message = refused.status, str(refused)
        except ValueError as error:
            response.status, response.message = _Status.STATUS_INVALID_REQUEST, str(error)

    @answer(robot_command_pb2.RobotCommandFeedbackResponse)
    def RobotCommandFeedback(self, request: Any, response: Any) -> None:
        """How far a command, or whatever is done now, has come."""
        feedback = response.feedback.synchronized_feedback
        found = False
        for part, motion in self.robot.motions.items():
            if request.robot_command_id in (0, motion.command_id):
                _fill(part, motion, feedback)
                found = True
        if not found:
            feedback.arm_command_feedback.status = _Feedback.STATUS_COMMAND_OVERRIDDEN
            feedback.mobility_command_feedback.status = _Feedback.STATUS_COMMAND_OVERRIDDEN
            feedback.gripper_command_feedback.status = _Feedback.STATUS_COMMAND_OVERRIDDEN

    @answer(robot_command_pb2.ClearBehaviorFaultResponse)
    def ClearBehaviorFault(self, request: Any, response: Any) -> None:
        """Clear a fault that can be cleared."""
        robot = self.robot
        response.lease_use_result.CopyFrom(robot.leases.use(request.lease))
        if response.lease_use_result.status != response.lease_use_result.STATUS_OK:
            return
        fault = robot.faults.get(request.behavior_fault_id)
        if fault is not None and not fault.clearable:
            response.status = response.STATUS_NOT_CLEARED
            return
        robot.faults.pop(request.behavior_fault_id, None)
        response.status = response.STATUS_CLEARED


def _why_not(robot: SimulatedSpot, request: Any) -> None:
    if not robot.time_sync.knows(request.clock_identifier):
        raise Refused(_Status.STATUS_NO_TIMESYNC)
    if not robot.power.is_on:
        raise Refused(_Status.STATUS_NOT_POWERED_ON)
    if robot.faults:
        raise Refused(_Status.STATUS_BEHAVIOR_FAULT)


def _full_body(robot: SimulatedSpot, command: Any) -> None:
    kind = command.WhichOneof("command")
    if kind in ("stop_request", "freeze_request"):
        robot.stop("ordered")
    elif kind == "safe_power_off_request":
        robot.cut_power("safe power off was ordered")
    else:
        raise Refused(_Status.STATUS_UNSUPPORTED, f"the simulated Spot does not know {kind}")


def _motions(robot: SimulatedSpot, command: Any) -> dict[str, Any]:
    """What each part is to do; nothing has begun if one of them is refused, a walk excepted."""
    found: dict[str, Any] = {}
    if command.HasField("arm_command"):
        found["arm"] = _arm(robot, command.arm_command)
    if command.HasField("gripper_command"):
        found["gripper"] = _gripper(robot, command.gripper_command)
    if command.HasField("mobility_command"):
        found["mobility"] = _mobility(robot, command.mobility_command)
    if not found:
        raise InvalidRequest("the command is empty")
    return found


def _arm(robot: SimulatedSpot, command: Any) -> HandMotion | JointMotion:
    kind = command.WhichOneof("command")
    measured_rad = robot.body.joint_state().position[:6]
    if kind == "named_arm_position_command" and command.named_arm_position_command.position in _POSITIONS:
        goal_rad = np.array(_POSITIONS[command.named_arm_position_command.position])
        return JointMotion(goal_rad, measured_rad)
    if kind == "arm_stop_command":
        return JointMotion(measured_rad, measured_rad)
    if kind != "arm_cartesian_command":
        raise Refused(_Status.STATUS_UNSUPPORTED, f"the simulated Spot does not know {kind}")
    request = command.arm_cartesian_command
    knots = _knots(robot, request)
    return HandMotion(
        knots,
        robot.hand_setpoint(knots.frame),
        request.max_linear_velocity.value,
        request.max_angular_velocity.value,
    )


def _knots(robot: SimulatedSpot, request: Any) -> Knots:
    frame, trajectory = _frame(request.root_frame_name), request.pose_trajectory_in_task
    if not trajectory.points:
        raise InvalidRequest("the trajectory has no points")
    root_tform_task = frames.from_proto(request.root_tform_task)
    tool_tform_hand = Pose()
    if request.HasField("wrist_tform_tool"):
        tool_tform_hand = frames.from_proto(request.wrist_tform_tool).inverse() @ WRIST_TFORM_HAND
    start_s = robot.clock.now_s()
    if trajectory.HasField("reference_time"):
        start_s = to_s(trajectory.reference_time)
    times_s = start_s + np.array([to_s(point.time_since_reference) for point in trajectory.points])
    if np.any(np.diff(times_s) <= 0):
        raise InvalidRequest("the times of the trajectory do not increase")
    poses = (frames.from_proto(point.pose) for point in trajectory.points)
    return Knots(frame, times_s, tuple(root_tform_task @ pose @ tool_tform_hand for pose in poses))


def _gripper(robot: SimulatedSpot, command: Any) -> GripperMotion:
    request = command.claw_gripper_command
    if not request.trajectory.points:
        raise InvalidRequest("the gripper's trajectory has no points")
    goal = request.trajectory.points[-1].point / OPEN_RAD
    if not np.isfinite(goal):
        raise InvalidRequest("the gripper's goal is not finite")
    return GripperMotion(goal, robot.gripper_setpoint(), request.maximum_open_close_velocity.value)


def _mobility(robot: SimulatedSpot, command: Any) -> Walk | Drive | Posture:
    kind, now_s = command.WhichOneof("command"), robot.clock.now_s()
    if kind in ("stand_request", "sit_request"):
        robot.body.stop_base()
        return Posture(kind == "stand_request", now_s)
    if kind == "stop_request":
        robot.body.stop_base()
        return Posture(robot.standing, now_s)
    if kind not in ("se2_trajectory_request", "se2_velocity_request"):
        raise Refused(_Status.STATUS_UNSUPPORTED, f"the simulated Spot does not know {kind}")
    request = getattr(command, kind)
    end_s = to_s(request.end_time)
    if end_s <= now_s:
        raise Refused(_Status.STATUS_EXPIRED)
    if end_s > now_s + _LONGEST_S:
        raise Refused(_Status.STATUS_TOO_DISTANT)
    if not robot.standing:
        raise Refused(_Status.STATUS_INVALID_REQUEST, "the robot does not stand")
    if kind == "se2_velocity_request":
        linear, angular = request.velocity.linear, request.velocity.angular
        return Drive(_finite(linear.x, linear.y, angular), end_s, robot.body)
    if len(request.trajectory.points) != 1:
        raise Refused(_Status.STATUS_UNSUPPORTED, "the simulated Spot walks to one point at a time")
    goal = request.trajectory.points[0].pose
    place = Pose.on_plane(*_finite(goal.position.x, goal.position.y, goal.angle))
    return Walk(place, _frame(request.se2_frame_name), end_s, robot.body)


def _finite(*values: float) -> np.ndarray:
    if not np.all(np.isfinite(values)):
        raise InvalidRequest("a value is not finite")
    return np.array(values)


def _frame(name: str) -> str:
    if name not in (frames.BODY, frames.ODOM, frames.VISION):
        raise Refused(_Status.STATUS_UNKNOWN_FRAME, f"no frame {name!r}")
    return name


def _fill(part: str, motion: Motion, feedback: Any) -> None:
    what, done = motion.what, motion.what.progress is Progress.DONE
    status = _Feedback.STATUS_PROCESSING
    if part == "gripper":
        claw = feedback.gripper_command_feedback
        claw.status = status
        at_goal = gripper_command_pb2.ClawGripperCommand.Feedback
        claw.claw_gripper_feedback.status = at_goal.STATUS_AT_GOAL if done else at_goal.STATUS_IN_PROGRESS
    elif part == "arm":
        arm = feedback.arm_command_feedback
        arm.status = status
        if isinstance(what, HandMotion):
            arm.arm_cartesian_feedback.status = _HAND_STATUS[what.progress]
            arm.arm_cartesian_feedback.measured_pos_tracking_error = what.error_m
            arm.arm_cartesian_feedback.measured_rot_tracking_error = what.error_rad
        else:
            named = _Named.Feedback
            arm.named_arm_position_feedback.status = (
                named.STATUS_COMPLETE if done else named.STATUS_IN_PROGRESS
            )
    else:
        _fill_mobility(what, feedback.mobility_command_feedback, done)


def _fill_mobility(what: Any, mobility: Any, done: bool) -> None:
    stopped = what.progress is Progress.CANCELLED
    mobility.status = _Feedback.STATUS_COMMAND_TIMED_OUT if stopped else _Feedback.STATUS_PROCESSING
    if isinstance(what, Walk):
        walk = mobility.se2_trajectory_feedback
        walk.status = walk.STATUS_GOING_TO_GOAL if what.progress is Progress.MOVING else walk.STATUS_AT_GOAL
        walk.body_movement_status = walk.BODY_STATUS_MOVING if not done else walk.BODY_STATUS_SETTLED
        walk.final_goal_status = walk.FINAL_GOAL_STATUS_IN_PROGRESS
        if done:
            walk.final_goal_status = walk.FINAL_GOAL_STATUS_ACHIEVABLE
    elif isinstance(what, Posture) and what.standing:
        stand = mobility.stand_feedback
        stand.status = stand.STATUS_IS_STANDING if done else stand.STATUS_IN_PROGRESS
    elif isinstance(what, Posture):
        sit = mobility.sit_feedback
        sit.status = sit.STATUS_IS_SITTING if done else sit.STATUS_IN_PROGRESS
    else:
        mobility.se2_velocity_feedback.SetInParent()
