"""Norms of spatial tokens: their histogram, its entropy, and tokens that stand out.

The paper (section 5) finds that encoders whose token norms are more diverse make better policies, and that
tokens of extreme norm, which vision transformers park in flat regions, go with worse ones.
"""

import numpy as np

from theia_core.errors import TheiaError

# The histogram spans 0 to twice the median norm, the range of the norm maps, so that it does not change when
# all tokens are scaled; norms beyond it count in the last bin. The number of bins is odd, so that the median
# is the middle of a bin and not an edge, which would split norms that differ by rounding only.
BINS = 101
RANGE_IN_MEDIANS = 2.0
# Norms that differ by less than this share of their median are taken as equal.
ROUNDING = 1e-4


def token_norms(tokens: np.ndarray) -> np.ndarray:
    """L2 norms (B, N) float64 of tokens (B, N, d).

    Raises:
        TheiaError: if tokens have another number of dimensions, are empty or not finite.
    """
    norms: np.ndarray = np.linalg.norm(check_tokens(tokens).astype(np.float64), axis=-1)
    return norms


def norm_histogram(norms: np.ndarray, bins: int = BINS) -> np.ndarray:
    """Shares (bins,) of tokens whose norm lies in each of `bins` equal parts of 0 to 2 * median.

    Norms above that range count in the last bin. If the median is zero, all count in the first.
    """
    values = np.asarray(norms, np.float64).ravel()
    top = RANGE_IN_MEDIANS * float(np.median(values))
    if top == 0:
        return np.eye(1, bins)[0]
    places = np.minimum((values / top * bins).astype(np.int64), bins - 1)
    return np.bincount(places, minlength=bins) / len(values)


def norm_entropy(norms: np.ndarray, bins: int = BINS) -> float:
    """Shannon entropy -sum p log p [nats] of `norm_histogram`: 0 for equal norms, at most log(bins)."""
    shares = norm_histogram(norms, bins)
    shares = shares[shares > 0]
    return float(-(shares * np.log(shares)).sum()) + 0.0  # no minus zero


def norm_entropy_own_range(norms: np.ndarray, bins: int = BINS) -> float:
    """Shannon entropy [nats] of the histogram of norms from the smallest to the largest of them.

    It sees how norms are distributed however little they differ, as after a final LayerNorm; one extreme norm
    stretches the range and lowers it. 0 if norms differ by less than `ROUNDING` of their median.
    """
    values = np.asarray(norms, np.float64).ravel()
    low, high = float(values.min()), float(values.max())
    if high - low <= ROUNDING * float(np.median(values)):
        return 0.0
    counts, _ = np.histogram(values, bins, (low, high))
    shares = counts[counts > 0] / len(values)
    return float(-(shares * np.log(shares)).sum())


def outlier_rate(norms: np.ndarray, factor: float = RANGE_IN_MEDIANS) -> float:
    """Share of tokens whose norm is more than `factor` times the median norm over all images."""
    values = np.asarray(norms, np.float64)
    return float((values > factor * np.median(values)).mean())


def check_tokens(tokens: np.ndarray) -> np.ndarray:
    """Tokens (B, N, d), if they are that.

    Raises:
        TheiaError: if tokens have another number of dimensions, are empty or not finite.
    """
    if tokens.ndim != 3 or 0 in tokens.shape:
        raise TheiaError(
            f"tokens have shape {tokens.shape}; give (images, tokens, channels), at least one each"
        )
    if not np.isfinite(tokens).all():
        raise TheiaError("tokens are not finite; look at the encoder, there is nothing to measure")
    return tokens
