"""The guard's side of the Interbotix driver xs_sdk: commands, and the state of the motors that they need."""

from collections.abc import Callable, Generator
from enum import Enum
from typing import Any

import numpy as np
from interbotix_xs_msgs.msg import JointGroupCommand, JointSingleCommand
from interbotix_xs_msgs.srv import OperatingModes, RegisterValues, RobotInfo, TorqueEnable
from rclpy.client import Client
from rclpy.node import Node
from rclpy.publisher import Publisher

from theia.nodekit.qos import DRIVER_COMMAND
from theia.nodekit.service_script import Script, ServiceScripts
from theia_core.actions.profile import RobotProfile
from theia_core.errors import TheiaError

ARM, GRIPPER = "arm", "gripper"
_COMMANDS = ("commands/joint_group", "commands/joint_single", "commands/joint_trajectory")
_TORQUE, _TIME, _RAMP = "Torque_Enable", "Profile_Velocity", "Profile_Acceleration"
_SETTLE_S = 0.5  # how long a change of the mode or a reboot keeps the torque away
_MS = 1000


class Profile(Enum):
    """How long the motors take to each goal; without it a move lags far behind, or jumps."""

    STREAM = "stream"
    MOVE = "move"


class XsDriver:
    """Publishes commands; checks and prepares the motors in the background; one thread.

    Profile times are registers that may be written with torque on. Changing an operating mode or the torque
    lets a raised arm fall, so that is done only where `why_not_limp` has nothing against it.

    Attributes:
        profile: the profile that the motors were last seen to have, None if unknown.
        trouble: why the motors cannot be commanded; empty if they can.
        has_torque: whether all motors of the arm had torque when last asked.
    """

    def __init__(self, node: Node, robot: RobotProfile, why_not_limp: Callable[[], str | None]) -> None:
        """Begin to look for the driver in the namespace of `robot`."""
        self._node, self._robot, self._why_not_limp = node, robot, why_not_limp
        space = robot.namespace
        self._topics = [f"{space}/{name}" for name in _COMMANDS]
        self._arm = node.create_publisher(JointGroupCommand, self._topics[0], DRIVER_COMMAND)
        self._gripper = node.create_publisher(JointSingleCommand, self._topics[1], DRIVER_COMMAND)
        self._info = node.create_client(RobotInfo, f"{space}/get_robot_info")
        self._read = node.create_client(RegisterValues, f"{space}/get_motor_registers")
        self._write = node.create_client(RegisterValues, f"{space}/set_motor_registers")
        self._modes = node.create_client(OperatingModes, f"{space}/set_operating_modes")
        self._torque = node.create_client(TorqueEnable, f"{space}/torque_enable")
        self._clients: list[Client] = [self._info, self._read, self._write, self._modes, self._torque]
        tick_ms, move_ms = round(robot.guard.tick_s * _MS), round(robot.guard.move_profile_s * _MS)
        self._times_ms = {Profile.STREAM: (2 * tick_ms, tick_ms), Profile.MOVE: (move_ms, move_ms // 2)}
        self._scripts = ServiceScripts(node)
        self._last_pwm: float | None = None
        self.profile: Profile | None = None
        self.trouble, self.has_torque, self._checked = "", False, False

    # --- commands ---

    def command(self, joints_rad: np.ndarray) -> None:
        """Send goals (6,) [rad]."""
        self._arm.publish(JointGroupCommand(name=ARM, cmd=joints_rad.tolist()))

    def push_gripper(self, pwm: float, *, again: bool) -> None:
        """Send the gripper's PWM if it is another than last time, or `again`."""
        if again or pwm != self._last_pwm:
            self._gripper.publish(JointSingleCommand(name=GRIPPER, cmd=float(pwm)))
            self._last_pwm = pwm

    @property
    def publishers(self) -> tuple[Publisher, ...]:
        """Both publishers of commands."""
        return self._arm, self._gripper

    # --- state of the motors ---

    @property
    def is_there(self) -> bool:
        """Whether all of the driver's services are."""
        return all(client.service_is_ready() for client in self._clients)

    @property
    def busy(self) -> bool:
        """Whether something is being asked or written."""
        return self._scripts.busy

    @property
    def is_ready(self) -> bool:
        """Whether the motors have been checked and prepared.

        Raises:
            TheiaError: if they cannot be; the next call looks again.
        """
        if self.trouble and not self.busy:
            trouble, self.trouble = self.trouble, ""
            raise TheiaError(trouble)
        if not self._checked and not self.busy and self.is_there:
            self.check(Profile.STREAM)
        return self._checked

    def check(self, profile: Profile) -> None:
        """Look at modes, torque and profile, put right what may be; not while `busy`."""
        self._scripts.start(self._prepare(profile), self._note)

    def switch_torque(self, on: bool) -> None:
        """Torque of the whole robot on or off; the caller has made sure that the arm cannot fall."""
        self.has_torque = False
        self._scripts.start(self._switch_torque(on), self._note)

    def rivals(self) -> list[str]:
        """Names of the nodes besides ours that could command the arm."""
        own = self._node.get_fully_qualified_name()
        names: set[str] = set()
        for topic in self._topics:
            publishers = self._node.get_publishers_info_by_topic(topic)
            found = [f"{p.node_namespace.rstrip('/')}/{p.node_name}" for p in publishers]
            if found.count(own) <= 1:
                found = [name for name in found if name != own]
            names.update(found)
        return sorted(names)

    def close(self) -> None:
        """Stop talking to the driver."""
        self._scripts.close()
        for client in self._clients:
            self._node.destroy_client(client)
        for publisher in self.publishers:
            self._node.destroy_publisher(publisher)

    # --- scripts ---

    def _note(self, trouble: str | None) -> None:
        self.trouble = trouble or ""
        self._checked = self._checked or not trouble
        if trouble:
            self.profile = None

    def _prepare(self, profile: Profile) -> Script:
        yield from self._check_mode(ARM, "group", "position", "time")
        yield from self._check_mode(GRIPPER, "single", "pwm", "")
        self.has_torque = all((yield from self._values(_TORQUE)))
        if not self.has_torque and not self._checked:
            self._must_be_asleep("the arm has no torque")
            yield from self._switch_torque(True)
        yield from self._set_profile(profile)

    def _check_mode(self, name: str, kind: str, mode: str, profile_type: str) -> Script:
        for attempt in (1, 2):
            info: RobotInfo.Response = yield self._info, RobotInfo.Request(cmd_type=kind, name=name)
            joints = tuple(info.joint_names)
            if name == ARM and joints != self._robot.joint_names:
                raise TheiaError(
                    f"xs_sdk's arm has the joints {', '.join(joints) or '(none)'}, not those of robot "
                    f"profile {self._robot.name}; start it with robot_model:={self._robot.name}"
                )
            if info.mode == mode and profile_type in ("", info.profile_type):
                return
            has = f"xs_sdk runs {name} in mode {info.mode!r} with profile_type {info.profile_type!r}"
            wanted = f"{mode!r}" + (f" and {profile_type!r}" if profile_type else "")
            if attempt == 2:
                raise TheiaError(f"{has} instead of {wanted} and does not change it; see its output")
            self._must_be_asleep(f"{has} instead of {wanted}")
            time_ms, ramp_ms = self._times_ms[Profile.STREAM] if name == ARM else (0, 0)
            yield (
                self._modes,
                OperatingModes.Request(
                    cmd_type=kind,
                    name=name,
                    mode=mode,
                    profile_type=profile_type or info.profile_type or "velocity",
                    profile_velocity=time_ms,
                    profile_acceleration=ramp_ms,
                ),
            )
            self._node.get_logger().warning(f"{has}: set to {wanted}, the arm being at its sleep pose")
            yield _SETTLE_S

    def _must_be_asleep(self, problem: str) -> None:
        if refusal := self._why_not_limp():
            raise TheiaError(
                f"{problem}; setting that right lets a raised arm fall, so put it to sleep first: {refusal}"
            )

    def _set_profile(self, profile: Profile) -> Script:
        """Write both times, in the order in which the ramp never exceeds half of the whole, and read back."""
        time_ms, ramp_ms = self._times_ms[profile]
        present_ms = yield from self._values(_TIME)
        registers = [(_RAMP, ramp_ms), (_TIME, time_ms)]
        if min(present_ms) < time_ms:
            registers.reverse()
        for register, value in registers:
            if any(have != value for have in (yield from self._values(register))):
                self.profile = None
                yield self._write, self._request(register, value)
                have = yield from self._values(register)
                if any(value != other for other in have):
                    raise TheiaError(
                        f"{register} of the motors is {have} after writing {value}; see xs_sdk's output"
                    )
        self.profile = profile

    def _switch_torque(self, on: bool) -> Script:
        for kind, name in (("group", ARM), ("single", GRIPPER)):
            yield self._torque, TorqueEnable.Request(cmd_type=kind, name=name, enable=on)
        values = yield from self._values(_TORQUE)
        if any(bool(value) != on for value in values):
            raise TheiaError(f"torque of the motors is {values} after switching it {'on' if on else 'off'}")
        self.has_torque = on

    def _values(self, register: str) -> Generator[Any, Any, list[int]]:
        """A register of each of the arm's motors.

        Raises:
            TheiaError: if not all of them answer.
        """
        answer: RegisterValues.Response = yield self._read, self._request(register)
        values, motors = list(answer.values), len(self._robot.joint_names)
        if len(values) != motors:
            raise TheiaError(
                f"{len(values)} of {motors} motors answer: one is overloaded? support the arm, reboot it"
            )
        return values

    @staticmethod
    def _request(register: str, value: int = 0) -> RegisterValues.Request:
        return RegisterValues.Request(cmd_type="group", name=ARM, reg=register, value=value)
