"""The byte forms that every hash, seal and signature is made of (PROTOCOL, Notation)."""

from __future__ import annotations

import binascii
from struct import Struct
from typing import Any

import ormsgpack

from lockleaf.crypto.errors import Malformed

__all__ = ["decode_base64", "encode_base64", "lp", "pack", "strict_unpack", "u64"]

MAX_U64 = 2**64 - 1

_length = Struct(">I").pack
_u64 = Struct(">Q").pack


def lp(value: bytes | str) -> bytes:
    """Return ``value`` behind its length in 4 bytes big-endian; text as UTF-8.

    Raises:
        Malformed: the text has no UTF-8 form (a lone surrogate).
    """
    if isinstance(value, str):
        try:
            value = value.encode()
        except UnicodeEncodeError:
            raise Malformed("the text has no UTF-8 form") from None
    return _length(len(value)) + value


def u64(number: int) -> bytes:
    """Return ``number`` as 8 bytes big-endian.

    Raises:
        Malformed: it is negative or does not fit.
    """
    if not 0 <= number <= MAX_U64:
        raise Malformed("a number does not fit into 8 bytes")
    return _u64(number)


def pack(value: Any) -> bytes:
    """Return ``value`` as MessagePack. Map keys are text; times and other objects are not taken silently.

    Raises:
        Malformed: the value has no MessagePack form here.
    """
    try:
        return ormsgpack.packb(value, option=_PLAIN_TYPES)
    except (TypeError, ValueError):  # MsgpackEncodeError is a TypeError
        raise Malformed("the value has no MessagePack form") from None


# What a seal holds must come back as what went in; times, dataclasses and the like would come back as something else.
_PLAIN_TYPES = (
    ormsgpack.OPT_PASSTHROUGH_DATACLASS
    | ormsgpack.OPT_PASSTHROUGH_DATETIME
    | ormsgpack.OPT_PASSTHROUGH_ENUM
    | ormsgpack.OPT_PASSTHROUGH_SUBCLASS
    | ormsgpack.OPT_PASSTHROUGH_UUID
)


def strict_unpack(data: bytes) -> Any:
    """Return the one MessagePack value that ``data`` holds.

    Raises:
        Malformed: it is no MessagePack, or something follows the value.
    """
    try:
        value = ormsgpack.unpackb(data)
    except ValueError:  # MsgpackDecodeError is a ValueError
        raise Malformed("not a MessagePack value") from None
    # The decoder ignores what follows the value. It reads from the front and needs each byte of the value, so without
    # its last byte the input decodes exactly if that byte was not part of the value.
    try:
        ormsgpack.unpackb(memoryview(data)[:-1])
    except ValueError:
        return value
    raise Malformed("bytes follow the MessagePack value")


def encode_base64(data: bytes) -> str:
    """Return ``data`` in the standard base64 alphabet with padding."""
    return binascii.b2a_base64(data, newline=False).decode("ascii")


def decode_base64(text: str) -> bytes:
    """Return the bytes of canonical, padded, standard base64.

    Raises:
        Malformed: anything else, a second spelling of the same bytes included.
    """
    try:
        data = binascii.a2b_base64(text, strict_mode=True)
    except ValueError:
        raise Malformed("not standard base64 with padding") from None
    if encode_base64(data) != text:
        raise Malformed("not canonical base64")
    return data
