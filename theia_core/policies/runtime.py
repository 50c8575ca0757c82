"""A trained policy in use: tokens and the robot's state in, action chunk out, on onnxruntime alone."""

from dataclasses import replace
from pathlib import Path
from typing import Any, Generic, TypeVar

import numpy as np
from safetensors import safe_open

from theia_core.actions.rotations import matrix_from_rotation_6d, rotation_6d_from_matrix
from theia_core.actions.spaces import EE_POSE
from theia_core.errors import TheiaError
from theia_core.policies.artefact import BC_MLP, CONTEXT, DENOISER, GRAPH, WEIGHTS, policy_folder, read_policy
from theia_core.policies.config import DiffusionConfig, PolicyConfig, TokenConfig
from theia_core.runtimes.onnx_session import OnnxSession

_Config = TypeVar("_Config", bound=TokenConfig)


def proper_actions(actions: np.ndarray, space: str) -> np.ndarray:
    """Actions (..., D) as they go out: the gripper within 0..1, and what is to be a rotation is one."""
    actions = actions.copy()
    actions[..., -1] = np.clip(actions[..., -1], 0.0, 1.0)
    if space == EE_POSE.name:
        actions[..., 3:9] = rotation_6d_from_matrix(matrix_from_rotation_6d(actions[..., 3:9]))
    return actions


class PolicyRuntime(Generic[_Config]):
    """A loaded policy; get one from `load_policy`. Use an instance from one thread at a time.

    Attributes:
        policy_id: name@hash, where hash is the first 12 hex digits of the weights file's sha256.
        meta: contents of policy.json: task, encoder, encoder_id, horizon, dt_s, action_space, execute_steps,
            ...; `load_encoder(meta["encoder"])` loads its encoder, also one that lies in the policy's folder.
        config: sizes of the network.
    """

    def __init__(self, meta: dict[str, Any], config: _Config) -> None:
        """Take a checked policy.json and the config in it."""
        self.meta, self.config = meta, config
        self.policy_id = f"{meta['name']}@{meta['weights_sha256'][:12]}"

    def check_encoder(self, encoder_id: str) -> None:
        """Make sure that tokens come from the encoder that this policy was trained on.

        Raises:
            TheiaError: if `encoder_id` (name@hash) is another one.
        """
        expected = self.meta["encoder_id"]
        if encoder_id != expected:
            raise TheiaError(
                f"policy {self.policy_id} was trained on tokens of {expected}, the encoder is {encoder_id}; "
                f"load the encoder {self.meta['encoder']!r} or train a policy on this one"
            )

    def reset(self, seed: int) -> None:
        """Begin anew: with the same seed and observations follow the same predictions."""

    def predict(self, tokens: np.ndarray, joints: np.ndarray) -> np.ndarray:
        """Action chunk for one observation.

        Args:
            tokens: (N, d) float16 or float32 spatial tokens, row by row.
            joints: (J,) state of the robot; WidowX: six joint angles [rad] and the left finger [m]; Spot: six
                arm joints [rad], gripper fraction, hand position [m] and rotation (6D), holding flag.

        Returns:
            (H, D) float32 actions in the physical units of the policy's action space, gripper within 0..1.

        Raises:
            TheiaError: if a shape differs from what the policy was trained on.
        """
        shape = (self.config.grid[0] * self.config.grid[1], self.config.channels)
        if tokens.shape != shape:
            raise TheiaError(f"tokens have shape {tokens.shape}, policy {self.policy_id} needs {shape}")
        if joints.shape != (self.config.joints,):
            raise TheiaError(
                f"joints have shape {joints.shape}, policy {self.policy_id} needs ({self.config.joints},)"
            )
        actions = self._actions(tokens[None].astype(np.float32), joints[None].astype(np.float32))
        return proper_actions(actions, self.meta["action_space"])

    def _actions(self, tokens: np.ndarray, joints: np.ndarray) -> np.ndarray:
        """Actions (H, D) in physical units of tokens (1, N, d) and joints (1, J)."""
        raise NotImplementedError


class BcRuntime(PolicyRuntime[PolicyConfig]):
    """Behaviour cloning: one graph from observation to actions."""

    def __init__(self, meta: dict[str, Any], folder: Path, threads: int) -> None:
        """Load the graph of a folder whose policy.json is `meta`."""
        super().__init__(meta, PolicyConfig.from_dict(meta["config"]))
        self._session = OnnxSession(folder / GRAPH, threads)

    def _actions(self, tokens: np.ndarray, joints: np.ndarray) -> np.ndarray:
        return np.asarray(self._session.run(tokens, joints)[0])


class DiffusionRuntime(PolicyRuntime[DiffusionConfig]):
    """Diffusion: one graph sees, another cleans noise step by step until a chunk of actions is left.

    Predictions are samples: where demonstrations went either way, so does this. The noise comes from a
    generator that `reset` seeds.
    """

    def __init__(self, meta: dict[str, Any], folder: Path, threads: int, steps: int | None) -> None:
        """Load the graphs of a folder whose policy.json is `meta`; `steps` replaces its denoising steps."""
        config = DiffusionConfig.from_dict(meta["config"])
        super().__init__(meta, config if steps is None else replace(config, inference_steps=steps))
        self._context = OnnxSession(folder / CONTEXT, threads)
        self._denoiser = OnnxSession(folder / DENOISER, threads)
        with safe_open(folder / WEIGHTS, "np") as file:
            self._mean, self._std = file.get_tensor("action_mean"), file.get_tensor("action_std")
        self.reset(0)

    def reset(self, seed: int) -> None:
        """Seed the noise of the coming predictions."""
        self._random = np.random.default_rng(seed)

    def _actions(self, tokens: np.ndarray, joints: np.ndarray) -> np.ndarray:
        config = self.config
        context = self._context.run(tokens, joints)
        noise = self._random.standard_normal((1, config.horizon, config.action_dim), np.float32)

        def denoiser(noisy: np.ndarray, level: int) -> np.ndarray:
            return self._denoiser.run(noisy, np.array([level], np.float32), context)

        chunk = config.noise.denoise(denoiser, noise, config.inference_steps)[0]
        return np.asarray(chunk * self._std + self._mean, np.float32)


def load_policy(
    name_or_folder: str | Path, *, threads: int = 1, denoising_steps: int | None = None
) -> PolicyRuntime[Any]:
    """Load a policy by its shipped name, such as "door", or from its folder.

    Args:
        name_or_folder: shipped name or folder.
        threads: CPU threads of the network.
        denoising_steps: of a diffusion policy, other than its own number.

    Raises:
        TheiaError: if there is no such policy, its files are incomplete, damaged or do not belong together,
            or it cannot denoise in so many steps.
    """
    folder = policy_folder(name_or_folder)
    meta = read_policy(folder)
    if meta["kind"] != BC_MLP:
        return DiffusionRuntime(meta, folder, threads, denoising_steps)
    if denoising_steps is not None:
        raise TheiaError(
            f"policy {meta['name']} is a {BC_MLP}: it has no denoising steps; leave their number out"
        )
    return BcRuntime(meta, folder, threads)
