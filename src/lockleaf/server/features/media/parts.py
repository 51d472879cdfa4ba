"""The parts of a large file as they are kept: in their order, size and digest of each."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass

from lockleaf.server.platform.blobs.protocol import StoredPart
from lockleaf.wire.media import Part

__all__ = ["DeclaredPart", "fitting", "packed", "unpacked"]

_PART = struct.Struct(">I32s")


@dataclass(frozen=True, slots=True)
class DeclaredPart:
    """A part as its client declared it; numbers begin with 1."""

    number: int
    size: int
    sha256: bytes


def packed(parts: Sequence[Part] | None) -> bytes | None:
    """Return declared parts as they are kept."""
    return None if parts is None else b"".join(_PART.pack(part.size, part.sha256) for part in parts)


def unpacked(kept: bytes | None) -> list[DeclaredPart]:
    """Return the parts that were declared; none of a file that comes whole."""
    return [
        DeclaredPart(number, size, sha256) for number, (size, sha256) in enumerate(_PART.iter_unpack(kept or b""), 1)
    ]


def fitting(declared: Sequence[DeclaredPart], stored: Sequence[StoredPart]) -> list[int]:
    """Return the numbers of the parts that the store has as they were declared.

    A store that does not say the digest of a part has checked it when it came: it was signed for.
    """
    there = {part.number: part for part in stored}
    return [
        part.number
        for part in declared
        if (found := there.get(part.number)) is not None
        and found.size == part.size
        and found.sha256 in (None, part.sha256)
    ]
