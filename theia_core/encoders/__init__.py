"""Encoders: a camera frame becomes spatial tokens."""

from theia_core.encoders.encoder import Encoder
from theia_core.encoders.registry import list_encoders, load_encoder
from theia_core.encoders.spec import EncoderSpec

__all__ = ["Encoder", "EncoderSpec", "list_encoders", "load_encoder"]
