"""Encoders side by side: what a page shows of their tokens."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from theia_core.analysis.cosine import cosine_to_mean
from theia_core.analysis.measures import EXPLANATIONS, TokenMeasures, measure_tokens
from theia_core.analysis.norms import BINS, RANGE_IN_MEDIANS, norm_histogram, token_norms
from theia_core.analysis.page.chart import Series, line_chart
from theia_core.analysis.page.html import note, picture, section, table
from theia_core.analysis.pca import Pca, fit_pca
from theia_core.analysis.rgb_basis import fit_rgb_basis
from theia_core.analysis.token_map import norm_map

_COSINE_BINS = 50
_CUT_PERCENT = 20


@dataclass(frozen=True)
class ShownImage:
    """An image that the page shows.

    Attributes:
        name: its key.
        place: its place among the measured images.
        pixels: (S, S, 3) uint8 RGB, as the encoders see it.
    """

    name: str
    place: int
    pixels: np.ndarray


@dataclass(frozen=True)
class EncoderView:
    """One encoder's tokens of all measured images.

    Attributes:
        label: what its columns are called.
        encoder_id: name and hash of the weights.
        description: one sentence.
        licence: of its weights.
        grid: (h, w) of the tokens.
        tokens: (B, h*w, d) float32.
    """

    label: str
    encoder_id: str
    description: str
    licence: str
    grid: tuple[int, int]
    tokens: np.ndarray

    @cached_property
    def pca(self) -> Pca:
        """Principal components of all tokens."""
        return fit_pca(self.tokens)

    @cached_property
    def measures(self) -> TokenMeasures:
        """Measures of all tokens."""
        return measure_tokens(self.tokens, self.pca)


def measures_section(views: Sequence[EncoderView]) -> str:
    """Table of the measures with their meaning."""
    rows = [[row.title, *(row.show(view.measures) for view in views)] for row in EXPLANATIONS]
    images = views[0].measures.images
    encoders = [note(f"{v.label}: {v.description}. {v.encoder_id}; licence: {v.licence}.") for v in views]
    return section(
        "Measures",
        f"Over the spatial tokens of {images} images. None of them says how good an encoder is: read them "
        "beside each other, and beside the success of policies.",
        table(["", *(view.label for view in views)], rows, meanings=[row.meaning for row in EXPLANATIONS]),
        *encoders,
    )


def curves_section(views: Sequence[EncoderView]) -> str:
    """Principal components, norms and cosines as curves."""
    spectra, norms, cosines = [], [], []
    edges = (np.arange(BINS) + 0.5) / BINS * RANGE_IN_MEDIANS
    cosine_edges = np.linspace(-1, 1, _COSINE_BINS + 1)
    for view in views:
        cumulative = np.concatenate([[0], view.pca.cumulative])
        spectra.append(Series(view.label, np.linspace(0, 100, len(cumulative)), 100 * cumulative))
        norms.append(Series(view.label, edges, 100 * norm_histogram(token_norms(view.tokens))))
        counts, _ = np.histogram(np.clip(cosine_to_mean(view.tokens), -1, 1), cosine_edges)
        centres = (cosine_edges[1:] + cosine_edges[:-1]) / 2
        cosines.append(Series(view.label, centres, 100 * counts / counts.sum()))
    charts = [
        line_chart(
            spectra,
            "Variance explained by the first principal components of all tokens.",
            "components [% of all]",
            "variance explained [%]",
            (0, 100),
            (0, 100),
        ),
        line_chart(
            norms,
            f"Token norms in {BINS} bins; the last one also counts all that are longer.{_cut(norms)}",
            "norm [medians]",
            "tokens [% per bin]",
            (0, RANGE_IN_MEDIANS),
            (0, _top(norms)),
        ),
        line_chart(
            cosines,
            f"Cosine of each token to the mean token of its image.{_cut(cosines)}",
            "cosine",
            "tokens [% per bin]",
            (-1, 1),
            (0, _top(cosines)),
        ),
    ]
    return section("Curves", "", f'<div class="charts">{"".join(charts)}</div>')


def pictures_section(views: Sequence[EncoderView], images: Sequence[ShownImage]) -> str:
    """Each image with every encoder's tokens: colours and norms."""
    columns = []
    for view in views:
        basis = fit_rgb_basis(view.tokens, view.pca)
        cells = []
        for image in images:
            tokens = view.tokens[image.place]
            colours = basis.colours(tokens).reshape(*view.grid, 3)
            norms, _ = norm_map(tokens, view.measures.norm_median)
            cells.append(
                '<div class="pair">'
                + picture(colours, f"tokens of {view.label} as colours for {image.name}")
                + picture(norms.reshape(*view.grid, 3), f"token norms of {view.label} for {image.name}")
                + "</div>"
            )
        columns.append((f"{view.label} ({100 * basis.explained:.0f} % shown)", cells))
    kind = "pictures pairs several" if len(views) > 1 else "pictures pairs"
    rows = [
        [image_cell(image), *(cells[index] for _, cells in columns)] for index, image in enumerate(images)
    ]
    return section(
        "What the tokens look like",
        "For each encoder two pictures. First the tokens as colours: equal colours are tokens that are alike "
        "along the encoder's three main directions, which are the same for all images; the heading says what "
        "share of the variation they show. Then the norm of each token, clipped at twice its median:",
        '<div class="scale note"><span>0</span><i></i><span>2 medians</span></div>',
        table(["Image", *(heading for heading, _ in columns)], rows, kind),
    )


def image_cell(image: ShownImage) -> str:
    """The image and its name."""
    return picture(image.pixels, image.name, image.name.rpartition("/")[2], photograph=True)


def _top(lines: Sequence[Series]) -> float:
    """A round number above all values that are not to be cut."""
    highest = min(max(float(line.y.max()) for line in lines), _CUT_PERCENT)
    return next(top for top in (1, 2, 5, 10, 15, 20) if top >= highest)


def _cut(lines: Sequence[Series]) -> str:
    """Says of which encoders a peak is cut, so that the others can be seen."""
    peaks = [(line.label, float(line.y.max())) for line in lines if line.y.max() > _CUT_PERCENT]
    return "".join(f" {label} peaks at {peak:.0f} %, outside the chart." for label, peak in peaks)
