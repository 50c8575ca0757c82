"""The encoders of a comparison, each under the label of its column."""

import argparse
import os
from typing import TYPE_CHECKING

from theia_core.errors import TheiaError

if TYPE_CHECKING:
    from theia_core.encoders import Encoder


def add_encoder_options(parser: argparse.ArgumentParser) -> None:
    """Declare the options that name encoders."""
    parser.add_argument(
        "--encoder",
        action="append",
        required=True,
        metavar="[LABEL=]ENCODER",
        help="name or folder of an encoder, with a heading for its column; repeat for several",
    )
    parser.add_argument("--threads", type=int, default=2, help="CPU threads (default: %(default)s)")


def load_encoders(names: list[str], threads: int) -> "dict[str, Encoder]":
    """Encoders by label, which is their own name where none is given.

    Raises:
        TheiaError: if one cannot be loaded, or two have one label.
    """
    # Threads that spin while they wait lose most of their speed to one other process; OpenMP reads this once.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    from theia_core.encoders import load_encoder

    encoders: dict[str, Encoder] = {}
    for name in names:
        label, _, place = name.rpartition("=")
        encoder = load_encoder(place, threads=threads)
        label = label or encoder.spec.name
        if label in encoders:
            raise TheiaError(f"two encoders are called {label!r}; tell them apart: --encoder LABEL={place}")
        encoders[label] = encoder
    return encoders
