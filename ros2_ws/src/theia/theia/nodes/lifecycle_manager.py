"""Brings lifecycle nodes up in order, reports the first failure with its reason, and then watches them."""

import sys
import time
from dataclasses import dataclass

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from lifecycle_msgs.msg import State, Transition
from lifecycle_msgs.srv import ChangeState, GetState

from theia.nodekit.calls import ServiceSilent, call
from theia.nodekit.diagnostics import TOPIC
from theia.nodekit.main import run_node
from theia.nodekit.parameters import declare, parameter
from theia.nodekit.script import ScriptNode
from theia_core.errors import TheiaError

_RETRY_S = 0.2
_REASON_WAIT_S = 1.0
_NAMES = {Transition.TRANSITION_CONFIGURE: "configure", Transition.TRANSITION_ACTIVATE: "activate"}


@dataclass(frozen=True)
class ManagerParameters:
    """Parameters of the lifecycle manager."""

    nodes: tuple[str, ...] = parameter((), "lifecycle nodes, in the order in which they are brought up")
    appear_s: float = parameter(60.0, "how long a node may take to start [s]", low=1.0, high=600.0)
    ready_s: float = parameter(
        60.0, "how long to wait for what a node says it still needs [s]", low=0.0, high=600.0
    )
    watch_period_s: float = parameter(2.0, "how often active nodes are looked at [s]", low=0.5, high=60.0)


class LifecycleManagerNode(ScriptNode):
    """Configures all nodes, then activates them, one after the other; ends with an error when one fails."""

    def __init__(self) -> None:
        """Declare parameters and start."""
        super().__init__("lifecycle_manager")
        self.parameters = declare(self, ManagerParameters)
        self._said: dict[str, tuple[bytes, str]] = {}
        self._diagnostics_in = self.create_subscription(DiagnosticArray, TOPIC, self._on_diagnostics, 50)
        names = [name if name.startswith("/") else f"/{name}" for name in self.parameters.nodes]
        self._change = {name: self.create_client(ChangeState, f"{name}/change_state") for name in names}
        self._state = {name: self.create_client(GetState, f"{name}/get_state") for name in names}
        self.begin()

    def script(self) -> int:
        """Bring up and watch; returns only through an error or the end of the process."""
        for name, client in self._change.items():
            if not self.wait_until(client.service_is_ready, self.parameters.appear_s, look_s=0.05):
                raise TheiaError(
                    f"{name} did not start within {self.parameters.appear_s:.0f} s; see its output"
                )
        for transition in (Transition.TRANSITION_CONFIGURE, Transition.TRANSITION_ACTIVATE):
            for name in self._change:
                self._transition(name, transition)
        self.get_logger().info(f"all active: {', '.join(self._change)}")
        self.diagnostics.ok("all active")
        while True:
            self.pause(self.parameters.watch_period_s)
            for name in self._state:
                self._check(name)

    def _transition(self, name: str, transition: int) -> None:
        """Make one transition, again and again while the node says that it waits for something."""
        deadline_s = time.monotonic() + self.parameters.ready_s
        told = ""
        while True:
            self._said.pop(name, None)
            request = ChangeState.Request(transition=Transition(id=transition))
            if call(self._change[name], request, answer_s=60.0).success:
                self.get_logger().info(f"{name}: {_NAMES[transition]}d")
                return
            self.wait_until(lambda: name in self._said, _REASON_WAIT_S)
            level, reason = self._said.get(name, (DiagnosticStatus.ERROR, "see its output"))
            if level != DiagnosticStatus.WARN or time.monotonic() > deadline_s:
                raise TheiaError(f"{name} did not {_NAMES[transition]}: {reason}")
            if reason != told:
                self.get_logger().info(f"{name} waits: {reason}")
                told = reason
            self.pause(_RETRY_S)

    def _check(self, name: str) -> None:
        try:
            state = call(self._state[name], GetState.Request(), wait_s=2.0, answer_s=5.0).current_state
        except ServiceSilent:
            if self.is_cancelled:
                return
            raise TheiaError(f"{name} does not answer any more: its process died or hangs") from None
        if state.id != State.PRIMARY_STATE_ACTIVE:
            raise TheiaError(f"{name} is {state.label} instead of active; see its output")

    def _on_diagnostics(self, message: DiagnosticArray) -> None:
        for status in message.status:
            if status.level in (DiagnosticStatus.WARN, DiagnosticStatus.ERROR):
                self._said[status.name] = status.level, status.message


def main() -> int:
    """Run the node."""
    return run_node(LifecycleManagerNode)


if __name__ == "__main__":
    sys.exit(main())
