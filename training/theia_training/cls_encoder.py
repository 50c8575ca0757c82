"""Write an encoder that gives its CLS token in every place of the grid, instead of spatial tokens.

    python -m theia_training.cls_encoder theia-tiny data/encoders/theia-tiny-cls
    theia train door --encoder data/encoders/theia-tiny-cls ...

A policy on it has the network and the number of inputs of one on spatial tokens, and nothing to tell places
apart by: the comparison of the paper's section 4.2. The weights are the original's.
"""

import argparse
import json
import shutil
import sys
from pathlib import Path

import onnx
from onnx import TensorProto, helper

from theia_core.encoders.registry import load_encoder, shipped_folder
from theia_core.encoders.spec import read_encoder_json
from theia_core.errors import TheiaError


def write_cls_encoder(name_or_folder: str | Path, folder: Path) -> str:
    """Write the CLS variant of a shipped encoder or of one in a folder; returns its encoder_id.

    Raises:
        TheiaError: if the encoder is unknown, has no CLS token or is no ONNX graph.
    """
    source = shipped_folder() / str(name_or_folder)
    source = source if (source / "encoder.json").is_file() else Path(name_or_folder)
    spec, _ = read_encoder_json(source)
    values = json.loads((source / "encoder.json").read_text())
    if not spec.has_cls:
        raise TheiaError(f"{spec.name} has no CLS token; give a Theia encoder")
    folder.mkdir(parents=True, exist_ok=True)
    model = onnx.load(str(source / values["graph"]), load_external_data=False)
    _give_cls_everywhere(model, spec.tokens)
    shutil.copyfile(source / values["weights"], folder / values["weights"])
    onnx.save(model, str(folder / values["graph"]))
    changes = {
        "name": f"{spec.name}-cls",
        "special_tokens": 0,
        "has_cls": False,
        "description": f"the CLS token of {spec.name} in every place of the grid",
    }
    (folder / "encoder.json").write_text(json.dumps(values | changes, indent=2) + "\n")
    return load_encoder(folder, threads=1).encoder_id


def _give_cls_everywhere(model: "onnx.ModelProto", places: int) -> None:
    """Replace the graph's output (B, 1 + places, d) by (B, places, d), its first token again and again."""
    graph = model.graph
    (output,) = graph.output
    name, inner = output.name, f"{output.name}_before_cls"
    for node in graph.node:
        for place, written in enumerate(node.output):
            if written == name:
                node.output[place] = inner
    constants = {"cls_from": [0], "cls_to": [1], "cls_axis": [1], "cls_repeats": [1, places, 1]}
    for key, numbers in constants.items():
        graph.initializer.append(helper.make_tensor(key, TensorProto.INT64, [len(numbers)], numbers))
    graph.node.append(helper.make_node("Slice", [inner, "cls_from", "cls_to", "cls_axis"], ["cls_token"]))
    graph.node.append(helper.make_node("Tile", ["cls_token", "cls_repeats"], [name]))
    dimensions = output.type.tensor_type.shape.dim
    if len(dimensions) == 3:
        dimensions[1].dim_value = places


def main(arguments: list[str] | None = None) -> int:
    """Write the encoder into the folder given on the command line and print its encoder_id."""
    parser = argparse.ArgumentParser(
        prog="python -m theia_training.cls_encoder", description=__doc__.splitlines()[0]
    )
    parser.add_argument("encoder", help="shipped name or folder of an encoder with a CLS token")
    parser.add_argument("folder", type=Path, help="folder to write")
    options = parser.parse_args(arguments)
    try:
        print(write_cls_encoder(options.encoder, options.folder))
    except TheiaError as error:
        print(f"cls_encoder: error: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
