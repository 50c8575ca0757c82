"""What behaviour cloning optimises: a chunk's loss, the noise it is trained under, its held-out errors."""

from collections.abc import Callable

import numpy as np
import torch
from torch import nn

from theia_core.policies.bc_mlp import BcMlp
from theia_training.cloning.demonstrations import Demonstrations
from theia_training.cloning.recipes import Recipe


def targets_of(
    model: BcMlp, data: Demonstrations, batch: np.ndarray
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Joints (B, 7) as measured, normalised targets (B, H, D) and their mask (B, H), of sample indices."""
    targets = (torch.from_numpy(data.targets[batch]) - model.action_mean) / model.action_std
    return torch.from_numpy(data.joints[batch]), targets, torch.from_numpy(data.mask[batch])


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


def evaluate(
    predict: Callable[[np.ndarray], tuple[torch.Tensor, torch.Tensor, torch.Tensor]],
    samples: np.ndarray,
    action_std: torch.Tensor,
    batch_size: int = 256,
) -> dict[str, float]:
    """Loss on undisturbed held-out steps, and errors of the chunk's first action in physical units.

    Args:
        predict: normalised actions (B, H, D), targets and mask of a batch of sample indices (B,).
        samples: indices of the held-out steps to look at.
        action_std: (D,) scale of an action.
        batch_size: steps at once.
    """
    losses, gaps = [], []
    with torch.inference_mode():
        for start in range(0, len(samples), batch_size):
            batch = samples[start : start + batch_size]
            predicted, targets, mask = predict(batch)
            losses.append(float(chunk_loss(predicted, targets, mask, 1.0)) * len(batch))
            gaps.append(((predicted - targets)[:, 0] * action_std)[mask[:, 0]].numpy())
    gap = np.concatenate(gaps)
    return {
        "validation_loss": sum(losses) / len(samples),
        "position_error_mm": float(1000 * np.linalg.norm(gap[:, :3], axis=1).mean()),
        "rotation_error_deg": float(np.degrees(np.linalg.norm(gap[:, 3:6], axis=1).mean())),
        "gripper_wrong": float((np.abs(gap[:, 6]) > 0.5).mean()),
    }
