"""Principal components against covariances worked out by hand and by numpy."""

import numpy as np
import pytest

from theia_core.analysis.pca import Pca, fit_pca
from theia_core.errors import TheiaError


def spectrum(*variances):
    return Pca(np.zeros(len(variances)), np.eye(len(variances)), np.array(variances, float))


def test_axes_and_variances_of_points_on_a_cross():
    tokens = np.array([[12.0, 20], [8, 20], [10, 21], [10, 19]])
    pca = fit_pca(tokens)
    np.testing.assert_allclose(pca.mean, [10, 20])
    np.testing.assert_allclose(pca.variances, [2.0, 0.5])
    np.testing.assert_allclose(pca.directions, np.eye(2), atol=1e-12)
    np.testing.assert_allclose(pca.ratios, [0.8, 0.2])


@pytest.mark.parametrize("shape", [(40, 7), (5, 7), (3, 11, 7), (7, 7)])
def test_variances_are_the_eigenvalues_of_the_covariance(shape):
    tokens = np.random.default_rng(0).normal(size=shape) @ np.diag(np.arange(1, 8.0))
    pca = fit_pca(tokens)
    flat = tokens.reshape(-1, 7)
    expected = np.linalg.eigvalsh(np.cov(flat.T, bias=True))[::-1][: min(flat.shape)]
    np.testing.assert_allclose(pca.variances, expected, atol=1e-9)
    products = pca.directions @ pca.directions.T
    np.testing.assert_allclose(products, np.eye(len(products)), atol=1e-9)


def test_projections_have_the_variances_of_their_components():
    tokens = np.random.default_rng(1).normal(size=(100, 9)) ** 3
    pca = fit_pca(tokens)
    np.testing.assert_allclose(pca.project(tokens, 4).var(axis=0), pca.variances[:4])


def test_area_under_the_curve_runs_from_a_half_to_one():
    assert spectrum(1, 1, 1, 1).auc == pytest.approx(0.5)
    assert spectrum(1, 0, 0, 0).auc == pytest.approx(1 - 1 / 8)  # (1/2 + 1 + 1 + 1) / 4
    assert spectrum(3, 1).auc == pytest.approx((0.75 / 2 + (0.75 + 1) / 2) / 2)
    assert spectrum(0, 0).auc == 0


def test_components_are_counted_up_to_a_share_of_the_variance():
    assert spectrum(8, 1, 1).components_for(0.8) == 1
    assert spectrum(8, 1, 1).components_for(0.81) == 2
    assert spectrum(8, 1, 1).components_for(1.0) == 3
    assert spectrum(0, 0).components_for(0.9) == 0


@pytest.mark.parametrize("tokens", [np.zeros((1, 4)), np.full((5, 4), np.nan)])
def test_too_few_or_broken_tokens_are_refused(tokens):
    with pytest.raises(TheiaError, match="two finite"):
        fit_pca(tokens)
