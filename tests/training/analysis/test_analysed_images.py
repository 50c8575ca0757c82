"""Which images an analysis takes."""

import numpy as np
import pytest
from PIL import Image

from theia_core.errors import TheiaError
from theia_training.analysis.analysed_images import images_of_sources, images_of_stores, spread
from theia_training.features.store import FeatureStore
from theia_training.sources import open_source


def test_every_beginning_is_spread_over_the_sources():
    items = [f"{source}{crop}" for source in "abcdefgh" for crop in range(3)]
    order = spread(items, [item[0] for item in items])
    assert sorted(order) == sorted(items)
    assert {item[0] for item in order[:8]} == set("abcdefgh")
    assert {item[1] for item in order[:8]} == {"0"}
    assert [item[0] for item in order[:4]] == ["a", "e", "c", "g"]


def test_sources_of_unequal_size_lose_no_item():
    items = ["a0", "b0", "b1", "b2", "c0", "c1"]
    assert sorted(spread(items, [item[0] for item in items])) == items
    assert spread([], []) == []
    assert spread(["x"], ["x"]) == ["x"]


def test_an_unreadable_image_is_named_and_the_next_takes_its_place(tmp_path):
    folder = tmp_path / "pictures"
    folder.mkdir()
    for name in "abc":
        Image.fromarray(np.full((8, 8, 3), 50, np.uint8)).save(folder / f"{name}.png")
    (folder / "a.png").write_bytes(b"\x89PNG broken")
    told = []
    found = list(images_of_sources([open_source(folder)], 2, told.append))
    assert sorted(image.key for image in found) == ["pictures/b", "pictures/c"]
    assert len(told) == 1
    assert "a.png" in told[0]


def test_a_store_gives_its_held_out_images_with_true_features(feature_store, pooled_colours):
    store = FeatureStore(feature_store)
    held_out = {entry.key for _, entry in store.entries if entry.split == "held_out"}
    found = list(images_of_stores([store], 100))
    assert {image.key for image in found} == held_out
    features = pooled_colours().run(found[0].pixels[None]).spatial[0]
    assert set(found[0].true) == {"colours", "greys"}
    assert found[0].true["colours"].shape == (49, 4)
    np.testing.assert_allclose(found[0].true["colours"], features.reshape(4, 49).T, atol=0.1)
    assert len(list(images_of_stores([store], 1))) == 1


def test_a_store_without_held_out_images_is_refused(feature_store, monkeypatch):
    store = FeatureStore(feature_store)
    monkeypatch.setattr(store, "entries", [])
    with pytest.raises(TheiaError, match="no held-out image"):
        list(images_of_stores([store], 4))
