"""xs_sdk's topics and services for a simulated WidowX: what the real driver offers, and its manners.

Like the real one it obeys any publisher and checks no limits. Changing an operating mode or rebooting drops
the torque for a moment, so a raised arm sags. Registers are kept; a motion profile is not simulated, motors
follow each goal as fast as they can.
"""

import threading
import time
from collections.abc import Callable
from typing import Any

from interbotix_xs_msgs.msg import JointGroupCommand, JointSingleCommand
from interbotix_xs_msgs.srv import MotorGains, OperatingModes, Reboot, RegisterValues, RobotInfo, TorqueEnable
from rclpy.node import Node

from theia_core.actions.profile import RobotProfile
from theia_core.errors import TheiaError

ARM, GRIPPER, ALL = "arm", "gripper", "all"
# Dynamixel ids; 3 and 5 are the second motors of shoulder and elbow.
_MOTOR_IDS = {
    "waist": 1,
    "shoulder": 2,
    "elbow": 4,
    "forearm_roll": 6,
    "wrist_angle": 7,
    "wrist_rotate": 8,
    "gripper": 9,
}
_VELOCITY_LIMIT_RAD_S = 3.14159
_MODE_CHANGE_S, _REBOOT_S = 0.2, 0.5
_DEFAULT_REGISTERS = {"Profile_Velocity": 2000, "Profile_Acceleration": 300, "Position_P_Gain": 800}
_GAIN_REGISTERS = {
    "kp_pos": "Position_P_Gain",
    "ki_pos": "Position_I_Gain",
    "kd_pos": "Position_D_Gain",
    "k1": "Feedforward_1st_Gain",
    "k2": "Feedforward_2nd_Gain",
    "kp_vel": "Velocity_P_Gain",
    "ki_vel": "Velocity_I_Gain",
}


class SimulatedXsSdk:
    """Serves one environment; `lock` guards it, as physics runs in another thread."""

    def __init__(self, node: Node, env: Any, profile: RobotProfile, lock: threading.Lock) -> None:
        """Offer the topics and services in the namespace of `profile`."""
        self._node, self._env, self._profile, self._lock = node, env, profile, lock
        self._motors = (*profile.joint_names, GRIPPER)
        self._modes = {ARM: ("position", "time"), GRIPPER: ("pwm", "velocity")}
        self._registers = {name: dict(_DEFAULT_REGISTERS) for name in self._motors}
        self._goals_rad = profile.neutral_rad.copy()
        self._torque_on_at_s: dict[str, float] = {}
        space = profile.namespace
        node.create_subscription(JointGroupCommand, f"{space}/commands/joint_group", self._on_group, 10)
        node.create_subscription(JointSingleCommand, f"{space}/commands/joint_single", self._on_single, 10)
        services: dict[str, tuple[type, Callable[[Any, Any], None]]] = {
            "torque_enable": (TorqueEnable, self._torque_enable),
            "reboot_motors": (Reboot, self._reboot),
            "set_operating_modes": (OperatingModes, self._set_modes),
            "set_motor_pid_gains": (MotorGains, self._set_gains),
            "set_motor_registers": (RegisterValues, self._set_registers),
            "get_motor_registers": (RegisterValues, self._get_registers),
            "get_robot_info": (RobotInfo, self._robot_info),
        }
        for name, (kind, serve) in services.items():
            node.create_service(kind, f"{space}/{name}", self._answering(name, serve))

    def before_step(self) -> None:
        """Bring torque back where its time has come; called with the lock held, before each physics step."""
        for group, due_s in list(self._torque_on_at_s.items()):
            if time.monotonic() >= due_s:
                self._env.set_torque(group, True)
                del self._torque_on_at_s[group]

    # --- commands ---

    def _on_group(self, message: JointGroupCommand) -> None:
        if message.name not in (ARM, ALL):
            self._complain(f"joint group {message.name!r} does not exist; there is 'arm'")
        elif len(message.cmd) != len(self._profile.joint_names):
            self._complain(f"a command for 'arm' holds {len(message.cmd)} values instead of 6")
        else:
            self._move(dict(zip(self._profile.joint_names, message.cmd, strict=True)))

    def _on_single(self, message: JointSingleCommand) -> None:
        if message.name == GRIPPER:
            self._guarded(lambda: self._env.set_gripper_pwm(message.cmd))
        elif message.name in self._profile.joint_names:
            self._move({message.name: message.cmd})
        else:
            self._complain(f"joint {message.name!r} does not exist")

    def _move(self, goals: dict[str, float]) -> None:
        for name, goal in goals.items():
            self._goals_rad[self._profile.joint_names.index(name)] = goal
        self._guarded(lambda: self._env.set_joint_targets(self._goals_rad))

    def _guarded(self, act: Callable[[], None]) -> None:
        try:
            with self._lock:
                act()
        except TheiaError as error:
            self._complain(str(error))

    def _complain(self, problem: str) -> None:
        self._node.get_logger().error(problem, throttle_duration_sec=1.0)

    # --- services ---

    def _answering(self, name: str, serve: Callable[[Any, Any], None]) -> Callable[[Any, Any], Any]:
        """A service callback that logs a refused request and answers empty, as xs_sdk does."""

        def answer(request: Any, response: Any) -> Any:
            try:
                serve(request, response)
            except TheiaError as error:
                self._complain(f"{name}: {error}")
            return response

        return answer

    def _selected(self, request: Any) -> tuple[str, ...]:
        """Motors that a request names by group or joint."""
        if request.cmd_type == "group" and request.name in (ARM, ALL):
            return self._motors if request.name == ALL else self._profile.joint_names
        if request.cmd_type == "single" and request.name in self._motors:
            return (request.name,)
        raise TheiaError(
            f"no {request.cmd_type or 'empty cmd_type'} {request.name!r}; groups are arm and all"
        )

    def _groups(self, request: Any) -> tuple[str, ...]:
        """Motor groups of the simulation that a request touches: its arm has torque as a whole."""
        motors = self._selected(request)
        touched = [GRIPPER] if GRIPPER in motors else []
        return tuple(touched + ([ARM] if set(motors) - {GRIPPER} else []))

    def _drop_torque(self, request: Any, seconds: float | None) -> None:
        """Torque off, and on again after `seconds` unless None."""
        with self._lock:
            for group in self._groups(request):
                self._env.set_torque(group, False)
                self._torque_on_at_s.pop(group, None)
                if seconds is not None:
                    self._torque_on_at_s[group] = time.monotonic() + seconds

    def _torque_enable(self, request: TorqueEnable.Request, _response: Any) -> None:
        self._drop_torque(request, None)
        if request.enable:
            with self._lock:
                for group in self._groups(request):
                    self._env.set_torque(group, True)

    def _reboot(self, request: Reboot.Request, _response: Any) -> None:
        self._drop_torque(request, _REBOOT_S if request.enable else None)

    def _set_modes(self, request: OperatingModes.Request, _response: Any) -> None:
        groups = self._groups(request)
        for group in groups:
            if request.mode != self._modes[group][0]:
                raise TheiaError(
                    f"{group} is simulated in mode {self._modes[group][0]} only, not {request.mode}"
                )
            self._modes[group] = request.mode, request.profile_type
        for motor in self._selected(request):
            self._registers[motor]["Profile_Velocity"] = request.profile_velocity
            self._registers[motor]["Profile_Acceleration"] = request.profile_acceleration
        self._drop_torque(request, _MODE_CHANGE_S)

    def _set_gains(self, request: MotorGains.Request, _response: Any) -> None:
        for motor in self._selected(request):
            for field, register in _GAIN_REGISTERS.items():
                self._registers[motor][register] = getattr(request, field)

    def _set_registers(self, request: RegisterValues.Request, _response: Any) -> None:
        for motor in self._selected(request):
            self._registers[motor][request.reg] = request.value

    def _get_registers(self, request: RegisterValues.Request, response: RegisterValues.Response) -> None:
        response.values = [self._registers[motor].get(request.reg, 0) for motor in self._selected(request)]

    def _robot_info(self, request: RobotInfo.Request, response: RobotInfo.Response) -> None:
        motors, profile = self._selected(request), self._profile
        mode, profile_type = self._modes[GRIPPER if motors == (GRIPPER,) else ARM]
        response.mode, response.profile_type = mode, profile_type
        response.num_joints = len(motors)
        response.name = [ARM, GRIPPER] if request.name == ALL else [request.name]
        rows = [self._joint_row(profile, motor) for motor in motors]
        response.joint_names = [row[0] for row in rows]
        response.joint_lower_limits = [row[1] for row in rows]
        response.joint_upper_limits = [row[2] for row in rows]
        response.joint_sleep_positions = [row[3] for row in rows]
        response.joint_ids = [_MOTOR_IDS[motor] for motor in motors]
        response.joint_velocity_limits = [_VELOCITY_LIMIT_RAD_S] * len(motors)
        response.joint_state_indices = [self._motors.index(motor) for motor in motors]

    @staticmethod
    def _joint_row(profile: RobotProfile, motor: str) -> tuple[str, float, float, float]:
        """Name, limits and sleep position; the gripper is described by its left finger, as xs_sdk does."""
        if motor == GRIPPER:
            low, high = profile.finger_range_m
            return profile.finger_joint, float(low), float(high), 0.0
        place = profile.joint_names.index(motor)
        low, high = profile.joint_lower_rad[place], profile.joint_upper_rad[place]
        return motor, float(low), float(high), float(profile.sleep_rad[place])
