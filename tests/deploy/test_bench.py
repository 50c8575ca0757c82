"""The benchmark: what it counts, what it measures, and what it says of runtimes that are not there."""

import json
import shutil

import pytest

pytest.importorskip("torch")
pytest.importorskip("onnx")

from theia_core.cli import main
from theia_core.encoders.theia_variants import TheiaVariant
from theia_deploy.bench.models import macs_of
from theia_deploy.commands.bench import bench_table


@pytest.mark.parametrize(("size", "gigamacs"), [("tiny", 1.26), ("small", 4.6), ("base", 17.6)])
def test_multiplications_are_those_of_the_architecture(size, gigamacs):
    assert macs_of(TheiaVariant("x", size, {})) / 1e9 == pytest.approx(gigamacs, rel=0.01)


def test_rows_compare_runtimes_of_one_run(exported, checkpoint, tmp_path, monkeypatch, capsys):
    pytest.importorskip("matplotlib")
    monkeypatch.setenv("THEIA_CACHE", str(tmp_path / "cache"))
    name = checkpoint.encoder_id.replace("@", "-")
    for kind, precision in (("onnx", "fp32"), ("onnx-int8", "int8")):
        shutil.copytree(exported / kind, tmp_path / "cache" / "bench" / f"{name}-{kind}-{precision}")
    out, picture = tmp_path / "bench.json", tmp_path / "roofline.png"
    runtimes = "torch,onnxruntime,onnxruntime-int8,torch-cuda"
    arguments = ["--models", "theia-tiny", "--runtimes", runtimes, "--rounds", "3", "--threads", "1"]
    assert main(["bench", "encoder", *arguments, "--json", str(out), "--picture", str(picture)]) == 0
    result = json.loads(out.read_text())
    torch, plain, int8, cuda = result["rows"]
    assert result["machine"]["threads"] == 1
    for row in (torch, plain, int8):
        assert 0 < row["min_ms"] <= row["median_ms"] <= row["p95_ms"]
        assert row["rss_mb"] > 20
        assert row["gflops"] == pytest.approx(row["gflop"] / row["median_ms"] * 1000, rel=0.01)
        assert row["ratio_to_ort_fp32"] == pytest.approx(row["median_ms"] / plain["median_ms"], abs=0.01)
    assert (plain["precision"], int8["precision"]) == ("fp32", "int8")
    assert torch["ratio_to_torch"] == 1
    assert int8["weight_bytes"] < 0.5 * plain["weight_bytes"]  # what the graph stores, not float32 for all
    if "error" in cuda:
        assert "sees no GPU here" in cuda["error"]
    table = capsys.readouterr().out
    assert "onnxruntime-int8" in table
    assert picture.read_bytes()[:4] == b"\x89PNG"


def test_a_runtime_that_is_not_there_is_a_row_with_the_reason():
    machine = {"cpu": "CPU", "instructions": ["avx2"], "threads": 2, "cores": 2, "gpu": None}
    peak = {"gemm_gflops": 100.0, "copy_gb_s": 10.0}
    rows = [{"model": "tiny", "runtime": "tensorrt", "error": "tensorrt cannot be imported"}]
    text = bench_table({"machine": machine, "peak": peak, "rounds": 3, "rows": rows})
    assert "tensorrt cannot be imported" in text


def test_a_busy_machine_is_said_to_be_busy():
    machine = {"cpu": "CPU", "instructions": ["avx2"], "threads": 2, "cores": 2, "gpu": None}
    row = {"model": "tiny", "runtime": "onnxruntime", "precision": "fp32", "rss_mb": 1.0, "gflops": 9.0}
    row |= dict.fromkeys(("min_ms", "median_ms", "p95_ms"), 1.0)
    row |= {"ratio_to_torch": None, "ratio_to_ort_fp32": 1.0}
    for percent, busy in ((90.0, False), (194.0, True)):
        rows = [{**row, "percent_of_gemm_peak": percent}]
        peak = {"gemm_gflops": 10.0, "copy_gb_s": 10.0}
        text = bench_table({"machine": machine, "peak": peak, "rounds": 3, "rows": rows})
        assert ("The machine was busy" in text) == busy


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--runtimes", "abacus"], "unknown runtime 'abacus'"),
        (["--rounds", "0"], "must be at least 1"),
        (["--json", "/no/such/folder/x.json"], "does not exist"),
        (["--models", "efficientnet-lite2-s16"], "does not run on torch"),
    ],
)
def test_wrong_arguments_are_one_sentence(arguments, sentence, capsys):
    assert main(["bench", "encoder", *arguments]) == 2
    error = capsys.readouterr().err
    assert sentence in error
    assert error.count("\n") == 1
