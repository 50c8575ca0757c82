"""The token picture shows tokens where they are, in colours that mean something."""

import numpy as np
import pytest

from theia_core.analysis.token_map import BAR_HEIGHT, MARGIN, PANEL_HEIGHT, norm_map, pca_rgb, token_picture
from theia_core.errors import TheiaError

FRAME = np.zeros((480, 640, 3), np.uint8)
FRAME[:240] = (200, 10, 10)
WIDTH = 480


def panel(picture, index):
    left = MARGIN + index * (WIDTH + MARGIN)
    return picture[BAR_HEIGHT : BAR_HEIGHT + PANEL_HEIGHT, left : left + WIDTH]


def test_a_token_that_stands_out_is_drawn_at_its_own_place_in_both_maps():
    tokens = np.random.default_rng(0).normal(0, 0.1, (196, 32)).astype(np.float16) + 1
    tokens[14 * 3 + 10] += 4
    picture = token_picture(tokens, (14, 14), FRAME)
    assert picture.dtype == np.uint8
    row, column = int(3.5 / 14 * PANEL_HEIGHT), int(10.5 / 14 * WIDTH)
    norms = panel(picture, 2).astype(int)
    others = np.delete(norms[:: PANEL_HEIGHT // 14, :: WIDTH // 14].reshape(-1, 3), 0, axis=0)
    assert norms[row, column].tolist() == [253, 231, 37] or norms[row, column, 0] > others[:, 0].mean() + 80
    assert (panel(picture, 0)[: PANEL_HEIGHT // 2 - 3] == (200, 10, 10)).all()
    assert (panel(picture, 0)[PANEL_HEIGHT // 2 + 3 :] == 0).all()
    colours = panel(picture, 1).astype(int)
    assert np.abs(colours[row, column] - np.median(colours.reshape(-1, 3), axis=0)).max() > 60


def test_pca_colours_separate_two_kinds_of_tokens_and_name_the_explained_variance():
    rng = np.random.default_rng(0)
    kinds = np.repeat([[3.0], [-3.0]], 50, axis=0) * rng.normal(size=16) + rng.normal(0, 0.05, (100, 16))
    colours, explained = pca_rgb(kinds)
    assert explained > 0.99
    assert np.abs(colours[:50].mean(0) - colours[50:].mean(0)).max() > 150
    repeated, _ = pca_rgb(kinds + rng.normal(0, 1e-3, kinds.shape))
    assert np.abs(repeated[:, 0].astype(int) - colours[:, 0]).max() < 10


def test_norms_are_clipped_at_twice_their_median():
    tokens = np.ones((5, 4)) * np.array([1, 1, 1, 2, 50])[:, None]
    colours, top = norm_map(tokens)
    assert top == pytest.approx(4.0)
    assert (colours[3] == colours[4]).all()
    assert (colours[0] != colours[3]).any()


def test_constant_tokens_make_a_picture_without_dividing_by_zero():
    assert np.isfinite(token_picture(np.zeros((4, 2)), (2, 2), FRAME)).all()


@pytest.mark.parametrize(
    ("tokens", "frame", "complaint"),
    [
        (np.zeros((195, 8)), FRAME, "14x14"),
        (np.full((196, 8), np.nan), FRAME, "not finite"),
        (np.zeros((196, 8)), FRAME[None], "one frame"),
        (np.zeros((196, 8)), FRAME.astype(np.float32), "float32"),
    ],
)
def test_what_cannot_be_drawn_is_refused(tokens, frame, complaint):
    with pytest.raises(TheiaError, match=complaint):
        token_picture(tokens, (14, 14), frame)
