"""Encoder and policy learn together: what learns, at which rate, to the bit again, and what is written."""

import json
import shutil
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

# ruff: noqa: E402
torch = pytest.importorskip("torch")
pytest.importorskip("onnxscript")

from safetensors.torch import load_file

from theia_core.encoders import load_encoder
from theia_core.errors import TheiaError
from theia_core.policies import load_policy, shipped_policies
from theia_training import export_theia, precision
from theia_training.cloning.bc_method import BcMethod
from theia_training.cloning.config import FineTuning, TrainConfig
from theia_training.cloning.finetune_encoder import FineTuned
from theia_training.cloning.recipes import RECIPES
from theia_training.cloning.train import _Run, train
from theia_training.cloning.warm_start import load_head
from theia_training.precision import cpu_has_bf16

RECIPE = replace(RECIPES["finetune"], epochs=2, batch_size=8, epoch_steps=24, warmup_updates=2)
FIRST = replace(RECIPES["cpu"], epochs=2, batch_size=16, warmup_updates=2)


@pytest.fixture(autouse=True, scope="module")
def quick_export():
    """Speed over batch sizes is measured elsewhere."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(export_theia, "BATCHES", (1,))
        yield


@pytest.fixture(scope="module")
def config(square_data, tmp_path_factory):
    """A run whose policy starts from random weights."""
    return TrainConfig(
        task="microwave",
        data=(square_data,),
        out=tmp_path_factory.mktemp("finetuned") / "run",
        encoder="theia-tiny",
        recipe=RECIPE,
        finetuning=FineTuning(init_policy="none", blocks=2),
        threads=1,
        cache=tmp_path_factory.mktemp("cache"),
        progress=False,
    )


@pytest.fixture(scope="module")
def trained(config, squares):
    """Policy on frozen tokens, then encoder and policy, as one command that was stopped in its first half."""
    whole = replace(config, finetuning=FineTuning(first_recipe=FIRST))
    with stopped_after(3), pytest.raises(KeyboardInterrupt):
        train(whole, squares.read)
    with pytest.raises(TheiaError, match="--resume"):
        train(whole, squares.read)
    train(replace(whole, resume=True), squares.read)
    return whole.out


@contextmanager
def stopped_after(updates):
    """The run is interrupted after so many updates, each of which left a checkpoint."""
    done, original = [], _Run._update

    def update(run):
        if len(done) == updates:
            raise KeyboardInterrupt
        done.append(run.update)
        return original(run)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("theia_training.cloning.train.CHECKPOINT_EVERY_S", 0.0)
        patch.setattr("theia_training.cloning.train._CHECKPOINT_SHARE", 1e9)
        patch.setattr(_Run, "_update", update)
        yield


def learner(config, squares, **finetuning):
    return FineTuned(replace(config, finetuning=replace(config.finetuning, **finetuning)), squares.read)


def weights_of(module):
    return {name: tensor.clone() for name, tensor in module.state_dict().items()}


def test_gradients_reach_encoder_and_policy_at_their_own_learning_rates(config, squares):
    run = _Run(config, learner(config, squares, blocks=12, learning_rate_factor=0.25))
    before = weights_of(run.model)
    run._update()
    rates = {}
    for group in run.optimiser.param_groups:
        for parameter in group["params"]:
            rates[id(parameter)] = (group["lr"], group["weight_decay"])
    top = RECIPE.learning_rate_at(0, run.updates)
    for name, parameter in run.model.named_parameters():
        if name.endswith("attention.key.bias"):  # no softmax sees it, so its gradient is rounding alone
            continue
        assert parameter.grad is not None and parameter.grad.abs().max() > 0, name
        rate, decay = rates[id(parameter)]
        assert rate == pytest.approx(top * (0.25 if name.startswith("encoder.") else 1.0)), name
        assert (decay == 0) == (name.startswith("encoder.") and parameter.ndim not in (2, 4)), name
        # The first step of AdamW moves every weight by about its learning rate.
        step = (parameter - before[name]).abs().max().item()
        assert 0.5 * rate < step < 1.5 * rate + rate * decay, name
    assert len(rates) == len(list(run.model.parameters()))


def test_frozen_blocks_keep_their_weights_to_the_bit(config, squares):
    start = load_encoder("theia-tiny", runtime="torch", threads=1).runtime.model.backbone.state_dict()
    run = _Run(config, learner(config, squares))
    for _ in range(3):
        run._update()
    for network in (run.model, run.average):
        for name, tensor in network.encoder.backbone.state_dict().items():
            learns = name.startswith(
                ("model.encoder.layer.10.", "model.encoder.layer.11.", "model.layernorm.")
            )
            assert torch.equal(tensor, start[name]) != learns, name


def test_the_policy_starts_where_the_one_on_frozen_tokens_ended(config, trained, squares):
    head = learner(config, squares, init_policy=str(trained / "frozen")).model.head.eval()
    frozen, encoder = load_policy(trained / "frozen"), load_encoder("theia-tiny", threads=1)
    tokens, joints = encoder.encode(squares.frame(0.2, 0.7))[0], np.full(7, 0.1, np.float32)
    with torch.inference_mode():
        chunk = head(torch.from_numpy(tokens[None]), torch.from_numpy(joints[None]))[0].numpy()
    np.testing.assert_allclose(chunk[:, :6], frozen.predict(tokens, joints)[:, :6], atol=1e-4)


@pytest.mark.slow
def test_an_interrupted_run_resumes_to_the_bit_even_within_an_epoch(config, trained, squares, tmp_path):
    from theia_training.cloning.augmentation import Augmentation

    finetuning = FineTuning(init_policy=str(trained / "frozen"), blocks=1)
    recipe = replace(RECIPE, augmentation=Augmentation())
    whole = replace(config, out=tmp_path / "whole", recipe=recipe, finetuning=finetuning)
    broken = replace(whole, out=tmp_path / "broken")
    train(whole, squares.read)
    with stopped_after(4), pytest.raises(KeyboardInterrupt):  # of 6, three to an epoch
        train(broken, squares.read)
    train(replace(broken, resume=True), squares.read)
    one, other = (load_file(run.out / "checkpoint.safetensors") for run in (whole, broken))
    assert one.keys() == other.keys()
    for name, tensor in one.items():
        assert torch.equal(tensor, other[name]), name
    assert load_policy(whole.out).meta["encoder_id"] == load_policy(broken.out).meta["encoder_id"]
    assert load_policy(whole.out).policy_id == load_policy(broken.out).policy_id
    for change in ({"blocks": 2}, {"learning_rate_factor": 0.5}, {"init_policy": "none"}):
        changed = replace(broken, resume=True, finetuning=replace(finetuning, **change))
        with pytest.raises(TheiaError, match=r"had (finetuning|started_from)"):
            train(changed, squares.read)
    with pytest.raises(TheiaError, match=r"had (finetuning|started_from) .*, now it is None"):
        train(replace(broken, resume=True, finetuning=None), squares.read)


def test_the_policy_brings_its_encoder_and_both_do_what_was_trained(trained, squares):
    policy = load_policy(trained)
    encoder = load_encoder(policy.meta["encoder"], threads=1)
    policy.check_encoder(encoder.encoder_id)
    assert encoder.encoder_id.startswith("theia-tiny-microwave@")
    assert encoder.runtime.name == "onnxruntime"
    assert json.loads((trained / "policy.json").read_text())["encoder"] == "./encoder"
    average = {
        name.removeprefix("average.encoder."): tensor
        for name, tensor in load_file(trained / "checkpoint.safetensors").items()
        if name.startswith("average.encoder.")
    }
    model = load_encoder(policy.meta["encoder"], "torch", threads=1).runtime.model
    model.load_state_dict(average)
    frames = np.stack([squares.frame(0.3, y) for y in (0.1, 0.6)])
    with torch.inference_mode():
        expected = model(torch.from_numpy(encoder.spec.preprocessing.apply(frames)))[:, 1:].numpy()
    tokens = encoder.encode(frames)
    assert 0 < np.abs(tokens - expected).max() < 0.05 * expected.std()
    assert np.abs(tokens - load_encoder("theia-tiny", threads=1).encode(frames)).max() > 0.01
    parity = policy.meta["parity_from_pixels"]
    assert 0 < parity["actions"] < 0.05
    assert parity["tokens"]["cosine_min"] > 0.9999


def test_evaluation_and_roll_outs_take_the_policys_own_encoder(trained):
    from theia_sim.contenders import choose_contenders
    from theia_sim.controllers import PolicyController

    (contender,) = choose_contenders("microwave", [str(trained)], [])
    assert contender.encoder_id == load_policy(trained).meta["encoder_id"]
    assert PolicyController(str(trained)).encoder.encoder_id == contender.encoder_id


def test_cards_say_what_was_trained_from_what(trained):
    card, start = (trained / "README.md").read_text(), load_encoder("theia-tiny").encoder_id
    policy = load_policy(trained)
    for words in (
        policy.meta["encoder_id"],
        f"began as `{start}`",
        f"began as | `{load_policy(trained / 'frozen').policy_id}` |",
        "last 12 of 12 blocks, peak learning rate 3e-05, fp32",
        "| augmentation | none |",
        "held-out frames",
    ):
        assert words in card, words
    assert str(trained) not in card
    card = (trained / "encoder" / "README.md").read_text()
    assert f"`{start}`" in card and "fine-tuned by behaviour cloning" in card and "Apache-2.0" in card
    assert not list(trained.glob(".encoder*"))
    rows = (trained / "curves.csv").read_text().splitlines()
    assert len(rows) == 3 and "validation_loss" in rows[0]


def test_a_moved_policy_finds_its_encoder_from_anywhere_without_torch(trained, tmp_path):
    folder = shutil.copytree(
        trained, tmp_path / "elsewhere", ignore=shutil.ignore_patterns("check*", "frozen")
    )
    code = (
        "import sys, numpy\n"
        "from theia_core.encoders import load_encoder\n"
        "from theia_core.policies import load_policy\n"
        "policy = load_policy('elsewhere')\n"
        "encoder = load_encoder(policy.meta['encoder'])\n"
        "policy.check_encoder(encoder.encoder_id)\n"
        "policy.predict(encoder.encode(numpy.zeros((48, 64, 3), numpy.uint8))[0], numpy.zeros(7))\n"
        "sys.exit(bool({'torch', 'onnx'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False, cwd=tmp_path).returncode == 0
    shutil.rmtree(folder / "encoder")
    with pytest.raises(TheiaError, match="brings its own encoder"):
        load_policy(folder)


def test_a_shipped_policy_finds_its_encoder_too(trained, tmp_path, monkeypatch):
    ignored = shutil.ignore_patterns("check*", "frozen")
    shutil.copytree(trained, tmp_path / "models" / "policies" / "microwave", ignore=ignored)
    monkeypatch.setattr("theia_core.__file__", str(tmp_path / "__init__.py"))
    assert list(shipped_policies()) == ["microwave"]
    policy = load_policy("microwave")
    policy.check_encoder(load_encoder(policy.meta["encoder"], threads=1).encoder_id)


def test_an_encoder_outside_of_the_policys_folder_is_refused(trained, tmp_path):
    folder = shutil.copytree(trained, tmp_path / "copy", ignore=shutil.ignore_patterns("check*", "frozen"))
    meta = json.loads((folder / "policy.json").read_text())
    (folder / "policy.json").write_text(json.dumps({**meta, "encoder": "../../etc"}))
    with pytest.raises(TheiaError, match="outside of its folder"):
        load_policy(folder)


def test_an_encoder_that_only_runs_is_refused_before_anything_is_read(config, tmp_path):
    wanted = replace(config, encoder="efficientnet-lite2-s16", out=tmp_path, data=(Path("/nowhere"),))
    with pytest.raises(TheiaError, match=r"ONNX graph, which only runs.*--encoder theia-tiny"):
        train(wanted)


def test_a_policy_of_another_task_or_encoder_is_no_start(trained):
    from theia_core.tasks import get_task

    encoder = load_encoder("theia-tiny", threads=1)
    with pytest.raises(TheiaError, match="trained for the task 'door'"):
        load_head("door-efficientnet-lite2-s16", BcMethod(), get_task("microwave"), encoder, 0.0)
    with pytest.raises(TheiaError, match="tokens of efficientnet-lite2-s16@"):
        load_head("door-efficientnet-lite2-s16", BcMethod(), get_task("door"), encoder, 0.0)
    # Fine-tuning goes on from a fine-tuned policy with the encoder that it brings.
    own = load_encoder(load_policy(trained).meta["encoder"], threads=1)
    _, meta = load_head(str(trained), BcMethod(), get_task("microwave"), own, 0.0)
    assert meta["encoder_id"] == own.encoder_id


@pytest.mark.skipif(not cpu_has_bf16(), reason="needs a CPU that multiplies bfloat16")
def test_in_bf16_the_loss_is_nearly_that_of_fp32_and_the_weights_stay_float32(config, squares):
    losses = []
    for arithmetic in ("fp32", "bf16"):
        run = _Run(config, learner(config, squares, precision=arithmetic))
        run._update()
        losses.append(run._sums["loss"])
        assert {p.dtype for p in run.model.parameters()} == {torch.float32}
    assert losses[0] != losses[1]
    assert losses[1] == pytest.approx(losses[0], rel=0.02)


def test_bf16_on_a_cpu_without_it_is_refused(config, tmp_path, monkeypatch):
    monkeypatch.setattr(precision, "cpu_has_bf16", lambda: False)
    with pytest.raises(TheiaError, match="--precision fp32"):
        train(replace(config, out=tmp_path, finetuning=FineTuning(precision="bf16")))


@pytest.mark.parametrize(
    ("values", "complaint"),
    [
        ({"learning_rate_factor": 0.0}, "factor is 0"),
        ({"blocks": 13}, "13 blocks"),
        ({"precision": "fp16"}, "'fp16'"),
    ],
)
def test_settings_that_cannot_be_are_refused(values, complaint):
    with pytest.raises(TheiaError, match=complaint):
        FineTuning(**values)
