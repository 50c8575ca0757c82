"""How much another resizer than the released models' changes an encoder's input and its tokens.

    python -m theia_training.compare_resizers data/renders data/photos_eval --encoder theia-tiny

The reference is `theia_core.images.Preprocessing.resize`, which is Pillow. Differences are in levels of 255
and, for tokens, one minus the cosine to the reference's token (the mean token taken away), over all images.
"""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import torch

from theia_core.encoders import Encoder, load_encoder
from theia_core.errors import TheiaError
from theia_core.images import Preprocessing
from theia_training.sources import open_source

Resizer = Callable[[np.ndarray, int], np.ndarray]


def _cv2(interpolation: int) -> Resizer:
    return lambda frame, size: cv2.resize(frame, (size, size), interpolation=interpolation)


def _torch(antialias: bool) -> Resizer:
    def resize(frame: np.ndarray, size: int) -> np.ndarray:
        image = torch.from_numpy(np.ascontiguousarray(frame)).permute(2, 0, 1)[None]
        resized = torch.nn.functional.interpolate(
            image, (size, size), mode="bilinear", align_corners=False, antialias=antialias
        )
        return resized[0].permute(1, 2, 0).contiguous().numpy()

    return resize


RESIZERS: dict[str, Resizer] = {
    "torch bilinear, antialias, uint8": _torch(True),
    "cv2 INTER_AREA": _cv2(cv2.INTER_AREA),
    "cv2 INTER_LINEAR": _cv2(cv2.INTER_LINEAR),
    "torch bilinear, no antialias, uint8": _torch(False),
}


def compare(
    frames: list[np.ndarray], size: int, encoder: Encoder | None = None
) -> dict[str, dict[str, float]]:
    """Differences of each resizer from `Preprocessing.resize`.

    Args:
        frames: (H, W, 3) uint8 RGB pictures of any sizes.
        size: side to resize to.
        encoder: encoder whose tokens are compared too.

    Returns:
        Resizer -> mean and largest difference in levels, share of pixels that differ, and with an encoder the
        mean and largest one minus cosine of its spatial tokens.
    """
    reference = np.concatenate([Preprocessing(size).resize(frame) for frame in frames])
    tokens = encoder.encode(reference) if encoder else None
    table = {}
    for name, resize in RESIZERS.items():
        resized = np.stack([resize(frame, size) for frame in frames])
        levels = np.abs(resized.astype(int) - reference)
        row = {
            "mean_levels": float(levels.mean()),
            "largest_levels": float(levels.max()),
            "differing": float((levels > 0).mean()),
        }
        if encoder is not None and tokens is not None:
            apart = 1 - _cosine(encoder.encode(resized), tokens)
            row |= {"mean_token_distance": float(apart.mean()), "largest_token_distance": float(apart.max())}
        table[name] = row
    return table


def _cosine(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Cosine of each token, after the mean token of `b` is taken away from both."""
    mean = b.mean(axis=(0, 1))
    a, b = a - mean, b - mean
    return (a * b).sum(-1) / (np.linalg.norm(a, axis=-1) * np.linalg.norm(b, axis=-1))


def main(arguments: list[str] | None = None) -> int:
    """Compare on the images given on the command line and print a table."""
    parser = argparse.ArgumentParser(
        prog="python -m theia_training.compare_resizers", description=__doc__.splitlines()[0]
    )
    parser.add_argument("images", type=Path, nargs="+", help="folders of images")
    parser.add_argument("--count", type=int, default=40, help="images of each folder (40)")
    parser.add_argument("--size", type=int, default=224, help="side to resize to (224)")
    parser.add_argument("--encoder", help="encoder whose tokens are compared too")
    options = parser.parse_args(arguments)
    try:
        encoder = load_encoder(options.encoder, threads=1) if options.encoder else None
        for folder in options.images:
            source = open_source(folder)
            refs = source.refs()
            chosen = refs[:: max(1, len(refs) // options.count)][: options.count]
            frames = [source.load(ref) for ref in chosen]
            sizes = sorted({f"{frame.shape[1]}x{frame.shape[0]}" for frame in frames})
            print(f"{folder}: {len(frames)} images, {', '.join(sizes[:3])}{' ...' if len(sizes) > 3 else ''}")
            for name, row in compare(frames, options.size, encoder).items():
                print(f"  {name:36s}" + "  ".join(f"{key} {value:.4g}" for key, value in row.items()))
    except TheiaError as error:
        print(f"compare_resizers: error: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
