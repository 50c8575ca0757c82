"""Brings lifecycle nodes up in order, reports the first failure with its reason, and then watches them."""

import sys
from dataclasses import dataclass

from lifecycle_msgs.msg import State, Transition

from theia.nodekit.calls import ServiceSilent
from theia.nodekit.main import run_node
from theia.nodekit.parameters import declare, parameter
from theia.nodekit.script import ScriptNode
from theia.nodekit.transitions import Transitions
from theia_core.errors import TheiaError


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
        self._managed = Transitions(self, self.parameters.nodes, self.parameters.ready_s)
        self.begin()

    def script(self) -> int:
        """Bring up and watch; returns only through an error or the end of the process."""
        names = self._managed.names
        self._managed.wait_for_all(self.parameters.appear_s)
        for transition in (Transition.TRANSITION_CONFIGURE, Transition.TRANSITION_ACTIVATE):
            for name in names:
                self._managed.make(name, transition)
        self.get_logger().info(f"all active: {', '.join(names)}")
        self.diagnostics.ok("all active")
        while True:
            self.pause(self.parameters.watch_period_s)
            for name in names:
                self._check(name)

    def _check(self, name: str) -> None:
        try:
            state = self._managed.state(name)
        except ServiceSilent:
            if self.is_cancelled:
                return
            raise TheiaError(f"{name} does not answer any more: its process died or hangs") from None
        if state.id != State.PRIMARY_STATE_ACTIVE:
            raise TheiaError(f"{name} is {state.label} instead of active; see its output")


def main() -> int:
    """Run the node."""
    return run_node(LifecycleManagerNode)


if __name__ == "__main__":
    sys.exit(main())
