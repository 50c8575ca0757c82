"""A policy folder loads without torch, and anything that does not belong together is refused."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from theia_core.encoders import load_encoder
from theia_core.encoders.registry import shipped_folder
from theia_core.errors import TheiaError
from theia_core.policies import PolicyConfig, load_policy, shipped_policies
from theia_core.policies.artefact import OWN_ENCODER
from theia_core.policies.normalisation import Scale

CONFIG = PolicyConfig((14, 14), 8, neck_channels=16, hidden=16)
DESCRIPTION = {
    "name": "test-bc",
    "kind": "bc_mlp",
    "task": "door",
    "encoder": "e",
    "encoder_id": "e@123456789abc",
    "action_space": "ee_delta",
    "horizon": 10,
    "dt_s": 0.2,
    "execute_steps": 4,
    "config": CONFIG.to_dict(),
    "training": {
        "episodes": 1,
        "steps": 1,
        "validation_episodes": 1,
        "validation_steps": 1,
        "data": "x",
        "recipe": {},
        "last_epoch": dict.fromkeys(
            ("validation_loss", "position_error_mm", "rotation_error_deg", "gripper_wrong"), 0.0
        ),
    },
}
RNG = np.random.default_rng(0)
TOKENS = RNG.normal(2, 3, (196, 8)).astype(np.float16)
JOINTS = RNG.normal(0, 1, 7).astype(np.float32)


@pytest.fixture(scope="module")
def model():
    torch = pytest.importorskip("torch")
    from theia_core.policies.bc_mlp import BcMlp

    torch.manual_seed(0)
    scales = [Scale(np.full(n, 0.1, np.float32), np.full(n, 2.0, np.float32)) for n in (8, 7, 7)]
    return BcMlp(CONFIG, *scales).eval()


@pytest.fixture(scope="module")
def exported(model, tmp_path_factory):
    from theia_training.cloning.bc_method import BcMethod
    from theia_training.cloning.export_policy import export_policy

    path = tmp_path_factory.mktemp("policy")
    export_policy(path, BcMethod(), model, DESCRIPTION, TOKENS[None], JOINTS[None])
    return path


@pytest.fixture
def folder(exported, tmp_path):
    return Path(shutil.copytree(exported, tmp_path / "policy"))


def test_onnxruntime_predicts_what_torch_predicts(folder, model):
    import torch

    policy = load_policy(folder)
    actions = policy.predict(TOKENS, JOINTS)
    with torch.inference_mode():
        expected = model(torch.from_numpy(TOKENS[None]).float(), torch.from_numpy(JOINTS[None]))[0].numpy()
    expected[:, -1] = expected[:, -1].clip(0, 1)
    assert actions.shape == (10, 7)
    assert actions.dtype == np.float32
    np.testing.assert_allclose(actions, expected, atol=5e-3)
    np.testing.assert_array_equal(policy.predict(TOKENS.astype(np.float32), JOINTS), actions)


def test_the_gripper_is_clipped_to_its_range_and_nothing_else_is(folder):
    policy = load_policy(folder)
    chunks = np.stack([policy.predict(TOKENS, JOINTS * scale) for scale in (-50, 50)])
    assert chunks[..., -1].min() >= 0 and chunks[..., -1].max() <= 1
    assert np.abs(chunks[..., :-1]).max() > 1


def test_the_neck_has_the_layers_of_table_8(model):
    shapes = [tuple(p.shape) for name, p in model.neck.named_parameters() if p.ndim == 4]
    assert shapes == [(16, 8, 4, 4), (16, 16, 3, 3), (16, 16, 3, 3)]
    assert CONFIG.neck_sizes == ((7, 7), (3, 3), (1, 1))
    assert sum(name.endswith("weight") and p.ndim == 3 for name, p in model.neck.named_parameters()) == 3


def test_the_neck_sees_where_a_token_is(model):
    import torch

    tokens = torch.zeros(2, 196, 8)
    tokens[0, 14 * 2 + 3], tokens[1, 14 * 3 + 2] = 5.0, 5.0
    with torch.inference_mode():
        by_torch = model.neck.layers[0](tokens.reshape(2, 14, 14, 8).permute(0, 3, 1, 2))
        features = model.neck(tokens)
    change = (by_torch[0] - by_torch[1]).abs().sum(0)
    assert change[:3, :3].sum() > 0.99 * change.sum()
    assert (features[0] - features[1]).abs().max() > 1e-3


def test_loading_and_predicting_need_no_torch(folder):
    code = (
        "import sys, numpy\n"
        "from theia_core.policies import load_policy\n"
        f"load_policy({str(folder)!r}).predict(numpy.zeros((196, 8)), numpy.zeros(7))\n"
        "sys.exit(bool({'torch', 'onnx'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_tokens_of_another_encoder_are_refused_by_name(folder):
    policy = load_policy(folder)
    policy.check_encoder("e@123456789abc")
    with pytest.raises(
        TheiaError, match=r"trained on tokens of e@123456789abc, the encoder is e@000000000000"
    ):
        policy.check_encoder("e@000000000000")


@pytest.mark.parametrize(
    ("tokens", "joints", "complaint"),
    [
        (TOKENS[:-1], JOINTS, r"\(195, 8\)"),
        (TOKENS[:, :4], JOINTS, r"\(196, 4\)"),
        (TOKENS, JOINTS[:6], r"\(6,\)"),
    ],
)
def test_inputs_of_the_wrong_shape_are_refused(folder, tokens, joints, complaint):
    with pytest.raises(TheiaError, match=complaint):
        load_policy(folder).predict(tokens, joints)


def change_entry(folder, **entries):
    meta = json.loads((folder / "policy.json").read_text())
    (folder / "policy.json").write_text(json.dumps({**meta, **entries}))


@pytest.mark.parametrize(
    ("entries", "complaint"),
    [
        ({"format": 7}, "format 7"),
        ({"encoder_id": None}, "encoder_id=None"),
        ({"kind": "oracle"}, "unknown kind 'oracle'"),
        ({"execute_steps": 11}, "executes 11 of 10"),
        ({"action_space": "joints"}, "'joints'"),
        ({"weights_sha256": "0" * 64}, "sha256"),
        ({"config": {"channels": 8}}, "unreadable config"),
    ],
)
def test_a_description_that_does_not_fit_is_refused_by_entry(folder, entries, complaint):
    change_entry(folder, **entries)
    with pytest.raises(TheiaError, match=complaint):
        load_policy(folder)


@pytest.fixture
def with_own_encoder(tmp_path):
    """The shipped door policy with a copy of its encoder inside, as a fine-tuned one has."""
    own = Path(shutil.copytree(shipped_policies()["door-efficientnet-lite2-s16"], tmp_path / "own"))
    shutil.copytree(shipped_folder() / "efficientnet-lite2-s16", own / "encoder")
    change_entry(own, encoder=OWN_ENCODER)
    return own


def test_a_policys_own_encoder_is_found_from_any_working_directory(with_own_encoder, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    policy = load_policy("own")
    monkeypatch.chdir("/")
    assert policy.meta["encoder"] == str(with_own_encoder / "encoder")
    policy.check_encoder(load_encoder(policy.meta["encoder"], threads=1).encoder_id)


def test_an_own_encoder_that_is_absent_or_lies_elsewhere_is_refused(with_own_encoder):
    change_entry(with_own_encoder, encoder="./other")
    with pytest.raises(TheiaError, match=r"brings its own encoder, but .*other holds none"):
        load_policy(with_own_encoder)
    for outside in ("../encoder", "./../own", "."):
        change_entry(with_own_encoder, encoder=outside)
        with pytest.raises(TheiaError, match="outside of its folder"):
            load_policy(with_own_encoder)


def test_absent_and_damaged_files_are_named(folder, tmp_path):
    with pytest.raises(TheiaError, match="unknown policy 'nonsense'"):
        load_policy("nonsense")
    (tmp_path / "empty").mkdir()
    with pytest.raises(TheiaError, match="holds no policy"):
        load_policy(tmp_path / "empty")
    (folder / "policy.onnx").write_bytes(b"broken")
    with pytest.raises(TheiaError, match=r"policy\.onnx"):
        load_policy(folder)
    (folder / "policy.safetensors").unlink()
    with pytest.raises(TheiaError, match=r"cannot read weights .*policy\.safetensors"):
        load_policy(folder)
    (folder / "policy.json").write_text("{")
    with pytest.raises(TheiaError, match="not valid JSON"):
        load_policy(folder)


def test_every_shipped_policy_loads_and_predicts():
    for name in shipped_policies():
        policy = load_policy(name)
        config, (height, width) = policy.config, policy.config.grid
        actions = policy.predict(np.zeros((height * width, config.channels)), np.zeros(config.joints))
        assert actions.shape == (policy.meta["horizon"], config.action_dim)
        assert np.isfinite(actions).all()


def test_a_token_grid_too_small_for_the_neck_is_refused():
    with pytest.raises(TheiaError, match="7x7"):
        PolicyConfig((7, 7), 320)
