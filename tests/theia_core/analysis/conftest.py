import base64
import io
from html.parser import HTMLParser

import numpy as np
import pytest
from PIL import Image

from theia_core.analysis.encoder_views import EncoderView, ShownImage

VOID = ("meta", "img", "br", "link", "input", "hr")


class ReadPage(HTMLParser):
    """A page as a reader gets it; refuses tags that do not close where they should, and links to elsewhere.

    Attributes:
        text: all text outside of style sheets.
        pictures: alternative text and (h, w, 3) uint8 pixels of every picture.
        tables: rows of cells of every table, as text.
        labels: texts inside charts.
    """

    def __init__(self, html):
        super().__init__(convert_charrefs=True)
        self.open, self.text, self.pictures, self.tables, self.labels = [], "", [], [], []
        assert html.startswith("<!DOCTYPE html>")
        for outside in ("http:", "https:", "url(", "@import", "<script", 'src="//', "<link"):
            assert outside not in html, outside
        self.feed(html)
        self.close()
        assert not self.open, f"left open: {self.open}"

    def handle_starttag(self, tag, attributes):
        values = dict(attributes)
        assert len(values) == len(attributes), f"attribute twice in {tag}"
        if tag == "img":
            kind, data = values["src"].split(";base64,")
            assert kind in ("data:image/png", "data:image/jpeg")
            assert values["alt"]
            self.pictures.append((values["alt"], np.asarray(Image.open(io.BytesIO(base64.b64decode(data))))))
        if tag == "table":
            self.tables.append([])
        if tag == "tr":
            self.tables[-1].append([])
        if tag in ("td", "th"):
            self.tables[-1][-1].append("")
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        pass

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if "style" in self.open:
            return
        self.text += data
        if "svg" in self.open:
            self.labels.append(data)
        elif "td" in self.open or "th" in self.open:
            self.tables[-1][-1][-1] += data


@pytest.fixture
def read_page():
    return ReadPage


@pytest.fixture
def view():
    """Makes an encoder's view of random tokens."""

    def view(label="one", images=3, grid=(4, 4), channels=6, seed=0, scale=1.0):
        tokens = np.random.default_rng(seed).normal(1, 1, (images, grid[0] * grid[1], channels)) * scale
        return EncoderView(label, f"{label}@0123", f"{label} & <co>", "MIT", grid, tokens.astype(np.float32))

    return view


@pytest.fixture
def shown():
    """The first and the last of three images."""
    pixels = np.random.default_rng(0).integers(0, 256, (2, 32, 32, 3), dtype=np.uint8)
    return [ShownImage("folder/first", 0, pixels[0]), ShownImage("folder/<last>", 2, pixels[1])]
