"""Picture of the masks that SAM's decoder finds from an image embedding."""

from typing import Any

import numpy as np
import torch

POINTS_PER_SIDE = 8
PROMPTS_PER_PASS = 16


def paint_masks(model: Any, embeddings: torch.Tensor, points_per_side: int = POINTS_PER_SIDE) -> np.ndarray:
    """Ask for the object at each point of a regular grid and paint the best mask of each, large ones first.

    Args:
        model: `transformers.SamModel`.
        embeddings: (B, C, h, w) image embeddings.
        points_per_side: points along a side of the grid.

    Returns:
        (B, H, W, 3) uint8 RGB at the decoder's resolution, four times the embedding's; black outside masks.
    """
    side = float(model.config.vision_config.image_size)
    steps = (torch.arange(points_per_side, dtype=torch.float32) + 0.5) * side / points_per_side
    points = torch.stack(torch.meshgrid(steps, steps, indexing="xy"), -1).reshape(1, -1, 1, 2)
    pictures = []
    for embedding in embeddings:
        masks, scores = [], []
        for part in points.split(PROMPTS_PER_PASS, dim=1):
            output = model(
                image_embeddings=embedding[None],
                input_points=part.to(embedding.device),
                multimask_output=True,
            )
            best = output.iou_scores[0].argmax(-1)  # (P,) of three masks per point
            masks.append(output.pred_masks[0][torch.arange(len(best)), best] > 0)  # (P, H, W)
            scores.append(output.iou_scores[0].max(-1).values)
        pictures.append(_paint(torch.cat(masks).cpu().numpy(), torch.cat(scores).cpu().numpy()))
    return np.stack(pictures)


def _paint(masks: np.ndarray, scores: np.ndarray) -> np.ndarray:
    """Picture (H, W, 3) of masks (P, H, W) bool; of nearly equal masks only the best is kept."""
    kept: list[np.ndarray] = []
    for index in np.argsort(-scores):
        mask = masks[index]
        if mask.any() and all(_overlap(mask, other) < 0.8 for other in kept):
            kept.append(mask)
    picture = np.zeros((*masks.shape[1:], 3), np.uint8)
    for number, mask in enumerate(sorted(kept, key=lambda mask: -int(mask.sum()))):
        picture[mask] = _colour(number)
    return picture


def _overlap(a: np.ndarray, b: np.ndarray) -> float:
    return float((a & b).sum() / (a | b).sum())


def _colour(number: int) -> np.ndarray:
    """Bright RGB colour; successive ones are far apart in hue (by the golden ratio)."""
    hue = 2 * np.pi * ((number * 0.618034) % 1)
    return (150 + 100 * np.cos(hue - np.array([0, 2, 4]) * np.pi / 3)).astype(np.uint8)
