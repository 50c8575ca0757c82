"""Which bytes become which pixels, and which are refused with a sentence that names the file."""

import io

import numpy as np
import pytest
from PIL import Image

from theia_training.sources import UnreadableImage
from theia_training.sources.pixels import decode_rgb


@pytest.mark.parametrize("kind", ["PNG", "BMP", "TIFF", "PPM"])
def test_lossless_files_come_back_exactly(kind, picture, encode):
    rgb = decode_rgb(encode(picture(1), kind), "a")
    assert rgb.dtype == np.uint8 and np.array_equal(rgb, picture(1))


@pytest.mark.parametrize("kind", ["JPEG", "WEBP"])
def test_lossy_files_come_back_nearly(kind, picture, encode):
    rgb = decode_rgb(encode(picture(1), kind, quality=95), "a")
    assert rgb.shape == (48, 64, 3)
    assert np.abs(rgb.astype(int) - picture(1)).mean() < 3


def test_grey_becomes_three_equal_channels(picture, encode):
    grey = picture(2)[..., 0]
    assert np.array_equal(decode_rgb(encode(grey), "a"), np.repeat(grey[..., None], 3, axis=2))


def test_palette_becomes_its_colours():
    image = Image.new("P", (2, 1))
    image.putpalette([200, 30, 90, 1, 2, 3])
    image.putpixel((1, 0), 1)
    stream = io.BytesIO()
    image.save(stream, "PNG")
    assert decode_rgb(stream.getvalue(), "a").tolist() == [[[200, 30, 90], [1, 2, 3]]]


def test_transparency_is_laid_over_white(encode):
    layer = np.zeros((2, 2, 4), np.uint8)
    layer[0] = (10, 20, 30, 255)
    layer[1] = (10, 20, 30, 0)
    rgb = decode_rgb(encode(layer), "a")
    assert rgb[0, 0].tolist() == [10, 20, 30] and rgb[1, 0].tolist() == [255, 255, 255]


def test_a_transparent_palette_colour_is_laid_over_white():
    image = Image.new("P", (4, 4), 0)
    image.putpalette([9, 8, 7, 1, 2, 3])
    image.putpixel((1, 1), 1)
    stream = io.BytesIO()
    image.save(stream, "PNG", transparency=0)
    rgb = decode_rgb(stream.getvalue(), "a")
    assert rgb[0, 0].tolist() == [255, 255, 255] and rgb[1, 1].tolist() == [1, 2, 3]


def test_cmyk_is_converted(encode):
    white = np.full((8, 8, 3), 255, np.uint8)
    assert decode_rgb(encode(white, "JPEG", mode="CMYK", quality=95), "a").min() > 250


def test_sixteen_bits_are_refused():
    stream = io.BytesIO()
    Image.fromarray(np.full((4, 4), 4000, np.uint16)).save(stream, "PNG")
    with pytest.raises(UnreadableImage, match=r"deep\.png has pixels of mode I.*8 bits per channel"):
        decode_rgb(stream.getvalue(), "deep.png")


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_a_truncated_file_is_refused_and_named(kind, picture, encode):
    data = encode(picture(3, 256, 256), kind)
    with pytest.raises(UnreadableImage, match=r"photos/cut\.jpg cannot be decoded"):
        decode_rgb(data[: len(data) * 2 // 3], "photos/cut.jpg")


@pytest.mark.parametrize(
    ("data", "says"), [(b"", "is empty"), (b"<html>not found</html>", "is no image that Pillow knows")]
)
def test_what_is_no_image_is_refused_and_named(data, says):
    with pytest.raises(UnreadableImage, match=f"x.jpg {says}"):
        decode_rgb(data, "x.jpg")
