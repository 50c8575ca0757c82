"""The guard node, the arm's only publisher.

Chunks in; joint goals at 50 Hz, the guard's state and what was executed out.
"""

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from rclpy.service import Service
from sensor_msgs.msg import JointState
from std_srvs.srv import Trigger
from theia_msgs.msg import ActionChunk as ChunkMessage
from theia_msgs.msg import GuardState

from theia.messages.chunks import chunk_from_message, chunk_message
from theia.messages.joints import JointReader
from theia.messages.stamps import Now
from theia.nodekit.lifecycle import ManagedNode, NotReady
from theia.nodekit.main import run_node
from theia.nodekit.parameters import declare, parameter
from theia.nodekit.qos import EVENT, STATE, STREAM
from theia.nodes.xs_driver import XsDriver
from theia.topics import ACTION_CHUNK, EXECUTED_ACTION, GUARD_STATE
from theia_core.actions.chunks import ActionChunk
from theia_core.actions.guard import ExecutedAction, Guard, GuardMode
from theia_core.actions.kinematics import ArmKinematics
from theia_core.actions.profile import load_profile

_STATE_PERIOD_S = 0.1
_REFRESH_PERIOD_S = 0.2


@dataclass(frozen=True)
class GuardParameters:
    """Parameters of the guard node; limits are in the robot profile, which an operator may edit."""

    robot: str = parameter("wx250s", "shipped name or YAML file of the robot profile")
    task: str = parameter("door", "task whose workspace applies")


class GuardNode(ManagedNode):
    """A thin shell around theia_core.actions.guard.Guard; all its calls come from one thread."""

    def __init__(self) -> None:
        """Declare parameters; `configure` loads the profile."""
        super().__init__("widowx_guard")
        self.parameters = declare(self, GuardParameters)
        self._shown: tuple[GuardMode, str] | None = None
        self._last_executed: ExecutedAction | None = None
        self._executed_steps = 0
        self._gripper_pwm = 0.0

    def configure(self) -> None:
        """Load profile and kinematics, look for the arm's driver."""
        self.profile = load_profile(self.parameters.robot)
        self.guard = Guard(self.profile, ArmKinematics(self.profile), self.parameters.task)
        self.driver = XsDriver(self, self.profile)
        self._joints = JointReader((*self.profile.joint_names, self.profile.finger_joint))
        self._state = self.create_publisher(GuardState, GUARD_STATE, STATE)
        self._executed = self.create_publisher(ChunkMessage, EXECUTED_ACTION, EVENT)
        joints = f"{self.profile.namespace}/joint_states"
        self._listening = [
            self.create_subscription(JointState, joints, self._on_joints, STREAM),
            self.create_subscription(ChunkMessage, ACTION_CHUNK, self._on_chunk, STREAM),
        ]
        orders: dict[str, Callable[[float], str | None]] = {
            "arm": self.guard.arm,
            "disarm": self.guard.disarm,
            "hold": self.guard.hold,
            "estop": self.guard.estop,
            "clear": self.guard.clear,
            "home": self.guard.home,
        }
        self._services_offered = [self._offer(name, order) for name, order in orders.items()]
        self._state_timer = self.create_timer(_STATE_PERIOD_S, self._publish_state)
        self.diagnostics.before_publishing(self._gather)
        self.get_logger().info(f"guarding {self.profile.name} for task {self.parameters.task}")

    def activate(self) -> None:
        """Begin to command the arm, once its driver has been checked and `arm` is called."""
        if not self.driver.is_ready:
            raise NotReady(
                f"the arm's driver does not answer on {self.profile.namespace}/get_robot_info: "
                "is xs_sdk running?"
            )
        if self.guard.measured is None:
            raise NotReady(f"no {self.profile.namespace}/joint_states: is xs_sdk running?")
        self._refresh_at_s = 0.0
        self._tick_timer = self.create_timer(self.profile.guard.tick_s, self._tick)

    def deactivate(self) -> None:
        """Leave the arm holding: its goal is where it was commanded last, the gripper keeps its PWM."""
        self.guard.hold(time.monotonic(), "the guard was shut down; the arm keeps its last goal")
        self._refresh_at_s = 0.0
        self._tick()
        self.destroy_timer(self._tick_timer)
        self._publish_state()

    def clean_up(self) -> None:
        """Forget robot and driver."""
        self.diagnostics.before_publishing(None)
        self.destroy_timer(self._state_timer)
        for subscription in self._listening:
            self.destroy_subscription(subscription)
        for service in self._services_offered:
            self.destroy_service(service)
        for publisher in (self._state, self._executed):
            self.destroy_publisher(publisher)
        self.driver.close()

    # --- in ---

    def _on_joints(self, message: JointState) -> None:
        now_s = time.monotonic()
        self.guard.on_joint_state(now_s, self._joints.positions(message))
        self.diagnostics.rate("joint_states").tick()

    def _on_chunk(self, message: ChunkMessage) -> None:
        if not self.is_active:
            return
        now = Now.of(self)
        chunk = chunk_from_message(message, now)
        refusal = self.guard.on_chunk(now.monotonic_s, chunk)
        self.diagnostics.rate("chunks").tick()
        if refusal is None:
            self.diagnostics.samples("observation_to_guard_ms").add((now.monotonic_s - chunk.stamp_s) * 1000)
        self._publish_change()

    def _offer(self, name: str, order: Callable[[float], str | None]) -> Service:
        """A Trigger service that gives the guard one order."""

        def answer(_request: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
            if not self.is_active:
                response.success, response.message = False, "the guard node is not active"
                return response
            refusal = order(time.monotonic())
            response.success = refusal is None
            response.message = refusal or f"{self.guard.mode.name}: {self.guard.reason}"
            self.get_logger().info(f"{name}: {response.message}")
            self._publish_change()
            return response

        return self.create_service(Trigger, f"~/{name}", answer)

    # --- out ---

    def _tick(self) -> None:
        started_s = time.monotonic()
        command = self.guard.tick(started_s)
        if command is not None:
            refresh = started_s >= self._refresh_at_s
            if refresh:
                self._refresh_at_s = started_s + _REFRESH_PERIOD_S
            self.driver.command(command.joints_rad, command.gripper_pwm, refresh=refresh)
        self._gripper_pwm = command.gripper_pwm if command is not None else 0.0
        if self.guard.executed is not self._last_executed and self.guard.executed is not None:
            self._publish_executed(self.guard.executed)
        self._publish_change()
        self.diagnostics.samples("tick_ms").add((time.monotonic() - started_s) * 1000)
        self.diagnostics.rate("commands").tick()

    def _publish_executed(self, executed: ExecutedAction) -> None:
        """What the arm began to do, stamped with when: this is the action that a recording holds."""
        self._last_executed = executed
        self._executed_steps += 1
        chunk = ActionChunk(
            stamp_s=executed.time_s,
            dt_s=self.profile.guard.step_s,
            actions=executed.action[None],
            expires_at_s=executed.time_s + self.profile.guard.step_s,
            sequence=self._executed_steps,
            policy_id=executed.policy_id,
        )
        self._executed.publish(chunk_message(chunk, Now.of(self)))
        self.diagnostics.samples("observation_to_motion_ms").add(
            (executed.time_s - executed.observation_s) * 1000
        )

    def _publish_change(self) -> None:
        """Publish the state at once if mode or reason are not those shown last."""
        if (self.guard.mode, self.guard.reason) == self._shown:
            return
        mode, reason = self.guard.mode, self.guard.reason
        before = self._shown[0] if self._shown else None
        text = f"{mode.name}: {reason}" if reason else mode.name
        if mode != before and mode in (GuardMode.ACTIVE, GuardMode.IDLE):
            self.get_logger().info(text)
        elif mode != before:
            self.get_logger().warning(text)
        self._publish_state()

    def _publish_state(self) -> None:
        guard = self.guard
        self._shown = guard.mode, guard.reason
        message = GuardState(
            mode=int(guard.mode),
            reason=guard.reason,
            joint_names=list(self._joints.names),
            measured=_list(guard.measured),
            commanded=_list(guard.setpoint),
            gripper_pwm=self._gripper_pwm,
            policy_id=guard.executed.policy_id if guard.executed else "",
            executed_steps=self._executed_steps,
            dropped_late=guard.dropped_late,
            refusal_names=list(guard.refusals.keys()),
            refusal_counts=list(guard.refusals.values()),
        )
        message.header.stamp = self.get_clock().now().to_msg()
        self._state.publish(message)

    def _gather(self) -> None:
        counts = self.diagnostics.counts
        counts["executed_steps"] = self._executed_steps
        counts["dropped_late"] = self.guard.dropped_late
        for name, count in self.guard.refusals.items():
            counts[f"refused_{name}"] = count
        self.diagnostics.facts["mode"] = self.guard.mode.name
        if self.is_active and self.guard.mode in (GuardMode.FAULT, GuardMode.ESTOP):
            self.diagnostics.warn(f"{self.guard.mode.name}: {self.guard.reason}")
        elif self.is_active:
            self.diagnostics.ok(f"{self.guard.mode.name}: {self.guard.reason}".rstrip(": "))


def _list(values: np.ndarray | None) -> list[float]:
    return [] if values is None else values.tolist()


def main() -> int:
    """Run the node."""
    return run_node(GuardNode)


if __name__ == "__main__":
    sys.exit(main())
