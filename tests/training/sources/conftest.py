"""Pictures that every reader must give back."""

import io

import numpy as np
import pytest
from PIL import Image


def picture(seed=0, width=64, height=48):
    """A smooth (height, width, 3) uint8 picture that differs from seed to seed."""
    rng = np.random.default_rng(seed)
    small = Image.fromarray(rng.integers(0, 256, (6, 8, 3), dtype=np.uint8))
    return np.asarray(small.resize((width, height), Image.Resampling.BICUBIC))


def encode(array, kind="PNG", mode=None, **options):
    """Bytes of an image file."""
    image = Image.fromarray(array)
    stream = io.BytesIO()
    (image.convert(mode) if mode else image).save(stream, kind, **options)
    return stream.getvalue()


@pytest.fixture(name="picture")
def _picture():
    return picture


@pytest.fixture(name="encode")
def _encode():
    return encode
