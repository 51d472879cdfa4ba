"""Decompression of Zstandard, into so much memory and no more.

SEAL compresses with Zstandard, and TenSEAL's native module carries the library: this is that same code, called with
room for what is expected. Nothing is added to what is installed, and a bomb has nowhere to grow.
"""

from __future__ import annotations

import ctypes
from functools import cache
from importlib.util import find_spec

from lockleaf.he.errors import Refused

__all__ = ["decompress", "load"]

NATIVE_MODULE = "_tenseal_cpp"


@cache
def _library() -> ctypes.CDLL:
    spec = find_spec(NATIVE_MODULE)
    if spec is None or spec.origin is None:
        raise ImportError("TenSEAL is not installed")
    library = ctypes.CDLL(spec.origin)
    size, pointer = ctypes.c_size_t, ctypes.c_void_p
    for name, result, arguments in (
        ("ZSTD_decompress", size, [pointer, size, ctypes.c_char_p, size]),
        ("ZSTD_findFrameCompressedSize", size, [ctypes.c_char_p, size]),
        ("ZSTD_isError", ctypes.c_uint, [size]),
        ("ZSTD_getErrorCode", ctypes.c_int, [size]),
    ):
        function = getattr(library, name)
        function.restype, function.argtypes = result, arguments
    return library


def load() -> None:
    """Load the library now, rather than with the first frame.

    Raises:
        ImportError: TenSEAL is not installed.
    """
    _library()


DESTINATION_TOO_SMALL = 70  # ZSTD_error_dstSize_tooSmall
SOURCE_WRONG = 72  # ZSTD_error_srcSize_wrong


def decompress(data: bytes, capacity: int) -> bytearray:
    """Return what one Zstandard frame holds.

    Args:
        data: the frame, and nothing after it.
        capacity: how many bytes it may hold at most.

    Raises:
        Refused: ``truncated``, ``trailing``, ``too_large`` (it holds more), or ``compression`` (it is no frame).
    """
    library = _library()
    length = library.ZSTD_findFrameCompressedSize(data, len(data))
    if library.ZSTD_isError(length):
        raise Refused("truncated" if library.ZSTD_getErrorCode(length) == SOURCE_WRONG else "compression")
    if length != len(data):
        raise Refused("trailing")
    room = bytearray(capacity)
    written = library.ZSTD_decompress((ctypes.c_char * capacity).from_buffer(room), capacity, data, len(data))
    if library.ZSTD_isError(written):
        raise Refused("too_large" if library.ZSTD_getErrorCode(written) == DESTINATION_TOO_SMALL else "compression")
    del room[written:]
    return room
