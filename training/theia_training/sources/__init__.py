"""Training images: folders, WebDataset shards and recorded episodes behind one interface."""

from theia_training.sources.image_source import ImageRef, ImageSource, UnreadableImage
from theia_training.sources.opening import open_source

__all__ = ["ImageRef", "ImageSource", "UnreadableImage", "open_source"]
