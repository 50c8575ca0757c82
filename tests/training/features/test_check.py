"""`theia features check` finds what is broken and says what to do."""

import json

import pytest

from theia_core.cli import main
from theia_core.errors import TheiaError
from theia_training.features.check import check_store


def test_a_sound_store_has_no_problems(feature_store, capsys):
    assert check_store(feature_store) == []
    assert main(["features", "check", str(feature_store)]) == 0
    assert "sound" in capsys.readouterr().out


def test_one_flipped_byte_is_found_and_its_sample_named(feature_store):
    tar = feature_store / "shard-000001.tar"
    data = bytearray(tar.read_bytes())
    entry = json.loads((feature_store / "shard-000001.json").read_text())["samples"][2]
    data[entry["offset"] + entry["size"] - 5] ^= 1
    tar.write_bytes(data)
    problems = check_store(feature_store)
    assert problems == [
        "shard-000001.tar is corrupt: its checksum is not the recorded one",
        f"shard-000001.tar: sample {entry['key']} is corrupt",
    ]


def test_missing_shards_are_found(feature_store):
    (feature_store / "shard-000000.tar").unlink()
    (feature_store / "shard-000002.json").unlink()
    problems = check_store(feature_store)
    assert len(problems) == 2
    assert problems[0].startswith("shard-000000.tar is missing although its index exists")
    assert problems[1].startswith("shard-000002.tar is missing or unfinished")


def test_a_damaged_index_is_found(feature_store):
    index = feature_store / "shard-000003.json"
    index.write_text(index.read_text()[:100])
    assert "is damaged" in check_store(feature_store)[0]


def test_a_shard_of_another_teacher_is_found(feature_store, tmp_path, image_folder, pooled_colours):
    from theia_training.features.extract import ExtractConfig, Extraction, items_of
    from theia_training.sources import open_source

    other = tmp_path / "other"
    teachers = [pooled_colours("xrays"), pooled_colours("greys", 3, 14, 1)]
    config = ExtractConfig(other, shard_size=4, held_out=0.5)
    Extraction(items_of([open_source(image_folder)]), teachers, config).run()
    for suffix in ("tar", "json"):
        name = f"shard-000001.{suffix}"
        (feature_store / name).write_bytes((other / name).read_bytes())
    text = "\n".join(check_store(feature_store))
    assert "shard-000001.tar belongs to another feature store" in text
    assert "has no features of colours" in text
    assert "has (196, 3) features of greys instead of (196, 2)" in text
    assert "holds xrays, which is of no teacher of this store" in text


def test_a_folder_that_is_no_store_is_refused(tmp_path):
    with pytest.raises(TheiaError, match="is no feature store"):
        check_store(tmp_path)


def test_a_shard_of_the_same_teacher_with_other_weights_is_found(
    feature_store, tmp_path, image_folder, pooled_colours
):
    from theia_training.features import FeatureStore
    from theia_training.features.extract import ExtractConfig, Extraction, items_of
    from theia_training.sources import open_source

    other = tmp_path / "other"
    teachers = [pooled_colours(seed=7, has_cls=True), pooled_colours("greys", 2, 14, 1, has_cls=True)]
    config = ExtractConfig(other, shard_size=4, held_out=0.5)
    Extraction(items_of([open_source(image_folder)]), teachers, config).run()
    for suffix in ("tar", "json"):
        name = f"shard-000001.{suffix}"
        (feature_store / name).write_bytes((other / name).read_bytes())
    problems = check_store(feature_store)
    assert len(problems) == 1 and "shard-000001.tar belongs to another feature store" in problems[0]
    with pytest.raises(TheiaError, match="belongs to another feature store"):
        FeatureStore(feature_store)


def test_a_flipped_byte_is_not_trained_on(feature_store):
    from theia_training.features import FeatureStore

    store = FeatureStore(feature_store)
    number, entry = store.entries[5]
    tar = feature_store / f"shard-{number:06d}.tar"
    data = bytearray(tar.read_bytes())
    data[entry.offset + entry.size - 5] ^= 1
    tar.write_bytes(data)
    store.sample(4)
    with pytest.raises(TheiaError, match="checksum is not the recorded one"):
        store.sample(5)
