"""Serialised messages whose first field is a Header, looked at without decoding them."""

import struct

_STAMP = {0: struct.Struct(">iI"), 1: struct.Struct("<iI")}


def raw_stamp_s(cdr: bytes) -> float:
    """Header stamp of a serialised message, in seconds.

    Args:
        cdr: bytes of a raw subscription: 4 bytes of encapsulation, whose second tells the byte order, then
            the stamp.
    """
    sec, nanosec = _STAMP[cdr[1] & 1].unpack_from(cdr, 4)
    return sec + nanosec * 1e-9
