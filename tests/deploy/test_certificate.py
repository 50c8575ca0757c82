"""No engine without proof: what a certificate says, and when an engine is refused for it."""

import json
import shutil

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("onnx")

from theia_core.encoders import load_encoder
from theia_core.encoders.registry import list_encoders, shipped_folder
from theia_core.engines.certificate import LIMITS, Certificate, read_certificate
from theia_core.engines.folder import read_description, read_engine
from theia_core.engines.frame_policy import load_frame_policy
from theia_core.engines.opening import load_engine
from theia_core.errors import TheiaError
from theia_core.runtimes.onnx_session import CPU, describe_session
from theia_deploy.certify import action_error, certify, token_measures
from theia_deploy.shipped_certificates import FOLDER, adopt_shipped_certificate

SHIPPED = sorted((shipped_folder() / "theia-tiny" / FOLDER).glob("*.json"))


@pytest.fixture
def engine(certified, tmp_path):
    """A copy of the certified int8 engine."""
    return shutil.copytree(certified / "onnx-int8", tmp_path / "engine")


def change(path, **entries):
    values = json.loads(path.read_text())
    path.write_text(json.dumps({**values, **entries}))


def test_a_certified_engine_loads_as_an_encoder(engine, checkpoint, frames):
    encoder = load_encoder(engine, threads=1)
    assert encoder.encoder_id == checkpoint.encoder_id
    encoder.warm_up(480, 640, frames=1)
    tokens, expected = encoder.encode(frames.camera[0]), checkpoint.encode(frames.camera[0])
    assert 0 < np.abs(tokens - expected).mean() < 0.1
    page = (engine / "certificate.html").read_text()
    assert "This engine passes." in page
    assert "BEYOND" not in page


def test_measures_are_of_all_graphs_and_within_limits(certified):
    for kind, graphs in (("onnx", {"images", "frames", "policy"}), ("onnx-int8", {"images", "frames"})):
        certificate = read_certificate(certified / kind / "certificate.json")
        assert set(certificate.measures) == graphs
        assert certificate.action_policy.startswith("door")
        assert (certificate.frames["photos"], certificate.frames["camera"]) == (4, 8)
    assert certificate.measures["images"]["action_error"] < 0.05
    assert load_frame_policy(certified / "onnx").policy_id.startswith("door")


def test_without_a_certificate_it_is_refused(engine):
    (engine / "certificate.json").unlink()
    with pytest.raises(
        TheiaError, match=r"has no certificate, so it is not used; certify it on this machine"
    ):
        load_encoder(engine)


def test_a_truncated_file_is_refused(engine):
    data = (engine / "model.onnx").read_bytes()
    (engine / "model.onnx").write_bytes(data[: len(data) // 2])
    with pytest.raises(TheiaError, match=r"model\.onnx has sha256 .* truncated, changed or of another model"):
        load_encoder(engine)


def test_the_onnx_of_another_engine_is_refused_even_with_its_description(engine, certified):
    for name in ("model.onnx", "engine.json"):
        shutil.copy(certified / "onnx" / name, engine / name)
    (engine / "policy.onnx").write_bytes((certified / "onnx" / "policy.onnx").read_bytes())
    (engine / "frames.onnx").write_bytes((certified / "onnx" / "frames.onnx").read_bytes())
    with pytest.raises(TheiaError, match=r"certificate in .* is of another \w+\.onnx, by its sha256"):
        load_encoder(engine)


@pytest.mark.parametrize(
    ("entry", "value"),
    [("version", "1.0.0"), ("provider", "CUDAExecutionProvider"), ("device", "NVIDIA GeForce RTX 4070")],
)
def test_another_version_provider_or_gpu_is_named(engine, entry, value):
    path = engine / "certificate.json"
    runtime = json.loads(path.read_text())["runtime"]
    change(path, runtime={**runtime, entry: value})
    with pytest.raises(TheiaError, match=f"is certified for {entry} {value}, here it is {runtime[entry]}"):
        load_encoder(engine)


def test_whether_it_passes_is_worked_out_and_not_believed(engine):
    path = engine / "certificate.json"
    measures = json.loads(path.read_text())["measures"]
    measures["images"]["centred_cosine_mean"] = 0.9
    change(path, measures=measures, passed=True)
    sentence = r"failed its certificate.*centred_cosine_mean of images is 0\.9, at least 0\.985 is needed"
    with pytest.raises(TheiaError, match=sentence):
        load_encoder(engine)


def test_a_graph_that_was_not_measured_is_refused(engine):
    path = engine / "certificate.json"
    measures = json.loads(path.read_text())["measures"]
    change(path, measures={"images": measures["images"]})
    load_engine(engine, graph="images")
    with pytest.raises(TheiaError, match="says nothing of its frames graph"):
        load_engine(engine, graph="frames")


def test_damaged_json_is_one_sentence(engine):
    (engine / "certificate.json").write_text("{")
    with pytest.raises(TheiaError, match="is not a certificate"):
        load_encoder(engine)
    (engine / "engine.json").write_text("[]")
    with pytest.raises(TheiaError, match="is not an engine's description"):
        load_encoder(engine)


def test_a_runtime_that_cannot_run_it_is_named(engine):
    with pytest.raises(TheiaError, match="kind onnx-int8 does not run on torch"):
        load_encoder(engine, "torch")
    with pytest.raises(TheiaError, match="has no CUDAExecutionProvider"):
        load_encoder(engine, "onnxruntime-cuda")


def test_missing_or_broken_measures_fail():
    def certificate(**values):
        return Certificate("e@1", "1", "fp32", {}, {}, {"images": values} if values else {})

    assert certificate().failures() == ["nothing was measured"]
    good = {
        "cosine_min": 1.0,
        "centred_cosine_min": 1.0,
        "max_abs_error": 0.0,
        "norm_entropy_shift_nats": 0.0,
    }
    assert certificate(**good).passed
    for name in good:
        assert not certificate(**{**good, name: float("nan")}).passed
        assert not certificate(**{k: v for k, v in good.items() if k != name}).passed


def test_measures_of_known_tokens():
    rng = np.random.default_rng(0)
    tokens = rng.normal(1.0, 1.0, (3, 10, 8)).astype(np.float32)
    same = token_measures(tokens, tokens)
    assert same["max_abs_error"] == 0
    assert same["centred_cosine_min"] == pytest.approx(1.0)
    mean = tokens.mean(1, keepdims=True)
    flipped = token_measures(tokens, 2 * mean - tokens)
    assert flipped["centred_cosine_mean"] == pytest.approx(-1.0, abs=1e-5)
    assert flipped["cosine_mean"] > flipped["centred_cosine_mean"]
    actions = rng.normal(size=(50, 4, 2))
    off = actions + np.array([0.0, 0.1]) * actions[..., 1:].std()
    assert action_error(actions, off) == pytest.approx(0.1)


def test_an_engine_is_not_measured_against_another_checkpoint(engine, frames, checkpoint):
    other = load_encoder("theia-tiny", threads=1)
    other.weights_sha256 = "0" * 64
    with pytest.raises(TheiaError, match="was made of"):
        certify(engine, other, frames, threads=1)


@pytest.mark.parametrize("path", SHIPPED, ids=[path.stem for path in SHIPPED])
def test_shipped_certificates_pass_for_the_shipped_weights(path):
    certificate = read_certificate(path)
    (spec,) = (spec for spec in list_encoders() if spec.name == "theia-tiny")
    weights = json.loads((shipped_folder() / spec.name / "encoder.json").read_text())["weights_sha256"]
    assert certificate.checkpoint_sha256 == weights
    assert certificate.passed, certificate.failures()
    assert set(certificate.measures) == {"images", "frames"}
    assert certificate.frames["photos"] >= 20
    assert certificate.frames["camera"] >= 40
    assert certificate.action_policy.startswith("door")
    assert path.with_suffix(".html").is_file()


def test_both_precisions_are_shipped():
    assert {path.stem for path in SHIPPED} == {"onnx", "onnx-int8"}
    assert {read_certificate(path).precision for path in SHIPPED} <= LIMITS.keys()


@pytest.mark.parametrize("kind", ["onnx", "onnx-int8"])
def test_an_equal_export_adopts_the_shipped_certificate(exported, kind, tmp_path):
    folder = shutil.copytree(exported / kind, tmp_path / kind)
    for name in ("certificate.json", "certificate.html", "policy.onnx"):
        (folder / name).unlink(missing_ok=True)
    change(
        folder / "engine.json",
        files={k: v for k, v in read_description(folder).files.items() if k != "policy.onnx"},
    )
    engine = read_engine(folder)
    shipped = read_certificate(shipped_folder() / "theia-tiny" / FOLDER / f"{kind}.json")
    runtime = describe_session("onnxruntime", CPU)
    if not shipped.covers(engine) or dict(shipped.runtime) != runtime:
        pytest.skip("made by other versions of torch, onnx or onnxruntime than the shipped certificate")
    assert adopt_shipped_certificate(folder, engine, runtime)
    load_encoder(folder)
    assert not adopt_shipped_certificate(folder, engine, {**runtime, "version": "0"})
