"""The model card says what its run's record says."""

import copy

import pytest

from theia_core.errors import TheiaError
from theia_training.distillation.card import model_card, photographs_table

RUN = {
    "config": {
        "student": {
            "size": "tiny",
            "deit": "data/init/start.safetensors",
            "start": None,
            "translator": "lconv",
        },
        "out": "runs/a",
    },
    "teachers": [
        {"name": "xfeat", "size": [64, 28, 28], "licence": "Apache-2.0", "weights_sha256": "ab" * 32}
    ],
    "samples": {"train": 90, "held_out": 10},
    "updates": 30,
    "global_batch": 4,
    "torch": "2.13",
    "profile": {"hours": 1.26, "model_share": 0.987, "data_share": 0.004, "images_per_s": 7.04},
    "held_out_by_store": {
        "data/features/photos": {"images": 10, "cosine_xfeat": 0.8123, "cosine_centred_xfeat": 0.7001}
    },
}
PARITY = {"cosine_min": 0.99999, "max_abs": 0.0014, "token_std": 1.0}
ENCODER = {
    "name": "theia-x",
    "source": "somewhere",
    "channels": 192,
    "parity_with_float32": {"onnxruntime": PARITY},
}


@pytest.fixture
def card():
    control = copy.deepcopy(RUN)
    control["config"]["out"], control["updates"] = "runs/frozen", 20
    control["config"]["student"]["deit"] = None
    control["held_out_by_store"]["data/features/photos"] |= {"cosine_xfeat": 0.4, "cosine_centred_xfeat": 0.3}
    return model_card(ENCODER, "f" * 64, RUN, control, "| photographs |")


def test_results_stand_beside_their_control(card):
    assert "| 10 of photos | xfeat | 0.812 (0.400) | 0.700 (0.300) |" in card
    assert "30 updates of 4 images (120 images seen), 1.3 h" in card
    assert "(80 images seen)" in card
    assert "98.7 % in the model" in card


def test_the_encoder_is_named_by_its_weights(card):
    assert card.count("theia-x@ffffffffffff") == 1
    assert "`start.safetensors`, a closed-form" in card
    assert "lowest cosine per token 0.999990" in card
    assert "$" not in card


def test_the_controls_command_is_the_one_that_ran(card):
    assert "--set student.deit=null \\\n    --out runs/frozen" in card


def test_a_second_run_names_the_first(card):
    second = copy.deepcopy(RUN)
    second["config"]["out"] = "runs/b"
    second["config"]["student"] |= {"deit": None, "start": "runs/a/encoder", "translator": "sub_pixel"}
    with pytest.raises(TheiaError, match="went on from runs/a/encoder; name the run that made it"):
        model_card(ENCODER, "f" * 64, second, RUN, "| photographs |")
    both = model_card(ENCODER, "f" * 64, second, RUN, "| photographs |", before=RUN)
    assert "a first run's (`runs/a`: 30 updates, 120 images seen, translators of kind lconv)" in both
    assert "`start.safetensors`, a closed-form" in both and "of kind sub_pixel" in both
    assert "distill --config training/configs/b.yaml" in both and "--before runs/a" in both
    assert "--before" not in card and "training/configs/a.yaml" in card


def test_photographs_are_counted_by_licence(tmp_path):
    (tmp_path / "sources.csv").write_text(
        "source,package,version,licence,crops\na,p,1,CC0-1.0,3\nb,p,1,CC0-1.0,4\nc,p,1,GPL-2,5\n"
    )
    table = photographs_table(tmp_path).splitlines()
    assert table[2:] == ["| p | 1 | CC0-1.0 | 2 | 7 |", "| p | 1 | GPL-2 | 1 | 5 |"]
    with pytest.raises(TheiaError, match="theia photos"):
        photographs_table(tmp_path / "elsewhere")
