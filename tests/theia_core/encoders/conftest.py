"""Theia models with weights that anyone can make again from their names."""

import zlib

import numpy as np
import pytest


def deterministic_weight(torch, module, key, shape):
    """Weight of a state-dict key: normal numbers seeded with the key, scaled by what kind of weight it is."""
    generator = np.random.Generator(np.random.PCG64(zlib.crc32(key.encode())))
    values = generator.standard_normal(shape, dtype=np.float32)
    if key.endswith("bias"):
        return 0.05 * values
    if isinstance(module, torch.nn.LayerNorm):
        return 1 + 0.1 * values
    if isinstance(module, torch.nn.ConvTranspose2d):
        return values / np.sqrt(shape[0] * 9)
    if isinstance(module, torch.nn.Linear | torch.nn.Conv2d):
        return values / np.sqrt(np.prod(shape[1:]))
    return 0.05 * values


@pytest.fixture(scope="session")
def make_theia():
    """Function from a `TheiaVariant` to a model in eval mode with deterministic weights."""
    torch = pytest.importorskip("torch")
    from theia_core.encoders.theia import TheiaModel

    def make(variant):
        with torch.device("meta"):
            model = TheiaModel(variant).eval()
        modules = dict(model.named_modules())
        weights = {}
        for key, tensor in model.state_dict().items():
            module = modules.get(key.rpartition(".")[0])
            weight = deterministic_weight(torch, module, key, tuple(tensor.shape))
            weights[key] = torch.from_numpy(weight.astype(np.float32))
        model.load_state_dict(weights, assign=True)
        return model

    return make


@pytest.fixture(scope="session")
def cdiv_folder(make_theia, tmp_path_factory):
    """Folder as a released Tiny has it: model.safetensors and config.json."""
    import json

    from theia_core.encoders.theia_checkpoint import save_theia_checkpoint
    from theia_core.encoders.theia_variants import released_variant

    variant = released_variant("theia-tiny-patch16-224-cdiv")
    folder = tmp_path_factory.mktemp("checkpoint")
    save_theia_checkpoint(make_theia(variant), folder)
    config = {
        "backbone": "facebook/deit-tiny-patch16-224",
        "image_size": 224,
        "num_reg_tokens": 0,
        "target_feature_sizes": {
            teacher: [size.channels, size.height, size.width] for teacher, size in variant.targets.items()
        },
        "translator_type": "lconv",
        "translator_hidden_size_factor": 1.0,
        "feature_reduce_method": None,
    }
    (folder / "config.json").write_text(json.dumps(config))
    return folder
