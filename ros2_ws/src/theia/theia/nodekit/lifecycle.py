"""Base of the lifecycle nodes: a TheiaError fails the transition and is reported as one sentence."""

import traceback
from collections.abc import Callable

from rclpy.lifecycle import LifecycleNode, LifecycleState, TransitionCallbackReturn

from theia.nodekit.diagnostics import Diagnostics
from theia.nodekit.outcome import Outcome
from theia_core.errors import TheiaError


class NotReady(TheiaError):
    """Something that others provide is not there yet; trying the transition again may work."""


class ManagedNode(LifecycleNode):
    """A lifecycle node whose subclass says what to do in `configure`, `activate`, `deactivate`, `clean_up`.

    A transition that fails publishes the reason on /diagnostics: as an error, or as a warning where it may
    succeed later (`NotReady`).

    All callbacks run in one thread, that of `run_node`.

    Attributes:
        diagnostics: what it measures; also carries the reason of a failed transition.
        outcome: to end the process.
    """

    def __init__(self, name: str) -> None:
        """Make the node, unconfigured."""
        super().__init__(name)
        self.outcome = Outcome()
        self.diagnostics = Diagnostics(self)
        self.diagnostics.ok("unconfigured")

    def configure(self) -> None:
        """Load and check everything; raise TheiaError if it cannot work."""
        raise NotImplementedError

    def activate(self) -> None:
        """Begin to work; raise TheiaError if something it needs is absent."""
        raise NotImplementedError

    def deactivate(self) -> None:
        """Stop working, keep what is loaded."""
        raise NotImplementedError

    def clean_up(self) -> None:
        """Forget what `configure` loaded."""

    def shut_down(self) -> None:
        """Leave everything in order before the process ends; also called if never activated."""
        if self.is_active:
            self.deactivate()

    is_active = False

    def on_configure(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Transition from unconfigured to inactive."""
        return self._attempt(self.configure, "inactive", active=False)

    def on_activate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Transition from inactive to active."""
        result = self._attempt(self.activate, "active", active=True)
        return result if result != TransitionCallbackReturn.SUCCESS else super().on_activate(state)

    def on_deactivate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Transition from active to inactive."""
        result = self._attempt(self.deactivate, "inactive", active=False)
        return result if result != TransitionCallbackReturn.SUCCESS else super().on_deactivate(state)

    def on_cleanup(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Transition from inactive to unconfigured."""
        return self._attempt(self.clean_up, "unconfigured", active=False)

    def on_shutdown(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Transition to finalized; the process ends."""
        result = self._attempt(self.shut_down, "finalized", active=False)
        self.outcome.finish()
        return result

    def _attempt(self, step: Callable[[], None], state: str, *, active: bool) -> TransitionCallbackReturn:
        try:
            step()
        except NotReady as error:
            self.diagnostics.warn(str(error))
            self.diagnostics.publish()
            return TransitionCallbackReturn.FAILURE
        except TheiaError as error:
            return self._failed(str(error))
        except Exception as error:  # rclpy would swallow it without a word
            traceback.print_exception(error)
            return self._failed(f"internal error in {step.__name__}: {type(error).__name__}: {error}")
        self.is_active = active
        self.diagnostics.ok(state)
        return TransitionCallbackReturn.SUCCESS

    def _failed(self, reason: str) -> TransitionCallbackReturn:
        self.get_logger().error(reason)
        self.diagnostics.error(reason)
        return TransitionCallbackReturn.FAILURE
