"""A folder of training crops from photographs, with the table of what came from where under which licence."""

import csv
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from theia_training.sources.photographs.catalogue import LICENCE_NOTES
from theia_training.sources.photographs.crops import JPEG_QUALITY, crop_count, crops, cutout_crops
from theia_training.sources.photographs.photograph import Photograph, SeenPhotographs

TABLE, LICENCES = "sources.csv", "LICENCES.md"
COLUMNS = ("source", "package", "version", "licence", "origin", "path", "sha256", "width", "height", "crops")


@dataclass
class BuildReport:
    """What became of the photographs: rows of the table, and reasons why others were left out, by name."""

    rows: list[dict[str, str | int]]
    left_out: dict[str, str]

    @property
    def crops(self) -> int:
        """Number of crops in the folder."""
        return sum(int(row["crops"]) for row in self.rows)


def build(photographs: Iterable[tuple[Photograph, int]], out: Path) -> BuildReport:
    """Cut photographs into `NAME__000.jpg`, `NAME__001.jpg`, ... and write sources.csv and LICENCES.md.

    A photograph that is too small or repeats an earlier one is left out. Crops that are there already are
    kept, so an interrupted run goes on where it stopped.

    Args:
        photographs: each with the least short side that it must have [px].
        out: folder, made if absent.

    Raises:
        UnreadableImage: if a photograph of a pinned package cannot be decoded, which its checksum rules out.
    """
    out.mkdir(parents=True, exist_ok=True)
    seen, report = SeenPhotographs(), BuildReport([], {})
    names: set[str] = set()
    for photograph, least_px in photographs:
        image = photograph.open()
        if min(image.size) < least_px:
            report.left_out[photograph.name] = f"{image.width}x{image.height} is below {least_px} pixels"
            continue
        name = photograph.name
        while name in names:
            name += "-2"
        if (earlier := seen.same_as(name, image)) is not None:
            report.left_out[name] = f"the same photograph as {earlier}"
            continue
        names.add(name)
        count = crop_count(*image.size, photograph.cutout)
        paths = [out / f"{name}__{index:03d}.jpg" for index in range(count)]
        if not all(path.exists() for path in paths):
            cut = cutout_crops if photograph.cutout else crops
            for path, crop in zip(paths, cut(image, count, int(photograph.sha256[:12], 16)), strict=True):
                partial = path.with_suffix(".part")
                crop.save(partial, "JPEG", quality=JPEG_QUALITY, subsampling=0)
                partial.replace(path)
        values = (name, photograph.package, photograph.version, photograph.licence, photograph.origin)
        place = (photograph.path, photograph.sha256, *image.size, count)
        report.rows.append(dict(zip(COLUMNS, (*values, *place), strict=True)))
    report.rows.sort(key=lambda row: str(row["source"]))
    _write_table(report, out / TABLE)
    (out / LICENCES).write_text(_licences(report))
    return report


def _write_table(report: BuildReport, path: Path) -> None:
    with path.open("w", newline="") as stream:
        writer = csv.DictWriter(stream, COLUMNS)
        writer.writeheader()
        writer.writerows(report.rows)


def _licences(report: BuildReport) -> str:
    """The licences as a page: how many photographs of each package are under which, then each photograph."""
    by_package = Counter(
        (str(row["package"]), str(row["version"]), str(row["licence"])) for row in report.rows
    )
    noted = sorted({package for package, _, _ in by_package} & set(LICENCE_NOTES))
    lines = [
        "# Licences of the photographs",
        "",
        "As the packages state them, file by file where their copyright files do. Crops are adaptations of",
        "the photographs and stay under the same licences.",
        "",
        *(f"{LICENCE_NOTES[package]}\n" for package in noted),
        "| package | version | licence | photographs |",
        "|---|---|---|---|",
        *(
            f"| {package} | {version} | {licence} | {count} |"
            for (package, version, licence), count in sorted(by_package.items())
        ),
        "",
        "| photograph | licence | holders and origin |",
        "|---|---|---|",
        *(f"| {row['source']} | {row['licence']} | {row['origin']} |" for row in report.rows),
    ]
    return "\n".join(lines) + "\n"
