"""theia_msgs/SpatialTokens and numpy. Half precision on the wire."""

import numpy as np
from std_msgs.msg import Header
from theia_msgs.msg import SpatialTokens

from theia_core.errors import TheiaError

_FLOAT_OF_SIZE = {2: np.float16, 4: np.float32}


def tokens_message(
    tokens: np.ndarray, grid: tuple[int, int], encoder_id: str, header: Header, encode_ms: float
) -> SpatialTokens:
    """A message of tokens (h*w, d), stored as float16; `header` is that of the camera frame."""
    height, width = grid
    message = SpatialTokens(
        header=header,
        encoder_id=encoder_id,
        height=height,
        width=width,
        channels=tokens.shape[1],
        dtype=SpatialTokens.DTYPE_FLOAT,
        encode_ms=encode_ms,
    )
    half = np.ascontiguousarray(tokens, dtype="<f2")
    message.data.frombytes(memoryview(half).cast("B"))
    return message


def tokens_array(message: SpatialTokens) -> np.ndarray:
    """Tokens (h*w, d), float16 or float32 as they came, sharing the message's memory.

    Raises:
        TheiaError: if the bytes do not fit the shape, or hold anything but floats.
    """
    count = message.height * message.width * message.channels
    size = len(message.data) // count if count else 0
    fits = count > 0 and size * count == len(message.data) and size in _FLOAT_OF_SIZE
    if message.dtype != SpatialTokens.DTYPE_FLOAT or not fits:
        shape = f"{message.height}x{message.width}x{message.channels}"
        raise TheiaError(
            f"tokens of {message.encoder_id} have {len(message.data)} bytes of type {message.dtype} "
            f"for {shape}; expected 16 or 32 bit floats"
        )
    values = np.asarray(message.data).view(_FLOAT_OF_SIZE[size])
    return values.reshape(message.height * message.width, message.channels)
