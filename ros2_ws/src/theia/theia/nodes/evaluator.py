"""The evaluator node: runs, scores, films and reports trials of a task's protocol on the simulated robot."""

import json
import sys
import time
from collections import OrderedDict
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
from diagnostic_msgs.msg import DiagnosticArray
from rclpy.client import Client
from sensor_msgs.msg import Image
from theia_msgs.msg import ActionChunk, GuardState, SpatialTokens, TaskState
from theia_msgs.srv import RecordEpisode, ResetScene

from theia.messages.images import image_array
from theia.messages.stamps import to_seconds
from theia.messages.tokens import tokens_array
from theia.nodekit.calls import call, trigger
from theia.nodekit.diagnostics import TOPIC
from theia.nodekit.main import run_node
from theia.nodekit.parameters import declare, parameter
from theia.nodekit.qos import EVENT, STATE, STREAM
from theia.nodekit.script import ScriptNode
from theia.nodes.timing_report import TimingReport
from theia.nodes.trial_film import TrialFilm, write_token_map
from theia.nodes.trial_monitor import TrialMonitor
from theia.topics import ACTION_CHUNK, GUARD, GUARD_STATE, IMAGE, RECORD, RESET_SCENE, TASK_STATE, TOKENS
from theia_core.errors import TheiaError
from theia_core.evaluation import Ledger, stage_table, summarise
from theia_core.tasks import get_task
from theia_core.tasks.protocol import Trial

_ATTEMPTS = 3
_FRESH_S = 10.0
_SETTLE_S = 1.0
_TOKEN_MAP_AT_S = 3.0
_MODES = {
    GuardState.IDLE: "IDLE",
    GuardState.ACTIVE: "ACTIVE",
    GuardState.HOLD: "HOLD",
    GuardState.FAULT: "FAULT",
    GuardState.ESTOP: "ESTOP",
}


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
        self._camera = self.task.cameras[0]
        self._latest: dict[str, Any] = {}
        self._frames: OrderedDict[tuple[int, int], Image] = OrderedDict()
        self._monitor: TrialMonitor | None = None
        self._film: TrialFilm | None = None
        self._picture_of: tuple[SpatialTokens, Image] | None = None
        self._timing = TimingReport()
        self._triggers: dict[str, Client] = {}
        self._reset = self.create_client(ResetScene, RESET_SCENE)
        self._record = self.create_client(RecordEpisode, RECORD)
        for kind, topic, qos, callback in (
            (TaskState, TASK_STATE, EVENT, self._on_task_state),
            (GuardState, GUARD_STATE, STATE, self._on_guard_state),
            (SpatialTokens, TOKENS, STREAM, self._on_tokens),
            (ActionChunk, ACTION_CHUNK, STREAM, self._keep("chunk")),
            (Image, IMAGE, STREAM, self._on_image),
            (DiagnosticArray, TOPIC, EVENT, self._timing.on_diagnostics),
        ):
            self.create_subscription(kind, topic, callback, qos)
        self.begin()

    # --- the script, in its own thread ---

    def script(self) -> int:
        """Run all trials and report; 0 if every trial could be counted."""
        self._wait_for_system()
        folder = self._make_folder()
        trials = self.task.protocol.trials(self.parameters.seed, self.parameters.trials)
        ledger = Ledger(folder / "ledger.jsonl")
        self._film = TrialFilm(folder / f"{self.task.id}.mp4", self._camera.rate_hz)
        records: list[dict[str, Any]] = []
        self._say(f"{self.task.title}: {len(trials)} simulated trials, seed {self.parameters.seed}")
        try:
            for trial in trials:
                record = self._counted(trial, len(trials))
                ledger.append(record)
                records.append(record)
        finally:
            video = self._film.close()
            self._leave_holding()
        self._report(records, folder, video)
        return 0

    def _wait_for_system(self) -> None:
        needed = {
            "the simulator's task_state": "task",
            "guard_state": "guard",
            "tokens": "tokens",
            "action chunks": "chunk",
            "camera images": "image",
        }
        if not self.wait_until(
            lambda: all(k in self._latest for k in needed.values()), self.parameters.ready_s
        ):
            missing = [what for what, key in needed.items() if key not in self._latest]
            raise TheiaError(
                f"no {', no '.join(missing)} within {self.parameters.ready_s:.0f} s; see the other nodes"
            )

    def _make_folder(self) -> Path:
        folder = Path(self.parameters.output) / datetime.now().strftime("%Y%m%d-%H%M%S")
        try:
            folder.mkdir(parents=True)
        except OSError as error:
            raise TheiaError(
                f"cannot make the folder {folder}: {error.strerror}; choose another output"
            ) from None
        return folder.resolve()

    def _counted(self, trial: Trial, total: int) -> dict[str, Any]:
        """Run a trial again and again until it counts.

        Raises:
            TheiaError: if it cannot be counted three times in a row.
        """
        why = ""
        for _ in range(_ATTEMPTS):
            monitor, end, wall_s = self._run_trial(trial, total)
            why = monitor.why_not_counted()
            if not why:
                record = self._score(trial, monitor, end, wall_s)
                self._say_result(record, total)
                return record
            self._say(f"trial {trial.index + 1}/{total} is not counted: {why}")
        raise TheiaError(f"trial {trial.index + 1} could not be run {_ATTEMPTS} times: {why}")

    def _run_trial(self, trial: Trial, total: int) -> tuple[TrialMonitor, str, float]:
        cell = ", ".join(f"{name} {value:g}" for name, value in trial.cell.items())
        assert self._film is not None
        self._film.caption = (f"{self.task.title}: trial {trial.index + 1}/{total}", f"{cell} (simulated)")
        self._prepare_scene(trial)
        if self.parameters.record:
            metadata = {
                "task": self.task.id,
                "simulated": True,
                "seed": trial.seed,
                "randomisation": trial.cell,
            }
            self._ask_recorder("start", metadata, f"{datetime.now():%Y%m%d-%H%M%S}_trial_{trial.index:03d}")
        started_s = time.monotonic()
        trigger(self, self._triggers, f"{GUARD}/arm")
        if not self.wait_until(lambda: self._latest["guard"].mode == GuardState.ACTIVE, 2.0):
            raise TheiaError(f"the guard was armed but is not active: {self._latest['guard'].reason}")
        self._monitor = TrialMonitor(trial.seed, self._latest["task"], self._latest["guard"])
        self._film.rolling = True
        try:
            end = self._watch(self._monitor)
        finally:
            monitor, self._monitor = self._monitor, None
            self._film.rolling = False
        trigger(self, self._triggers, f"{GUARD}/hold")
        if self.parameters.record:
            self._ask_recorder("stop", {"success": all(monitor.stages.values()), "policy": self._policy_id})
        return monitor, end, time.monotonic() - started_s

    def _prepare_scene(self, trial: Trial) -> None:
        """Let go of the arm, set up the scene, and wait until camera, encoder and score show it."""
        trigger(self, self._triggers, f"{GUARD}/clear")
        trigger(self, self._triggers, f"{GUARD}/disarm")
        request = ResetScene.Request(task=self.task.id, seed=trial.seed, cell_json=json.dumps(trial.cell))
        response = call(self._reset, request, answer_s=30.0)
        if not response.success:
            raise TheiaError(f"the scene of trial {trial.index + 1} cannot be set up: {response.message}")
        reset_s = self.get_clock().now().nanoseconds * 1e-9

        def shows_it() -> bool:
            stamp = self._latest["tokens"].header.stamp
            return to_seconds(stamp) > reset_s and self._latest["task"].seed == trial.seed

        if not self.wait_until(shows_it, _FRESH_S):
            raise TheiaError(
                f"no tokens of the new scene within {_FRESH_S:.0f} s: is the encoder still running?"
            )

    def _watch(self, monitor: TrialMonitor) -> str:
        """Wait for the end of the trial."""
        limit_s = self.task.horizon_steps / self.task.control_rate_hz
        end: str | None = None

        def over() -> bool:
            nonlocal end
            end = monitor.end(limit_s, _SETTLE_S)
            return end is not None

        self.wait_until(over, 3 * limit_s)
        return end or "time is up"

    def _score(self, trial: Trial, monitor: TrialMonitor, end: str, wall_s: float) -> dict[str, Any]:
        rate_hz = self.task.control_rate_hz
        return {
            "task": self.task.id,
            "simulated": True,
            "index": trial.index,
            "seed": trial.seed,
            "cell": trial.cell,
            "stages": monitor.stages,
            "stage_steps": monitor.stage_steps(rate_hz),
            "steps": monitor.steps(rate_hz),
            "failure": None if end in ("done", "time is up") else end,
            "guard_refusals": monitor.refusals(),
            "guard_holds": dict(monitor.holds),
            "policy": self._policy_id,
            "encoder": self._latest["tokens"].encoder_id,
            "protocol_hash": self.task.protocol.hash,
            "eval_seed": self.parameters.seed,
            "wall_s": round(wall_s, 2),
            "transport": "ros2",
        }

    @property
    def _policy_id(self) -> str:
        return self._latest["chunk"].policy_id

    def _ask_recorder(self, command: str, metadata: dict[str, Any], episode_id: str = "") -> None:
        request = RecordEpisode.Request(
            command=command, episode_id=episode_id, metadata_json=json.dumps(metadata)
        )
        response = call(self._record, request)
        if not response.success:
            raise TheiaError(f"the recorder did not {command}: {response.message}")

    def _leave_holding(self) -> None:
        with suppress(TheiaError):
            trigger(self, self._triggers, f"{GUARD}/hold", wait_s=0.5, answer_s=1.0)

    # --- what is printed ---

    def _say(self, text: str) -> None:
        for line in text.splitlines():
            print(line, flush=True)

    def _say_result(self, record: dict[str, Any], total: int) -> None:
        stages = " ".join(
            f"{name} {'yes' if reached else 'no'}" for name, reached in record["stages"].items()
        )
        notes = [record["failure"]] if record["failure"] else []
        notes += [f"{name} x{count}" for name, count in record["guard_refusals"].items()]
        notes += [f"held ({reason}) x{count}" for reason, count in record["guard_holds"].items()]
        cell = ", ".join(f"{name} {value:g}" for name, value in record["cell"].items())
        self._say(
            f"trial {record['index'] + 1}/{total} ({cell}): {stages}, {record['steps']} steps"
            + (f"; {'; '.join(notes)}" if notes else "")
        )

    def _report(self, records: list[dict[str, Any]], folder: Path, video: Path | None) -> None:
        result = summarise(records, task=self.task, seed=self.parameters.seed)
        result["latency_ms"] = self._timing.numbers()
        (folder / "result.json").write_text(json.dumps(result, indent=1) + "\n")
        self._say(f"\n{records[0]['policy']} on {records[0]['encoder']}, {len(records)} simulated trials")
        self._say(stage_table(records, task=self.task))
        self._say(f"\n{self._timing.text()}")
        self._say(f"\nresult:    {folder / 'result.json'}")
        self._say(f"video:     {video or 'none: no camera frame came'}")
        self._say(f"token map: {self._draw_tokens(folder) or 'none: the first trial was too short'}")

    def _draw_tokens(self, folder: Path) -> Path | None:
        if self._picture_of is None:
            return None
        message, frame = self._picture_of
        path = folder / "token_map.png"
        tokens = np.asarray(tokens_array(message), np.float32)
        write_token_map(path, tokens, (message.height, message.width), image_array(frame))
        return path

    # --- callbacks, in the main thread ---

    def _keep(self, key: str) -> Callable[[Any], None]:
        return lambda message: self._latest.__setitem__(key, message)

    def _on_task_state(self, message: TaskState) -> None:
        self._latest["task"] = message
        if (monitor := self._monitor) is not None:
            monitor.on_task_state(message)
        self._caption()

    def _on_guard_state(self, message: GuardState) -> None:
        self._latest["guard"] = message
        if (monitor := self._monitor) is not None:
            monitor.on_guard_state(message)

    def _on_image(self, message: Image) -> None:
        self._latest["image"] = message
        stamp = message.header.stamp
        self._frames[(stamp.sec, stamp.nanosec)] = message
        while len(self._frames) > 10:
            self._frames.popitem(last=False)
        if self._film is not None and self._film.rolling:
            self._film.add(image_array(message))

    def _on_tokens(self, message: SpatialTokens) -> None:
        self._latest["tokens"] = message
        monitor, stamp = self._monitor, message.header.stamp
        if self._picture_of is None and monitor is not None and monitor.elapsed_s >= _TOKEN_MAP_AT_S:
            frame = self._frames.get((stamp.sec, stamp.nanosec))
            self._picture_of = (message, frame) if frame is not None else None

    def _caption(self) -> None:
        guard, task = self._latest.get("guard"), self._latest["task"]
        if self._film is None or guard is None:
            return
        reached = [name for name, done in zip(task.stages, task.reached, strict=True) if done]
        text = (
            f"stage: {reached[-1] if reached else 'none yet'}   {task.elapsed_s:5.1f} s   {guard.reason[:50]}"
        )
        self._film.status = (_MODES.get(guard.mode, "?"), text)


def main() -> int:
    """Run the node."""
    return run_node(EvaluatorNode)


if __name__ == "__main__":
    sys.exit(main())
