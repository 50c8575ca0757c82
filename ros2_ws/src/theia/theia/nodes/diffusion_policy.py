"""The diffusion policy node of Spot: absolute hand poses, the next chunk computed while this one is executed.

`theia.nodes.policy_node` says how policy nodes work. Denoising takes many milliseconds, so a prediction is
begun one control step before its actions are needed, in a thread of its own; until it is there the last
chunk plays on. Motion stops only if a prediction is so late that no action of the last one is left: such gaps
are counted.
"""

import sys
import time
from dataclasses import dataclass

from theia.nodekit.main import run_node
from theia.nodekit.parameters import parameter
from theia.nodes.ahead import Ahead
from theia.nodes.observation import Observation
from theia.nodes.policy_node import InputParameters, PolicyNode, Prediction
from theia.topics import HAND_STATE
from theia_core.actions.hand_state import STATE_NAMES
from theia_core.policies import PolicyRuntime, load_policy


@dataclass(frozen=True)
class DiffusionParameters(InputParameters):
    """Parameters of the diffusion policy node."""

    policy: str = parameter("drawer", "shipped name or folder of the policy")
    denoising_steps: int = parameter(
        0,
        "DDIM steps of a prediction, at most as many as there were noise levels in training; 0 for the "
        "policy's own",
        low=0,
        high=1000,
    )
    seed: int = parameter(0, "seed of the noise that predictions begin with", low=0, high=2**31 - 1)
    budget_ms: float = parameter(
        150.0,
        "time that encoding and predicting may take together; what takes longer is counted [ms]",
        low=1.0,
        high=2000.0,
    )


class DiffusionPolicyNode(PolicyNode):
    """Predicts ahead."""

    reported_ms = ("predict_ms", "encode_and_predict_ms", "frame_to_chunk_ms", "step_jitter_ms")

    def __init__(self) -> None:
        """Declare parameters; `configure` loads the policy."""
        super().__init__("diffusion_policy", DiffusionParameters)
        self.diagnostics.counts.update(over_budget=0, gaps=0)

    def load(self) -> PolicyRuntime:
        """The policy of the parameters."""
        wanted = self.parameters
        steps = wanted.denoising_steps or None
        policy = load_policy(wanted.policy, threads=wanted.threads, denoising_steps=steps)
        self._ahead: Ahead[Observation, Prediction] = Ahead(self._measured)
        return policy

    def state_source(self) -> tuple[tuple[str, ...], str]:
        """Arm, gripper and hand as the robot's bridge publishes them."""
        return STATE_NAMES, HAND_STATE

    def activate(self) -> None:
        """Seed the noise, then begin to act, and say what a prediction costs."""
        self.policy.reset(self.parameters.seed)
        super().activate()
        spent = self.diagnostics.samples("encode_and_predict_ms").summary()
        self.get_logger().info(
            f"{self.policy.config.inference_steps} denoising steps: encoding and predicting take "
            f"{spent['p50']:.0f} ms (at most {spent['max']:.0f}) of {self.parameters.budget_ms:.0f} ms"
        )

    def clean_up(self) -> None:
        """Drop the policy."""
        self._ahead.close()
        super().clean_up()

    def restart(self) -> None:
        """Forget predictions, also the one that is being made."""
        super().restart()
        self._ahead.forget()

    def predict(self) -> None:
        """Predict from the newest observation, here and now."""
        self.take_prediction(self._ahead.now(self._observation.take()))

    def control_step(self) -> None:
        """Take the prediction that is ready, send what is due, and begin the prediction of the next step."""
        if (prediction := self._ahead.take()) is not None:
            self.take_prediction(prediction)
        if self._execution.empty:
            self.predict()
        chunk = self.publish_due()
        if chunk.horizon == 0:
            self.diagnostics.counts["gaps"] += 1
            self.get_logger().warning(f"motion stops: {chunk.reason}")
        next_s = time.monotonic() + float(self.policy.meta["dt_s"])
        if not (self._execution.empty or self._ahead.busy) and self._execution.needs_prediction(next_s):
            self._ahead.begin(self._observation.take())

    def _measured(self, observation: Observation) -> Prediction:
        started_s = time.monotonic()
        prediction = self.predicted_from(observation)
        spent_ms = (time.monotonic() - started_s) * 1000 + observation.message.encode_ms
        self.diagnostics.samples("encode_and_predict_ms").add(spent_ms)
        self.diagnostics.counts["over_budget"] += spent_ms > self.parameters.budget_ms
        return prediction


def main() -> int:
    """Run the node."""
    return run_node(DiffusionPolicyNode)


if __name__ == "__main__":
    sys.exit(main())
