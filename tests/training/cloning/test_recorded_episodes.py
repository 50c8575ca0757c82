"""From recorded MCAP episodes to a policy through `theia train`, as a person runs it."""

import argparse
from dataclasses import replace

import numpy as np
import pytest

from theia_core.cli import main
from theia_core.encoders import load_encoder
from theia_core.episodes import EpisodeRecorder
from theia_core.policies import load_policy
from theia_training.cloning.augmentation import Augmentation
from theia_training.cloning.config import FineTuning
from theia_training.cloning.recipes import RECIPES
from theia_training.cloning.token_cache import TokenCache
from theia_training.commands import train as command

NAMES = ["waist", "shoulder", "elbow", "forearm_roll", "wrist_angle", "wrist_rotate"]
NAMES += ["gripper", "left_finger", "right_finger"]
STEPS = 6


def record(path, seed, squares):
    """Record STEPS control steps of the square task; returns its joints (STEPS, 9) and actions (STEPS, 7)."""
    rng = np.random.default_rng(seed)
    places, joints = rng.random((STEPS, 2)), rng.normal(size=(STEPS, 9))
    actions = np.stack([squares.action(x, y) for x, y in places])
    recorder = EpisodeRecorder(path, {"task": "door"})
    for step, (x, y) in enumerate(places):
        stamp_s = 100 + 0.2 * step
        recorder.joints(stamp_s, NAMES, joints[step])
        recorder.image(stamp_s, squares.frame(x, y))
        recorder.action(stamp_s, actions[step], "expert")
    recorder.close()
    return joints, actions


@pytest.fixture
def recorded(tmp_path, squares):
    folder = tmp_path / "episodes"
    folder.mkdir()
    return folder, [record(folder / f"{seed}.mcap", seed, squares) for seed in range(3)]


def test_tokens_joints_and_actions_of_a_recording_meet_step_by_step(recorded, tmp_path):
    folder, truth = recorded
    encoder = load_encoder("efficientnet-lite2-s16")
    (episode,) = TokenCache(tmp_path / "cache", encoder, 5.0).episodes([folder / "1.mcap"], progress=False)
    joints, actions = truth[1]
    assert episode.observed.shape == (STEPS, 196, 120)
    np.testing.assert_allclose(episode.joints, joints[:, [0, 1, 2, 3, 4, 5, 7]], atol=1e-6)
    np.testing.assert_array_equal(episode.actions, actions)
    assert not episode.held.any()


def test_the_command_trains_resumes_and_reports(recorded, tmp_path, capsys):
    folder, _ = recorded
    arguments = ["train", "door", "--data", str(folder), "--out", str(tmp_path / "run"), "--batch-size", "8"]
    arguments += ["--threads", "1"]
    assert main([*arguments, "--epochs", "2", "--seed", "3", "--execute-steps", "5"]) == 0
    policy = load_policy(tmp_path / "run")
    assert policy.policy_id in capsys.readouterr().out
    assert policy.meta["execute_steps"] == 5
    assert policy.meta["training"]["recipe"]["batch_size"] == 8
    assert main([*arguments, "--epochs", "2", "--seed", "3"]) == 2
    assert "--resume" in capsys.readouterr().err
    assert main([*arguments, "--epochs", "2", "--seed", "3", "--resume"]) == 0
    assert load_policy(tmp_path / "run").policy_id == policy.policy_id


def test_options_of_fine_tuning_and_augmentation_reach_the_run():
    parser = argparse.ArgumentParser()
    command.COMMAND.configure(parser)

    def parsed(*options):
        arguments = parser.parse_args(["door", "--data", "x", "--out", "y", *options])
        finetuning = command._finetuning(arguments, "bc_mlp")
        return command._recipe(arguments, "bc_mlp"), finetuning, command._default_encoder(finetuning)

    recipe, finetuning, encoder = parsed("--augment", "--shift-px", "6")
    assert (finetuning, encoder) == (None, "theia-tiny")
    assert (recipe.augmentation, recipe.variants) == (Augmentation(shift_px=6), 4)
    assert recipe == replace(RECIPES["cpu"], augmentation=Augmentation(shift_px=6), variants=4)
    tune = ("--finetune-encoder", "--encoder-learning-rate-factor", "0.3", "--finetune-blocks", "4")
    recipe, finetuning, encoder = parsed(*tune, "--precision", "bf16", "--augment", "--epoch-steps", "9")
    assert recipe == replace(RECIPES["finetune"], augmentation=Augmentation(), epoch_steps=9)
    assert finetuning == FineTuning(0.3, 4, "bf16")
    assert encoder == "theia-tiny"
    assert parsed(*tune, "--init-policy", "door-efficientnet-lite2-s16")[2] == "efficientnet-lite2-s16"
    assert parsed(*tune, "--init-policy", "none")[1].init_policy == "none"


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (["--data", "/nowhere"], "/nowhere"),
        (["--encoder", "resnet"], "unknown encoder 'resnet'"),
        (["--epochs", "0"], "epochs 0"),
        (["--precision", "bf16"], "--precision is about fine-tuning the encoder; add --finetune-encoder"),
        (["--finetune-encoder", "--init-policy", "door-efficientnet-lite2-s16"], "cannot train efficientnet"),
        (["--finetune-encoder", "--augment", "3"], "give --augment without a number"),
        (["--finetune-encoder", "--encoder-learning-rate-factor", "2"], "factor is 2"),
        (["--augment", "0"], "--augment 0 would change nothing"),
        (["--shift-px", "3"], "--shift-px says how to augment; add --augment"),
        (["--augment", "--brightness", "1.5"], "brightness changes by 1.5"),
    ],
)
def test_bad_arguments_end_with_one_sentence_and_exit_code_2(recorded, tmp_path, capsys, change, complaint):
    folder, _ = recorded
    assert main(["train", "door", "--data", str(folder), "--out", str(tmp_path / "run"), *change]) == 2
    error = capsys.readouterr().err
    assert error.startswith("theia: error: ")
    assert complaint in error
    assert error.count("\n") == 1


def test_a_corrupt_episode_is_named(recorded, tmp_path, capsys):
    folder, _ = recorded
    (folder / "1.mcap").write_bytes(b"not an mcap")
    assert main(["train", "door", "--data", str(folder), "--out", str(tmp_path / "run")]) == 2
    assert "1.mcap" in capsys.readouterr().err
