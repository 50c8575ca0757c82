"""Theia models with weights that anyone can make again from their names."""

import pytest


@pytest.fixture(scope="session")
def make_theia():
    """Function from a `TheiaVariant` to a model in eval mode with deterministic weights."""
    pytest.importorskip("torch")
    from theia_core.encoders.deterministic import deterministic_model

    return deterministic_model


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
