"""One basis colours many images comparably."""

import numpy as np

from theia_core.analysis.rgb_basis import fit_rgb_basis


def test_a_token_has_the_same_colour_in_every_image():
    tokens = np.random.default_rng(0).normal(size=(3, 20, 8))
    tokens[2, 5] = tokens[0, 1]
    basis = fit_rgb_basis(tokens)
    colours = basis.colours(tokens)
    assert colours.shape == (3, 20, 3)
    assert colours.dtype == np.uint8
    assert (colours[2, 5] == colours[0, 1]).all()
    assert (basis.colours(tokens[0]) == colours[0]).all()


def test_one_extreme_token_does_not_wash_out_the_others():
    tokens = np.random.default_rng(0).normal(size=(500, 4))
    tokens[0] *= 1000
    spread = fit_rgb_basis(tokens).colours(tokens)[1:].std(axis=0)
    assert spread[1] > 30


def test_two_channels_leave_blue_black():
    tokens = np.random.default_rng(0).normal(size=(50, 2))
    colours = fit_rgb_basis(tokens).colours(tokens)
    assert (colours[:, 2] == 0).all()
    assert colours[:, 0].max() == 255


def test_explained_is_the_share_of_the_three_axes_that_are_drawn():
    axes = np.concatenate([np.eye(4) * np.sqrt([4, 3, 2, 1]), -np.eye(4) * np.sqrt([4, 3, 2, 1])])
    assert abs(fit_rgb_basis(axes).explained - 0.9) < 1e-9
