"""Trials on the simulated robot: the simulator sets up the scenes, and judges from contacts and holds."""

import json

from theia_msgs.srv import ResetScene

from theia.messages.stamps import to_seconds
from theia.nodekit.calls import call
from theia.nodekit.script import ScriptNode
from theia.nodes.trial_monitor import TrialMonitor
from theia.nodes.trial_observer import TrialObserver
from theia.nodes.trial_record import Judgement
from theia.topics import RESET_SCENE
from theia_core.errors import TheiaError
from theia_core.evaluation.plan import Turn
from theia_core.tasks import Task

_FRESH_S = 10.0
_SETTLE_S = 1.0


class SimulatedTrials:
    """What a simulator does for a trial, where an operator would."""

    simulated = True

    def __init__(self, node: ScriptNode, task: Task, observer: TrialObserver) -> None:
        """Serve the evaluation of `node`."""
        self._node, self._task, self._seen = node, task, observer
        self._reset = node.create_client(ResetScene, RESET_SCENE)

    def prepare(self, turn: Turn) -> None:
        """Set up the scene; the guard must be idle.

        Raises:
            TheiaError: if it cannot be set up.
        """
        trial = turn.trial
        request = ResetScene.Request(task=self._task.id, seed=trial.seed, cell_json=json.dumps(trial.cell))
        response = call(self._reset, request, answer_s=30.0)
        if not response.success:
            raise TheiaError(f"the scene of trial {trial.index + 1} cannot be set up: {response.message}")
        self._reset_s = self._node.get_clock().now().nanoseconds * 1e-9

    def wait_for_the_scene(self, turn: Turn) -> None:
        """Wait until encoder and score show the new scene.

        Raises:
            TheiaError: if they do not.
        """

        def shows_it() -> bool:
            tokens, task = self._seen.tokens, self._seen.task
            return to_seconds(tokens.header.stamp) > self._reset_s and task.seed == turn.trial.seed

        if not self._node.wait_until(shows_it, _FRESH_S):
            raise TheiaError(
                f"no tokens of the new scene within {_FRESH_S:.0f} s: is the encoder still running?"
            )

    def monitor(self, turn: Turn) -> TrialMonitor:
        """Begin to follow the trial, right after the guard was armed."""
        return TrialMonitor(turn.trial.seed, self._seen.task, self._seen.guard)

    def watch(self, monitor: TrialMonitor) -> str:
        """Wait for the end of the trial and say why it ended."""
        limit_s = self._task.horizon_steps / self._task.control_rate_hz
        end: str | None = None

        def over() -> bool:
            nonlocal end
            end = monitor.end(limit_s, _SETTLE_S)
            return end is not None

        self._node.wait_until(over, 3 * limit_s)
        return end or "time is up"

    def judge(self, monitor: TrialMonitor, _end: str) -> Judgement:
        """The simulator's verdict."""
        rate_hz = self._task.control_rate_hz
        return Judgement(monitor.stages, monitor.stage_steps(rate_hz), monitor.why_not_counted())

    def close(self) -> None:
        """There is nothing to close."""
