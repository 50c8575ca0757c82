"""What all policies are optimised with: targets, noise on their inputs, masked means, held-out errors."""

from collections.abc import Callable

import numpy as np
import torch
from torch import nn

from theia_core.actions.rotations import matrix_from_rotation_6d
from theia_core.actions.spaces import EE_POSE
from theia_core.policies.neck import ScaledPolicy
from theia_training.cloning.demonstrations import Demonstrations
from theia_training.cloning.recipes import Recipe

# Loss of held-out steps, their predicted chunks (B, H, D), targets and mask, all normalised.
Judged = tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]


def targets_of(
    model: ScaledPolicy, data: Demonstrations, batch: np.ndarray
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Joints (B, J) as measured, normalised targets (B, H, D) and their mask (B, H), of sample indices.

    They lie on the model's device.
    """
    device = model.action_mean.device
    joints, targets, mask = (
        torch.from_numpy(values[batch]).to(device) for values in (data.joints, data.targets, data.mask)
    )
    return joints, model.normalise_actions(targets), mask


def disturb(tokens: torch.Tensor, joints: torch.Tensor, recipe: Recipe) -> tuple[torch.Tensor, torch.Tensor]:
    """Make normalised inputs noisy, so that small errors at run time are nothing new."""
    if recipe.token_noise > 0:
        tokens = tokens + recipe.token_noise * torch.randn_like(tokens)
    if recipe.token_dropout > 0:
        tokens = tokens * (torch.rand(*tokens.shape[:2], 1, device=tokens.device) >= recipe.token_dropout)
    if recipe.joint_noise > 0:
        joints = joints + recipe.joint_noise * torch.randn_like(joints)
    return tokens, joints


def mean_over_chunk(errors: torch.Tensor, mask: torch.Tensor, gripper_weight: float) -> torch.Tensor:
    """Mean of errors (B, H, D) of the actions that exist, the gripper (last dimension) weighted."""
    weights = torch.ones(errors.shape[-1], device=errors.device)
    weights[-1] = gripper_weight
    return (errors * weights)[mask].sum() / (mask.sum() * weights.sum()).clamp(min=1)


def chunk_loss(
    predicted: torch.Tensor, targets: torch.Tensor, mask: torch.Tensor, gripper_weight: float
) -> torch.Tensor:
    """Smooth L1 over the actions (B, H, D) that exist, the gripper weighted."""
    errors = nn.functional.smooth_l1_loss(predicted, targets, reduction="none")
    return mean_over_chunk(errors, mask, gripper_weight)


def evaluate(
    judge: Callable[[np.ndarray], Judged],
    samples: np.ndarray,
    model: ScaledPolicy,
    space: str,
    batch_size: int = 256,
) -> dict[str, float]:
    """Loss on undisturbed held-out steps, and errors of the chunk's first action in physical units.

    Args:
        judge: what the model makes of a batch of sample indices (B,).
        samples: indices of the held-out steps to look at.
        model: has the scale of the actions.
        space: their action space.
        batch_size: steps at once.
    """
    losses, pairs = [], []
    with torch.inference_mode():
        for start in range(0, len(samples), batch_size):
            batch = samples[start : start + batch_size]
            loss, predicted, targets, mask = judge(batch)
            losses.append(float(loss) * len(batch))
            first = torch.stack([predicted[:, 0], targets[:, 0]], dim=1)[mask[:, 0]]
            pairs.append((first * model.action_std + model.action_mean).cpu().numpy())
    predicted, wanted = np.concatenate(pairs).transpose(1, 0, 2)
    gap = predicted - wanted
    return {
        "validation_loss": sum(losses) / len(samples),
        "position_error_mm": float(1000 * np.linalg.norm(gap[:, :3], axis=1).mean()),
        "rotation_error_deg": float(np.degrees(_rotation_gaps_rad(predicted, wanted, space).mean())),
        "gripper_wrong": float((np.abs(gap[:, -1]) > 0.5).mean()),
    }


def _rotation_gaps_rad(predicted: np.ndarray, wanted: np.ndarray, space: str) -> np.ndarray:
    """Angles (B,) between the rotations of predicted and wanted actions (B, D)."""
    if space != EE_POSE.name:
        return np.asarray(np.linalg.norm((predicted - wanted)[:, 3:6], axis=1))
    one, other = (matrix_from_rotation_6d(actions[:, 3:9]) for actions in (predicted, wanted))
    cosine = (np.einsum("bij,bij->b", one, other) - 1) / 2
    return np.asarray(np.arccos(np.clip(cosine, -1, 1)))
