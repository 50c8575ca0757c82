"""`theia export` and `theia certify` as typed; mistakes are one sentence before anything is built."""

import shutil

import pytest

pytest.importorskip("torch")
pytest.importorskip("onnx")

from theia_core.cli import main
from theia_core.encoders.deterministic import deterministic_model
from theia_core.encoders.registry import shipped_folder
from theia_core.encoders.theia_checkpoint import save_theia_checkpoint
from theia_core.encoders.theia_variants import TheiaVariant
from theia_deploy.commands import export as command
from theia_deploy.shipped_certificates import FOLDER


@pytest.fixture(scope="module")
def own_checkpoint(tmp_path_factory):
    folder = tmp_path_factory.mktemp("checkpoint")
    save_theia_checkpoint(deterministic_model(TheiaVariant("own", "tiny", {})), folder)
    return folder


def test_without_real_frames_nothing_is_built(own_checkpoint, tmp_path, capsys):
    out = tmp_path / "out"
    arguments = ["--to", "onnx", "--out", str(out), "--photos", str(tmp_path), "--episodes", str(tmp_path)]
    assert main(["export", str(own_checkpoint), *arguments]) == 2
    error = capsys.readouterr().err
    assert "needs real frames" in error
    assert "theia photos --set evaluation" in error
    assert not out.exists()


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["no-such", "--to", "onnx"], "unknown encoder 'no-such'"),
        (["efficientnet-lite2-s16", "--to", "onnx"], "is an ONNX graph and does not run on torch"),
        (["theia-tiny", "--to", "onnx", "--precision", "int8"], "use --to onnx-int8"),
        (["theia-tiny", "--to", "tensorrt", "--batch", "0"], "--batch is 0"),
    ],
)
def test_wrong_arguments_are_one_sentence(arguments, sentence, capsys):
    assert main(["export", *arguments]) == 2
    error = capsys.readouterr().err
    assert sentence in error
    assert error.count("\n") == 1


@pytest.mark.parametrize("text", ["480", "480x", "0x640", "axb"])
def test_a_frame_size_is_height_by_width(text, capsys):
    with pytest.raises(SystemExit):
        main(["export", "theia-tiny", "--to", "onnx", "--frame", text])
    assert "is no frame size; give HEIGHTxWIDTH" in capsys.readouterr().err


def test_certify_names_a_folder_that_holds_no_engine(tmp_path, capsys):
    assert main(["certify", str(tmp_path)]) == 2
    assert "holds no engine" in capsys.readouterr().err


def test_a_shipped_certificate_saves_the_measuring(exported, graph, tmp_path, monkeypatch, capsys):
    """From the command to an engine that loads, with no real frames at hand."""
    from theia_core.encoders import load_encoder

    monkeypatch.setattr("theia_deploy.export.encoder_graph", lambda checkpoint: graph)
    out = tmp_path / "engine"
    arguments = ["--to", "onnx-int8", "--out", str(out), "--photos", str(tmp_path / "none")]
    code = main(["export", "theia-tiny", *arguments])
    printed = capsys.readouterr()
    if code == 2 and "needs real frames" in printed.err:
        pytest.skip("made by other versions of torch, onnx or onnxruntime than the shipped certificate")
    assert code == 0
    assert "the shipped certificate is of these very files" in printed.out
    assert load_encoder(out, threads=1).runtime.precision == "int8"
    shipped = shipped_folder() / "theia-tiny" / FOLDER / "onnx-int8.json"
    assert (out / "certificate.json").read_text() == shipped.read_text()
    shutil.rmtree(out)


def test_the_usual_folder_is_where_auto_looks(monkeypatch, tmp_path):
    monkeypatch.setenv("THEIA_CACHE", str(tmp_path))
    assert command.engines_folder() == tmp_path / "engines"
