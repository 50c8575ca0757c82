"""How much of one encoder's tokens a linear map from single tokens of another explains.

    python -m theia_training.token_readout data/renders --images 480 \
        --from theia-tiny random-vit-tiny --to efficientnet-lite2-s16

A policy's small neck can use what single tokens hold linearly, whatever a translator makes of them. The map
is a ridge regression on one part of the sources (scenes, photographs, episodes), scored on the others. What a
token's place in the grid alone explains is taken away first, on both sides.
"""

import argparse
import sys

import numpy as np

from theia_core.encoders import load_encoder
from theia_core.errors import TheiaError
from theia_training.sources import open_source

RIDGE = 1e-3  # of the mean variance of a channel
TEST_SHARE = 0.25
GRID = 14


def explained(seen: np.ndarray, wanted: np.ndarray, train: np.ndarray) -> float:
    """Share of the variance of `wanted` that a linear map from `seen` explains on the images not in `train`.

    Args:
        seen: (N, P, C) tokens to read from.
        wanted: (N, P, D) tokens to explain, of the same places.
        train: (N,) bool, the images that the map is fitted on.

    Raises:
        TheiaError: if a side has no image.
    """
    if train.all() or not train.any():
        raise TheiaError("all images are of one source; give images of more scenes, photographs or episodes")
    seen, wanted = (tokens - tokens[train].mean(0) for tokens in (seen, wanted))
    known, goal = (t[train].reshape(-1, t.shape[2]).astype(np.float64) for t in (seen, wanted))
    gram = known.T @ known
    gram += RIDGE * np.trace(gram) / len(gram) * np.eye(len(gram))
    weights = np.linalg.solve(gram, known.T @ goal)
    error = wanted[~train] - seen[~train] @ weights
    return 1.0 - float(np.square(error).sum() / np.square(wanted[~train]).sum())


def cells(tokens: np.ndarray) -> np.ndarray:
    """Tokens (N, P, C) as (N, 196, C k^2): those of a finer grid are gathered under the 14x14 grid's cells.

    Raises:
        TheiaError: if the grid is no multiple of 14x14.
    """
    count, places, channels = tokens.shape
    side = round(places**0.5)
    if side * side != places or side % GRID:
        raise TheiaError(f"{places} tokens are no grid of a multiple of {GRID}x{GRID}; take another encoder")
    k = side // GRID
    split = tokens.reshape(count, GRID, k, GRID, k, channels).transpose(0, 1, 3, 2, 4, 5)
    return split.reshape(count, GRID * GRID, k * k * channels)


def main(arguments: list[str] | None = None) -> int:
    """Print a row for each encoder that is read from."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("source", help="folder of images, WebDataset or folder of episodes")
    parser.add_argument("--from", dest="readers", nargs="+", required=True, help="encoders to read from")
    parser.add_argument("--to", dest="wanted", nargs="+", required=True, help="encoders to explain")
    parser.add_argument("--images", type=int, default=480, help="images, evenly spaced (%(default)s)")
    options = parser.parse_args(arguments)
    try:
        source = open_source(options.source)
        refs = source.refs()
        chosen = [refs[i] for i in np.unique(np.linspace(0, len(refs) - 1, options.images).astype(int))]
        names = sorted({ref.source for ref in chosen})
        tested = set(np.random.default_rng(0).permutation(names)[: max(1, round(TEST_SHARE * len(names)))])
        train = np.array([ref.source not in tested for ref in chosen])
        frames = [source.load(ref) for ref in chosen]
        tokens: dict[str, np.ndarray] = {}
        for name in dict.fromkeys((*options.readers, *options.wanted)):
            encoder = load_encoder(name)
            tokens[name] = cells(np.concatenate([encoder.encode(frame[None]) for frame in frames]))
        print(f"{len(frames)} images, {int(train.sum())} to fit; explained variance of single tokens")
        for reader in options.readers:
            row = {w: explained(tokens[reader], tokens[w], train) for w in options.wanted if w != reader}
            print(f"{reader}: " + ", ".join(f"{wanted} {share:.3f}" for wanted, share in row.items()))
    except TheiaError as error:
        print(f"token_readout: error: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
