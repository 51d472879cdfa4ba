"""TenSEAL's messages: the little of Protocol Buffers that they use, read strictly.

A message is written here as its fields in ascending order, each once, with the shortest lengths, as every serialiser
writes it. Another form of the same message is refused: what was checked is then what any other reader finds in it.
"""

from __future__ import annotations

from collections.abc import Mapping
from struct import Struct

from lockleaf.he.errors import Refused

__all__ = ["BYTES", "DOUBLE", "VARINT", "Value", "bytes_of", "read", "read_varint", "write", "write_varint"]

VARINT = 0
DOUBLE = 1
BYTES = 2

Value = int | float | bytes

_DOUBLE = Struct("<d")
_LONGEST_VARINT = 5  # no number here needs more than 32 bits


def read(data: bytes, wire_types: Mapping[int, int]) -> dict[int, Value]:
    """Return the fields of a message by number; those that it leaves out are missing.

    Args:
        data: the message.
        wire_types: what each known field is: VARINT, DOUBLE or BYTES.

    Raises:
        Refused: ``envelope`` or ``truncated``.
    """
    fields: dict[int, Value] = {}
    position, previous = 0, 0
    while position < len(data):
        tag, position = read_varint(data, position)
        number, wire_type = tag >> 3, tag & 7
        if number <= previous or wire_types.get(number) != wire_type:
            raise Refused("envelope")
        previous = number
        if wire_type == VARINT:
            fields[number], position = read_varint(data, position)
            continue
        if wire_type == DOUBLE:
            length = _DOUBLE.size
        else:
            length, position = read_varint(data, position)
        if length > len(data) - position:
            raise Refused("truncated")
        raw = data[position : position + length]
        fields[number] = _DOUBLE.unpack(raw)[0] if wire_type == DOUBLE else raw
        position += length
    return fields


def read_varint(data: bytes, position: int) -> tuple[int, int]:
    """Return the number at ``position``, and the position behind it.

    Raises:
        Refused: ``envelope`` (longer than needed, or more than 32 bits) or ``truncated``.
    """
    value = 0
    for index in range(_LONGEST_VARINT):
        if position + index >= len(data):
            raise Refused("truncated")
        byte = data[position + index]
        value |= (byte & 0x7F) << 7 * index
        if byte < 0x80:
            if (byte == 0 and index) or value >= 2**32:
                break
            return value, position + index + 1
    raise Refused("envelope")


def bytes_of(fields: Mapping[int, Value], number: int) -> bytes:
    """Return a field of bytes of a message that was read; empty where it is missing."""
    value = fields.get(number, b"")
    assert isinstance(value, bytes)
    return value


def write(fields: Mapping[int, Value]) -> bytes:
    """Return the message with these fields, in the order given. Zeros are left out, as other serialisers do."""
    parts: list[bytes] = []
    for number, value in fields.items():
        if not value:
            continue
        if isinstance(value, bytes):
            parts += (write_varint(number << 3 | BYTES), write_varint(len(value)), value)
        elif isinstance(value, float):
            parts += (write_varint(number << 3 | DOUBLE), _DOUBLE.pack(value))
        else:
            parts += (write_varint(number << 3 | VARINT), write_varint(value))
    return b"".join(parts)


def write_varint(value: int) -> bytes:
    """Return a number as it is written, seven bits a byte."""
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)
