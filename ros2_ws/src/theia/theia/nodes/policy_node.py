"""What the policy nodes share: newest tokens and state in, an action chunk out at every 5 Hz control step.

A thread of its own beats at 20 Hz. Every fourth beat is a control step, or the one after it if that was
missed; at each beat the inputs are looked at, and as soon as they are stale the guard is told to hold, with
the reason.
"""

import time
from dataclasses import dataclass

import numpy as np
from sensor_msgs.msg import JointState
from theia_msgs.msg import ActionChunk as ChunkMessage
from theia_msgs.msg import GuardState, SpatialTokens

from theia.messages.chunks import chunk_message
from theia.messages.stamps import Now
from theia.nodekit.lifecycle import ManagedNode, NotReady
from theia.nodekit.parameters import declare, parameter
from theia.nodekit.phase_lock import PhaseLock
from theia.nodekit.qos import RECORDING, STATE, STREAM
from theia.nodekit.ticker import Ticker
from theia.nodes.observation import NewestObservation, Observation
from theia.topics import ACTION_CHUNK, GUARD_STATE, TOKENS
from theia_core.actions.chunks import ActionChunk
from theia_core.actions.execution import ChunkExecution, ExecutionMode
from theia_core.errors import TheiaError
from theia_core.policies import PolicyRuntime

_BEATS_PER_STEP = 4
_WARM_UP_PREDICTIONS = 3


@dataclass(frozen=True)
class InputParameters:
    """Parameters that every policy node has."""

    execution: str = parameter(
        "receding",
        "how predictions are executed: receding:STEPS, receding (the policy's own number of steps) or "
        "ensemble:M, with or without ,no-latency-compensation",
    )
    threads: int = parameter(1, "CPU threads of the network", low=1, high=64)
    input_silence_s: float = parameter(
        0.3, "without new tokens or joints for so long, hold [s]", low=0.05, high=5.0
    )
    max_frame_age_s: float = parameter(
        0.4, "with a camera frame older than this, hold [s]", low=0.05, high=5.0
    )


@dataclass(frozen=True)
class Prediction:
    """A policy's prediction.

    Attributes:
        actions: (H, D) float32.
        observed_s: time of the camera frame, on the monotonic clock.
        message: the tokens that it was made from.
    """

    actions: np.ndarray
    observed_s: float
    message: SpatialTokens


class PolicyNode(ManagedNode):
    """Runs a policy; `theia_core.actions.execution` says which chunk goes out.

    A subclass loads it, says where the robot's state comes from, and makes the control step.

    Attributes:
        reported_ms: measurements whose summaries are printed at the end.
    """

    reported_ms: tuple[str, ...] = ("frame_to_chunk_ms", "step_jitter_ms")

    def __init__(self, name: str, parameters: type) -> None:
        """Declare parameters; `configure` loads the policy."""
        super().__init__(name)
        self.parameters = declare(self, parameters)
        self._ticker: Ticker | None = None
        self.diagnostics.counts.update(holds_ordered=0, predictions=0, dropped_late=0)

    def load(self) -> PolicyRuntime:
        """The policy of the parameters."""
        raise NotImplementedError

    def state_source(self) -> tuple[tuple[str, ...], str]:
        """Names of the values of the robot's state, and the topic of the JointState that has them."""
        raise NotImplementedError

    def control_step(self) -> None:
        """Publish the chunk that is due, on inputs that are fresh."""
        raise NotImplementedError

    def restart(self) -> None:
        """Forget predictions: the robot does not execute them."""
        self._execution.restart()
        self._newest: Prediction | None = None  # of which no chunk has gone out yet

    def configure(self) -> None:
        """Load the policy and begin to listen, so that `activate` can tell whose tokens these are."""
        self.policy = self.load()
        meta = self.policy.meta
        names, state_topic = self.state_source()
        mode = ExecutionMode.parse(
            self.parameters.execution, execute_steps=meta["execute_steps"], horizon=meta["horizon"]
        )
        self._execution = ChunkExecution(
            mode, self.policy.policy_id, float(meta["dt_s"]), str(meta["action_space"])
        )
        self._observation = NewestObservation(
            names,
            self.parameters.input_silence_s,
            self.parameters.max_frame_age_s,
        )
        self._phase = PhaseLock()
        self._guard_mode: int | None = None
        self._chunks = self.create_publisher(ChunkMessage, ACTION_CHUNK, STREAM)
        self._listening = [
            self.create_subscription(SpatialTokens, TOKENS, self._on_tokens, STREAM),
            self.create_subscription(JointState, state_topic, self._on_joints, RECORDING),
            self.create_subscription(GuardState, GUARD_STATE, self._on_guard, STATE),
        ]
        self.diagnostics.facts["policy_id"] = self.policy.policy_id
        self.diagnostics.facts["execution"] = str(mode)
        self.get_logger().info(
            f"loaded {self.policy.policy_id}, trained on {meta['encoder_id']}, execution {mode}"
        )

    def activate(self) -> None:
        """Refuse tokens of another encoder, then begin to act."""
        if trouble := self._observation.trouble(Now.of(self)):
            raise NotReady(trouble)
        self.policy.check_encoder(self._observation.newest_tokens.encoder_id)
        for _ in range(_WARM_UP_PREDICTIONS):
            self.predict()
        self.restart()
        self._trouble, self._newest_step, self._last_step_s = "", -1, None
        period_s = float(self.policy.meta["dt_s"]) / _BEATS_PER_STEP
        self._ticker = Ticker(period_s, self._on_beat, "control", self._on_crash)
        self._ticker.start()

    def deactivate(self) -> None:
        """Order the guard to hold and stop."""
        if self._ticker is not None:
            self._ticker.stop()
            self._publish(self._execution.hold(time.monotonic(), "deactivated"))

    def clean_up(self) -> None:
        """Drop the policy."""
        for subscription in self._listening:
            self.destroy_subscription(subscription)
        self.destroy_publisher(self._chunks)
        del self.policy

    def shut_down(self) -> None:
        """Order the guard to hold, then say what was measured."""
        super().shut_down()
        for name in self.reported_ms:
            if summary := self.diagnostics.samples(name).summary():
                numbers = ", ".join(f"{key} {value:.1f}" for key, value in summary.items())
                self.get_logger().info(f"{name}: {numbers}")

    # --- callbacks, in the thread of the executor ---

    def _on_tokens(self, message: SpatialTokens) -> None:
        now_s = time.monotonic()
        age_s = Now.of(self).age_s(message.header.stamp)
        self.diagnostics.samples("frame_to_received_ms").add(age_s * 1000)
        self._observation.on_tokens(message, now_s)
        self._phase.arrived(now_s)
        self.diagnostics.rate("tokens").tick()
        if self.is_active:
            try:
                self.policy.check_encoder(message.encoder_id)
            except TheiaError as error:
                self.outcome.fail(str(error))

    def _on_joints(self, message: JointState) -> None:
        self._observation.on_joints(message, time.monotonic())

    def _on_guard(self, message: GuardState) -> None:
        self._guard_mode = message.mode

    # --- control, in a thread of its own ---

    def _on_beat(self) -> None:
        now = Now.of(self)
        assert self._ticker is not None
        # By the beat's number: beats that a slow prediction skipped must not put the next control step off.
        step = self._ticker.beat // _BEATS_PER_STEP
        control_step, self._newest_step = step != self._newest_step, step
        before, self._trouble = self._trouble, self._observation.trouble(now)
        if self._trouble and (control_step or not before):
            if not before:
                self.get_logger().warning(f"holding: {self._trouble}")
                self.diagnostics.warn(self._trouble)
                self.diagnostics.counts["holds_ordered"] += 1
            self.restart()
            self._publish(self._execution.hold(now.monotonic_s, self._trouble))
        elif control_step:
            if before:
                self.diagnostics.ok("active")
            # Until the guard executes chunks, none of a prediction's actions has been executed.
            if self._guard_mode != GuardState.ACTIVE:
                self.restart()
            self.control_step()
        if control_step:
            executing = self._guard_mode == GuardState.ACTIVE
            self._measure_jitter(executing)
            self._ticker.shift(self._phase.correction_s(now.monotonic_s, freely=not executing))

    def predict(self) -> None:
        """Predict from the newest observation, here and now."""
        self.take_prediction(self.predicted_from(self._observation.take()))

    def predicted_from(self, observation: Observation) -> Prediction:
        """What the policy makes of an observation."""
        started = Now.of(self)
        actions = self.policy.predict(observation.tokens, observation.joints)
        self.diagnostics.samples("predict_ms").add((time.monotonic() - started.monotonic_s) * 1000)
        stamp = observation.message.header.stamp
        self.diagnostics.samples("frame_to_policy_ms").add(started.age_s(stamp) * 1000)
        return Prediction(actions, started.to_monotonic_s(stamp), observation.message)

    def take_prediction(self, prediction: Prediction) -> None:
        """Execute this prediction from now on."""
        self._execution.predicted(prediction.actions, prediction.observed_s)
        self._newest = prediction

    def publish_due(self) -> ActionChunk:
        """Send and return the chunk of this control step."""
        chunk = self._execution.step(time.monotonic())
        self._publish(chunk)
        if self._newest is not None:
            self.diagnostics.counts["predictions"] += 1
            self.diagnostics.counts["dropped_late"] = self._execution.dropped_late
            frame_age_s = Now.of(self).age_s(self._newest.message.header.stamp)
            self.diagnostics.samples("frame_to_chunk_ms").add(frame_age_s * 1000)
            self._newest = None
        return chunk

    def _publish(self, chunk: ActionChunk) -> None:
        self._chunks.publish(chunk_message(chunk, Now.of(self)))
        self.diagnostics.rate("chunks").tick()

    def _measure_jitter(self, executing: bool) -> None:
        """How much longer than the period it took from the last control step's chunk to this one's."""
        now_s = time.monotonic()
        if self._last_step_s is not None and executing:
            excess_s = now_s - self._last_step_s - float(self.policy.meta["dt_s"])
            self.diagnostics.samples("step_jitter_ms").add(max(excess_s, 0.0) * 1000)
        self._last_step_s = now_s

    def _on_crash(self, error: BaseException) -> None:
        self.outcome.crash("the policy stopped", error)
