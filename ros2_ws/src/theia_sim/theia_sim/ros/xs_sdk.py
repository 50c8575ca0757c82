"""xs_sdk's topics and services for a simulated WidowX: what the real driver offers, and its manners.

Like the real one it obeys any publisher and checks no limits. Changing an operating mode or rebooting drops
the torque for a moment, so a raised arm sags.

joint_states come at 100 Hz with position, velocity and effort. Efforts are what MuJoCo's motors give, in Nm
(fingers N), gravity included; the real driver fills that field with the current that a motor reports, in mA.
"""

import threading
from collections.abc import Callable
from typing import Any

import numpy as np
from interbotix_xs_msgs.msg import JointGroupCommand, JointSingleCommand
from interbotix_xs_msgs.srv import MotorGains, OperatingModes, Reboot, RegisterValues, RobotInfo, TorqueEnable
from rclpy.node import Node
from sensor_msgs.msg import JointState
from std_msgs.msg import String

from theia.messages.json_object import parse_object
from theia.nodekit.qos import DRIVER_STATE, EVENT
from theia_core.actions.profile import RobotProfile
from theia_core.errors import TheiaError
from theia_sim.ros.faults import Faults
from theia_sim.ros.motors import ALL, ARM, GRIPPER, Motors
from theia_sim.ros.robot_info import describe

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
    """Serves the motors of one environment; `lock` guards them, as physics runs in another thread."""

    def __init__(self, node: Node, motors: Motors, profile: RobotProfile, lock: threading.Lock) -> None:
        """Offer the topics and services in the namespace of `profile`."""
        self._node, self._motors, self._profile, self._lock = node, motors, profile, lock
        self._faults = Faults(motors.overload)
        space = profile.namespace
        self._joint_states = node.create_publisher(JointState, f"{space}/joint_states", DRIVER_STATE)
        node.create_subscription(JointGroupCommand, f"{space}/commands/joint_group", self._on_group, 10)
        node.create_subscription(JointSingleCommand, f"{space}/commands/joint_single", self._on_single, 10)
        node.create_subscription(String, "~/inject", self._on_inject, EVENT)
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

    def publish(self, state: Any) -> bool:
        """Publish an ArmEnv's JointState as far as the motors answer; False if the line is stalled.

        A reply ends before the first motor that does not answer, while the names stay complete.
        """
        with self._lock:
            if self._faults.stalled:
                return False
            lengths = [self._faults.reply_length(), self._motors.answering()]
        message = JointState(name=list(state.names))
        message.header.stamp = self._node.get_clock().now().to_msg()
        count = min([length for length in lengths if length is not None], default=len(state.names))
        for field, values in (
            (message.position, state.position),
            (message.velocity, state.velocity),
            (message.effort, state.effort),
        ):
            field.frombytes(np.ascontiguousarray(values[:count], dtype=np.float64).tobytes())
        self._joint_states.publish(message)
        return True

    # --- commands ---

    def _on_group(self, message: JointGroupCommand) -> None:
        joints = self._profile.joint_names
        if message.name not in (ARM, ALL):
            self._complain(f"joint group {message.name!r} does not exist; there is 'arm'")
        elif len(message.cmd) != len(joints):
            self._complain(f"a command for 'arm' holds {len(message.cmd)} values instead of {len(joints)}")
        else:
            self._order(lambda: self._motors.move(dict(zip(joints, message.cmd, strict=True))))

    def _on_single(self, message: JointSingleCommand) -> None:
        if message.name == GRIPPER:
            self._order(lambda: self._motors.push_gripper(message.cmd))
        elif message.name in self._profile.joint_names:
            self._order(lambda: self._motors.move({message.name: message.cmd}))
        else:
            self._complain(f"joint {message.name!r} does not exist")

    def _order(self, act: Callable[[], None]) -> None:
        try:
            with self._lock:
                if self._faults.takes_command():
                    act()
        except TheiaError as error:
            self._complain(str(error))

    def _on_inject(self, message: String) -> None:
        try:
            with self._lock:
                said = self._faults.inject(parse_object(message.data, "inject"))
        except TheiaError as error:
            self._complain(f"inject: {error}")
        else:
            self._node.get_logger().warning(said)

    def _complain(self, problem: str) -> None:
        self._node.get_logger().error(problem, throttle_duration_sec=1.0)

    # --- services, called with the lock held ---

    def _answering(self, name: str, serve: Callable[[Any, Any], None]) -> Callable[[Any, Any], Any]:
        """A service callback that logs a refused request and answers empty, as xs_sdk does."""

        def answer(request: Any, response: Any) -> Any:
            try:
                with self._lock:
                    if self._faults.stalled:
                        raise TheiaError("the motors do not answer")
                    serve(request, response)
            except TheiaError as error:
                self._complain(f"{name}: {error}")
            return response

        return answer

    def _selected(self, request: Any) -> tuple[str, ...]:
        """Motors that a request names by group or joint."""
        names = self._motors.names
        if request.cmd_type == "group" and request.name in (ARM, ALL):
            return names if request.name == ALL else self._profile.joint_names
        if request.cmd_type == "single" and request.name in names:
            return (request.name,)
        raise TheiaError(
            f"no {request.cmd_type or 'empty cmd_type'} {request.name!r}; groups are arm and all"
        )

    def _torque_enable(self, request: TorqueEnable.Request, _response: Any) -> None:
        self._motors.set_torque(self._selected(request), request.enable)

    def _reboot(self, request: Reboot.Request, _response: Any) -> None:
        self._motors.reboot(
            self._selected(request), enable=request.enable, only_overloaded=request.smart_reboot
        )

    def _set_modes(self, request: OperatingModes.Request, _response: Any) -> None:
        self._motors.set_mode(
            self._selected(request),
            request.mode,
            request.profile_type,
            request.profile_velocity,
            request.profile_acceleration,
        )

    def _set_gains(self, request: MotorGains.Request, _response: Any) -> None:
        for field, register in _GAIN_REGISTERS.items():
            self._motors.write(self._selected(request), register, getattr(request, field))

    def _set_registers(self, request: RegisterValues.Request, _response: Any) -> None:
        self._motors.write(self._selected(request), request.reg, request.value)

    def _get_registers(self, request: RegisterValues.Request, response: RegisterValues.Response) -> None:
        response.values = [self._motors.read(motor, request.reg) for motor in self._selected(request)]

    def _robot_info(self, request: RobotInfo.Request, response: RobotInfo.Response) -> None:
        describe(self._motors, self._profile, self._selected(request), request.name, response)
