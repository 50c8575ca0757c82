"""Chunk targets, their mask at the end of an episode, and the split by episode."""

import numpy as np
import pytest

from theia_core.errors import TheiaError
from theia_training.cloning.demonstrations import Demonstrations, chunk_targets, split_by_episode
from theia_training.cloning.episode_cache import CachedEpisode


def episode(name, steps, held=()):
    actions = np.arange(steps * 7, dtype=np.float32).reshape(steps, 7)
    mask = np.zeros(steps, bool)
    mask[list(held)] = True
    tokens = np.full((steps, 4, 2), float(name), np.float16)
    tokens[:, 0, 0] = np.arange(steps)
    return CachedEpisode(f"{name}.mcap", name, tokens, actions + 0.5, actions, mask)


def test_a_target_is_the_actions_from_its_step_on_and_beyond_the_end_is_masked():
    actions = episode("1", 4).actions
    targets, mask = chunk_targets(actions, np.zeros(4, bool), 3)
    np.testing.assert_array_equal(targets[1], actions[1:4])
    np.testing.assert_array_equal(targets[2][:2], actions[2:4])
    assert mask.tolist() == [[True] * 3, [True] * 3, [True, True, False], [True, False, False]]


def test_a_step_without_an_executed_action_is_masked_wherever_a_chunk_meets_it():
    demonstration = episode("1", 4, held=[2])
    _, mask = chunk_targets(demonstration.actions, demonstration.held, 3)
    assert mask.tolist() == [
        [True, True, False],
        [True, False, True],
        [False, True, False],
        [True, False, False],
    ]


def test_the_last_pose_goes_on_beyond_the_end_but_not_what_was_held():
    demonstration = episode("1", 4, held=[1])
    targets, mask = chunk_targets(demonstration.actions, demonstration.held, 3, absolute=True)
    np.testing.assert_array_equal(targets[3], demonstration.actions[[3, 3, 3]])
    assert mask.tolist() == [[True, False, True], [False, True, True], [True] * 3, [True] * 3]


def test_a_chunk_never_reaches_into_the_next_episode_and_tokens_belong_to_their_step():
    data = Demonstrations([episode("1", 3), episode("2", 5)], horizon=4)
    assert len(data) == 8
    tokens = data.observed(np.array([2, 3, 7]))
    assert tokens[:, 1, 1].tolist() == [1, 2, 2]
    assert tokens[:, 0, 0].tolist() == [2, 0, 4]
    assert data.mask[2].tolist() == [True, False, False, False]
    np.testing.assert_array_equal(data.joints[3], np.arange(7) + 0.5)


def test_validation_holds_whole_episodes_and_stays_put_when_episodes_are_added():
    episodes = [episode(str(index), 3) for index in range(20)]
    training, validation = split_by_episode(episodes, 0.1, seed=0)
    assert len(validation) == 2
    assert {e.name for e in training} | {e.name for e in validation} == {e.name for e in episodes}
    assert not {e.name for e in training} & {e.name for e in validation}
    _, again = split_by_episode(list(reversed(episodes)), 0.1, seed=0)
    assert {e.name for e in again} == {e.name for e in validation}
    _, other = split_by_episode(episodes, 0.1, seed=1)
    assert {e.name for e in other} != {e.name for e in validation}


def test_one_episode_is_not_enough():
    with pytest.raises(TheiaError, match=r"1 episode\(s\)"):
        split_by_episode([episode("1", 3)], 0.1, 0)
