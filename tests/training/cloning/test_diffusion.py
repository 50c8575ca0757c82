"""A diffusion policy: it samples what demonstrations did, all of it, and the robot samples the same."""

import json
import math
import shutil
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

# ruff: noqa: E402
torch = pytest.importorskip("torch")
pytest.importorskip("diffusers")
pytest.importorskip("onnxscript")

from safetensors.numpy import load_file

from theia_core.encoders import load_encoder
from theia_core.errors import TheiaError
from theia_core.policies import load_policy
from theia_core.policies.config import DiffusionConfig
from theia_core.policies.diffusion_net import DiffusionNet
from theia_core.policies.normalisation import Scale
from theia_core.tasks import TASKS
from theia_training import export_theia
from theia_training.cloning.config import FineTuning, TrainConfig
from theia_training.cloning.diffusion_method import DiffusionMethod, sample
from theia_training.cloning.recipes import DIFFUSION_RECIPES
from theia_training.cloning.train import train

UPDATES = 600  # of the made-up distribution
SHORT = replace(DIFFUSION_RECIPES["cpu"], updates=6, batch_size=16)
PLACES = np.random.default_rng(99).uniform(0.1, 0.9, (4, 2))


def pose(x, y, side):
    """Action (10,): left or right of the square, level with it, yaw by its x."""
    yaw = 0.4 * (x - 0.5)
    rotation = [np.cos(yaw), np.sin(yaw), 0, -np.sin(yaw), np.cos(yaw), 0]
    return np.array([0.3 * side, 0.4 * (y - 0.5), 0.1, *rotation, float(x < 0.5)], np.float32)


@pytest.fixture(scope="module")
def either_side(squares, tmp_path_factory):
    """Run and reader of demonstrations that go once left and once right of each square."""
    folder = tmp_path_factory.mktemp("sides")
    for seed in range(8):
        plan = {"place": PLACES[seed // 2].tolist(), "side": 1 if seed % 2 else -1}
        (folder / f"{seed}.mcap").write_text(json.dumps(plan))

    def read(path, rate_hz):
        plan = json.loads(path.read_text())
        x, y = plan["place"]
        return squares.Steps(
            [squares.frame(x, y)] * 2,
            np.zeros((2, 17), np.float32),
            np.stack([pose(x, y, plan["side"])] * 2),
        )

    sides = replace(
        TASKS["door"],
        id="sides",
        robot="spot_arm",
        action_space="ee_pose",
        chunk_horizon=4,
        policy_kind="diffusion",
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(TASKS, "sides", sides)
        patch.setattr(export_theia, "BATCHES", (1,))
        yield (
            TrainConfig("sides", (folder,), folder / "run", threads=1, execute_steps=2, progress=False),
            read,
        )


@pytest.fixture(scope="module")
def trained(either_side):
    """A policy that has hardly begun to learn, from episodes to a folder."""
    config, read = either_side
    return train(replace(config, recipe=SHORT), read)


STATE = np.zeros(17, np.float32)
TOKENS = np.random.default_rng(1).normal(size=(196, 192)).astype(np.float16)


def test_both_ways_of_the_demonstrations_are_sampled_and_never_the_middle():
    """Four pictures, each with its own height, and from each demonstrations went left as often as right."""
    torch.manual_seed(0)
    method = DiffusionMethod()
    config = DiffusionConfig((14, 14), 4, neck_channels=8, width=64)
    scales = [Scale(np.zeros(n, np.float32), np.ones(n, np.float32)) for n in (4, 17, 10)]
    net = method.network(config, *scales)
    pictures, heights = torch.randn(4, 196, 4), torch.tensor([-0.6, -0.2, 0.2, 0.6])
    optimiser = torch.optim.Adam(net.parameters())
    for update in range(UPDATES):
        for group in optimiser.param_groups:
            group["lr"] = 1e-3 * (1 + math.cos(math.pi * update / UPDATES))
        which, side = torch.randint(4, (32,)), 2 * torch.randint(2, (32,)) - 1
        chunks = torch.zeros(32, 4, 10)
        chunks[:, :, 0], chunks[:, :, 1] = 0.6 * side[:, None], heights[which, None]
        mask = torch.ones(32, 4, dtype=torch.bool)
        loss = method.loss(
            net, pictures[which], torch.zeros(32, 17), chunks, mask, DIFFUSION_RECIPES["paper"]
        )
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    for steps in (10, 100):
        net.config = replace(config, inference_steps=steps)
        with torch.inference_mode():
            context = net(pictures.repeat_interleave(64, dim=0), torch.zeros(256, 17))
            chunks = sample(net, context, torch.randn(256, 4, 10)).unflatten(0, (4, 64))
        sides = chunks[..., 0]
        assert ((sides.abs() - 0.6).abs() < 0.15).float().mean() > 0.9
        right = (sides[:, :, 0] > 0).float().mean(dim=1)
        assert right.min() > 0.2 and right.max() < 0.8
        # A chunk does not change its mind.
        assert (sides.sign() == sides[:, :, :1].sign()).float().mean() > 0.97
        torch.testing.assert_close(chunks[..., 1].mean(dim=(1, 2)), heights, atol=0.1, rtol=0)


def test_what_goes_out_is_a_rotation_and_a_gripper_within_its_range(trained):
    policy = load_policy(trained)
    chunk = policy.predict(TOKENS, STATE + 3)
    assert chunk.shape == (4, 10) and chunk.dtype == np.float32
    first, second = chunk[:, 3:6], chunk[:, 6:9]
    np.testing.assert_allclose(np.linalg.norm(first, axis=1), 1, atol=1e-6)
    np.testing.assert_allclose(np.linalg.norm(second, axis=1), 1, atol=1e-6)
    np.testing.assert_allclose((first * second).sum(1), 0, atol=1e-6)
    assert chunk[:, 9].min() >= 0 and chunk[:, 9].max() <= 1


def test_the_same_seed_gives_the_same_chunks_and_another_seed_others(trained):
    def three(policy, seed):
        policy.reset(seed)
        return np.stack([policy.predict(TOKENS, STATE) for _ in range(3)])

    policy = load_policy(trained)
    first = three(policy, 7)
    np.testing.assert_array_equal(three(load_policy(trained), 7), first)
    assert np.abs(three(policy, 8) - first).max() > 1e-3
    assert np.abs(first[0] - first[1]).max() > 1e-4


def test_the_robot_samples_what_diffusers_samples_in_torch(trained):
    meta = load_policy(trained).meta
    assert 0 < meta["parity_with_torch"] < 0.05
    assert (meta["kind"], meta["name"], meta["execute_steps"]) == ("diffusion", "sides-diffusion", 2)
    assert meta["training"]["recipe"]["updates"] == 6 and "epochs" not in meta["training"]["recipe"]
    card = (trained / "README.md").read_text()
    assert "A diffusion policy for the task" in card and "in 10 steps of DDIM" in card
    assert (trained / "curves.png").stat().st_size > 5000
    weights = load_file(trained / "policy.safetensors")
    assert {array.dtype.name for array in weights.values() if array.size > 512} == {"float16"}
    assert {"neck.layers.0.weight", "denoiser.enter.weight", "action_mean"} <= set(weights)


def test_other_numbers_of_steps_are_taken_and_too_many_are_refused(trained):
    few, many = (load_policy(trained, denoising_steps=steps).predict(TOKENS, STATE) for steps in (2, 100))
    assert np.abs(few - many).max() > 1e-4
    with pytest.raises(TheiaError, match="101 denoising steps are not possible"):
        load_policy(trained, denoising_steps=101)
    with pytest.raises(TheiaError, match="a bc_mlp: it has no denoising steps"):
        load_policy("door", denoising_steps=10)


def test_an_evaluation_compares_numbers_of_steps_as_contenders_of_their_own(trained):
    from theia_sim.contenders import choose_contenders, titles
    from theia_sim.controllers import PolicyController

    few, many = choose_contenders("sides", [str(trained)], [], denoising_steps=[10, 100])
    assert (few.identity["denoising_steps"], many.identity["denoising_steps"]) == (10, 100)
    assert titles([few, many]) == ("denoising", ["10 denoising steps", "100 denoising steps"])
    assert PolicyController(str(trained), denoising_steps=100).policy.config.inference_steps == 100
    with pytest.raises(TheiaError, match="--denoising-steps 10 is given twice"):
        choose_contenders("sides", [str(trained)], [], denoising_steps=[10, 10])
    with pytest.raises(TheiaError, match="needs a diffusion policy"):
        choose_contenders("door", ["door"], [], denoising_steps=[10])


def test_sampling_needs_no_torch(trained):
    code = (
        "import sys, numpy\n"
        "from theia_core.policies import load_policy\n"
        f"load_policy({str(trained)!r}).predict(numpy.zeros((196, 192)), numpy.zeros(17))\n"
        "sys.exit(bool({'torch', 'onnx', 'diffusers'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_folder_that_is_incomplete_or_contradicts_itself_is_refused(trained, tmp_path):
    folder = shutil.copytree(trained, tmp_path / "copy")
    meta = json.loads((folder / "policy.json").read_text())

    def describe(**config):
        changed = {**meta, "config": {**meta["config"], **config}}
        (folder / "policy.json").write_text(json.dumps(changed))

    describe(inference_steps=200)
    with pytest.raises(TheiaError, match="200 denoising steps are not possible"):
        load_policy(folder)
    describe(noise={"training_steps": 100, "prediction": "tea leaves"})
    with pytest.raises(TheiaError, match="unknown prediction 'tea leaves'"):
        load_policy(folder)
    describe()
    (folder / "denoiser.onnx").unlink()
    with pytest.raises(TheiaError, match=r"cannot load .*denoiser\.onnx"):
        load_policy(folder)


def test_an_interrupted_run_resumes_to_the_same_weights(either_side):
    config, read = either_side
    whole = replace(config, recipe=replace(SHORT, batch_size=4), out=config.out.with_name("whole"))
    broken = replace(whole, out=config.out.with_name("broken"))

    def interrupt(row):
        raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("theia_training.cloning.train.CHECKPOINT_EVERY_S", 0.0)
        # What an export makes of weights is seen above; here they are compared before it.
        patch.setattr("theia_training.cloning.frozen_tokens.export_policy", lambda *arguments: None)
        train(whole, read)
        with pytest.raises(KeyboardInterrupt):
            train(broken, read, interrupt)
        train(replace(broken, resume=True), read)
    one, other = (load_file(run.out / "checkpoint.safetensors") for run in (whole, broken))
    assert one.keys() == other.keys()
    for name, tensor in one.items():
        np.testing.assert_array_equal(tensor, other[name], err_msg=name)
    with pytest.raises(TheiaError, match="had recipe"):
        train(replace(broken, resume=True, recipe=replace(SHORT, batch_size=8)), read)


@pytest.mark.slow
def test_encoder_and_diffusion_policy_learn_together(either_side, trained):
    config, read = either_side
    tuned = replace(
        config,
        out=config.out.with_name("tuned"),
        recipe=replace(DIFFUSION_RECIPES["finetune"], updates=2, batch_size=4, epoch_steps=8),
        finetuning=FineTuning(init_policy=str(trained), blocks=1),
    )
    train(tuned, read)
    policy = load_policy(tuned.out)
    encoder = load_encoder(policy.meta["encoder"], threads=1)
    policy.check_encoder(encoder.encoder_id)
    assert policy.meta["kind"] == "diffusion"
    assert policy.meta["parity_from_pixels"]["actions"] < 0.05
    assert policy.meta["training"]["started_from"]["policy"] == load_policy(trained).policy_id
    with pytest.raises(TheiaError, match="is a diffusion and not a bc_mlp"):
        from theia_training.cloning.bc_method import BcMethod
        from theia_training.cloning.warm_start import load_head

        load_head(str(trained), BcMethod(), TASKS["sides"], load_encoder("theia-tiny", threads=1), 0.0)


def test_an_untrained_policy_departs_from_where_the_hand_is():
    from theia_core.actions.hand_state import POSE_IN_STATE

    random = np.random.default_rng(0)
    scales = [Scale(*random.uniform(0.5, 2, (2, n)).astype(np.float32)) for n in (8, 17, 10)]
    net = DiffusionNet(DiffusionConfig((14, 14), 8, base=POSE_IN_STATE), *scales)
    torch.nn.init.zeros_(net.denoiser.leave[1].weight)
    torch.nn.init.zeros_(net.denoiser.leave[1].bias)
    state = torch.from_numpy(random.normal(size=(3, 17)).astype(np.float32))
    with torch.inference_mode():
        context = net(torch.zeros(3, 196, 8), state)
        chunk = (
            net.denoiser(torch.randn(3, 4, 10), torch.zeros(3), context) * net.action_std + net.action_mean
        )
    wanted = torch.cat([state[:, 7:16], state[:, 6:7]], dim=1)
    torch.testing.assert_close(chunk, wanted[:, None].expand(3, 4, 10), atol=1e-4, rtol=0)


def test_the_command_takes_the_recipe_of_the_tasks_kind_of_policy():
    from argparse import ArgumentParser

    from theia_training.commands.train import COMMAND, _recipe

    parser = ArgumentParser()
    COMMAND.configure(parser)
    asked = ["drawer", "--data", "d", "--out", "o"]
    assert _recipe(parser.parse_args(asked), "diffusion") == DIFFUSION_RECIPES["cpu"]
    passes = _recipe(parser.parse_args([*asked, "--recipe", "paper", "--epochs", "3"]), "diffusion")
    assert passes == replace(DIFFUSION_RECIPES["paper"], epochs=3, updates=0)
    updates = _recipe(parser.parse_args([*asked, "--updates", "50"]), "bc_mlp")
    assert (updates.epochs, updates.updates) == (0, 50)


def test_the_papers_recipe_is_table_10():
    paper = DIFFUSION_RECIPES["paper"]
    assert (paper.updates, paper.batch_size, paper.learning_rate) == (3000, 32, 3e-4)
    assert (paper.schedule, paper.betas, paper.weight_decay) == ("cosine", (0.9, 0.999), 0.0)
    assert paper.ema_decay > 0
    with pytest.raises(TheiaError, match="both decide"):
        replace(paper, epochs=3)
