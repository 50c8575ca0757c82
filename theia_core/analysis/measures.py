"""All measures of one encoder's tokens, and what each means in plain words."""

import math
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from theia_core.analysis.cosine import cosine_to_mean
from theia_core.analysis.norms import BINS, norm_entropy, norm_entropy_own_range, outlier_rate, token_norms
from theia_core.analysis.pca import Pca, fit_pca


@dataclass(frozen=True)
class TokenMeasures:
    """What the spatial tokens of an encoder are like, over B images of N tokens with d channels.

    Attributes:
        images: B.
        tokens: N.
        channels: d.
        norm_median: median norm.
        norm_low: 5th percentile of the norms, in medians.
        norm_high: 95th percentile of the norms, in medians.
        norm_entropy_nats: entropy of the histogram of norms from 0 to 2 medians (`norms.norm_entropy`).
        norm_entropy_own_range_nats: the same from the smallest to the largest norm.
        outlier_rate: share of tokens with more than twice the median norm.
        pca_auc: area under the cumulative explained variance (`pca.Pca.auc`).
        pca_first: share of the variance along the first principal component.
        pca_components_90: components that explain 90 % of the variance.
        cosine_to_mean: mean cosine of a token to its image's mean token.
    """

    images: int
    tokens: int
    channels: int
    norm_median: float
    norm_low: float
    norm_high: float
    norm_entropy_nats: float
    norm_entropy_own_range_nats: float
    outlier_rate: float
    pca_auc: float
    pca_first: float
    pca_components_90: int
    cosine_to_mean: float

    def to_dict(self) -> dict[str, Any]:
        """The same as plain JSON values."""
        return asdict(self)


def measure_tokens(tokens: np.ndarray, pca: Pca | None = None) -> TokenMeasures:
    """Measures of tokens (B, N, d), any float dtype; `pca` if their principal components are known already.

    Raises:
        TheiaError: if tokens have another number of dimensions, are empty or not finite.
    """
    norms = token_norms(tokens)
    median = float(np.median(norms))
    low, high = np.percentile(norms, [5, 95]) / max(median, 1e-12)
    pca = pca or fit_pca(tokens)
    return TokenMeasures(
        images=tokens.shape[0],
        tokens=tokens.shape[1],
        channels=tokens.shape[2],
        norm_median=median,
        norm_low=float(low),
        norm_high=float(high),
        norm_entropy_nats=norm_entropy(norms),
        norm_entropy_own_range_nats=norm_entropy_own_range(norms),
        outlier_rate=outlier_rate(norms),
        pca_auc=pca.auc,
        pca_first=float(pca.ratios[0]),
        pca_components_90=pca.components_for(0.9),
        cosine_to_mean=float(cosine_to_mean(tokens).mean()),
    )


@dataclass(frozen=True)
class Explanation:
    """One row of a table of measures: title, how its value is written, and what it means."""

    title: str
    show: Callable[[TokenMeasures], str]
    meaning: str


EXPLANATIONS = (
    Explanation(
        "Tokens per image",
        lambda m: f"{m.tokens} x {m.channels}",
        "Places in the image times numbers at each place: what a policy gets to read.",
    ),
    Explanation(
        "Norm entropy [nats]",
        lambda m: f"{m.norm_entropy_nats:.2f}",
        f"How diverse the lengths of the tokens are: 0 if all are equal, at most {math.log(BINS):.2f} if all "
        f"lengths from zero to twice the median are equally common ({BINS} bins). In the paper, encoders "
        "that make better robot policies have more of it.",
    ),
    Explanation(
        "Norm entropy, own range [nats]",
        lambda m: f"{m.norm_entropy_own_range_nats:.2f}",
        "The same with bins from the shortest to the longest token, which shows how lengths are distributed "
        "however little they differ. A single very long token lowers it.",
    ),
    Explanation(
        "Norms, 5 to 95 % [medians]",
        lambda m: f"{m.norm_low:.2f} to {m.norm_high:.2f}",
        "Nine tokens in ten have a length in this range, relative to the median length. Encoders that end in "
        "a LayerNorm, such as vision transformers, begin their training with nearly equal lengths.",
    ),
    Explanation(
        "Outlier tokens",
        lambda m: f"{100 * m.outlier_rate:.2f} %",
        "Share of tokens that are more than twice as long as the median. Vision transformers tend to park "
        "global information in a few such tokens, which then no longer describe their place.",
    ),
    Explanation(
        "PCA area under the curve",
        lambda m: f"{m.pca_auc:.3f}",
        "0.5 if all directions of the token space are used equally, near 1 if a few carry everything.",
    ),
    Explanation(
        "Components for 90 %",
        lambda m: f"{m.pca_components_90} of {m.channels}",
        "How many principal directions are needed to explain 90 % of what varies between tokens.",
    ),
    Explanation(
        "First component",
        lambda m: f"{100 * m.pca_first:.1f} %",
        "Share of all variation along the one strongest direction.",
    ),
    Explanation(
        "Cosine to mean token",
        lambda m: f"{m.cosine_to_mean:.2f}",
        "How alike the tokens of one image are: at 1 all point the same way and no place can be told apart.",
    ),
)
