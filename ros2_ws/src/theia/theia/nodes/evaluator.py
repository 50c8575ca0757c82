"""The evaluator node: runs, scores, films and reports trials of a task's protocol on the simulated robot."""

import json
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from rclpy.client import Client
from theia_msgs.msg import GuardState
from theia_msgs.srv import RecordEpisode, ResetScene

from theia.messages.stamps import to_seconds
from theia.nodekit.calls import call, trigger
from theia.nodekit.main import run_node
from theia.nodekit.parameters import declare, parameter
from theia.nodekit.script import ScriptNode
from theia.nodes.trial_film import TrialFilm
from theia.nodes.trial_monitor import TrialMonitor
from theia.nodes.trial_observer import TrialObserver
from theia.nodes.trial_record import cell_text, trial_line, trial_record
from theia.topics import GUARD, RECORD, RESET_SCENE
from theia_core.errors import TheiaError
from theia_core.evaluation import Ledger, stage_table, summarise
from theia_core.tasks import get_task
from theia_core.tasks.protocol import Trial

_ATTEMPTS = 3
_FRESH_S = 10.0
_SETTLE_S = 1.0


@dataclass(frozen=True)
class EvaluatorParameters:
    """Parameters of the evaluator."""

    task: str = parameter("door", "task whose protocol is run")
    trials: int = parameter(5, "number of trials", low=1, high=10000)
    seed: int = parameter(1000, "evaluation seed: order and randomisation", low=0, high=2**31)
    output: str = parameter("runs/widowx_door", "folder in which each run makes one for its results")
    record: bool = parameter(False, "let the recorder record each trial")
    ready_s: float = parameter(
        120.0, "how long to wait for robot, encoder and policy [s]", low=1.0, high=3600.0
    )


class EvaluatorNode(ScriptNode):
    """One trial: reset the scene, wait until everything shows it, arm, watch, hold, score."""

    def __init__(self) -> None:
        """Subscribe and start."""
        super().__init__("evaluator")
        self.parameters = declare(self, EvaluatorParameters)
        self.task = get_task(self.parameters.task)
        self._observer = TrialObserver(self)
        self._triggers: dict[str, Client] = {}
        self._reset = self.create_client(ResetScene, RESET_SCENE)
        self._record = self.create_client(RecordEpisode, RECORD)
        self.begin()

    def script(self) -> int:
        """Run all trials and report; 0 if every trial could be counted."""
        seen = self._observer
        if not self.wait_until(lambda: not seen.missing(), self.parameters.ready_s):
            missing = ", no ".join(seen.missing())
            raise TheiaError(f"no {missing} within {self.parameters.ready_s:.0f} s; see the other nodes")
        folder = self._make_folder()
        trials = self.task.protocol.trials(self.parameters.seed, self.parameters.trials)
        ledger = Ledger(folder / "ledger.jsonl")
        film = seen.film = TrialFilm(folder / f"{self.task.id}.mp4", self.task.cameras[0].rate_hz)
        records: list[dict[str, Any]] = []
        _say(f"{self.task.title}: {len(trials)} simulated trials, seed {self.parameters.seed}")
        try:
            for trial in trials:
                record = self._counted(trial, len(trials), film)
                ledger.append(record)
                records.append(record)
        finally:
            video = film.close()
            with suppress(TheiaError):
                trigger(self, self._triggers, f"{GUARD}/hold", wait_s=0.5, answer_s=1.0)
        self._report(records, folder, video)
        return 0

    def _make_folder(self) -> Path:
        folder = Path(self.parameters.output) / datetime.now().strftime("%Y%m%d-%H%M%S")
        try:
            folder.mkdir(parents=True)
        except OSError as error:
            raise TheiaError(
                f"cannot make the folder {folder}: {error.strerror}; choose another output"
            ) from None
        return folder.resolve()

    def _counted(self, trial: Trial, total: int, film: TrialFilm) -> dict[str, Any]:
        """Run a trial again and again until it counts.

        Raises:
            TheiaError: if it cannot be counted three times in a row.
        """
        film.caption = (
            f"{self.task.title}: trial {trial.index + 1}/{total}",
            f"{cell_text(trial.cell)} (simulated)",
        )
        why = ""
        for _ in range(_ATTEMPTS):
            record, why = self._run_trial(trial, film)
            if not why:
                _say(trial_line(record, total))
                return record
            _say(f"trial {trial.index + 1}/{total} is not counted: {why}")
        raise TheiaError(f"trial {trial.index + 1} could not be run {_ATTEMPTS} times: {why}")

    def _run_trial(self, trial: Trial, film: TrialFilm) -> tuple[dict[str, Any], str]:
        """The trial's record, and why it does not count; empty if it does."""
        self._prepare_scene(trial)
        self._start_recording(trial)
        started_s = time.monotonic()
        trigger(self, self._triggers, f"{GUARD}/arm")
        seen = self._observer
        if not self.wait_until(lambda: seen.guard.mode == GuardState.ACTIVE, 2.0):
            raise TheiaError(f"the guard was armed but is not active: {seen.guard.reason}")
        monitor = seen.monitor = TrialMonitor(trial.seed, seen.task, seen.guard)
        film.rolling = True
        try:
            end = self._watch(monitor)
        finally:
            seen.monitor, film.rolling = None, False
        trigger(self, self._triggers, f"{GUARD}/hold")
        record = trial_record(
            self.task,
            trial,
            monitor,
            end,
            wall_s=time.monotonic() - started_s,
            policy=seen.chunk.policy_id,
            encoder=seen.tokens.encoder_id,
            eval_seed=self.parameters.seed,
        )
        self._stop_recording(record)
        return record, monitor.why_not_counted()

    def _prepare_scene(self, trial: Trial) -> None:
        """Let go of the arm, set up the scene, and wait until camera, encoder and score show it."""
        trigger(self, self._triggers, f"{GUARD}/clear")
        trigger(self, self._triggers, f"{GUARD}/disarm")
        request = ResetScene.Request(task=self.task.id, seed=trial.seed, cell_json=json.dumps(trial.cell))
        response = call(self._reset, request, answer_s=30.0)
        if not response.success:
            raise TheiaError(f"the scene of trial {trial.index + 1} cannot be set up: {response.message}")
        reset_s = self.get_clock().now().nanoseconds * 1e-9
        seen = self._observer

        def shows_it() -> bool:
            return to_seconds(seen.tokens.header.stamp) > reset_s and seen.task.seed == trial.seed

        if not self.wait_until(shows_it, _FRESH_S):
            raise TheiaError(
                f"no tokens of the new scene within {_FRESH_S:.0f} s: is the encoder still running?"
            )

    def _watch(self, monitor: TrialMonitor) -> str:
        """Wait for the end of the trial and say why it ended."""
        limit_s = self.task.horizon_steps / self.task.control_rate_hz
        end: str | None = None

        def over() -> bool:
            nonlocal end
            end = monitor.end(limit_s, _SETTLE_S)
            return end is not None

        self.wait_until(over, 3 * limit_s)
        return end or "time is up"

    def _start_recording(self, trial: Trial) -> None:
        scene = {"task": self.task.id, "simulated": True, "seed": trial.seed, "randomisation": trial.cell}
        name = f"{datetime.now():%Y%m%d-%H%M%S}_trial_{trial.index:03d}"
        self._ask_recorder("start", scene, name)

    def _stop_recording(self, record: dict[str, Any]) -> None:
        result = {"success": all(record["stages"].values()), "policy": record["policy"]}
        self._ask_recorder("stop", result)

    def _ask_recorder(self, command: str, metadata: dict[str, Any], episode_id: str = "") -> None:
        if not self.parameters.record:
            return
        request = RecordEpisode.Request(
            command=command, episode_id=episode_id, metadata_json=json.dumps(metadata)
        )
        response = call(self._record, request)
        if not response.success:
            raise TheiaError(f"the recorder did not {command}: {response.message}")

    def _report(self, records: list[dict[str, Any]], folder: Path, video: Path | None) -> None:
        timing = self._observer.timing
        result = summarise(records, task=self.task, seed=self.parameters.seed)
        result["latency_ms"] = timing.numbers()
        (folder / "result.json").write_text(json.dumps(result, indent=1) + "\n")
        picture = self._observer.write_token_map(folder / "token_map.png")
        _say(f"\n{records[0]['policy']} on {records[0]['encoder']}, {len(records)} simulated trials")
        _say(stage_table(records, task=self.task))
        _say(f"\n{timing.text()}")
        _say(f"\nresult:    {folder / 'result.json'}")
        _say(f"video:     {video or 'none: no camera frame came'}")
        _say(f"token map: {picture or 'none: the first trial was too short'}")


def _say(text: str) -> None:
    for line in text.splitlines():
        print(line, flush=True)


def main() -> int:
    """Run the node."""
    return run_node(EvaluatorNode)


if __name__ == "__main__":
    sys.exit(main())
