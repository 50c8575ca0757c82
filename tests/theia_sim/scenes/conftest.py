"""One compiled door scene for all tests of this folder; each test resets it."""

import pytest

from theia_sim.envs import make_env


@pytest.fixture(scope="session")
def door_env():
    env = make_env("door")
    yield env
    env.close()


@pytest.fixture
def env(door_env):
    door_env.reset(door_env.params_type.sample(0))
    return door_env
