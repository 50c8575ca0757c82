"""`theia probe`: how well frozen encoders tell the classes of a labelled folder apart."""

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from theia_core.cli import Command
from theia_core.errors import TheiaError
from theia_training.analysis.labelled_encoders import add_encoder_options, load_encoders

if TYPE_CHECKING:
    from theia_core.analysis.probing import ProbeConfig, Scores
    from theia_training.analysis.class_vectors import ClassVectors

_EXAMPLES = """examples:
  theia probe --encoder efficientnet-lite2-s16 --encoder theia-tiny --images data/kinds --out probe.html
  theia probe --encoder theia-tiny --images data/kinds --pool quadrants --out probe.html --json p.json

The folder holds one subfolder of images per class. Files NAME__1.jpg and NAME__2.jpg were cut from one
source, NAME, and are never on both sides of a split. Vectors of images are cached: a second run is quick."""


def _configure(parser: argparse.ArgumentParser) -> None:
    parser.epilog = _EXAMPLES
    add_encoder_options(parser)
    parser.add_argument("--images", type=Path, required=True, help="folder with a subfolder per class")
    parser.add_argument("--out", type=Path, required=True, help="the page (HTML)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the results as JSON too")
    parser.add_argument(
        "--pool", default="mean", help="one vector per image by mean, max, quadrants or cls (mean)"
    )
    parser.add_argument("--seeds", type=int, default=10, help="random splits (10)")
    parser.add_argument("--test-share", type=float, default=0.3, help="share of sources tested (0.3)")
    parser.add_argument("-k", type=int, default=10, help="neighbours that vote (10)")
    parser.add_argument("--most", type=int, help="images of a class that are used (all)")
    parser.add_argument(
        "--cache",
        type=Path,
        default=Path.home() / ".cache" / "theia" / "probe",
        help="folder of pooled vectors (default: %(default)s)",
    )


def _run(arguments: argparse.Namespace) -> int:
    from theia_core.analysis.probing import ProbeConfig
    from theia_core.analysis.source_split import check_classes
    from theia_training.analysis.labelled_images import LabelledFolder

    config = ProbeConfig(arguments.seeds, arguments.test_share, arguments.k)
    if arguments.most is not None and arguments.most < 2:
        raise TheiaError(f"--most is {arguments.most}; use 2 images of each class at least")
    folder = LabelledFolder(arguments.images, arguments.most)
    # Before anything is encoded, which can take long.
    check_classes([image.label for image in folder.images], [image.source for image in folder.images])
    encoders = load_encoders(arguments.encoder, arguments.threads)
    from tqdm import tqdm

    from theia_core.analysis.probing import probe
    from theia_training.analysis.class_vectors import class_vectors

    quiet = not sys.stderr.isatty()
    images = tqdm(folder.images, desc="images", disable=quiet)
    found = class_vectors(folder, images, encoders, arguments.pool, arguments.cache)
    with tqdm(total=config.seeds, desc="splits", disable=quiet) as bar:
        scores = probe(
            found.vectors, found.labels, found.sources, config, on_split=lambda: bar.update() and None
        )
    ids = {label: encoder.encoder_id for label, encoder in encoders.items()}
    _report(arguments, scores, ids, found, config)
    return 0


def _report(
    arguments: argparse.Namespace,
    scores: "dict[str, dict[str, Scores]]",
    encoder_ids: dict[str, str],
    found: "ClassVectors",
    config: "ProbeConfig",
) -> None:
    from theia_core.analysis.probe_page import probe_page, scores_as_json

    told = (scores, encoder_ids, found.classes, config, arguments.pool, str(arguments.images))
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    arguments.out.write_text(probe_page(*told, notes=found.unreadable), encoding="utf-8")
    if arguments.json:
        arguments.json.write_text(json.dumps(scores_as_json(*told), indent=1) + "\n")
    classes = len(found.classes)
    print(f"{len(found.labels)} images of {classes} classes, chance {100 / classes:.1f} %")
    for label, methods in scores.items():
        for method, score in methods.items():
            low, high = score.interval()
            print(
                f"{label}, {method}: {100 * score.mean:.1f} % "
                f"(95 % interval {100 * low:.1f} to {100 * high:.1f} %)"
            )
    for text in found.unreadable:
        print(f"left out: {text}")
    print(f"wrote {arguments.out}")


COMMAND = Command("measure how well frozen encoders tell labelled images apart", _configure, _run)
