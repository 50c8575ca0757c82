"""A trained policy in use: tokens and joint state in, action chunk out, on onnxruntime alone."""

from pathlib import Path
from typing import Any

import numpy as np

from theia_core.errors import TheiaError
from theia_core.policies.artefact import GRAPH, policy_folder, read_policy
from theia_core.policies.config import PolicyConfig
from theia_core.runtimes.onnx_session import OnnxSession


class PolicyRuntime:
    """A loaded policy; get one from `load_policy`. Use an instance from one thread at a time.

    Attributes:
        policy_id: name@hash, where hash is the first 12 hex digits of the weights file's sha256.
        meta: contents of policy.json: task, encoder, encoder_id, horizon, dt_s, action_space, execute_steps,
            ...; `load_encoder(meta["encoder"])` loads its encoder, also one that lies in the policy's folder.
        config: sizes of the network.
    """

    def __init__(self, meta: dict[str, Any], session: OnnxSession) -> None:
        """Join a checked policy.json and the session of its graph."""
        self.meta = meta
        self.config = PolicyConfig.from_dict(meta["config"])
        self.policy_id = f"{meta['name']}@{meta['weights_sha256'][:12]}"
        self._session = session

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

    def predict(self, tokens: np.ndarray, joints: np.ndarray) -> np.ndarray:
        """Action chunk for one observation.

        Args:
            tokens: (N, d) float16 or float32 spatial tokens, row by row.
            joints: (7,) six joint angles [rad] and the left finger [m].

        Returns:
            (H, 7) float32 actions in the physical units of the policy's action space, gripper within 0..1.

        Raises:
            TheiaError: if a shape differs from what the policy was trained on.
        """
        shape = (self.config.grid[0] * self.config.grid[1], self.config.channels)
        if tokens.shape != shape:
            raise TheiaError(f"tokens have shape {tokens.shape}, policy {self.policy_id} needs {shape}")
        if joints.shape != (self.config.joints,):
            raise TheiaError(
                f"joints have shape {joints.shape}, policy {self.policy_id} needs ({self.config.joints},): "
                "six joint angles and the left finger"
            )
        actions = self._session.run(tokens[None].astype(np.float32), joints[None].astype(np.float32))[0]
        actions[:, -1] = np.clip(actions[:, -1], 0.0, 1.0)
        return actions


def load_policy(name_or_folder: str | Path, *, threads: int = 1) -> PolicyRuntime:
    """Load a policy by its shipped name, such as "door", or from its folder.

    Args:
        name_or_folder: shipped name or folder.
        threads: CPU threads of the network.

    Raises:
        TheiaError: if there is no such policy, or its files are incomplete, damaged or do not belong
            together.
    """
    folder = policy_folder(name_or_folder)
    return PolicyRuntime(read_policy(folder), OnnxSession(folder / GRAPH, threads))
