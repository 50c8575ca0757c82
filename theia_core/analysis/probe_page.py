"""The page that `theia probe` writes, and the same numbers as JSON."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from html import escape
from typing import Any

import numpy as np

from theia_core.analysis.page.html import note, page, picture, section, table
from theia_core.analysis.page.interval_chart import Interval, interval_chart
from theia_core.analysis.probing import METHODS, ProbeConfig, Scores

_HOW = (
    "k-NN: the {k} training images of highest cosine vote. Linear: logistic regression on standardised "
    "features, its penalty chosen on the training images. Both take one vector per image ({pool} of the "
    "tokens); the encoder stays as it is. Accuracy is the mean over classes, so that large classes do not "
    "count more."
)
_SPLITS = (
    "Each of {seeds} random splits tests {percent} % of the sources of each class; crops of one source never "
    "lie on both sides. Intervals (95 %) allow for the overlap of the splits (Nadeau and Bengio 2003); they "
    "tell how far other photographs of this kind may change the numbers, not what other classes would give."
)


@dataclass(frozen=True)
class LabelledClass:
    """One class of the labelled images.

    Attributes:
        name: its folder.
        images: how many.
        sources: photographs or scenes they were cut from.
        example: (S, S, 3) uint8 RGB, one of them.
    """

    name: str
    images: int
    sources: int
    example: np.ndarray


def probe_page(
    scores: Mapping[str, Mapping[str, Scores]],
    encoder_ids: Mapping[str, str],
    classes: Sequence[LabelledClass],
    config: ProbeConfig,
    pool: str,
    origin: str,
    notes: Sequence[str] = (),
) -> str:
    """A self-contained HTML document.

    Args:
        scores: encoder -> method -> scores.
        encoder_ids: encoder -> name and hash of its weights.
        classes: in the order of the confusion matrices.
        config: how the encoders were probed.
        pool: pooling of the tokens.
        origin: where the images come from, in words.
        notes: what was left out, and why.
    """
    labels = list(scores)
    sections = [_accuracy(scores, len(classes), config, pool)]
    if len(labels) > 1:
        sections.append(_differences(scores))
    sections.append(_per_class(scores, classes))
    ids = "; ".join(f"{label}: {encoder_ids[label]}" for label in labels)
    sections.append(section("Encoders", "", note(ids)))
    if notes:
        sections.append(section("Left out", "", *(note(text) for text in notes)))
    images, sources = sum(c.images for c in classes), sum(c.sources for c in classes)
    lead = f"{images} images of {len(classes)} classes, cut from {sources} sources, in {origin}."
    return page("Telling classes apart", lead, sections)


def scores_as_json(
    scores: Mapping[str, Mapping[str, Scores]],
    encoder_ids: Mapping[str, str],
    classes: Sequence[LabelledClass],
    config: ProbeConfig,
    pool: str,
    origin: str,
) -> dict[str, Any]:
    """The same numbers as plain JSON values."""
    return {
        "images_from": origin,
        "config": asdict(config) | {"pool": pool},
        "chance": 1 / len(classes),
        "classes": {c.name: {"images": c.images, "sources": c.sources} for c in classes},
        "encoders": {
            label: {
                "encoder": encoder_ids[label],
                **{
                    method: {
                        "class_mean_accuracy": found.mean,
                        "interval_95": list(found.interval()),
                        "splits": found.values.tolist(),
                        "per_class": dict(
                            zip((c.name for c in classes), found.confusion.diagonal().tolist(), strict=True)
                        ),
                    }
                    for method, found in methods.items()
                },
            }
            for label, methods in scores.items()
        },
    }


def _accuracy(
    scores: Mapping[str, Mapping[str, Scores]], classes: int, config: ProbeConfig, pool: str
) -> str:
    charts = [
        interval_chart(
            [Interval(label, methods[m].mean, *methods[m].interval()) for label, methods in scores.items()],
            f"{m}: class-mean accuracy with its 95 % interval",
            1 / classes,
            "chance",
        )
        for m in METHODS
    ]
    rows = [
        [escape(label), *(_with_interval(methods[method]) for method in METHODS)]
        for label, methods in scores.items()
    ]
    rows.append(["chance", *(_percent(1 / classes) for _ in METHODS)])
    return section(
        "Accuracy",
        _HOW.format(k=config.k, pool=pool),
        f'<div class="charts">{"".join(charts)}</div>',
        table(["Encoder", *METHODS], rows),
        note(_SPLITS.format(seeds=config.seeds, percent=round(100 * config.test_share))),
    )


def _differences(scores: Mapping[str, Mapping[str, Scores]]) -> str:
    (first, reference), *others = scores.items()
    rows = []
    for label, methods in others:
        cells = []
        for method in METHODS:
            mean, low, high = (100 * v for v in methods[method].difference(reference[method]))
            cells.append(f'{mean:+.1f}<br><span class="range">{low:+.1f} to {high:+.1f}</span>')
        rows.append([escape(label), *cells])
    return section(
        f"Difference from {first}",
        "In percentage points, split by split on the same images. An interval that contains 0 leaves open "
        "which encoder is better.",
        table(["Encoder", *METHODS], rows),
    )


def _per_class(scores: Mapping[str, Mapping[str, Scores]], classes: Sequence[LabelledClass]) -> str:
    names = [c.name for c in classes]
    rows = []
    for index, found in enumerate(classes):
        caption = f"{found.images} images of {found.sources} sources"
        example = picture(found.example, f"example of {found.name}", caption, photograph=True)
        cells = []
        for methods in scores.values():
            row = methods["linear"].confusion[index]
            cells.append(_percent(row[index]) + _mistaken_for(row, index, names))
        rows.append([f"{escape(found.name)}{example}", *cells])
    return section(
        "Class by class",
        "Share of each class's test images that the linear probe recognises, and the class that it most "
        "often takes the others for.",
        table(["Class", *scores], rows, "numbers examples"),
    )


def _mistaken_for(row: np.ndarray, index: int, names: Sequence[str]) -> str:
    others = row.copy()
    others[index] = 0
    worst = int(others.argmax())
    if others[worst] == 0:
        return ""
    return f'<br><span class="range">as {escape(names[worst])} {_percent(others[worst])}</span>'


def _with_interval(found: Scores) -> str:
    low, high = found.interval()
    return f'{_percent(found.mean)}<br><span class="range">{_percent(low)} to {_percent(high)}</span>'


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"
