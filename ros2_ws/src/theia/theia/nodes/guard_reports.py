"""What a guard's node says of it: its state, at once when it changes, and each action that was executed."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from rclpy.duration import Duration
from rclpy.publisher import Publisher
from theia_msgs.msg import ActionChunk as ChunkMessage
from theia_msgs.msg import GuardState

from theia.messages.chunks import chunk_message
from theia.messages.stamps import Now
from theia.nodekit.lifecycle import ManagedNode
from theia.nodekit.qos import EVENT, STATE
from theia.topics import EXECUTED_ACTION, GUARD_STATE
from theia_core.actions.chunks import ActionChunk
from theia_core.actions.guard_state import ExecutedAction, GuardMode
from theia_core.actions.playback import Playback

_STATE_PERIOD_S = 0.1
_LAST_WORDS_S = 0.3


class ReportedGuard(Protocol):
    """What both guards have."""

    mode: GuardMode
    reason: str
    refusals: Counter[str]
    executed: ExecutedAction | None
    playback: Playback


@dataclass(frozen=True)
class Numbers:
    """Names of what is measured, and values; None where there are none yet."""

    names: tuple[str, ...]
    measured: np.ndarray | None
    commanded: np.ndarray | None
    gripper_pwm: float = 0.0


class GuardReports:
    """Publishes GuardState at 10 Hz and on every change, and the executed actions.

    Attributes:
        executed_steps: actions executed since start.
    """

    def __init__(
        self,
        node: ManagedNode,
        guard: ReportedGuard,
        numbers: Callable[[], Numbers],
        *,
        step_s: float,
        action_space: str,
    ) -> None:
        """Begin to publish."""
        self._node, self._guard, self._numbers = node, guard, numbers
        self._step_s, self._space = step_s, action_space
        self._shown: tuple[GuardMode, str] | None = None
        self._last: ExecutedAction | None = None
        self.executed_steps = 0
        self._state = node.create_publisher(GuardState, GUARD_STATE, STATE)
        self._executed = node.create_publisher(ChunkMessage, EXECUTED_ACTION, EVENT)
        self._timer = node.create_timer(_STATE_PERIOD_S, self.publish)

    def close(self) -> None:
        """Publish no more."""
        self._node.destroy_timer(self._timer)
        for publisher in (self._state, self._executed):
            self._node.destroy_publisher(publisher)

    def finish(self, *others: Publisher) -> None:
        """Publish the state and wait until it, and what `others` have published, has arrived."""
        self.publish()
        for publisher in (*others, self._state):
            publisher.wait_for_all_acked(Duration(seconds=_LAST_WORDS_S))

    def publish_executed(self) -> None:
        """Publish what the robot has begun to do, if that is new, stamped with when: what is recorded."""
        executed = self._guard.executed
        if executed is None or executed is self._last:
            return
        self._last = executed
        self.executed_steps += 1
        chunk = ActionChunk(
            stamp_s=executed.time_s,
            dt_s=self._step_s,
            actions=executed.action[None],
            expires_at_s=executed.time_s + self._step_s,
            sequence=self.executed_steps,
            policy_id=executed.policy_id,
            action_space=self._space,
        )
        self._executed.publish(chunk_message(chunk, Now.of(self._node)))
        self._node.diagnostics.samples("observation_to_motion_ms").add(
            (executed.time_s - executed.observation_s) * 1000
        )

    def publish_change(self) -> None:
        """Publish the state at once if mode or reason are not those shown last."""
        mode, reason = self._guard.mode, self._guard.reason
        if (mode, reason) == self._shown:
            return
        before = self._shown[0] if self._shown else None
        text = f"{mode.name}: {reason}" if reason else mode.name
        if mode != before and mode in (GuardMode.ACTIVE, GuardMode.IDLE):
            self._node.get_logger().info(text)
        elif mode != before:
            self._node.get_logger().warning(text)
        self.publish()

    def publish(self) -> None:
        """Publish the state."""
        guard, numbers = self._guard, self._numbers()
        self._shown = guard.mode, guard.reason
        message = GuardState(
            mode=int(guard.mode),
            reason=guard.reason,
            joint_names=list(numbers.names),
            measured=_list(numbers.measured),
            commanded=_list(numbers.commanded),
            gripper_pwm=numbers.gripper_pwm,
            policy_id=guard.executed.policy_id if guard.executed else "",
            executed_steps=self.executed_steps,
            dropped_late=guard.playback.dropped_late,
            refusal_names=list(guard.refusals.keys()),
            refusal_counts=list(guard.refusals.values()),
        )
        message.header.stamp = self._node.get_clock().now().to_msg()
        self._state.publish(message)

    def gather(self) -> None:
        """Bring the node's diagnostics up to date."""
        counts = self._node.diagnostics.counts
        counts["executed_steps"] = self.executed_steps
        counts["dropped_late"] = self._guard.playback.dropped_late
        for name, count in self._guard.refusals.items():
            counts[f"refused_{name}"] = count
        self._node.diagnostics.facts["mode"] = self._guard.mode.name


def _list(values: np.ndarray | None) -> list[float]:
    return [] if values is None else values.tolist()
