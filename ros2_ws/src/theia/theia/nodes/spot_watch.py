"""What Spot's guard cannot know and must stop for: e-stop, faults, lease, silence, failed calls, clocks."""

from collections import deque
from typing import TYPE_CHECKING

from bosdyn.client.exceptions import LeaseUseError, RpcError

from theia.nodekit.calls import UNDER_WAY
from theia.nodes.spot_publishers import Arrival, SpotPublishers
from theia.spot.reasons import SDK_ERRORS, reason_of
from theia_core.actions.guard_state import GuardMode

if TYPE_CHECKING:
    from theia.nodes.spot_bridge import SpotBridgeNode

_CLOCK_TOLERANCE_S = 0.1  # a change of the skew beyond this is no jitter
_STAMP_TOLERANCE_S = 0.5  # a state stamped further off was not stamped by the clock that we know
_TIMEOUTS = 2  # commands in a row that the robot did not answer


class SpotWatch:
    """Stops the guard, and says why it may not be armed.

    The thread of the node's callbacks calls everything.
    """

    def __init__(self, node: "SpotBridgeNode", senses: SpotPublishers, troubles: deque[Exception]) -> None:
        """Watch.

        Args:
            node: the bridge, its guard, link, authority and sender ready.
            senses: what the robot says.
            troubles: errors of commands and of the lease, which other threads append.
        """
        self._node, self._senses, self._troubles = node, senses, troubles
        self._skew_s = node.link.skew_s

    def begin(self) -> None:
        """The guard was armed: from now on the clocks must stay as they are.

        Raises:
            NotEstablishedError: of the SDK, while the clocks are not in sync.
        """
        self._skew_s = self._node.link.skew_s

    def why_not_arm(self, now_s: float) -> str | None:
        """What is in the way of accepting chunks, and what to do about it; None if nothing is."""
        node, guard = self._node, self._node.guard
        if guard.mode.is_stop:
            return f"{guard.mode.name}: {guard.reason}; clear it first"
        if node.orders.job:
            return f"{node.orders.job} {UNDER_WAY}, or `hold` to break it off"
        arrival = self._senses.newest
        if arrival is None or now_s - arrival.came_s > node.profile.guard.state_timeout_s:
            return f"no recent state of the robot: {self._senses.trouble or 'it is silent'}"
        if not node.authority.has_lease:
            return "no lease; order take_lease"
        try:
            node.link.skew_s  # noqa: B018 - raises while the clocks are not in sync
        except SDK_ERRORS as error:
            return reason_of(error)
        reading = arrival.reading
        return f"e-stop: {reading.estop}" if reading.estop else reading.trouble or _skew(arrival) or None

    def advance(self, now_s: float, arrival: Arrival | None) -> None:
        """Stop for everything that the guard cannot know.

        To be called before the guard's tick of `now_s`, on the monotonic clock, with the state that the guard
        was told last; None if it was told none.
        """
        guard = self._node.guard
        while self._troubles:
            self._take_trouble(now_s, self._troubles.popleft())
        if arrival is None:
            return
        reading = arrival.reading
        if reading.estop and (guard.mode.commands or guard.mode == GuardMode.FAULT):
            guard.estop(now_s, f"e-stop: {reading.estop}")
        if not guard.mode.commands:
            return
        silent_s = now_s - arrival.came_s
        if silent_s > self._node.profile.guard.state_timeout_s:
            why = self._senses.trouble or "it is silent"
            guard.fault(now_s, f"no state of the robot for {silent_s:.2f} s: {why}")
        elif reading.trouble:
            guard.fault(now_s, reading.trouble)
        elif not self._node.authority.has_lease:
            guard.fault(now_s, "the lease is lost: another client has taken it; order take_lease")
        elif skew := _skew(arrival):
            guard.fault(now_s, skew)
        else:
            try:
                moved_s = self._node.link.skew_s - self._skew_s
            except SDK_ERRORS as error:
                guard.fault(now_s, reason_of(error))
                return
            if abs(moved_s) > _CLOCK_TOLERANCE_S:
                guard.fault(now_s, f"time skew: a clock was set by {moved_s:+.2f} s")

    def _take_trouble(self, now_s: float, error: Exception) -> None:
        """An error of a command or of the lease, from another thread."""
        node = self._node
        node.diagnostics.counts["failed_calls"] += 1
        why = reason_of(error)
        if isinstance(error, RpcError):  # one may be lost in the air; states that stay away stop us anyway
            if node.sender.failed_in_a_row < _TIMEOUTS:
                return
            why = f"commands do not get through: {why}"
        elif isinstance(error, LeaseUseError) and node.authority.has_lease:
            return  # the answer to a call with a lease that was renewed meanwhile
        if node.guard.mode.commands:
            node.guard.fault(now_s, why)


def _skew(arrival: Arrival) -> str:
    """Why a state cannot have been stamped by the clock that we know; empty if it can."""
    if abs(arrival.off_s) <= _STAMP_TOLERANCE_S:
        return ""
    return f"time skew: the robot's state is stamped {arrival.off_s:+.2f} s off; a clock was set"
