"""The evaluator node: runs, scores, films, records and reports trials of a task's protocol.

On the simulated robot the simulator judges from contacts; on the real one an operator does. With `policies`
it compares several, which take turns on each scene; without, it tries the policy that is talking.
"""

import json
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rclpy.client import Client
from std_srvs.srv import Trigger
from theia_msgs.msg import GuardState
from theia_msgs.srv import RecordEpisode

from theia.nodekit.calls import call, order_when_free, trigger
from theia.nodekit.main import run_node
from theia.nodekit.parameters import declare, parameter
from theia.nodekit.script import ScriptNode
from theia.nodes.contestants import ContestantNodes
from theia.nodes.evaluation_result import say, write_results
from theia.nodes.evaluation_run import EvaluationRun
from theia.nodes.operated_trials import EndForNow, OperatedTrials
from theia.nodes.simulated_trials import SimulatedTrials
from theia.nodes.trial_film import TrialFilm
from theia.nodes.trial_observer import TrialObserver
from theia.nodes.trial_record import cell_text, trial_line, trial_record
from theia.topics import GUARD, RECORD
from theia_core.errors import TheiaError
from theia_core.evaluation.plan import Contestant, Turn, contestant
from theia_core.tasks import get_task

_ATTEMPTS = 3
_ARM_S = 5.0
_ORDERS = ("arm", "clear", "disarm", "estop", "hold")


@dataclass(frozen=True)
class EvaluatorParameters:
    """Parameters of the evaluator."""

    task: str = parameter("door", "task whose protocol is run")
    policies: str = parameter("", "policies to compare, as in a,b; empty: the one that is talking")
    robot: str = parameter("sim", "who sets up scenes and judges", choices=("sim", "real"))
    trials: int = parameter(
        5, "number of trials, of each policy; 0: the complete protocol", low=0, high=10000
    )
    seed: int = parameter(1000, "evaluation seed: order and randomisation", low=0, high=2**31)
    resume: str = parameter("", "folder of a run to go on with; its plan decides what is tried")
    stop_early: bool = parameter(False, "two policies: stop once the sequential test says that they differ")
    output: str = parameter("runs/widowx_door", "folder in which each run makes one for its results")
    record: bool = parameter(False, "let the recorder record each trial")
    guard: str = parameter(GUARD, "node that takes the operator's orders")
    orders: tuple[str, ...] = parameter((), "orders that put the robot into operation before the first trial")
    ghosts: str = parameter("runs/ghosts", "folder of the wanted start scenes, for an operator")
    host: str = parameter("127.0.0.1", "address of the operator's page")
    port: int = parameter(8642, "port of the operator's page; 0: any", low=0, high=65535)
    ready_s: float = parameter(
        120.0, "how long to wait for robot, encoder and policy [s]", low=1.0, high=3600.0
    )


class EvaluatorNode(ScriptNode):
    """One trial: set up the scene, wait until everything shows it, arm, watch, hold, judge, write it down."""

    def __init__(self) -> None:
        """Subscribe and start."""
        super().__init__("evaluator")
        self.parameters = declare(self, EvaluatorParameters)
        self.task = get_task(self.parameters.task)
        self._observer = TrialObserver(self)
        services = [f"{self.parameters.guard}/{order}" for order in _ORDERS]
        self._guard: dict[str, Client] = {name: self.create_client(Trigger, name) for name in services}
        self._record = self.create_client(RecordEpisode, RECORD)
        self._names = [name.strip() for name in self.parameters.policies.split(",") if name.strip()]
        self._nodes = (
            ContestantNodes(self, self._observer, len(self._names), self.parameters.ready_s)
            if self._names
            else None
        )
        self.begin()

    def script(self) -> int:
        """Run all trials and report; 0 if every trial could be counted."""
        named = [contestant(name, self.task.id) for name in self._names]
        if self._nodes is not None:
            self._nodes.configure_all()
        self._wait_for_robot()
        for order in self.parameters.orders:
            self._order(order)
        contestants = named or [self._talking()]
        run = EvaluationRun.open(self.parameters, self.task, contestants)
        trials = self._trials_of(self.parameters)
        with run.ledger.owned():
            film = self._observer.film = TrialFilm(run.film_path(), self.task.cameras[0].rate_hz)
            left = len(run.remaining())
            kind = "simulated trials" if trials.simulated else "trials"
            say(f"{self.task.title}: {left} {kind}, seed {run.plan.seed}, plan {run.plan.hash}")
            say(f"folder: {run.folder}")
            try:
                for turn in run.remaining():
                    if self.parameters.stop_early and (verdict := run.verdict()):
                        say(f"stopped early: {verdict}")
                        break
                    self._take(turn, run, trials, film)
            except EndForNow:
                say(f"ended by the operator; go on with resume:={run.folder}")
            finally:
                video = film.close()
                trials.close()
                with suppress(TheiaError):
                    self._order("hold", wait_s=0.5, answer_s=1.0)
            write_results(run, self._observer, video)
        return 0

    # --- before the first trial ---

    def _wait_for_robot(self) -> None:
        seen, acting = self._observer, self._nodes is None
        simulated = self.parameters.robot == "sim"

        def missing() -> list[str]:
            return seen.missing(simulated=simulated, acting=acting)

        if not self.wait_until(lambda: not missing(), self.parameters.ready_s):
            raise TheiaError(
                f"no {', no '.join(missing())} within {self.parameters.ready_s:.0f} s; see the other nodes"
            )

    def _talking(self) -> Contestant:
        """The policy that is talking, on whose tokens."""
        policy = self._observer.chunk.policy_id
        return Contestant(policy, policy, self._observer.tokens.encoder_id)

    def _trials_of(self, parameters: EvaluatorParameters) -> SimulatedTrials | OperatedTrials:
        if parameters.robot == "sim":
            return SimulatedTrials(self, self.task, self._observer)
        trials = OperatedTrials(
            self,
            self.task,
            self._observer,
            ghosts=Path(parameters.ghosts),
            host=parameters.host,
            port=parameters.port,
        )
        trials.desk.emergency_stop = lambda: self._order("estop")
        say(f"operator: open {trials.url} or run `theia operate --url {trials.url}`")
        return trials

    # --- a trial ---

    def _take(
        self, turn: Turn, run: EvaluationRun, trials: SimulatedTrials | OperatedTrials, film: TrialFilm
    ) -> None:
        """Run a turn again and again until it counts; each attempt is in the ledger.

        Raises:
            TheiaError: if a simulated trial cannot be counted three times in a row.
        """
        total = len(run.plan.turns())
        world = "simulated" if trials.simulated else "real"
        film.caption = (
            f"{self.task.title}: trial {turn.number + 1}/{total}",
            f"{cell_text(turn.trial.cell)} ({world})",
        )
        attempt = 0
        while True:
            attempt += 1
            record = self._run_trial(turn, run, trials, film)
            run.keep(record)
            if record["counted"]:
                say(trial_line(record, total))
                return
            why = record["why_not_counted"]
            say(f"trial {turn.number + 1}/{total} is not counted: {why}")
            if trials.simulated and attempt == _ATTEMPTS:
                raise TheiaError(f"trial {turn.number + 1} could not be run {_ATTEMPTS} times: {why}")

    def _run_trial(
        self, turn: Turn, run: EvaluationRun, trials: SimulatedTrials | OperatedTrials, film: TrialFilm
    ) -> dict[str, Any]:
        """Begin, watch, hold and judge; the trial's record."""
        while not self._begin(turn, run, trials):
            pass
        started_s = time.monotonic()
        seen = self._observer
        monitor = seen.monitor = trials.monitor(turn)
        film.rolling = True
        try:
            end = trials.watch(monitor)
        finally:
            seen.monitor, film.rolling = None, False
        self._order("hold")
        wall_s = time.monotonic() - started_s
        acted = seen.guard.policy_id
        judgement = trials.judge(monitor, end)
        if not judgement.why_not_counted and acted != turn.contestant.policy_id:
            raise TheiaError(
                f"policy {acted} acted in a trial of {turn.contestant.policy_id}; end whatever else talks to "
                "the guard"
            )
        success = all(judgement.stages.values())
        episode = self._ask_recorder("stop", {"success": success, "policy": turn.contestant.policy_id})
        return trial_record(
            run.plan,
            turn,
            monitor,
            judgement,
            end,
            simulated=trials.simulated or None,
            wall_s=round(wall_s, 2),
            attempt=run.attempt(turn),
            episode=run.relative(episode),
            latency=seen.timing.numbers(),
        )

    def _begin(self, turn: Turn, run: EvaluationRun, trials: SimulatedTrials | OperatedTrials) -> bool:
        """Prepare and arm; False if the guard does not arm: then an operator is told, and asked again.

        Raises:
            TheiaError: if anything else fails, and without an operator also if the guard does not arm.
        """
        if trials.simulated:  # the arm is about to be moved with the scene
            self._order("clear")
            self._order("disarm")
        trials.prepare(turn)
        if not trials.simulated:  # only now: a stop is not cleared before the operator says that all is well
            self._order("clear")
        if self._nodes is not None:
            self._nodes.activate(run.plan.contestants.index(turn.contestant), run.plan.contestants)
        trials.wait_for_the_scene(turn)
        self._ask_recorder("start", self._scene(turn, trials.simulated), run.episode_name(turn))
        try:
            self._arm(0.0 if trials.simulated else _ARM_S)
        except TheiaError as error:
            if isinstance(trials, SimulatedTrials):
                raise
            self._ask_recorder("discard", {})
            trials.desk.say(f"not started: {error}")
            return False
        return True

    def _arm(self, patience_s: float) -> None:
        """Arm the guard; what keeps it from that may pass within `patience_s`."""
        deadline_s = time.monotonic() + patience_s
        while True:
            try:
                self._order("arm")
                break
            except TheiaError:
                if time.monotonic() >= deadline_s:
                    raise
                self.pause(0.5)
        seen = self._observer
        if not self.wait_until(lambda: seen.guard.mode == GuardState.ACTIVE, 2.0):
            raise TheiaError(f"the guard was armed but is not active: {seen.guard.reason}")

    def _order(self, order: str, **times: float) -> str:
        service = f"{self.parameters.guard}/{order}"
        if times:
            return trigger(self, self._guard, service, **times)
        return order_when_free(self, self._guard, service)

    def _scene(self, turn: Turn, simulated: bool) -> dict[str, Any]:
        return {
            "task": self.task.id,
            "simulated": simulated,
            "seed": turn.trial.seed,
            "randomisation": turn.trial.cell,
        }

    def _ask_recorder(self, command: str, metadata: dict[str, Any], episode_id: str = "") -> str:
        """The path of the episode; empty where trials are not recorded."""
        if not self.parameters.record:
            return ""
        request = RecordEpisode.Request(
            command=command, episode_id=episode_id, metadata_json=json.dumps(metadata)
        )
        response = call(self._record, request)
        if not response.success:
            raise TheiaError(f"the recorder did not {command}: {response.message}")
        return response.path


def main() -> int:
    """Run the node."""
    return run_node(EvaluatorNode)


if __name__ == "__main__":
    sys.exit(main())
