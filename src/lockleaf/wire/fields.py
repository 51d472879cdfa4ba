"""The field types that bodies are made of: bytes that are base64 in JSON and raw in MessagePack, times, names."""

from __future__ import annotations

import binascii
from datetime import UTC, datetime
from typing import Annotated, Any

from annotated_types import Len
from pydantic import AfterValidator, Field, GetCoreSchemaHandler, GetJsonSchemaHandler, StringConstraints
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

from lockleaf.wire.forms import DEVICE_ID, DIGEST_LENGTH, is_rfc3339

__all__ = [
    "Base64",
    "BaseRevision",
    "Bytes",
    "Collection",
    "DeviceId",
    "Digest",
    "Instant",
    "Label",
    "NextRevision",
    "RecordId",
    "Rfc3339Text",
    "Secret",
    "Sequence64",
    "Token",
    "decode_base64",
    "encode_base64",
]

LABEL_LENGTH = 16
TOKEN_LENGTH = 8


def encode_base64(data: bytes) -> str:
    """Return ``data`` in the standard base64 alphabet with padding."""
    return binascii.b2a_base64(data, newline=False).decode("ascii")


def decode_base64(text: str) -> bytes:
    """Return the bytes of ``text``; anything but canonical, padded, standard base64 is a ``ValueError``.

    Canonical means that encoding the result gives ``text`` again: a decoder that ignores stray bits or line ends
    would let two texts stand for the same bytes.
    """
    try:
        data = binascii.a2b_base64(text, strict_mode=True)
    except (binascii.Error, ValueError):
        raise ValueError("not standard base64 with padding") from None
    if binascii.b2a_base64(data, newline=False) != text.encode("ascii", "replace"):
        raise ValueError("not canonical base64")
    return data


class Base64:
    """Marks a ``bytes`` field: base64 in JSON, raw bytes in MessagePack and in Python.

    Arguments:
        length: exactly so many bytes; any number by default. (``Len`` does the same by a call into Python for each.)
    """

    def __init__(self, length: int | None = None) -> None:
        self._length = length

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Validate text in JSON and bytes elsewhere; serialise the same way."""
        raw = core_schema.bytes_schema(strict=True, min_length=self._length, max_length=self._length)
        return core_schema.json_or_python_schema(
            json_schema=core_schema.chain_schema(
                [
                    core_schema.str_schema(strict=True),
                    core_schema.no_info_plain_validator_function(decode_base64),
                    raw,
                ]
            ),
            python_schema=raw,
            serialization=core_schema.plain_serializer_function_ser_schema(encode_base64, when_used="json"),
        )

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """Describe the JSON form."""
        return {"type": "string", "contentEncoding": "base64", "format": "base64"}


def _in_utc(value: datetime) -> datetime:
    """A time without a zone is UTC; every time is kept in UTC."""
    try:
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
    except OverflowError:
        # The first and the last day of the calendar, in zones where they lie beyond it.
        raise ValueError("not a time that exists in UTC") from None


def _is_rfc3339(value: str) -> str:
    """Keep the text as it came: it is hashed into the record's seal, so it must come back to the letter."""
    if not is_rfc3339(value):
        raise ValueError("not an RFC 3339 time with a zone, or not a time that exists")
    return value


Bytes = Annotated[bytes, Base64()]
Digest = Annotated[bytes, Base64(), Len(DIGEST_LENGTH, DIGEST_LENGTH)]
Label = Annotated[bytes, Base64(), Len(LABEL_LENGTH, LABEL_LENGTH)]
Token = Annotated[bytes, Base64(TOKEN_LENGTH)]
Instant = Annotated[datetime, AfterValidator(_in_utc)]
Rfc3339Text = Annotated[str, StringConstraints(max_length=40), AfterValidator(_is_rfc3339)]
RecordId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._-]{1,128}$")]
Collection = Annotated[str, StringConstraints(pattern=r"^(entries|tags|vault|backups|x-[a-z0-9._-]{1,62})$")]
DeviceId = Annotated[str, StringConstraints(pattern=f"^{DEVICE_ID}$")]
Secret = Annotated[str, StringConstraints(min_length=8, max_length=1024)]
Sequence64 = Annotated[int, Field(ge=0, le=2**62)]
# One less and one more, so that the revision that follows a base, and the base of a revision, are such numbers too.
BaseRevision = Annotated[int, Field(ge=0, le=2**62 - 1)]
NextRevision = Annotated[int, Field(ge=1, le=2**62)]
