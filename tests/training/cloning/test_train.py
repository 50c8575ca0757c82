"""Training learns to look, can be interrupted, and writes a policy that the robot can load."""

import csv
import json
import shutil
from dataclasses import replace

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file

from theia_core.encoders import load_encoder
from theia_core.encoders.registry import shipped_folder
from theia_core.errors import TheiaError
from theia_core.policies import load_policy
from theia_core.tasks import get_task
from theia_training.cloning.augmentation import Augmentation
from theia_training.cloning.frozen_tokens import FrozenTokens
from theia_training.cloning.recipes import RECIPES
from theia_training.cloning.train import TrainConfig, train


@pytest.fixture
def config(square_data, short_recipe, tmp_path):
    return TrainConfig(
        task="door", data=(square_data,), out=tmp_path / "run", recipe=short_recipe, threads=1, progress=False
    )


@pytest.fixture(scope="module")
def trained(square_data, squares, tmp_path_factory):
    """One policy, trained long enough to see the square."""
    recipe = replace(RECIPES["cpu"], epochs=16, batch_size=16, warmup_updates=10, token_dropout=0.0)
    out = tmp_path_factory.mktemp("trained")
    train(
        TrainConfig(task="door", data=(square_data,), out=out, recipe=recipe, threads=1, progress=False),
        squares.read,
    )
    return out


def test_the_policy_follows_the_square_in_pictures_it_has_never_seen(trained, squares):
    policy, encoder = load_policy(trained), load_encoder("theia-tiny")
    policy.check_encoder(encoder.encoder_id)
    places = np.random.default_rng(99).random((40, 2))
    predicted = np.stack(
        [
            policy.predict(encoder.encode(squares.frame(x, y))[0], np.zeros(7, np.float32))[0]
            for x, y in places
        ]
    )
    wanted = np.stack([squares.action(x, y) for x, y in places])
    for axis in (0, 1):
        assert np.corrcoef(predicted[:, axis], wanted[:, axis])[0, 1] > 0.8
    clear = np.abs(places[:, 0] - 0.5) > 0.2
    assert ((predicted[:, 6] > 0.5) == (wanted[:, 6] > 0.5))[clear].mean() > 0.9
    assert predicted[:, 6].min() >= 0 and predicted[:, 6].max() <= 1


def test_a_training_run_leaves_description_card_curves_and_half_precision_weights(trained):
    meta = json.loads((trained / "policy.json").read_text())
    assert (meta["task"], meta["horizon"], meta["dt_s"], meta["action_space"]) == (
        "door",
        10,
        0.2,
        "ee_delta",
    )
    assert meta["training"]["episodes"] + meta["training"]["validation_episodes"] == 8
    assert load_policy(trained).policy_id in (trained / "README.md").read_text()
    rows = list(csv.DictReader((trained / "curves.csv").open()))
    assert len(rows) == 16
    assert float(rows[-1]["position_error_mm"]) < 0.6 * float(rows[0]["position_error_mm"])
    assert (trained / "curves.png").stat().st_size > 5000
    weights = load_file(trained / "policy.safetensors")
    assert {array.dtype.name for array in weights.values() if array.size > 512} == {"float16"}
    assert (trained / "policy.onnx").stat().st_size < 100_000
    assert {"token_mean", "joint_std", "action_std"} <= set(weights)
    assert weights["action_std"][-1] == np.float32(0.5)


def test_an_interrupted_run_resumes_to_the_same_weights_as_an_uninterrupted_one(config, squares):
    train(config, squares.read)

    def interrupt(row):
        if row["epoch"] == 2:
            raise KeyboardInterrupt

    broken = replace(config, out=config.out.with_name("broken"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("theia_training.cloning.train.CHECKPOINT_EVERY_S", 0.0)
        with pytest.raises(KeyboardInterrupt):
            train(broken, squares.read, interrupt)
    assert not (broken.out / "policy.json").exists()
    train(replace(broken, resume=True), squares.read)
    whole, resumed = (
        load_file(config.out / "policy.safetensors"),
        load_file(broken.out / "policy.safetensors"),
    )
    for name, weight in whole.items():
        np.testing.assert_array_equal(resumed[name], weight, err_msg=name)
    assert load_policy(config.out).policy_id == load_policy(broken.out).policy_id


@pytest.mark.parametrize("task", ["door", "pick_place", "microwave"])
def test_every_task_trains_with_its_own_horizon_also_on_augmented_frames(
    task, square_data, squares, tmp_path
):
    recipe = replace(RECIPES["cpu"], epochs=1, batch_size=32, augmentation=Augmentation(), variants=1)
    out = tmp_path / task
    train(
        TrainConfig(task=task, data=(square_data,), out=out, recipe=recipe, threads=1, progress=False),
        squares.read,
    )
    policy = load_policy(out)
    assert (policy.meta["task"], policy.meta["horizon"]) == (task, get_task(task).chunk_horizon)
    assert policy.predict(np.zeros((196, 192)), np.zeros(7)).shape == (get_task(task).chunk_horizon, 7)
    assert policy.meta["training"]["recipe"]["augmentation"] == Augmentation().to_dict()
    assert "at most shift_px 4, brightness 0.2" in (out / "README.md").read_text()


def test_samples_are_drawn_from_the_frame_and_all_its_variants(square_data, squares, tmp_path):
    recipe = replace(
        RECIPES["cpu"], augmentation=Augmentation(), variants=2, token_dropout=0.0, joint_noise=0.0
    )
    config = TrainConfig(task="door", data=(square_data,), out=tmp_path, recipe=recipe, progress=False)
    learner = FrozenTokens(replace(config, threads=1), squares.read)
    learner.model.eval()
    batch = np.array([5])
    losses = {float(learner.loss(batch, np.random.default_rng(seed)).detach()) for seed in range(20)}
    assert len(losses) == 3
    again = {float(learner.loss(batch, np.random.default_rng(3)).detach()) for _ in range(2)}
    assert len(again) == 1


def test_resuming_another_run_or_overwriting_one_is_refused(config, squares):
    train(config, squares.read)
    with pytest.raises(TheiaError, match="--resume"):
        train(config, squares.read)
    with pytest.raises(TheiaError, match="had seed 0, now it is 1"):
        train(replace(config, resume=True, seed=1), squares.read)
    with pytest.raises(TheiaError, match="had recipe"):
        train(replace(config, resume=True, recipe=replace(config.recipe, learning_rate=1e-2)), squares.read)
    with pytest.raises(TheiaError, match="to resume from"):
        train(replace(config, resume=True, out=config.out.with_name("new")), squares.read)


def test_a_damaged_checkpoint_is_named(config, squares):
    train(config, squares.read)
    (config.out / "checkpoint.safetensors").write_bytes(b"x" * 100)
    with pytest.raises(TheiaError, match=r"checkpoint\.safetensors is damaged"):
        train(replace(config, resume=True), squares.read)


def test_a_loss_that_is_not_finite_stops_the_run(config, squares):
    recipe = replace(config.recipe, learning_rate=1e30, warmup_updates=0)
    with pytest.raises(TheiaError, match="the loss became"):
        train(replace(config, recipe=recipe), squares.read)


def test_an_empty_folder_is_named(config, tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(TheiaError, match=r"no episodes in .*empty"):
        train(replace(config, data=(tmp_path / "empty",)))


def test_masked_actions_do_not_touch_the_loss():
    from theia_training.cloning.objective import chunk_loss

    predicted, targets = torch.zeros(2, 3, 7), torch.full((2, 3, 7), 0.5)
    mask = torch.tensor([[True, True, False], [True, False, False]])
    expected = chunk_loss(predicted, targets, mask, 1.0)
    assert expected == pytest.approx(0.125)
    targets[~mask] = 1e6
    assert chunk_loss(predicted, targets, mask, 1.0) == expected
    targets[0, 0, 6] = 10.0
    assert chunk_loss(predicted, targets, mask, 0.0) == pytest.approx(0.125)


def test_the_papers_recipe_is_table_9():
    paper = RECIPES["paper"]
    assert (paper.epochs, paper.batch_size, paper.learning_rate, paper.weight_decay) == (400, 16, 1e-4, 0.01)
    assert paper.betas == (0.9, 0.999)
    assert paper.learning_rate_at(0, 100) == paper.learning_rate_at(99, 100) == 1e-4


def test_the_cosine_schedule_warms_up_and_ends_near_zero():
    recipe = RECIPES["cpu"]
    rates = [recipe.learning_rate_at(update, 1000) for update in range(1000)]
    assert rates[0] < 0.02 * recipe.learning_rate
    assert max(rates) > 0.95 * recipe.learning_rate
    assert rates[-1] < 1e-4 * recipe.learning_rate


def test_a_recipe_that_cannot_train_is_refused():
    with pytest.raises(TheiaError, match="epochs 0"):
        replace(RECIPES["cpu"], epochs=0)
    with pytest.raises(TheiaError, match="step"):
        replace(RECIPES["cpu"], schedule="step")
    with pytest.raises(TheiaError, match="dropout is 1"):
        replace(RECIPES["cpu"], dropout=1.0)


def test_a_policy_on_an_encoder_of_the_users_brings_a_copy_of_it(config, squares, tmp_path):
    mine = shutil.copytree(shipped_folder() / "theia-tiny", tmp_path / "mine")
    train(replace(config, encoder=str(mine)), squares.read)
    shutil.rmtree(mine)
    policy = load_policy(config.out)
    assert policy.meta["encoder"] == str(config.out / "encoder")
    policy.check_encoder(load_encoder(policy.meta["encoder"]).encoder_id)


@pytest.mark.skipif(torch.cuda.is_available(), reason="here torch sees a GPU")
def test_a_gpu_that_torch_does_not_see_is_refused_before_any_work(config, squares):
    with pytest.raises(TheiaError, match="sees no GPU here; train with --device cpu"):
        train(replace(config, device="cuda"), squares.read)
    assert not config.out.exists()


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="this machine has no NVIDIA GPU")
def test_a_gpu_learns_what_the_cpu_learns_and_goes_on_where_it_stopped(config, squares):
    rows = {}
    for device in ("cpu", "cuda"):
        out = config.out / device
        train(replace(config, device=device, out=out), squares.read, rows.setdefault(device, []).append)
        train(replace(config, device=device, out=out, resume=True), squares.read)
        assert load_policy(out).meta["training"]["device"] != "cuda"
    assert rows["cuda"][-1]["validation_loss"] == pytest.approx(rows["cpu"][-1]["validation_loss"], rel=0.2)
