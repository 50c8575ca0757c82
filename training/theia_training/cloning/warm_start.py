"""Start a policy from one that was trained before: its weights and its normalisation."""

from dataclasses import replace

import torch
from safetensors.torch import load_file

from theia_core.encoders import Encoder
from theia_core.errors import TheiaError
from theia_core.policies.artefact import CONFIGS, WEIGHTS, policy_folder, read_policy
from theia_core.policies.neck import ScaledPolicy
from theia_core.policies.normalisation import Scale
from theia_core.tasks import Task
from theia_training.cloning.method import Method


def load_head(
    name_or_folder: str, method: Method, task: Task, encoder: Encoder, dropout: float
) -> tuple[ScaledPolicy, dict]:
    """Trained policy in torch, and its policy.json.

    Args:
        name_or_folder: shipped name or folder of the policy.
        method: the kind that it must be.
        task: the task that it must have been trained for.
        encoder: the encoder on whose tokens it must have been trained.
        dropout: in its hidden layers, while training goes on.

    Raises:
        TheiaError: if there is no such policy, it is damaged, or it is of another task or encoder.
    """
    folder = policy_folder(name_or_folder)
    meta = read_policy(folder)
    if meta["task"] != task.id or meta["horizon"] != task.chunk_horizon:
        raise TheiaError(
            f"the policy to start from, {folder}, was trained for the task {meta['task']!r} with chunks of "
            f"{meta['horizon']}, not for {task.id!r} with {task.chunk_horizon}; give one of this task"
        )
    if meta["kind"] != method.kind:
        raise TheiaError(
            f"the policy to start from, {folder}, is a {meta['kind']} and not a {method.kind}; "
            "give one of this kind"
        )
    if meta["encoder_id"] != encoder.encoder_id:
        raise TheiaError(
            f"the policy to start from, {folder}, was trained on tokens of {meta['encoder_id']}, not of "
            f"{encoder.encoder_id}; give --encoder {meta['encoder']}, or another --init-policy"
        )
    config = replace(CONFIGS[method.kind].from_dict(meta["config"]), dropout=dropout)
    placeholders = (
        Scale(*torch.ones(2, n).numpy()) for n in (config.channels, config.joints, config.action_dim)
    )
    model = method.network(config, *placeholders)
    try:
        model.load_state_dict({name: tensor.float() for name, tensor in load_file(folder / WEIGHTS).items()})
    except RuntimeError as error:
        raise TheiaError(
            f"{folder / WEIGHTS} does not hold the weights of a {method.kind} policy "
            f"({str(error).splitlines()[-1].strip()}); train it again"
        ) from error
    return model, {**meta, "policy_id": f"{meta['name']}@{meta['weights_sha256'][:12]}"}
