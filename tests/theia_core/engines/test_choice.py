"""The fastest runtime is measured once, remembered, and looked for again when something has changed."""

import json
import shutil

import numpy as np
import pytest

from theia_core.encoders import load_encoder
from theia_core.encoders.registry import shipped_folder
from theia_core.engines import choice as module
from theia_core.engines.certificate import Certificate
from theia_core.engines.choice import choose_encoder
from theia_core.engines.folder import EngineDescription
from theia_core.errors import TheiaError
from theia_core.files import file_sha256
from theia_core.runtimes.gpu import gpu_name
from theia_core.runtimes.onnx_session import CPU, describe_session

FRAME = (48, 64)
GOOD = {"cosine_min": 1.0, "centred_cosine_min": 1.0, "max_abs_error": 0.0, "norm_entropy_shift_nats": 0.0}


def make_engine(folder, *, certified):
    """The shipped encoder's own graph as an engine."""
    folder.mkdir(parents=True)
    source = shipped_folder() / "theia-tiny"
    for name in ("model.onnx", "model.safetensors"):
        shutil.copy(source / name, folder / name)
    encoder = load_encoder("theia-tiny", threads=1)
    files = {name: file_sha256(folder / name) for name in ("model.onnx", "model.safetensors")}
    engine = EngineDescription(
        "onnx", "fp32", encoder.encoder_id, encoder.weights_sha256, encoder.spec, files
    )
    engine.write(folder)
    if certified:
        runtime = describe_session("onnxruntime", CPU)
        Certificate(
            engine.encoder_id, engine.checkpoint_sha256, "fp32", files, runtime, {"images": GOOD}
        ).write(folder / "certificate.json")
    return folder


@pytest.fixture
def choose(tmp_path, monkeypatch):
    """`choose_encoder` without torch, in folders of its own; each runtime takes the time it is told."""
    monkeypatch.setattr(module, "find_spec", lambda name: None)
    monkeypatch.setattr(module, "gpu_name", lambda: None)
    engines = tmp_path / "engines"
    engines.mkdir()
    calls = []

    def choose(times=None, **options):
        def measured(encoders, frame_size, batch):
            calls.append(sorted(encoders))
            return {label: (times or {}).get(label.partition(" ")[0], 10.0) for label in encoders}

        if times is not None:
            monkeypatch.setattr(module, "measure", measured)
        return choose_encoder(
            "theia-tiny", FRAME, threads=1, engines=engines, memory=tmp_path / "memory.json", **options
        )

    choose.engines, choose.calls, choose.memory = engines, calls, tmp_path / "memory.json"
    return choose


def test_with_one_candidate_nothing_is_measured(choose):
    encoder, chosen = choose({})
    assert encoder.runtime.name == chosen.runtime == "onnxruntime"
    assert str(chosen) == "onnxruntime (the only one)"
    assert not choose.calls


def test_a_certified_engine_that_is_faster_is_chosen_and_remembered(choose):
    make_engine(choose.engines / "fast", certified=True)
    encoder, chosen = choose({"onnxruntime": 10.0, "onnx": 6.0})
    assert chosen.runtime.startswith("onnx engine fast@")
    assert not chosen.remembered
    assert np.isfinite(encoder.encode(np.zeros((*FRAME, 3), np.uint8))).all()
    _, again = choose({"onnxruntime": 1.0, "onnx": 6.0})
    assert again.remembered
    assert again.runtime == chosen.runtime
    assert len(choose.calls) == 1
    choose({"onnxruntime": 1.0, "onnx": 6.0}, batch=2)
    assert len(choose.calls) == 2, "another batch is another question"


def test_a_little_faster_is_not_enough(choose):
    make_engine(choose.engines / "even", certified=True)
    assert choose({"onnxruntime": 10.0, "onnx": 9.5})[1].runtime == "onnxruntime"


def test_an_engine_without_a_certificate_is_left_out_with_the_reason(choose):
    make_engine(choose.engines / "unproven", certified=False)
    _, chosen = choose({"onnxruntime": 10.0, "onnx": 1.0})
    assert chosen.runtime == "onnxruntime"
    ((label, reason),) = chosen.refused.items()
    assert label.startswith("onnx engine unproven")
    assert "has no certificate" in reason


def test_a_remembered_engine_that_broke_is_measured_again(choose):
    folder = make_engine(choose.engines / "fast", certified=True)
    choose({"onnxruntime": 10.0, "onnx": 6.0})
    (folder / "certificate.json").unlink()
    encoder, chosen = choose({"onnxruntime": 10.0, "onnx": 6.0})
    assert chosen.runtime == encoder.runtime.name == "onnxruntime"


def test_an_engine_that_is_named_is_used_whatever_is_faster(choose):
    slow = make_engine(choose.engines / "slow", certified=True)
    make_engine(choose.engines / "fast", certified=True)
    _, chosen = choose_encoder(slow, FRAME, threads=1, engines=choose.engines, memory=choose.memory)
    assert not chosen.measured_ms
    assert not choose.memory.exists()


def test_a_damaged_memory_is_as_good_as_none(choose):
    make_engine(choose.engines / "fast", certified=True)
    choose.memory.write_text("{")
    assert choose({"onnxruntime": 10.0, "onnx": 6.0})[1].runtime.startswith("onnx engine")
    assert len(json.loads(choose.memory.read_text())) == 1


def test_where_nothing_can_be_written_the_choice_is_made_all_the_same(choose):
    make_engine(choose.engines / "fast", certified=True)
    choose.memory.mkdir()
    assert choose({"onnxruntime": 10.0, "onnx": 6.0})[1].runtime.startswith("onnx engine")


def test_the_real_measurement_times_all_of_them(choose, monkeypatch):
    monkeypatch.setattr(module, "ROUNDS", 2)
    make_engine(choose.engines / "same", certified=True)
    _, chosen = choose()
    assert len(chosen.measured_ms) == 2
    assert all(0.1 < ms < 10_000 for ms in chosen.measured_ms.values())


def test_an_unknown_encoder_is_an_error_and_no_refused_candidate():
    with pytest.raises(TheiaError, match="unknown encoder"):
        choose_encoder("no-such", FRAME)


def test_the_gpu_s_name_comes_from_the_driver_s_files(tmp_path):
    card = tmp_path / "gpus" / "0000:01:00.0"
    card.mkdir(parents=True)
    (card / "information").write_text("Model: \t\t NVIDIA GeForce RTX 4070\nIRQ: 1\n")
    board = tmp_path / "model"
    assert gpu_name(tmp_path / "gpus", board) == "NVIDIA GeForce RTX 4070"
    assert gpu_name(tmp_path / "none", board) is None
    board.write_text("NVIDIA Jetson Orin Nano Developer Kit\0")
    assert gpu_name(tmp_path / "none", board) == "NVIDIA Jetson Orin Nano Developer Kit"
    board.write_text("Raspberry Pi 5\0")
    assert gpu_name(tmp_path / "none", board) is None
