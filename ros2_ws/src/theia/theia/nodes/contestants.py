"""The encoder and policy processes of an evaluation's contestants: those whose turn it is are active."""

from collections.abc import Sequence

from lifecycle_msgs.msg import Transition

from theia.nodekit.script import ScriptNode
from theia.nodekit.transitions import Transitions
from theia.nodes.trial_observer import TrialObserver
from theia_core.errors import TheiaError
from theia_core.evaluation.plan import Contestant

_APPEAR_S = 60.0
_TOKENS_S = 15.0
_MOMENT_S = (
    0.3  # longer than the policy node lets tokens be the newest, so that it has none of the other encoder
)


class ContestantNodes:
    """Drives `encoder_K` and `bc_policy_K` of contestant K."""

    def __init__(self, node: ScriptNode, observer: TrialObserver, count: int, ready_s: float) -> None:
        """Prepare to drive the processes of `count` contestants."""
        self._node, self._observer = node, observer
        pairs = [self._pair(place) for place in range(count)]
        self._transitions = Transitions(node, [name for pair in pairs for name in pair], ready_s, quiet=True)
        self._active: int | None = None

    def configure_all(self) -> None:
        """Load every encoder and policy, so that a turn begins at once and a mistake shows before the first.

        Raises:
            TheiaError: if one does not start or cannot load, with its reason.
        """
        self._transitions.wait_for_all(_APPEAR_S)
        for name in self._transitions.names:
            self._transitions.make(name, Transition.TRANSITION_CONFIGURE)

    def activate(self, place: int, contestants: Sequence[Contestant]) -> None:
        """Let the contestant at `place` act, and no other.

        Raises:
            TheiaError: if a node fails a transition, or no tokens come.
        """
        if self._active == place:
            return
        if self._active is not None:
            encoder, policy = self._pair(self._active)
            self._transitions.make(policy, Transition.TRANSITION_DEACTIVATE)
            self._transitions.make(encoder, Transition.TRANSITION_DEACTIVATE)
            self._active = None
        encoder, policy = self._pair(place)
        wanted = contestants[place].encoder_id
        self._observer.tokens = None
        self._transitions.make(encoder, Transition.TRANSITION_ACTIVATE)

        def tokens_come() -> bool:
            tokens = self._observer.tokens
            return tokens is not None and tokens.encoder_id == wanted

        if not self._node.wait_until(tokens_come, _TOKENS_S):
            raise TheiaError(f"no tokens of {wanted} within {_TOKENS_S:.0f} s; see the encoder's output")
        self._node.pause(_MOMENT_S)
        self._transitions.make(policy, Transition.TRANSITION_ACTIVATE)
        self._active = place
        self._observer.timing.contestant = f"_{place}"

    @staticmethod
    def _pair(place: int) -> tuple[str, str]:
        return f"encoder_{place}", f"bc_policy_{place}"
