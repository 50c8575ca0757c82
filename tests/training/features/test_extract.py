"""Extraction into shards: what is stored, what survives an interruption, what is refused."""

import io
import json
import tarfile

import numpy as np
import pytest
import torch
from safetensors.torch import load

from theia_core.errors import TheiaError
from theia_training.features import FeatureStore
from theia_training.features.check import check_store
from theia_training.features.encoding import decode
from theia_training.features.extract import ExtractConfig, Extraction, items_of
from theia_training.features.manifest import split_of
from theia_training.sources import open_source


def extraction(folder, images, teachers, rank=0, ranks=1, **options):
    settings = {"shard_size": 4, "held_out": 0.5, "batch_size": 3, **options}
    items = items_of([open_source(images)])
    return Extraction(items, teachers, ExtractConfig(folder, **settings), rank, ranks)


def test_stored_features_are_the_teachers(feature_store, pooled_colours, image_folder):
    store, teacher = FeatureStore(feature_store), pooled_colours()
    assert len(store) == 16
    source = open_source(image_folder)
    frames = {ref.key.replace(".", "_"): source.load(ref) for ref in source.refs()}
    for place in range(len(store)):
        sample = store.sample(place)
        resized = teacher.spec.preprocessing.resize(frames[sample.key])
        expected = teacher.run(resized).spatial.reshape(4, 49).T
        spread = expected.max(0) - expected.min(0)
        assert (np.abs(decode("colours", sample.tensors).numpy() - expected) <= spread / 255 / 2 + 1e-6).all()
        assert sample.tensors["image"].shape == (224, 224, 3)


def test_a_source_is_never_in_both_splits(feature_store):
    splits = {}
    for _, entry in FeatureStore(feature_store).entries:
        splits.setdefault(entry.source, set()).add(entry.split)
    assert len(splits) == 8
    assert all(len(seen) == 1 for seen in splits.values())
    assert {split for seen in splits.values() for split in seen} == {"train", "held_out"}


def test_statistics_are_those_of_the_training_samples(feature_store):
    store = FeatureStore(feature_store)
    maps = [store.sample(place) for place in range(len(store))]
    values = np.concatenate([decode("colours", s.tensors).numpy() for s in maps if s.split == "train"])
    moments = store.moments("colours")
    np.testing.assert_allclose(moments.mean, values.mean(0), atol=2e-3)  # stored with 8 bits
    np.testing.assert_allclose(moments.std, values.std(0), rtol=5e-3)


def test_shards_are_webdataset_tars(feature_store):
    with tarfile.open(feature_store / "shard-000000.tar") as archive:
        names = archive.getnames()
        assert [name.rsplit(".", 1)[1] for name in names] == ["safetensors", "json"] * 4
        tensors = load(archive.extractfile(names[0]).read())
        assert tensors["greys"].shape == (196, 2)
        assert json.load(io.BytesIO(archive.extractfile(names[1]).read())).keys() == {"source", "split"}


def test_a_finished_shard_is_never_computed_again(tmp_path, image_folder, pooled_colours):
    teacher = pooled_colours()
    run = extraction(tmp_path / "f", image_folder, [teacher])
    done = []

    def stop_after_two_shards(count):
        done.append(count)
        if sum(done) > 8:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run.run(stop_after_two_shards)
    assert teacher.calls == 11  # two shards of four and a first batch of three
    before = {path.name: path.read_bytes() for path in (tmp_path / "f").glob("shard-00000[01].*")}
    assert len(before) == 4 and not list((tmp_path / "f").glob("*.partial*"))
    again = pooled_colours()
    extraction(tmp_path / "f", image_folder, [again]).run()
    assert again.calls == 8
    assert all((tmp_path / "f" / name).read_bytes() == data for name, data in before.items())
    assert check_store(tmp_path / "f") == []


def test_ranks_share_the_shards_and_give_the_same_store(tmp_path, image_folder, pooled_colours):
    extraction(tmp_path / "one", image_folder, [pooled_colours()]).run()
    for rank in range(3):
        extraction(tmp_path / "three", image_folder, [pooled_colours()], rank, 3).run()
    for path in (tmp_path / "one").glob("*.tar"):
        assert path.read_bytes() == (tmp_path / "three" / path.name).read_bytes()
    one, three = FeatureStore(tmp_path / "one"), FeatureStore(tmp_path / "three")
    assert one.moments("colours").to_dict() == three.moments("colours").to_dict()


def test_a_store_is_not_continued_with_another_teacher(feature_store, image_folder, pooled_colours):
    with pytest.raises(TheiaError, match="its teachers are colours instead of colours, greys"):
        extraction(feature_store, image_folder, [pooled_colours()])
    retrained = [pooled_colours(seed=9, has_cls=True), pooled_colours("greys", 2, 14, 1, has_cls=True)]
    with pytest.raises(TheiaError, match="teacher colours is 4x7x7 from weights"):
        extraction(feature_store, image_folder, retrained)


def test_unreadable_images_are_skipped_by_name(tmp_path, image_folder, pooled_colours):
    victim = image_folder / "source3__1.png"
    victim.write_bytes(victim.read_bytes()[:60])
    extraction(tmp_path / "f", image_folder, [pooled_colours()]).run()
    store = FeatureStore(tmp_path / "f")
    skipped = {key: reason for index in store.indices.values() for key, reason in index.skipped.items()}
    assert len(store) == 15
    assert list(skipped) == ["pictures/source3__1"]
    assert "source3__1.png" in skipped["pictures/source3__1"]
    assert check_store(tmp_path / "f") == []


def test_features_that_are_not_finite_are_skipped(tmp_path, image_folder, pooled_colours):
    class Broken(pooled_colours):
        def run(self, frames):
            output = super().run(frames)
            output.spatial[0, 0, 0, 0] = np.nan  # the first image of each batch of three
            return output

    with pytest.raises(TheiaError, match=r"2 of 4 images|more than a bad image"):
        extraction(tmp_path / "f", image_folder, [Broken()], batch_size=1).run()
    extraction(tmp_path / "g", image_folder, [Broken()], batch_size=4).run()
    store = FeatureStore(tmp_path / "g")
    assert len(store) == 12
    reasons = [reason for index in store.indices.values() for reason in index.skipped.values()]
    assert len(reasons) == 4 and all("not finite" in reason for reason in reasons)


def test_the_estimate_is_known_before(tmp_path, image_folder, pooled_colours):
    run = extraction(tmp_path / "f", image_folder, [pooled_colours()])
    estimate = run.estimate()
    assert (estimate.images, estimate.shards) == (16, 4)
    run.run()
    written = sum(path.stat().st_size for path in (tmp_path / "f").glob("*.tar"))
    assert written == pytest.approx(estimate.disk_bytes, rel=0.1)
    assert run.estimate().images == 0


def test_a_disk_that_is_too_small_is_refused_before_the_start(
    tmp_path, image_folder, pooled_colours, monkeypatch
):
    import shutil

    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage._replace(free=1000))
    with pytest.raises(TheiaError, match="do not fit"):
        extraction(tmp_path / "f", image_folder, [pooled_colours()]).estimate()


def test_the_split_follows_the_share():
    held_out = sum(split_of(f"photo{i}", 0.2) == "held_out" for i in range(2000))
    assert 330 < held_out < 470
    # a source that is held out stays so when the share grows
    few = [f"p{i}" for i in range(200) if split_of(f"p{i}", 0.2) == "held_out"]
    assert few and all(split_of(name, 0.4) == "held_out" for name in few)


def test_columns_zip_stores_of_the_same_images(tmp_path, image_folder, pooled_colours):
    from theia_training.features.store import open_columns

    extraction(tmp_path / "a", image_folder, [pooled_colours()]).run()
    extraction(tmp_path / "b", image_folder, [pooled_colours("greys", 2, 14, 1)], shard_size=5).run()
    both = open_columns(f"{tmp_path / 'a'}+{tmp_path / 'b'}")
    assert {"colours", "greys"} <= both.sample(3).tensors.keys()
    alone = FeatureStore(tmp_path / "a").sample(3)
    assert torch.equal(both.sample(3).tensors["image"], alone.tensors["image"])
    (image_folder / "source0__0.png").unlink()
    extraction(tmp_path / "c", image_folder, [pooled_colours("greys", 2, 14, 1)]).run()
    with pytest.raises(TheiaError, match="columns must be of the same images"):
        open_columns(f"{tmp_path / 'a'}+{tmp_path / 'c'}")
