"""Write an untrained ViT in the layout of a Theia checkpoint: the baseline of any distilled encoder.

    python -m theia_training.random_encoder data/encoders/random-vit-tiny --size tiny --seed 0
    theia train door --encoder data/encoders/random-vit-tiny ...

The same size and seed give the same weights with the same version of torch, and so the same encoder_id.
"""

import argparse
import sys
from pathlib import Path

import torch

from theia_core.encoders.registry import load_encoder
from theia_core.encoders.theia import TheiaModel
from theia_core.encoders.theia_checkpoint import save_theia_checkpoint
from theia_core.encoders.theia_variants import BACKBONES, TheiaVariant
from theia_core.errors import TheiaError


def random_model(size: str, seed: int, registers: int = 0) -> TheiaModel:
    """An untrained backbone of `size`, named after it and its seed, without translators."""
    name = f"random-vit-{size}" + (f"-seed{seed}" if seed else "")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return TheiaModel(TheiaVariant(name, size, {}, registers)).eval()


def main(arguments: list[str] | None = None) -> int:
    """Write the encoder into the folder given on the command line and print its encoder_id."""
    parser = argparse.ArgumentParser(
        prog="python -m theia_training.random_encoder", description=__doc__.splitlines()[0]
    )
    parser.add_argument("folder", type=Path, help="folder to write")
    parser.add_argument("--size", choices=list(BACKBONES), default="tiny", help="tiny, small or base (tiny)")
    parser.add_argument("--seed", type=int, default=0, help="seed of the weights (0)")
    parser.add_argument("--registers", type=int, default=0, help="register tokens besides CLS (0)")
    options = parser.parse_args(arguments)
    try:
        save_theia_checkpoint(random_model(options.size, options.seed, options.registers), options.folder)
        print(load_encoder(options.folder).encoder_id)
    except TheiaError as error:
        print(f"random_encoder: error: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
