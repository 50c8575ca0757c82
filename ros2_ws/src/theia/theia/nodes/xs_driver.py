"""The guard's side of the Interbotix driver xs_sdk: commands, and the set-up that a stream of goals needs."""

from typing import Any

import numpy as np
from interbotix_xs_msgs.msg import JointGroupCommand, JointSingleCommand
from interbotix_xs_msgs.srv import RegisterValues, RobotInfo
from rclpy.client import Client
from rclpy.node import Node
from rclpy.task import Future

from theia.nodekit.qos import DRIVER_COMMAND
from theia_core.actions.profile import RobotProfile
from theia_core.errors import TheiaError

ARM, GRIPPER = "arm", "gripper"
_LOOK_S = 0.2


class XsDriver:
    """Publishes commands and, in the background, checks and prepares the driver; one thread.

    The motors follow each goal over a profile time. The driver's default of 2 s suits single moves; a stream
    needs about two periods, or the arm lags far behind. The registers can be written with torque on, whereas
    a change of the operating mode would let a raised arm fall: a wrong mode is an error here.
    """

    def __init__(self, node: Node, profile: RobotProfile) -> None:
        """Begin to look for the driver in the namespace of `profile`."""
        self._profile = profile
        self._node = node
        space = profile.namespace
        self._arm = node.create_publisher(JointGroupCommand, f"{space}/commands/joint_group", DRIVER_COMMAND)
        self._gripper = node.create_publisher(
            JointSingleCommand, f"{space}/commands/joint_single", DRIVER_COMMAND
        )
        self._info = node.create_client(RobotInfo, f"{space}/get_robot_info")
        self._registers = node.create_client(RegisterValues, f"{space}/set_motor_registers")
        period_ms = round(profile.guard.tick_s * 1000)
        self._to_write = [("Profile_Acceleration", period_ms), ("Profile_Velocity", 2 * period_ms)]
        self._to_check = [(ARM, "group", "position"), (GRIPPER, "single", "pwm")]
        self._pending: Future | None = None
        self._error = ""
        self._last_pwm: float | None = None
        self._timer = node.create_timer(_LOOK_S, self._prepare)

    @property
    def is_ready(self) -> bool:
        """Whether the driver has been checked and prepared.

        Raises:
            TheiaError: if it runs another robot or in another mode.
        """
        if self._error:
            raise TheiaError(self._error)
        return not self._to_check and not self._to_write

    def command(self, joints_rad: np.ndarray, gripper_pwm: float, *, refresh: bool) -> None:
        """Send goals (6,) [rad]; the gripper's PWM only when it changed, or with `refresh`."""
        self._arm.publish(JointGroupCommand(name=ARM, cmd=joints_rad.tolist()))
        if refresh or gripper_pwm != self._last_pwm:
            self._gripper.publish(JointSingleCommand(name=GRIPPER, cmd=float(gripper_pwm)))
            self._last_pwm = gripper_pwm

    def close(self) -> None:
        """Stop talking to the driver."""
        self._node.destroy_timer(self._timer)
        for client in (self._info, self._registers):
            self._node.destroy_client(client)
        for publisher in (self._arm, self._gripper):
            self._node.destroy_publisher(publisher)

    def _prepare(self) -> None:
        """Ask or write the next thing, one at a time."""
        if self._pending is not None or self._error:
            return
        if self._to_check:
            name, kind, _ = self._to_check[0]
            self._ask(self._info, RobotInfo.Request(cmd_type=kind, name=name), self._on_info)
        elif self._to_write:
            register, value = self._to_write[0]
            request = RegisterValues.Request(cmd_type="group", name=ARM, reg=register, value=value)
            self._ask(self._registers, request, self._on_written)
        else:
            self._timer.cancel()

    def _ask(self, client: Client, request: Any, then: Any) -> None:
        if client.service_is_ready():
            self._pending = client.call_async(request)
            self._pending.add_done_callback(then)

    def _on_info(self, future: Future) -> None:
        info: RobotInfo.Response = future.result()
        name, _, mode = self._to_check.pop(0)
        joints = tuple(info.joint_names)
        if name == ARM and joints != self._profile.joint_names:
            self._error = (
                f"xs_sdk's arm has the joints {', '.join(joints) or '(none)'}, "
                f"not those of robot profile {self._profile.name}; "
                f"start it with robot_model:={self._profile.name}"
            )
        elif info.mode != mode:
            self._error = (
                f"xs_sdk runs {name} in mode {info.mode!r} instead of {mode!r}; set it in the driver's mode "
                "configuration (changing it now would let the arm fall)"
            )
        elif name == ARM and info.profile_type != "time":
            self._error = (
                f"xs_sdk's arm has profile_type {info.profile_type!r} instead of 'time'; "
                "set it in the driver's mode configuration"
            )
        self._pending = None

    def _on_written(self, future: Future) -> None:
        future.result()
        self._to_write.pop(0)
        self._pending = None
