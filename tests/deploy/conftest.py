"""The shipped Theia-Tiny as engines, exported once, and real frames out of the pictures of the README."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

MEDIA = Path(__file__).parents[2] / "docs" / "media"
FRAME = (480, 640)


@pytest.fixture(scope="session")
def checkpoint():
    pytest.importorskip("torch")
    from theia_deploy.export import load_checkpoint

    return load_checkpoint("theia-tiny", threads=1)


@pytest.fixture(scope="session")
def graph(checkpoint):
    pytest.importorskip("onnxscript")
    from theia_deploy.export import encoder_graph

    return encoder_graph(checkpoint)


@pytest.fixture(scope="session")
def frames():
    """Twelve camera frames (480, 640, 3) of the policies' own views, from the pictures in docs/media."""
    from theia_deploy.real_frames import RealFrames

    with Image.open(MEDIA / "door_scenes.jpg") as image:
        sheet = np.asarray(image.convert("RGB"))
    rng = np.random.default_rng(0)
    cut = []
    for _ in range(12):
        top, left = rng.integers(0, sheet.shape[0] - 240), rng.integers(0, sheet.shape[1] - 320)
        tile = Image.fromarray(sheet[top : top + 240, left : left + 320])
        cut.append(np.asarray(tile.resize(FRAME[::-1], Image.Resampling.BICUBIC)))
    joints = rng.normal(0, 0.1, (8, 7)).astype(np.float32)
    return RealFrames(cut[:4], cut[4:], joints, ("door_scenes.jpg",))


@pytest.fixture(scope="session")
def exported(checkpoint, graph, tmp_path_factory):
    """Engines "onnx" and "onnx-int8" of theia-tiny with raw frames, not certified."""
    from theia_deploy.export import export_engine

    root = tmp_path_factory.mktemp("engines")
    for kind, policy in (("onnx", "door"), ("onnx-int8", None)):
        export_engine(checkpoint, root / kind, kind, frame_size=FRAME, policy=policy, graph=graph)
    return root


@pytest.fixture(scope="session")
def certified(exported, checkpoint, frames):
    """The same with certificates measured on `frames`."""
    from theia_deploy.certify import certify

    for kind in ("onnx", "onnx-int8"):
        assert certify(exported / kind, checkpoint, frames, policy="door", threads=1).passed
    return exported
