"""Trials on the robot: an operator, blind to whose turn it is, sets up scenes and says what was reached."""

from pathlib import Path

from theia_msgs.msg import GuardState

from theia.messages.images import image_array
from theia.nodekit.script import ScriptNode
from theia.nodes.ghosts import Ghosts
from theia.nodes.trial_monitor import TrialMonitor
from theia.nodes.trial_observer import TrialObserver
from theia.nodes.trial_record import Judgement
from theia.operator.desk import Answer, Choice, Desk
from theia.operator.server import DeskServer
from theia_core.episodes.codec import encode_jpeg
from theia_core.evaluation.plan import Turn
from theia_core.evaluation.report.labels import cell_text
from theia_core.tasks import Task

_FOREVER_S = 1e9
_READY = Choice("ready", "The scene is ready and nobody is in reach: start")
_PAUSE = Choice("pause", "Pause")
_OVER = Choice("over", "It is over")
_YES, _NO = Choice("yes", "Yes"), Choice("no", "No")
_COUNTS = Choice("counts", "It counts")
_REPEAT = Choice("repeat", "It does not count, repeat it", needs_text=True)
_GO_ON, _END = Choice("go_on", "Go on"), Choice("end", "End for now")


class EndForNow(Exception):
    """The operator ends the session; the evaluation can be resumed."""


class OperatedTrials:
    """What an operator does for a trial, where a simulator would."""

    simulated = False

    def __init__(
        self, node: ScriptNode, task: Task, observer: TrialObserver, *, ghosts: Path, host: str, port: int
    ) -> None:
        """Open the desk.

        Args:
            node: the evaluation.
            task: what is tried.
            observer: where the camera's pictures come from.
            ghosts: folder of the wanted start scenes.
            host: address of the operator's page.
            port: its port; 0 lets the system choose.
        """
        self._node, self._task, self._seen = node, task, observer
        self._ghosts = Ghosts(ghosts / task.id)
        self.desk = Desk()
        self.desk.camera = self._picture
        self._server = DeskServer(self.desk, host, port)
        self.url = self._server.url

    def prepare(self, turn: Turn) -> None:
        """Let the operator set up the scene.

        Raises:
            EndForNow: if the operator ends the session.
        """
        desk, cell = self.desk, turn.trial.cell
        desk.ghost = self._ghosts.of(cell)
        desk.heading = f"{self._task.title}: trial {turn.number + 1}, {cell_text(cell)}"
        desk.status = "The guard does not follow the policy."
        steps = [*self._task.reset, f"Set up: {cell_text(cell)}."]
        if desk.ghost is not None:
            steps.append("Move things until the live image lies on the picture of the wanted scene.")
        if self._seen.guard.mode in (GuardState.FAULT, GuardState.ESTOP):
            steps.append(
                f"The guard has stopped the arm ({self._seen.guard.reason}); your start clears that."
            )
        while self._ask("Set up the scene.", (_READY, _PAUSE), steps).choice == _PAUSE.key:
            desk.status = "Paused."
            if self._ask("Paused.", (_GO_ON, _END)).choice == _END.key:
                raise EndForNow
        if desk.ghost is None and (picture := self._picture()) is not None:
            desk.say(f"kept as the wanted scene of this cell: {self._ghosts.keep(cell, picture)}")

    def wait_for_the_scene(self, _turn: Turn) -> None:
        """The operator has waited."""

    def monitor(self, turn: Turn) -> TrialMonitor:
        """Begin to follow the trial, right after the guard was armed."""
        return TrialMonitor(turn.trial.seed, None, self._seen.guard)

    def watch(self, monitor: TrialMonitor) -> str:
        """Wait for the end of the trial and say why it ended."""
        limit_s = self._task.horizon_steps / self._task.control_rate_hz
        self.desk.ask("The policy acts.", (_OVER,))
        end: str | None = None

        def over() -> bool:
            nonlocal end
            self.desk.status = f"{monitor.elapsed_s:.0f} of {limit_s:.0f} s"
            end = "done" if self.desk.answered() is not None else monitor.end(limit_s, 0.0)
            return end is not None

        self._node.wait_until(over, 3 * limit_s)
        self.desk.withdraw()
        return end or "time is up"

    def judge(self, monitor: TrialMonitor, end: str) -> Judgement:
        """Ask for every stage, and whether the trial counts; what the machinery spoiled does not."""
        why = monitor.why_not_counted()
        if why and not monitor.stopped_by_operator:
            self.desk.say(f"not counted, it will be repeated: {why}")
            return Judgement(dict.fromkeys(self._task.stages, False), {}, why)
        self.desk.status = f"The trial has ended: {end}."
        stages = {}
        for stage, criterion in self._task.protocol.stages.items():
            text = f"Was the stage {stage.replace('_', ' ')} reached: {criterion}?"
            stages[stage] = self._ask(text, (_YES, _NO)).choice == _YES.key
        last = self._ask("Does this trial count?", (_COUNTS, _REPEAT))
        if last.choice == _REPEAT.key:
            return Judgement(stages, {}, last.text)
        return Judgement(stages, {}, "", last.text)

    def close(self) -> None:
        """Close the desk."""
        self._server.close()

    def _ask(self, text: str, choices: tuple[Choice, ...], steps: list[str] | None = None) -> Answer:
        """Ask and wait, as long as it takes."""
        self.desk.ask(text, choices, steps or ())
        self._node.wait_until(lambda: self.desk.answered() is not None, _FOREVER_S, look_s=0.05)
        answer = self.desk.answered()
        assert answer is not None
        return answer

    def _picture(self) -> bytes | None:
        image = self._seen.image
        return encode_jpeg(image_array(image), quality=80).tobytes() if image is not None else None
