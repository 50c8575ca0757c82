"""Spatial tokens as a picture: the camera frame, the tokens' main directions as colour, and their norms."""

import cv2
import numpy as np

from theia_core.analysis.norms import RANGE_IN_MEDIANS, token_norms
from theia_core.analysis.rgb_basis import fit_rgb_basis
from theia_core.errors import TheiaError
from theia_core.images import check_frames

PANEL_HEIGHT, BAR_HEIGHT, MARGIN = 360, 30, 8
_BACKGROUND, _INK = (24, 26, 30), (235, 235, 235)


def pca_rgb(tokens: np.ndarray) -> tuple[np.ndarray, float]:
    """Colours of one image's tokens: their first three principal components as red, green and blue.

    Args:
        tokens: (N, d) floats, N at least 2.

    Returns:
        (N, 3) uint8, and the share of the variance that the three components explain. See `RgbBasis` for one
        basis over many images.
    """
    basis = fit_rgb_basis(tokens)
    return basis.colours(tokens), basis.explained


def norm_map(tokens: np.ndarray, median: float | None = None) -> tuple[np.ndarray, float]:
    """Colours of the tokens' L2 norms, clipped to 0..2 * median (paper, section 5).

    Args:
        tokens: (N, d) floats.
        median: median norm over all images that are to be compared; this image's own by default.

    Returns:
        (N, 3) uint8 in the viridis colour map, and the norm at its upper end.
    """
    norms = token_norms(tokens[None])[0]
    top = RANGE_IN_MEDIANS * (float(np.median(norms)) if median is None else median)
    return viridis(norms / max(top, 1e-12)), top


def viridis(levels: np.ndarray) -> np.ndarray:
    """Colours (..., 3) uint8 RGB of levels (...), clipped to 0..1."""
    steps = np.clip(255 * np.asarray(levels, np.float64), 0, 255).astype(np.uint8)
    colours = cv2.applyColorMap(steps.reshape(-1, 1), cv2.COLORMAP_VIRIDIS)[:, 0, ::-1]
    return np.ascontiguousarray(colours).reshape(*steps.shape, 3)


def token_picture(tokens: np.ndarray, grid: tuple[int, int], frame: np.ndarray) -> np.ndarray:
    """The camera frame beside what the encoder made of it.

    Args:
        tokens: (h*w, d) spatial tokens of `frame`, row by row, any float dtype.
        grid: (h, w).
        frame: (H, W, 3) uint8 RGB.

    Returns:
        uint8 RGB picture with three labelled panels: frame, tokens as PCA colours, token norms.

    Raises:
        TheiaError: if tokens, grid and frame do not fit each other, or tokens are not finite.
    """
    height, width = grid
    if tokens.ndim != 2 or len(tokens) != height * width:
        raise TheiaError(
            f"tokens have shape {tokens.shape}; a grid of {height}x{width} needs ({height * width}, d)"
        )
    if not np.isfinite(tokens).all():
        raise TheiaError("tokens are not finite; look at the encoder, there is nothing to draw")
    camera = check_frames(frame)
    if frame.ndim != 3:
        raise TheiaError(f"frame has shape {frame.shape}; give one frame (H, W, 3)")
    colours, explained = pca_rgb(tokens)
    norms, top = norm_map(tokens)
    size = (round(PANEL_HEIGHT * frame.shape[1] / frame.shape[0]), PANEL_HEIGHT)
    panels = [
        ("camera", cv2.resize(camera[0], size, interpolation=cv2.INTER_AREA)),
        (
            f"{height}x{width} tokens, {tokens.shape[1]} channels: PCA as RGB ({100 * explained:.0f} %)",
            cv2.resize(colours.reshape(height, width, 3), size, interpolation=cv2.INTER_NEAREST),
        ),
        (
            f"token norm, 0 to {top:.3g}",
            cv2.resize(norms.reshape(height, width, 3), size, interpolation=cv2.INTER_NEAREST),
        ),
    ]
    return _side_by_side(panels)


def _side_by_side(panels: list[tuple[str, np.ndarray]]) -> np.ndarray:
    """Panels of one size in a row, each under its label."""
    height, width = panels[0][1].shape[:2]
    picture = np.empty((height + BAR_HEIGHT + MARGIN, len(panels) * (width + MARGIN) + MARGIN, 3), np.uint8)
    picture[:] = _BACKGROUND
    for index, (label, panel) in enumerate(panels):
        left = MARGIN + index * (width + MARGIN)
        picture[BAR_HEIGHT : BAR_HEIGHT + height, left : left + width] = panel
        scale = 0.5
        text_width = cv2.getTextSize(label, cv2.FONT_HERSHEY_SIMPLEX, scale, 1)[0][0]
        scale *= min(1.0, (width - 4) / text_width)
        cv2.putText(
            picture, label, (left + 2, BAR_HEIGHT - 10), cv2.FONT_HERSHEY_SIMPLEX, scale, _INK, 1, cv2.LINE_AA
        )
    return picture
