"""The operator's orders to the guard, as Trigger services, and what must be so before one is obeyed."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from theia.nodes.order_services import Order, OrderServices
from theia.nodes.xs_driver import Profile, XsDriver
from theia_core.actions.guard import Guard

if TYPE_CHECKING:
    from theia.nodes.widowx_guard import GuardNode

_CONFIRM_S = 5.0
_PROFILE_S = 3.0


class GuardOrders:
    """Services `arm`, `disarm`, `hold`, `estop`, `clear`, `home`, `sleep`, `torque_off` and `torque_on`.

    A slow move begins when the motors have confirmed its profile: with the short one of the stream, one lost
    or foreign goal would be a violent jump.
    """

    def __init__(self, node: "GuardNode", guard: Guard, driver: XsDriver) -> None:
        """Offer the services."""
        self._node, self._guard, self._driver = node, guard, driver
        self._waiting: Callable[[float], str | None] | None = None
        self._waiting_until_s = self._confirm_until_s = 0.0
        orders: dict[str, Order] = {
            "arm": self.arm,
            "disarm": self._cancelling(guard.disarm),
            "hold": self._cancelling(guard.hold),
            "estop": self._cancelling(guard.estop),
            "clear": guard.clear,
            "home": self.home,
            "sleep": self.sleep,
            "torque_off": self.torque_off,
            "torque_on": self.torque_on,
        }
        self._services = OrderServices(node, guard, orders, node.publish_change)

    @property
    def moving(self) -> bool:
        """Whether a slow move is under way or about to begin."""
        return self._waiting is not None or self._guard.moving

    def close(self) -> None:
        """Offer the services no more."""
        self._services.close()

    def cancel(self) -> None:
        """Forget a move that has not begun."""
        self._waiting = None

    def advance(self, now_s: float) -> None:
        """Begin the move that waits for its profile, once the motors have it; to be called at every tick."""
        if self._waiting is None:
            return
        if self._guard.mode.is_stop:
            self._waiting = None
        elif self._driver.profile == Profile.MOVE and not self._driver.busy:
            begin, self._waiting = self._waiting, None
            if refusal := begin(now_s):
                self._node.get_logger().error(f"not moving: {refusal}")
        elif now_s > self._waiting_until_s:
            self._waiting = None
            trouble = self._driver.trouble or "they do not answer"
            self._guard.hold(now_s, f"not moving, the motors did not take the slow profile: {trouble}")

    # --- orders ---

    def arm(self, now_s: float) -> str | None:
        """Accept chunks."""
        return self._why_not_move(now_s, Profile.STREAM) or self._guard.arm(now_s)

    def home(self, now_s: float) -> str | None:
        """Move slowly to the neutral pose."""
        return self._move(now_s, self._guard.home)

    def sleep(self, now_s: float) -> str | None:
        """Move slowly to the sleep pose; torque stays on."""
        return self._move(now_s, self._guard.sleep)

    def torque_off(self, now_s: float) -> str | None:
        """Make the arm limp, at the sleep pose only, at the second of two calls."""
        if refusal := self._guard.why_not_limp(now_s):
            return refusal
        if self.moving or self._driver.busy:
            return "the motors are being written to; try again"
        if now_s > self._confirm_until_s:
            self._confirm_until_s = now_s + _CONFIRM_S
            return f"the arm will be limp: call torque_off again within {_CONFIRM_S:.0f} s to confirm"
        self._confirm_until_s = 0.0
        self._guard.disarm(now_s, "no torque")
        self._driver.switch_torque(False)
        return None

    def torque_on(self, now_s: float) -> str | None:
        """Let the motors hold where they are, at the sleep pose only."""
        if refusal := self._guard.why_not_limp(now_s):
            return refusal
        if self.moving or self._driver.busy:
            return "the motors are being written to; try again"
        self._driver.switch_torque(True)
        return None

    # --- conditions ---

    def _move(self, now_s: float, begin: Callable[[float], str | None]) -> str | None:
        if refusal := self._why_not_move(now_s, None):
            return refusal
        self._guard.hold(now_s, "setting the motors' profile for a slow move")
        self._waiting, self._waiting_until_s = begin, now_s + _PROFILE_S
        return None

    def _why_not_move(self, now_s: float, profile: Profile | None) -> str | None:
        if self._node.rivals:
            return f"another node may command the arm: {', '.join(self._node.rivals)}; end it first"
        if refusal := self._guard.why_not_arm(now_s):
            return refusal
        if self._waiting is not None:
            return "a slow move is about to begin; wait, or `hold` to stop it"
        if self._driver.trouble:
            return self._driver.trouble
        if not self._driver.has_torque:
            return "the arm has no torque; `torque_on` first, at the sleep pose"
        if profile is not None and self._driver.profile != profile:
            return "the motors are being given the profile of the stream; try again in a second"
        return None

    def _cancelling(self, order: Callable[[float], None]) -> Callable[[float], None]:
        def obey(now_s: float) -> None:
            self.cancel()
            order(now_s)

        return obey
