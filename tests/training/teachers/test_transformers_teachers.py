"""The paper's teachers: their classes with small random weights, through the real loading and hooks."""

import json

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from theia_core.encoders.feature_size import FeatureSize
from theia_core.errors import TheiaError
from theia_training.teachers import load_teacher
from theia_training.teachers.paper import PAPER_TEACHERS
from theia_training.teachers.transformers_models import folder_sha256

transformers = pytest.importorskip("transformers")

SMALL = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2}


def clip():
    config = transformers.CLIPVisionConfig(**SMALL, intermediate_size=64, image_size=56, patch_size=14)
    return transformers.CLIPVisionModel(config)


def dinov2():
    return transformers.Dinov2Model(
        transformers.Dinov2Config(**SMALL, mlp_ratio=2, image_size=70, patch_size=14)
    )


def vit():
    config = transformers.ViTConfig(**SMALL, intermediate_size=64, image_size=56, patch_size=14)
    return transformers.ViTModel(config)


def sam():
    vision = transformers.SamVisionConfig(
        **SMALL,
        output_channels=32,
        image_size=64,
        patch_size=16,
        mlp_ratio=2.0,
        num_pos_feats=16,
        window_size=2,
        global_attn_indexes=[1],
    )
    decoder = transformers.SamMaskDecoderConfig(
        hidden_size=32, mlp_dim=64, num_hidden_layers=1, num_attention_heads=2, iou_head_hidden_dim=32
    )
    prompts = transformers.SamPromptEncoderConfig(hidden_size=32, image_size=64, patch_size=16)
    return transformers.SamModel(
        transformers.SamConfig(
            vision_config=vision.to_dict(),
            mask_decoder_config=decoder.to_dict(),
            prompt_encoder_config=prompts.to_dict(),
        )
    )


def depth_anything():
    backbone = transformers.Dinov2Config(
        hidden_size=32,
        num_hidden_layers=4,
        num_attention_heads=2,
        mlp_ratio=2,
        image_size=70,
        patch_size=14,
        out_indices=[1, 2, 3, 4],
        reshape_hidden_states=False,
        apply_layernorm=True,
    )
    config = transformers.DepthAnythingConfig(
        backbone_config=backbone,
        reassemble_hidden_size=32,
        patch_size=14,
        neck_hidden_sizes=[8, 8, 8, 8],
        fusion_hidden_size=16,
        head_hidden_size=12,
    )
    return transformers.DepthAnythingForDepthEstimation(config)


# class -> model, side of its input, size of its features
MODELS = {
    "CLIPVisionModel": (clip, 56, (32, 4, 4)),
    "Dinov2Model": (dinov2, 56, (32, 4, 4)),  # 56 at positions learned for 70: interpolated, as in the paper
    "ViTModel": (vit, 56, (32, 4, 4)),
    "SamModel": (sam, 64, (32, 4, 4)),
    "DepthAnythingForDepthEstimation": (depth_anything, 70, (12, 16, 16)),
}


@pytest.fixture(params=list(MODELS))
def model_class(request):
    return request.param


@pytest.fixture()
def saved(model_class, tmp_path):
    """The original model in eval mode, and the config of a teacher of its saved copy."""
    return save(model_class, tmp_path)


def save(model_class, folder):
    torch.manual_seed(0)
    make, side, size = MODELS[model_class]
    model = make().eval()
    with torch.no_grad():  # their initialisation is so small that features vanish
        for parameter in model.parameters():
            if parameter.ndim > 1:
                parameter.normal_(0, parameter[0].numel() ** -0.5)
    model.save_pretrained(folder)
    config = {
        "name": f"small-{model_class}",
        "kind": "transformers",
        "model": model_class,
        "path": str(folder),
        "size": size,
        "preprocessing": {"size": side, "mean": [0.5, 0.4, 0.3], "std": [0.2, 0.3, 0.4]},
        "licence": "none",
        "has_cls": model_class in ("CLIPVisionModel", "Dinov2Model", "ViTModel"),
        "special_tokens": 1,
    }
    return model, config


def test_features_are_those_of_the_saved_model(model_class, saved, frames):
    model, config = saved
    teacher = load_teacher(config, threads=1)
    output = teacher.run(frames)
    images = torch.from_numpy(teacher.spec.preprocessing.apply(frames))
    with torch.inference_mode():
        if model_class == "SamModel":
            expected = model.get_image_embeddings(images)
        elif model_class == "DepthAnythingForDepthEstimation":
            expected = depth_latent(model, images)
        else:
            tokens = model(images).last_hidden_state
            expected = tokens[:, 1:].reshape(3, 4, 4, 32).permute(0, 3, 1, 2)
            np.testing.assert_allclose(output.cls, tokens[:, 0].numpy(), atol=1e-5)
    np.testing.assert_allclose(output.spatial, expected.numpy(), atol=1e-5)
    assert output.spatial.std() > 0.01


def depth_latent(model, images):
    """The input of the last convolutions, by walking backwards from the model's own depth."""
    latents = []
    handle = model.head.activation1.register_forward_pre_hook(
        lambda module, inputs: latents.append(inputs[0].clone())
    )
    model(images)
    handle.remove()
    (latent,) = latents
    assert latent.shape == (3, 12, 70, 70)
    rows = torch.arange(16) * 70 // 16
    return latent[:, :, rows][:, :, :, rows]


def test_depth_is_decoded_from_the_latent(tmp_path, frames):
    model, config = save("DepthAnythingForDepthEstimation", tmp_path)
    teacher = load_teacher({**config, "size": (12, 70, 70)}, threads=1)
    with torch.inference_mode():
        expected = model(torch.from_numpy(teacher.spec.preprocessing.apply(frames))).predicted_depth
    # On the latent's own grid nothing is lost to resampling.
    np.testing.assert_allclose(teacher.decode(teacher.features(frames))["depth"], expected.numpy(), atol=1e-5)


def test_masks_are_decoded_from_the_image_embedding(tmp_path, frames):
    _, config = save("SamModel", tmp_path)
    teacher = load_teacher(config, threads=1)
    pictures = teacher.decode(teacher.features(frames))["masks"]
    assert pictures.shape == (3, 16, 16, 3) and pictures.dtype == np.uint8
    assert np.array_equal(pictures[:1], teacher.decode(teacher.features(frames[:1]))["masks"])


def test_a_token_model_has_nothing_left_to_decode_with(tmp_path, frames):
    teacher = load_teacher(save("Dinov2Model", tmp_path)[1], threads=1)
    assert teacher.decode(teacher.features(frames)) is None


def test_a_whole_clip_with_its_text_half_is_a_teacher_too(tmp_path, frames):
    """As in the authors' repository, whose keys start with vision_model."""
    model, config = save("CLIPVisionModel", tmp_path)
    expected = load_teacher(config, threads=1).features(frames)
    path = tmp_path / "model.safetensors"
    weights = {key.removeprefix("vision_model."): value for key, value in load_file(path).items()}
    old = {f"vision_model.{key}": value for key, value in weights.items()}
    old |= {"text_model.final_layer_norm.weight": torch.ones(4), "logit_scale": torch.ones(())}
    save_file(old, path, {"format": "pt"})
    whole = transformers.CLIPConfig(vision_config=model.config.to_dict()).to_dict()
    (tmp_path / "config.json").write_text(json.dumps({**whole, "architectures": ["CLIPModel"]}))
    np.testing.assert_allclose(load_teacher(config, threads=1).features(frames), expected, atol=1e-6)


def test_weights_that_lack_a_tensor_are_refused_instead_of_filled_with_random_numbers(saved, tmp_path):
    _, config = saved
    path = tmp_path / "model.safetensors"
    weights = load_file(path)
    dropped = next(key for key in weights if "patch" in key)
    del weights[dropped]
    save_file(weights, path, {"format": "pt"})
    with pytest.raises(TheiaError, match="lack 1 tensors"):
        load_teacher(config, threads=1)


def test_another_class_s_weights_are_refused(tmp_path):
    _, config = save("ViTModel", tmp_path)
    with pytest.raises(TheiaError, match=r"lack \d+ tensors|does not hold a Dinov2Model"):
        load_teacher({**config, "model": "Dinov2Model"}, threads=1)


def test_a_model_of_another_size_than_the_paper_s_is_refused(tmp_path, frames):
    save("Dinov2Model", tmp_path)
    teacher = load_teacher(f"dinov2-large={tmp_path}", threads=1)
    with pytest.raises(TheiaError, match=r"\(32, 16, 16\) instead of \(1024, 16, 16\)"):
        teacher.run(frames)


@pytest.mark.parametrize("name", list(PAPER_TEACHERS))
def test_absent_weights_are_named_with_their_source_and_licence_and_never_fetched(
    name, tmp_path, monkeypatch
):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    calls = []
    monkeypatch.setattr("socket.socket.connect", lambda *arguments: calls.append(arguments))
    spec = PAPER_TEACHERS[name].spec
    with pytest.raises(TheiaError) as caught:
        load_teacher(name, threads=1)
    assert PAPER_TEACHERS[name].repository in str(caught.value) and spec.licence in str(caught.value)
    assert "allow_download" in str(caught.value)
    assert not calls


def test_an_empty_folder_is_refused(tmp_path):
    with pytest.raises(TheiaError, match="does not hold a Dinov2Model"):
        load_teacher(f"dinov2-large={tmp_path}", threads=1)


def test_the_paper_s_sizes_are_those_of_table_4():
    sizes = {name: teacher.spec.size for name, teacher in PAPER_TEACHERS.items()}
    assert sizes == {
        "clip-vit-large-patch14": FeatureSize(1024, 16, 16),
        "dinov2-large": FeatureSize(1024, 16, 16),
        "vit-huge-patch14-224-in21k": FeatureSize(1280, 16, 16),
        "sam-vit-huge": FeatureSize(256, 64, 64),
        "depth-anything-large": FeatureSize(32, 64, 64),
    }
    for teacher in PAPER_TEACHERS.values():
        assert set(teacher.spec.preprocessing.to_dict()) == {"size", "mean", "std"}


def test_the_sha256_of_several_files_covers_each(tmp_path):
    for number in range(2):
        (tmp_path / f"model-{number}.safetensors").write_bytes(bytes([number]))
    both = folder_sha256(tmp_path)
    (tmp_path / "model-1.safetensors").write_bytes(b"9")
    assert folder_sha256(tmp_path) != both
    (tmp_path / "model-1.safetensors").unlink()
    (tmp_path / "model-0.safetensors").unlink()
    with pytest.raises(TheiaError, match="holds no weights"):
        folder_sha256(tmp_path)


def test_weights_are_fetched_when_the_user_allows_it(tmp_path, monkeypatch, frames):
    _, config = save("Dinov2Model", tmp_path)
    asked = []

    def fetch(repository, revision, allow_patterns, local_files_only):
        asked.append((repository, revision, local_files_only))
        return str(tmp_path)

    monkeypatch.setattr("huggingface_hub.snapshot_download", fetch)
    from_hub = {**config, "path": "someone/small", "revision": "v1", "allow_download": True}
    features = load_teacher(from_hub, threads=1).features(frames)
    assert asked == [("someone/small", "v1", False)]
    np.testing.assert_array_equal(features, load_teacher(config, threads=1).features(frames))
