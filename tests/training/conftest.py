"""A made-up task whose actions can be read off the picture: move towards the red square."""

import json
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")


@dataclass
class FakeSteps:
    images: list
    joints: np.ndarray
    actions: np.ndarray
    held: np.ndarray = field(default=None)

    def __post_init__(self):
        if self.held is None:
            self.held = np.zeros(len(self.actions), bool)


def square_frame(x, y):
    """(48, 64, 3) uint8: red square at (x, y) in 0..1 on grey."""
    frame = np.full((48, 64, 3), 120, np.uint8)
    column, row = round(8 + 48 * x), round(8 + 32 * y)
    frame[row - 7 : row + 7, column - 7 : column + 7] = (220, 20, 20)
    return frame


def square_action(x, y):
    """Action (7,): position deltas follow the square, the gripper closes when it is on the right."""
    return np.array([0.02 * (x - 0.5), 0.02 * (y - 0.5), 0, 0, 0, 0, float(x < 0.5)], np.float32)


def read_square_episode(path, rate_hz):
    """Episode of a file that holds a seed and a length."""
    plan = json.loads(Path(path).read_text())
    rng = np.random.default_rng(plan["seed"])
    places = rng.random((plan["steps"], 2))
    return FakeSteps(
        [square_frame(x, y) for x, y in places],
        rng.normal(0, 0.2, (len(places), 7)).astype(np.float32),
        np.stack([square_action(x, y) for x, y in places]),
    )


@pytest.fixture(scope="session")
def square_data(tmp_path_factory):
    """Folder of eight episodes of twelve steps."""
    folder = tmp_path_factory.mktemp("squares")
    for seed in range(8):
        (folder / f"{seed}.mcap").write_text(json.dumps({"seed": seed, "steps": 12}))
    return folder


@pytest.fixture
def short_recipe():
    """Seconds instead of minutes."""
    from theia_training.recipes import RECIPES

    return replace(RECIPES["cpu"], epochs=3, batch_size=16, warmup_updates=4, learning_rate=3e-4)


@pytest.fixture(scope="session")
def squares():
    """The made-up task: `frame(x, y)`, `action(x, y)` and `read(path, rate_hz)`."""
    from types import SimpleNamespace

    return SimpleNamespace(
        frame=square_frame, action=square_action, read=read_square_episode, Steps=FakeSteps
    )
