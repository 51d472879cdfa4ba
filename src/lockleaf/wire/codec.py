"""The two encodings of one schema: JSON (bytes in base64) and MessagePack (bytes raw)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, TypeVar

import ormsgpack
from pydantic import BaseModel

from lockleaf.wire.base import Body

__all__ = [
    "JSON",
    "MSGPACK",
    "MalformedBody",
    "canonical",
    "decode",
    "encode",
    "pack",
    "pack_with_items",
    "unpack",
    "unpack_stored",
]

JSON = "application/json"
MSGPACK = "application/msgpack"

M = TypeVar("M", bound=BaseModel)


class MalformedBody(ValueError):
    """The bytes are not one MessagePack value, whole and without anything behind it."""


def pack(value: Any) -> bytes:
    """Return ``value`` as MessagePack; times as RFC 3339 text in UTC with Z, UUIDs as text."""
    return ormsgpack.packb(value, option=ormsgpack.OPT_UTC_Z | ormsgpack.OPT_NAIVE_UTC)


def canonical(fields: Mapping[str, Any]) -> bytes:
    """Return ``fields`` as the one MessagePack map that stands for them: keys in the order of their bytes, none absent.

    What a person's client sent as fields is stored and hashed so: the same fields are the same bytes, in whatever
    order and encoding they came.
    """
    present = {name: value for name, value in fields.items() if value is not None}
    return ormsgpack.packb(present, option=ormsgpack.OPT_UTC_Z | ormsgpack.OPT_NAIVE_UTC | ormsgpack.OPT_SORT_KEYS)


def pack_with_items(name: str, items: Sequence[bytes], fields: dict[str, Any]) -> bytes:
    """Return a map whose field ``name`` is an array of values that are packed already, before at most 14 ``fields``.

    For long lists of stored values: they are joined, not decoded and packed again.
    """
    rest = pack(fields)
    count = len(items)
    array = bytes([0x90 | count]) if count < 16 else b"\xdc" + count.to_bytes(2, "big")
    return b"".join((bytes([rest[0] + 1]), pack(name), array, *items, rest[1:]))


def unpack(data: bytes) -> Any:
    """Return the one value that ``data`` holds.

    Raises:
        MalformedBody: it is no MessagePack, or something follows the value.
    """
    try:
        value = ormsgpack.unpackb(data)
    except ValueError:
        raise MalformedBody("not one MessagePack value") from None
    # The decoder ignores what follows the value, and two bodies would then stand for one. A value that needs every
    # byte cannot be read without the last one; a second pass in native code is cheaper than a walk in Python.
    try:
        ormsgpack.unpackb(memoryview(data)[:-1])
    except ValueError:
        return value
    raise MalformedBody("bytes follow the MessagePack value")


def unpack_stored(packed: bytes) -> Any:
    """Return the value that `pack` made of it: of bytes that came from nobody else."""
    return ormsgpack.unpackb(packed)


def encode(body: BaseModel, media_type: str) -> bytes:
    """Return ``body`` in the encoding of ``media_type``; absent optional fields are left out.

    A field that is None is absent, but in a body whose class says that null takes something away.
    """
    nulls = isinstance(body, Body) and body.null_takes_away
    if media_type == MSGPACK:
        return pack(body.model_dump(mode="python", exclude_none=not nulls, exclude_unset=nulls))
    return body.model_dump_json(exclude_none=not nulls, exclude_unset=nulls).encode()


def decode(model: type[M], data: bytes, media_type: str, *, forbid_unknown: bool = False) -> M:
    """Return ``data`` as a ``model``.

    Arguments:
        forbid_unknown: whether a field that the model does not have is an error, at whatever depth.

    Raises:
        MalformedBody: the bytes are not MessagePack.
        pydantic.ValidationError: the bytes are not JSON, or the value is not a ``model``.
    """
    extra: Literal["forbid"] | None = "forbid" if forbid_unknown else None
    if media_type == MSGPACK:
        return model.model_validate(unpack(data), extra=extra)
    return model.model_validate_json(data, extra=extra)
