"""Lifecycle transitions of other nodes, with the reason where one fails."""

import time
from collections.abc import Sequence

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from lifecycle_msgs.msg import State, Transition
from lifecycle_msgs.srv import ChangeState, GetState

from theia.nodekit.calls import call
from theia.nodekit.diagnostics import TOPIC
from theia.nodekit.script import ScriptNode
from theia_core.errors import TheiaError

_RETRY_S = 0.2
_REASON_WAIT_S = 1.0
_NAMES = {
    Transition.TRANSITION_CONFIGURE: "configure",
    Transition.TRANSITION_ACTIVATE: "activate",
    Transition.TRANSITION_DEACTIVATE: "deactivate",
}


class Transitions:
    """Drives lifecycle nodes for a script; to be used from the script's thread."""

    def __init__(
        self, node: ScriptNode, names: Sequence[str], ready_s: float, *, quiet: bool = False
    ) -> None:
        """Prepare to drive the nodes `names` from `node`.

        Args:
            node: the node whose script this serves.
            names: lifecycle nodes, with or without the leading slash.
            ready_s: how long to wait for what a node says it still needs.
            quiet: log what happens for debugging only, as where it would tell whose turn it is.
        """
        self._node, self._ready_s, self._quiet = node, ready_s, quiet
        self._said: dict[str, tuple[bytes, str]] = {}
        self._heard = node.create_subscription(DiagnosticArray, TOPIC, self._on_diagnostics, 50)
        self.names = [_absolute(name) for name in names]
        self._change = {name: node.create_client(ChangeState, f"{name}/change_state") for name in self.names}
        self._state = {name: node.create_client(GetState, f"{name}/get_state") for name in self.names}

    def wait_for_all(self, appear_s: float) -> None:
        """Wait until all processes are there.

        Raises:
            TheiaError: if one is not within `appear_s`.
        """
        for name, client in self._change.items():
            if not self._node.wait_until(client.service_is_ready, appear_s, look_s=0.05):
                raise TheiaError(f"{name} did not start within {appear_s:.0f} s; see its output")

    def make(self, name: str, transition: int) -> None:
        """Make one transition, again and again while the node says that it waits for something.

        Raises:
            TheiaError: if the node fails it, with the node's reason.
        """
        name = _absolute(name)
        deadline_s = time.monotonic() + self._ready_s
        told = ""
        while True:
            self._said.pop(name, None)
            request = ChangeState.Request(transition=Transition(id=transition))
            if call(self._change[name], request, answer_s=60.0).success:
                self._log(f"{name}: {_NAMES[transition]}d")
                return
            self._node.wait_until(lambda: name in self._said, _REASON_WAIT_S)
            level, reason = self._said.get(name, (DiagnosticStatus.ERROR, "see its output"))
            if level != DiagnosticStatus.WARN or time.monotonic() > deadline_s:
                raise TheiaError(f"{name} did not {_NAMES[transition]}: {reason}")
            if reason != told:
                self._log(f"{name} waits: {reason}")
                told = reason
            self._node.pause(_RETRY_S)

    def state(self, name: str) -> State:
        """State of a node.

        Raises:
            ServiceSilent: if it does not answer.
        """
        client = self._state[_absolute(name)]
        return call(client, GetState.Request(), wait_s=2.0, answer_s=5.0).current_state

    def _log(self, text: str) -> None:
        if self._quiet:
            self._node.get_logger().debug(text)
        else:
            self._node.get_logger().info(text)

    def _on_diagnostics(self, message: DiagnosticArray) -> None:
        for status in message.status:
            if status.level in (DiagnosticStatus.WARN, DiagnosticStatus.ERROR):
                self._said[status.name] = status.level, status.message


def _absolute(name: str) -> str:
    return name if name.startswith("/") else f"/{name}"
