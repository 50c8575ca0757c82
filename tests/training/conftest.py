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
    from theia_training.cloning.recipes import RECIPES

    return replace(RECIPES["cpu"], epochs=3, batch_size=16, warmup_updates=4, learning_rate=3e-4)


@pytest.fixture(scope="session")
def squares():
    """The made-up task: `frame(x, y)`, `action(x, y)` and `read(path, rate_hz)`."""
    from types import SimpleNamespace

    return SimpleNamespace(
        frame=square_frame, action=square_action, read=read_square_episode, Steps=FakeSteps
    )


class PooledColours:
    """A teacher whose features are averaged colours times a fixed matrix: real enough to be learnt."""

    def __init__(self, name="colours", channels=4, grid=7, seed=0, has_cls=False):
        from theia_core.encoders.feature_size import FeatureSize
        from theia_core.images import Preprocessing
        from theia_training.teachers import TeacherSpec

        self.spec = TeacherSpec(
            name=name,
            size=FeatureSize(channels, grid, grid),
            preprocessing=Preprocessing(56),
            licence="none",
            source="test",
            description="averaged colours",
            has_cls=has_cls,
        )
        self.weights_sha256 = f"{seed:064x}"
        self.mixture = np.random.default_rng(seed).standard_normal((channels, 3)).astype(np.float32)
        self.calls = 0

    def run(self, frames):
        from theia_training.teachers import TeacherOutput

        self.calls += len(frames)
        grid = self.spec.size.height
        side = frames.shape[1] // grid
        blocks = frames[:, : side * grid, : side * grid].reshape(len(frames), grid, side, grid, side, 3)
        colours = blocks.mean((2, 4)) / 255  # (B, grid, grid, 3)
        spatial = np.einsum("cr,bijr->bcij", self.mixture, colours).astype(np.float32)
        return TeacherOutput(spatial, spatial.mean((2, 3)) if self.spec.has_cls else None)


@pytest.fixture
def pooled_colours():
    return PooledColours


@pytest.fixture
def image_folder(tmp_path):
    """Sixteen pictures of coloured rectangles, cut from eight sources."""
    from PIL import Image

    folder = tmp_path / "pictures"
    folder.mkdir()
    random = np.random.default_rng(5)
    for source in range(8):
        for crop in range(2):
            coarse = random.integers(0, 256, (5, 6, 3), dtype=np.uint8)
            picture = np.kron(coarse, np.ones((12, 12, 1), np.uint8))
            Image.fromarray(picture).save(folder / f"source{source}__{crop}.png")
    return folder


@pytest.fixture
def feature_store(tmp_path, image_folder):
    """A finished store of two teachers over the pictures, in shards of four."""
    from theia_training.features.extract import ExtractConfig, Extraction, items_of
    from theia_training.sources import open_source

    folder = tmp_path / "features"
    teachers = [
        PooledColours(has_cls=True),
        PooledColours("greys", channels=2, grid=14, seed=1, has_cls=True),
    ]
    config = ExtractConfig(folder, shard_size=4, held_out=0.5, batch_size=3)
    Extraction(items_of([open_source(image_folder)]), teachers, config).run()
    return folder
