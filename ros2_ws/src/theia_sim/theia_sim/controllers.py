"""Controllers for fast roll-outs: the scripted expert, a policy, and a policy that the expert watches."""

import copy
import time
from typing import Any, Protocol

import numpy as np

from theia_core.actions.execution import ChunkExecution, ExecutionMode
from theia_core.actions.spaces import disturbed
from theia_core.encoders import load_encoder
from theia_core.policies import load_policy
from theia_sim.rollout import STEP_S, Observation

# An expert has one action for the state of now: it plays that, late or not, and never drops it.
ONE_AT_A_TIME = ExecutionMode(1, latency_compensation=False)


class Expert(Protocol):
    """A scripted expert: a function of the simulator's present state."""

    def act(self, env: Any) -> np.ndarray:
        """The action (D,) for now, of the environment's space."""


class ExpertController:
    """The scripted expert, its executed action disturbed by noise while `label` stays clean (as DART does).

    Attributes:
        label: (D,) the expert's own action at the last observation: what a policy should learn.
    """

    policy_id = "scripted-expert"
    execution = ONE_AT_A_TIME

    def __init__(self, env: Any, expert: Expert, *, noise_m: float = 0.0, needs_image: bool = False) -> None:
        """Drive `env` with `expert`.

        Args:
            env: the environment that is rolled out.
            expert: scripted expert of its task.
            noise_m: standard deviation of the noise on each axis of the executed position (delta).
            needs_image: whether observations are rendered, as a recording needs.
        """
        self._env, self._expert, self._noise_m = env, expert, noise_m
        self.needs_image = needs_image
        self.label = np.zeros(env.action_space.dim, np.float32)

    def reset(self, seed: int) -> None:
        """Draw this trial's noise from `seed`."""
        self._rng = np.random.default_rng([seed, 1])
        self._drift_m = np.zeros(3)

    def predict(self, observation: Observation) -> np.ndarray:
        """One action (1, D): the expert's, with noise that is correlated over about three steps."""
        self.label = np.asarray(self._expert.act(self._env), np.float32)
        action = self.label.copy()
        if self._noise_m > 0:
            # Correlated noise of the same standard deviation: white noise averages out before it matters.
            self._drift_m = 0.7 * self._drift_m + np.sqrt(1 - 0.7**2) * self._rng.normal(0, self._noise_m, 3)
            action = disturbed(action, self._drift_m, self._rng.normal(0, 4 * self._noise_m, 3))
        return action[None]


class PolicyController:
    """A trained policy on the tokens of its encoder, both as the robot's nodes run them."""

    needs_image = True

    def __init__(
        self,
        policy_name: str,
        encoder_name: str | None = None,
        *,
        threads: int = 1,
        execution: str = "receding",
        denoising_steps: int | None = None,
    ) -> None:
        """Load policy and encoder.

        Args:
            policy_name: shipped name or folder of a policy.
            encoder_name: encoder to use; by default the one that the policy was trained with.
            threads: CPU threads of the encoder.
            execution: how predictions are executed, as `ExecutionMode.parse` reads it.
            denoising_steps: of a diffusion policy, other than its own number.

        Raises:
            TheiaError: if either cannot be loaded, the policy was trained on other tokens, or this policy
                cannot be executed so.
        """
        self.policy = load_policy(policy_name, denoising_steps=denoising_steps)
        self.encoder = load_encoder(encoder_name or self.policy.meta["encoder"], threads=threads)
        self.policy.check_encoder(self.encoder.encoder_id)
        self.policy_id = self.policy.policy_id
        self.execution = self._mode(execution)

    def executing(self, execution: str) -> "PolicyController":
        """The same policy and encoder, not loaded again, with another execution."""
        other = copy.copy(self)
        other.execution = self._mode(execution)
        return other

    def _mode(self, execution: str) -> ExecutionMode:
        meta = self.policy.meta
        return ExecutionMode.parse(execution, execute_steps=meta["execute_steps"], horizon=meta["horizon"])

    def reset(self, seed: int) -> None:
        """Begin a trial; a policy that samples draws from `seed`."""
        self.policy.reset(seed)

    def predict(self, observation: Observation) -> np.ndarray:
        """Action chunk (H, D) for the observation."""
        assert observation.image is not None
        tokens = self.encoder.encode(observation.image[None])[0].astype(np.float16)
        return self.policy.predict(tokens, observation.joints)


class Stopwatch:
    """A controller whose predictions are timed.

    Attributes:
        predict_ms: how long each prediction took, encoding included.
    """

    def __init__(self, controller: Any) -> None:
        """Time the predictions of `controller`."""
        self._controller = controller
        self.policy_id, self.needs_image = controller.policy_id, controller.needs_image
        self.execution = controller.execution
        self.predict_ms: list[float] = []

    def reset(self, seed: int) -> None:
        """Start a trial."""
        self._controller.reset(seed)

    def predict(self, observation: Observation) -> np.ndarray:
        """The controller's prediction."""
        started_s = time.monotonic()
        actions = self._controller.predict(observation)
        self.predict_ms.append((time.monotonic() - started_s) * 1000)
        return actions


class WatchedPolicyController:
    """The policy acts and the expert says, at every step, what it would have done (DAgger's labels).

    Attributes:
        label: (D,) the expert's action at the last observation.
    """

    needs_image = True
    execution = ONE_AT_A_TIME

    def __init__(
        self, env: Any, expert: Expert, policy: PolicyController, *, expert_share: float = 0.0
    ) -> None:
        """Let `policy` drive `env`, except for a share of the steps in runs of about ten.

        Args:
            env: the environment that is rolled out.
            expert: scripted expert of its task.
            policy: the policy that acts.
            expert_share: fraction of the steps in which the expert acts instead.
        """
        self._env, self._expert, self._policy, self._share = env, expert, policy, expert_share
        self.policy_id = f"{policy.policy_id}+expert-labels"
        self.label = np.zeros(env.action_space.dim, np.float32)

    def reset(self, seed: int) -> None:
        """Start a trial; `seed` decides when the expert takes over."""
        self._rng = np.random.default_rng([seed, 2])
        self._expert_acts = self._rng.random() < self._share
        self._policy.reset(seed)
        self._execution = ChunkExecution(
            self._policy.execution, self._policy.policy_id, STEP_S, self._env.action_space.name
        )

    def predict(self, observation: Observation) -> np.ndarray:
        """One action (1, D) of whoever acts now."""
        self.label = np.asarray(self._expert.act(self._env), np.float32)
        if self._rng.random() < 0.1:
            self._expert_acts = self._rng.random() < self._share
            self._execution.restart()
        if self._expert_acts:
            return self.label[None]
        if self._execution.needs_prediction(observation.stamp_s):
            self._execution.predicted(self._policy.predict(observation), observation.stamp_s)
        return self._execution.step(observation.stamp_s).actions[:1]
