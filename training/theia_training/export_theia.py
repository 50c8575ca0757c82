"""Make a shipped encoder of a distilled checkpoint: it runs on onnxruntime alone, and on torch where wanted.

    python -m theia_training.export_theia runs/theia_tiny_cpu/theia theia_core/models/encoders/theia-tiny \
        --name theia-tiny --licence Apache-2.0 --source "distilled from ..." --notes notes.md

The folder holds the backbone in float16 under the released checkpoints' keys (model.safetensors), the
translators apart (translators.safetensors), a graph over the backbone's very file (model.onnx), the
checkpoint's config.json, and in encoder.json what the encoder is and how far each runtime is from the float32
original.
"""

import argparse
import json
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import save_file

from theia_core.encoders import load_encoder
from theia_core.encoders.spec import EncoderSpec
from theia_core.encoders.theia import TheiaModel
from theia_core.encoders.theia_checkpoint import (
    CONFIG,
    TRANSLATORS,
    WEIGHTS,
    load_theia_model,
    spec_of,
)
from theia_core.encoders.theia_variants import config_of_variant, variant_of_config
from theia_core.errors import TheiaError
from theia_core.runtimes.onnx_session import OnnxEncoderRuntime
from theia_core.runtimes.safetensors_graph import weights_sha256, write_graph_over_safetensors
from theia_training.onnx_graph import to_onnx
from theia_training.parity import measure_parity, test_frames

GRAPH = "model.onnx"
OPSET = 20  # the first with a Gelu operator; onnxruntime has it since 1.17
LOWEST_COSINE = 0.999
BATCHES = (1, 2, 4, 8, 16)
# A larger batch must be faster by this share to be worth the wait for its images.
WORTHWHILE = 0.2


def export_theia(
    checkpoint: Path,
    folder: Path,
    name: str,
    licence: str,
    source: str,
    *,
    translators: bool = True,
    notes: str = "",
) -> dict[str, Any]:
    """Write a checkpoint as an encoder's folder and measure it.

    Args:
        checkpoint: folder with model.safetensors and config.json.
        folder: folder to write, overwriting an older export.
        name: name of the encoder.
        licence: licence of its weights.
        source: where the weights come from, in one line.
        translators: keep the translators, in translators.safetensors.
        notes: markdown for the model card: what it was trained on and what it reaches.

    Returns:
        Entries of encoder.json.

    Raises:
        TheiaError: if the checkpoint cannot be loaded, or the export's tokens are not its tokens.
    """
    variant = variant_of_config(checkpoint / CONFIG)
    model = load_theia_model(checkpoint / WEIGHTS, variant)
    variant = replace(variant, name=name, targets=variant.targets if translators else {})
    spec = replace(spec_of(variant), licence=licence, source=source)
    folder.mkdir(parents=True, exist_ok=True)
    # What is missing in this export must not survive from an older one.
    for old in (WEIGHTS, TRANSLATORS, CONFIG, GRAPH, "encoder.json", "README.md"):
        (folder / old).unlink(missing_ok=True)

    images = torch.from_numpy(spec.preprocessing.apply(test_frames()))
    with torch.inference_mode():
        reference = model(images).numpy()
    _write_graph(model, folder)
    (folder / CONFIG).write_text(json.dumps(config_of_variant(variant), indent=2) + "\n")
    entries: dict[str, Any] = {
        **spec.to_dict(),
        "graph": GRAPH,
        "weights": WEIGHTS,
        "weights_sha256": weights_sha256(folder / WEIGHTS),
        "source_sha256": weights_sha256(checkpoint / WEIGHTS),
    }
    if variant.targets:
        heads = {
            k: v.half().contiguous() for k, v in model.state_dict().items() if k.startswith("translator.")
        }
        if broken := [key for key, value in heads.items() if not torch.isfinite(value).all()]:
            raise TheiaError(f"weight {broken[0]} is not finite as float16; it cannot be exported")
        save_file(heads, folder / TRANSLATORS, {"format": "pt"})
        (folder / TRANSLATORS).chmod(0o644)
        entries["translators_sha256"] = weights_sha256(folder / TRANSLATORS)

    runtime = OnnxEncoderRuntime(folder / GRAPH, threads=1)
    milliseconds = measure_batches(runtime, spec)
    entries |= {
        "largest_batch": fastest_batch(milliseconds),
        "ms_per_image_by_batch_1_thread": milliseconds,
        "parity_with_float32": {"onnxruntime": measure_parity(reference, runtime.run(images.numpy()))},
    }
    _write_description(folder, entries)
    torch_runtime = load_encoder(folder, runtime="torch", threads=1).runtime
    entries["parity_with_float32"]["torch"] = measure_parity(reference, torch_runtime.run(images.numpy()))
    _write_description(folder, entries)
    for ran_on, parity in entries["parity_with_float32"].items():
        if not parity["cosine_min"] > LOWEST_COSINE:
            raise TheiaError(
                f"on {ran_on} a token of the export has a cosine of {parity['cosine_min']:.5f} to the "
                "float32 original's; its weights do not fit float16, so it cannot be shipped"
            )
    (folder / "README.md").write_text(model_card(spec, entries, notes))
    return entries


def _write_graph(model: TheiaModel, folder: Path) -> None:
    """Backbone's weights under the released keys and the graph that points into them."""
    tensors = {
        key: value.detach().float().contiguous().numpy()
        for key, value in model.state_dict().items()
        if key.startswith("backbone.")
    }
    graph = to_onnx(model, (torch.zeros(2, 3, 224, 224),), ("images",), "tokens", OPSET)
    # One entry only: safetensors writes several in any order, and equal weights must have equal hashes.
    write_graph_over_safetensors(graph, folder / GRAPH, folder / WEIGHTS, {"format": "pt"}, tensors)


def _write_description(folder: Path, entries: dict[str, Any]) -> None:
    (folder / "encoder.json").write_text(json.dumps(entries, indent=2) + "\n")


def measure_batches(runtime: OnnxEncoderRuntime, spec: EncoderSpec, rounds: int = 6) -> dict[str, float]:
    """Milliseconds per image of each batch size, the best of `rounds`.

    Batch sizes take turns, so that what else the machine does hits all of them.
    """
    side = spec.preprocessing.size
    images = np.zeros((max(BATCHES), 3, side, side), np.float32)
    best = dict.fromkeys(BATCHES, np.inf)
    for _ in range(rounds):
        for batch in BATCHES:
            started = time.perf_counter()
            runtime.run(images[:batch])
            best[batch] = min(best[batch], (time.perf_counter() - started) / batch)
    return {str(batch): round(1000 * seconds, 2) for batch, seconds in best.items()}


def fastest_batch(milliseconds: dict[str, float]) -> int:
    """The smallest batch that none beats by a fifth per image: a camera gives one at a time."""
    best = min(milliseconds.values())
    return min(int(batch) for batch, value in milliseconds.items() if value * (1 - WORTHWHILE) <= best)


def model_card(spec: EncoderSpec, entries: dict[str, Any], notes: str) -> str:
    """Markdown card of the exported encoder."""
    weights_hash = entries["weights_sha256"]
    parity = entries["parity_with_float32"]
    token_std = parity["onnxruntime"]["token_std"]
    translators = (
        f"| `{TRANSLATORS}` sha256 | `{entries['translators_sha256']}` |\n"
        if "translators_sha256" in entries
        else ""
    )
    return (
        f"""# {spec.name}

{spec.description}.

| | |
|---|---|
| weights from | {spec.source} |
| licence | {spec.licence} |
| input | RGB, resized to 224x224 with Pillow's bilinear filter, (x / 255 - 0.5) / 0.5 |
| output | (B, {spec.tokens}, {spec.channels}) float32 spatial tokens, row by row |
| `{WEIGHTS}` sha256 | `{weights_hash}` |
{translators}| encoder_id | `{spec.name}@{weights_hash[:12]}` |

`{GRAPH}` is only the graph; its weights are the tensors of `{WEIGHTS}`: the backbone in float16 (its smallest
tensors in float32) under the keys of the released Theia checkpoints. `load_encoder(..., runtime="torch")`
loads the same file, takes other resolutions and, where there are translators, predicts the teachers'
features.

Parity with the float32 original on two synthetic frames: lowest per-token cosine
{parity["onnxruntime"]["cosine_min"]:.6f} on onnxruntime and {parity["torch"]["cosine_min"]:.6f} on torch;
largest difference {parity["onnxruntime"]["max_abs"]:.4f} at a token standard deviation of {token_std:.2f}.

{notes.strip()}
""".rstrip()
        + "\n"
    )


def main(arguments: list[str] | None = None) -> int:
    """Export the checkpoint given on the command line and print the parity figures."""
    parser = argparse.ArgumentParser(
        prog="python -m theia_training.export_theia", description=__doc__.splitlines()[0]
    )
    parser.add_argument("checkpoint", type=Path, help="folder with model.safetensors and config.json")
    parser.add_argument("folder", type=Path, help="encoder's folder to write")
    parser.add_argument("--name", required=True, help="name of the encoder")
    parser.add_argument("--licence", required=True, help="licence of the weights")
    parser.add_argument("--source", required=True, help="where the weights come from, in one line")
    parser.add_argument("--notes", type=Path, help="markdown file that ends the model card")
    parser.add_argument("--no-translators", action="store_true", help="leave the translators out")
    options = parser.parse_args(arguments)
    try:
        notes = options.notes.read_text() if options.notes else ""
        entries = export_theia(
            options.checkpoint,
            options.folder,
            options.name,
            options.licence,
            options.source,
            translators=not options.no_translators,
            notes=notes,
        )
    except (TheiaError, OSError) as error:
        print(f"export_theia: error: {error}", file=sys.stderr)
        return 2
    print(f"{options.name}@{entries['weights_sha256'][:12]} in {options.folder}")
    for runtime, parity in entries["parity_with_float32"].items():
        print(f"{runtime}: " + ", ".join(f"{key} {value:.6g}" for key, value in parity.items()))
    print(f"ms per image by batch, one thread: {entries['ms_per_image_by_batch_1_thread']}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
