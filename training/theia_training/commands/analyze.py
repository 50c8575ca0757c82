"""`theia analyze`: what encoders see, side by side on one page."""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from theia_core.cli import Command
from theia_core.errors import TheiaError
from theia_training.analysis.labelled_encoders import add_encoder_options, load_encoders

if TYPE_CHECKING:
    from theia_training.analysis.encoder_study import Findings

_EXAMPLES = """examples:
  theia analyze --encoder efficientnet-lite2-s16 --images data/photos_eval --out page.html
  theia analyze --encoder theia-tiny --encoder before=runs/first --features data/features --out page.html
  theia analyze --encoder theia-tiny --images data/photos_eval --features data/features --out page.html
  theia analyze --encoder runs/first --features data/features --show 5 --out page.html --sheet predictions.jpg

The page is one file with its pictures inside. Encoders with translators are compared with their teachers:
true features come from the teachers, or, without --images, from the stores' held-out samples. The stores also
say by which mean and deviation features were normalised; without any, the analysed images do."""


def _configure(parser: argparse.ArgumentParser) -> None:
    parser.epilog = _EXAMPLES
    add_encoder_options(parser)
    parser.add_argument(
        "--images", type=Path, nargs="+", default=[], help="folders of images, WebDataset tars, episodes"
    )
    parser.add_argument("--every", type=int, default=10, help="of episodes, take every n-th frame (10)")
    parser.add_argument(
        "--features",
        nargs="+",
        default=[],
        metavar="STORE",
        help="feature stores, as in the config of the distillation; columns are joined by '+'",
    )
    parser.add_argument(
        "--teacher",
        action="append",
        default=[],
        metavar="NAME=PLACE",
        help="config or folder of a teacher that an encoder predicts, or 'none' to leave it out",
    )
    parser.add_argument("--out", type=Path, required=True, help="the page (HTML)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the measures as JSON too")
    parser.add_argument(
        "--sheet",
        type=Path,
        metavar="FILE",
        help="draw the first encoder's tokens and predictions (PNG, JPEG)",
    )
    parser.add_argument(
        "--limit", type=int, default=100, help="images measured, spread over their sources (100)"
    )
    parser.add_argument("--show", type=int, default=8, help="images shown (8)")


def _run(arguments: argparse.Namespace) -> int:
    if not arguments.images and not arguments.features:
        raise TheiaError("no images; name a folder with --images, or a feature store with --features")
    if arguments.limit < 1 or arguments.show < 1:
        raise TheiaError(f"--limit {arguments.limit} and --show {arguments.show}: both must be at least 1")
    places = dict(_name_and_place(text) for text in arguments.teacher)
    encoders = load_encoders(arguments.encoder, arguments.threads)
    from tqdm import tqdm

    from theia_training.analysis.analysed_images import images_of_sources, images_of_stores
    from theia_training.analysis.encoder_study import study
    from theia_training.analysis.teachers_of_encoders import prediction_studies
    from theia_training.sources import open_source

    notes: list[str] = []
    stores = []
    if arguments.features:
        from theia_training.features.store import open_columns

        stores = [open_columns(text) for text in arguments.features]
    studies = prediction_studies(
        encoders, stores, not arguments.images, places, arguments.threads, notes.append
    )
    if arguments.images:
        sources = [open_source(path, every=arguments.every) for path in arguments.images]
        images = images_of_sources(sources, arguments.limit, notes.append)
    else:
        images = images_of_stores(stores, arguments.limit)
    progress = tqdm(images, desc="images", total=arguments.limit, disable=not sys.stderr.isatty())
    findings = study(encoders, studies, progress, arguments.show)
    _report(findings, arguments, notes)
    return 0


def _name_and_place(text: str) -> tuple[str, str]:
    name, equals, place = text.partition("=")
    if not equals:
        raise TheiaError(f"--teacher {text!r} has no '='; give NAME=PLACE")
    return name, place


def _report(findings: "Findings", arguments: argparse.Namespace, notes: list[str]) -> None:
    from theia_core.analysis.comparison_page import comparison_page, findings_as_json
    from theia_core.analysis.prediction_sheet import prediction_sheet
    from theia_core.files import write_json

    origin = (
        ", ".join(map(str, arguments.images)) or f"the held-out samples of {', '.join(arguments.features)}"
    )
    html = comparison_page(findings.encoders, findings.teachers, findings.shown, origin, notes)
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    arguments.out.write_text(html, encoding="utf-8")
    values = findings_as_json(findings.encoders, findings.teachers, origin, notes)
    for label, entry in values["encoders"].items():
        print(
            f"{label}: norm entropy {entry['norm_entropy_nats']:.2f} nats, outlier tokens "
            f"{100 * entry['outlier_rate']:.2f} %, PCA AUC {entry['pca_auc']:.3f}, cosine to mean "
            f"{entry['cosine_to_mean']:.2f} ({entry['images']} images)"
        )
    for name, teacher in values["teachers"].items():
        for label, entry in teacher["encoders"].items():
            print(f"{label} on {name}: cosine {entry['cosine']:.3f}, centred {entry['cosine_centred']:.3f}")
    for text in notes:
        print(f"note: {text}")
    if arguments.json:
        write_json(arguments.json, values)
    if arguments.sheet:
        from PIL import Image

        sheet = prediction_sheet(findings.encoders[0], findings.teachers, findings.shown)
        Image.fromarray(sheet).save(arguments.sheet, quality=88)
        print(f"wrote {arguments.sheet}")
    print(f"wrote {arguments.out} ({arguments.out.stat().st_size / 1e3:.0f} kB)")


COMMAND = Command("show what encoders see, side by side on one page", _configure, _run)
