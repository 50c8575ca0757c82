"""Models of the library `transformers` as teachers: loading, hooks and remaining layers."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from theia_core.encoders.feature_size import FeatureSize
from theia_core.errors import MissingExtraError, TheiaError
from theia_core.runtimes.safetensors_graph import weights_sha256
from theia_training.teachers.layer_output import LayerOutput
from theia_training.teachers.sam_masks import paint_masks
from theia_training.teachers.teacher import TeacherSpec
from theia_training.teachers.torch_teacher import Decoder, TorchTeacher


@dataclass(frozen=True)
class TransformersWeights:
    """Where the weights of a model of `transformers` are.

    Attributes:
        path: folder with config.json and weights, or the id of a repository on the Hugging Face hub.
        revision: commit, tag or branch on the hub; None for its newest.
        allow_download: whether to fetch them from the hub; otherwise only its local cache is looked at.
    """

    path: str
    revision: str | None = None
    allow_download: bool = False

    def folder(self, name: str, licence: str) -> Path:
        """Folder with the weights.

        Args:
            name: teacher's name, for the error.
            licence: their licence, for the error.

        Raises:
            TheiaError: if they are absent and may not be downloaded, or cannot be.
        """
        if Path(self.path).is_dir():
            return Path(self.path)
        from huggingface_hub import snapshot_download

        try:
            return Path(
                snapshot_download(
                    self.path,
                    revision=self.revision,
                    allow_patterns=["*.json", "model*.safetensors"],
                    local_files_only=not self.allow_download,
                )
            )
        except Exception as error:  # the hub's client raises errors of several libraries
            how = "could not be downloaded" if self.allow_download else "are not on this machine"
            raise TheiaError(
                f"the weights of teacher {name} ({self.path}) {how} ({type(error).__name__}): get them from "
                f"https://huggingface.co/{self.path} under their licence ({licence}) and give their folder "
                f"as the teacher's path ({name}=FOLDER), or set allow_download: true in its config"
            ) from error


def load_transformers_teacher(
    spec: TeacherSpec, model_class: str, weights: TransformersWeights, threads: int = 2
) -> TorchTeacher:
    """A teacher from a model of `transformers`.

    Args:
        spec: what it is; its size must be that of the model.
        model_class: one of `MODEL_CLASSES`.
        weights: where its weights are.
        threads: CPU threads.

    Raises:
        TheiaError: if the class is unknown, transformers or the weights are absent, or the weights lack part
            of the model.
    """
    if model_class not in MODEL_CLASSES:
        raise TheiaError(f"unknown model class {model_class!r}; choose one of {', '.join(MODEL_CLASSES)}")
    try:
        import transformers
    except ImportError as error:
        raise MissingExtraError("transformers", "teachers") from error
    folder = weights.folder(spec.name, spec.licence)
    kind = MODEL_CLASSES[model_class]
    # A bar that fills in milliseconds, in the middle of the bar of a run.
    bars = transformers.utils.logging.is_progress_bar_enabled()
    transformers.utils.logging.disable_progress_bar()
    try:
        model, report = getattr(transformers, model_class).from_pretrained(
            folder, output_loading_info=True, local_files_only=True, dtype=torch.float32, **kind.arguments
        )
    except Exception as error:  # from a wrong config.json to a broken file, of several libraries
        raise TheiaError(
            f"{folder} does not hold a {model_class} ({str(error).splitlines()[0]}); give the folder "
            f"of {spec.name}"
        ) from error
    finally:
        if bars:
            transformers.utils.logging.enable_progress_bar()
    # transformers fills what a file lacks with random numbers and only warns.
    if report["missing_keys"]:
        missing = sorted(report["missing_keys"])
        raise TheiaError(
            f"the weights in {folder} lack {len(missing)} tensors of {model_class}, such as {missing[0]}; "
            f"they are of another model than {spec.name}"
        )
    features, special_tokens = kind.features(model, spec.size)
    decoder = kind.decoder(model) if kind.decoder else None
    return TorchTeacher(spec, features, folder_sha256(folder), threads, special_tokens, decoder)


def folder_sha256(folder: Path) -> str:
    """The sha256 of a folder's weights file; of several, the sha256 of their hex digests in order of names.

    Raises:
        TheiaError: if it has none.
    """
    files = sorted(folder.glob("*.safetensors")) or sorted(folder.glob("pytorch_model*.bin"))
    if not files:
        raise TheiaError(f"{folder} holds no weights (*.safetensors); download the model's weights into it")
    digests = [weights_sha256(file) for file in files]
    return digests[0] if len(digests) == 1 else hashlib.sha256("".join(digests).encode()).hexdigest()


class LastTokens(nn.Module):
    """All tokens of a transformer's last layer: (b, 3, S, S) -> (b, T, C)."""

    def __init__(self, model: nn.Module) -> None:
        """Take a vision transformer of `transformers`."""
        super().__init__()
        self.model = model

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Tokens, CLS and registers first."""
        tokens: torch.Tensor = self.model(images).last_hidden_state
        return tokens


class ImageEmbedding(nn.Module):
    """Output of SAM's image encoder: (b, 3, S, S) -> (b, 256, S/16, S/16)."""

    def __init__(self, model: nn.Module) -> None:
        """Take a whole SAM, whose mask decoder decodes the embedding."""
        super().__init__()
        self.model = model

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Image embeddings."""
        embeddings: torch.Tensor = self.model.vision_encoder(images).last_hidden_state
        return embeddings


class NearestMaps(nn.Module):
    """A module's maps resampled to the teacher's grid by the nearest neighbour."""

    def __init__(self, network: nn.Module, size: FeatureSize) -> None:
        """Take a module (b, 3, S, S) -> (b, C, H, W) and the size of the result."""
        super().__init__()
        self.network, self.grid = network, (size.height, size.width)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Maps (b, C, h, w)."""
        return nn.functional.interpolate(self.network(images), self.grid, mode="nearest")


def _last_tokens(model: Any, size: FeatureSize) -> tuple[nn.Module, int]:
    return LastTokens(model), 1 + int(getattr(model.config, "num_register_tokens", 0))


def _image_embedding(model: Any, size: FeatureSize) -> tuple[nn.Module, int]:
    return ImageEmbedding(model), 0


def _depth_latent(model: Any, size: FeatureSize) -> tuple[nn.Module, int]:
    return NearestMaps(LayerOutput(model, "head.conv2"), size), 0


def _depth_decoder(model: Any) -> Decoder:
    head = model.head

    def decode(latent: torch.Tensor) -> dict[str, np.ndarray]:
        depth = head.activation2(head.conv3(head.activation1(latent))) * head.max_depth
        return {"depth": depth.squeeze(1).float().cpu().numpy()}

    return decode


def _mask_decoder(model: Any) -> Decoder:
    return lambda embeddings: {"masks": paint_masks(model, embeddings)}


@dataclass(frozen=True)
class ModelClass:
    """How a class of `transformers` becomes a teacher.

    Attributes:
        features: model and size -> module that gives features, and its number of special tokens.
        decoder: model -> its remaining layers, or None.
        arguments: further arguments of its `from_pretrained`.
    """

    features: Callable[[Any, FeatureSize], tuple[nn.Module, int]]
    decoder: Callable[[Any], Decoder] | None
    arguments: dict[str, Any]


MODEL_CLASSES = {
    "CLIPVisionModel": ModelClass(_last_tokens, None, {}),
    "Dinov2Model": ModelClass(_last_tokens, None, {}),
    "ViTModel": ModelClass(_last_tokens, None, {"add_pooling_layer": False}),
    "SamModel": ModelClass(_image_embedding, _mask_decoder, {}),
    "DepthAnythingForDepthEstimation": ModelClass(_depth_latent, _depth_decoder, {}),
}
