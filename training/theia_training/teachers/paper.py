"""The five teachers of the paper (Table 4), whose weights the user brings."""

from dataclasses import dataclass

from theia_core.encoders.feature_size import FeatureSize
from theia_core.images import Preprocessing
from theia_training.teachers.teacher import TeacherSpec

IMAGENET_MEAN, IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


@dataclass(frozen=True)
class PaperTeacher:
    """A teacher's spec, its class in `transformers` and its repository on the Hugging Face hub."""

    spec: TeacherSpec
    model_class: str
    repository: str


def _teacher(
    name: str,
    repository: str,
    model_class: str,
    size: FeatureSize,
    preprocessing: Preprocessing,
    licence: str,
    description: str,
) -> PaperTeacher:
    has_cls = model_class in ("CLIPVisionModel", "Dinov2Model", "ViTModel")
    source = f"https://huggingface.co/{repository}"
    spec = TeacherSpec(name, size, preprocessing, licence, source, description, has_cls)
    return PaperTeacher(spec, model_class, repository)


# Means and deviations are those the models were trained with. Some of their own processors crop, and some
# resize with a bicubic filter: a teacher here sees the whole frame, resized as the student's.
PAPER_TEACHERS = {
    teacher.spec.name: teacher
    for teacher in (
        _teacher(
            "clip-vit-large-patch14",
            "openai/clip-vit-large-patch14",
            "CLIPVisionModel",
            FeatureSize(1024, 16, 16),
            Preprocessing(224, (0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)),
            "MIT",
            "CLIP ViT-L/14, tokens of the last layer",
        ),
        _teacher(
            "dinov2-large",
            "facebook/dinov2-large",
            "Dinov2Model",
            FeatureSize(1024, 16, 16),
            Preprocessing(224, IMAGENET_MEAN, IMAGENET_STD),
            "Apache-2.0",
            "DINOv2 ViT-L/14, tokens of the last layer",
        ),
        _teacher(
            "vit-huge-patch14-224-in21k",
            "google/vit-huge-patch14-224-in21k",
            "ViTModel",
            FeatureSize(1280, 16, 16),
            Preprocessing(224),
            "Apache-2.0",
            "ViT-H/14 trained on ImageNet-21k classification, tokens of the last layer",
        ),
        _teacher(
            "sam-vit-huge",
            "facebook/sam-vit-huge",
            "SamModel",
            FeatureSize(256, 64, 64),
            Preprocessing(1024, IMAGENET_MEAN, IMAGENET_STD),
            "Apache-2.0",
            "Segment Anything ViT-H, output of the image encoder",
        ),
        _teacher(
            "depth-anything-large",
            "LiheYoung/depth-anything-large-hf",
            "DepthAnythingForDepthEstimation",
            FeatureSize(32, 64, 64),
            Preprocessing(518, IMAGENET_MEAN, IMAGENET_STD),
            "Apache-2.0",
            "Depth-Anything ViT-L, latent before the last convolution, resampled to 64x64",
        ),
    )
}
