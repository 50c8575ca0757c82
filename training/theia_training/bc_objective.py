"""What behaviour cloning optimises: a chunk's loss, the noise it is trained under, its held-out errors."""

import numpy as np
import torch
from torch import nn

from theia_core.policies.bc_mlp import BcMlp
from theia_training.demonstrations import Demonstrations
from theia_training.recipes import Recipe


def tensors_of(
    model: BcMlp, data: Demonstrations, batch: np.ndarray
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
    """Normalised tokens, joints and targets, and the mask, of sample indices."""
    tokens = torch.from_numpy(data.tokens(batch)).float()
    joints = torch.from_numpy(data.joints[batch])
    targets = (torch.from_numpy(data.targets[batch]) - model.action_mean) / model.action_std
    return *model.normalise_inputs(tokens, joints), targets, torch.from_numpy(data.mask[batch])


def disturb(tokens: torch.Tensor, joints: torch.Tensor, recipe: Recipe) -> tuple[torch.Tensor, torch.Tensor]:
    """Make normalised inputs noisy, so that small errors at run time are nothing new."""
    if recipe.token_noise > 0:
        tokens = tokens + recipe.token_noise * torch.randn_like(tokens)
    if recipe.token_dropout > 0:
        tokens = tokens * (torch.rand(*tokens.shape[:2], 1) >= recipe.token_dropout)
    if recipe.joint_noise > 0:
        joints = joints + recipe.joint_noise * torch.randn_like(joints)
    return tokens, joints


def chunk_loss(
    predicted: torch.Tensor, targets: torch.Tensor, mask: torch.Tensor, gripper_weight: float
) -> torch.Tensor:
    """Smooth L1 over the actions (B, H, D) that exist, the gripper (last dimension) weighted."""
    errors = nn.functional.smooth_l1_loss(predicted, targets, reduction="none")
    weights = torch.ones(errors.shape[-1])
    weights[-1] = gripper_weight
    return (errors * weights)[mask].sum() / (mask.sum() * weights.sum()).clamp(min=1)


def evaluate(model: BcMlp, data: Demonstrations, batch_size: int = 256) -> dict[str, float]:
    """Loss on undisturbed held-out steps, and errors of the chunk's first action in physical units."""
    losses, gaps = [], []
    with torch.inference_mode():
        for start in range(0, len(data), batch_size):
            batch = np.arange(start, min(start + batch_size, len(data)))
            tokens, joints, targets, mask = tensors_of(model, data, batch)
            predicted = model.chunk(tokens, joints)
            losses.append(float(chunk_loss(predicted, targets, mask, 1.0)) * len(batch))
            gaps.append(((predicted - targets)[:, 0] * model.action_std)[mask[:, 0]].numpy())
    gap = np.concatenate(gaps)
    return {
        "validation_loss": sum(losses) / len(data),
        "position_error_mm": float(1000 * np.linalg.norm(gap[:, :3], axis=1).mean()),
        "rotation_error_deg": float(np.degrees(np.linalg.norm(gap[:, 3:6], axis=1).mean())),
        "gripper_wrong": float((np.abs(gap[:, 6]) > 0.5).mean()),
    }
