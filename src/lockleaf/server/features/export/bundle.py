"""A ZIP file that is taken away in parts while it is made, so that it is never whole in memory or on a disk."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from hashlib import sha256
from typing import IO, Any
from uuid import UUID

from lockleaf.wire.fields import encode_base64

__all__ = ["PART_BYTES", "Bundle", "as_json"]

PART_BYTES = 1024 * 1024
# What is sealed does not compress; what base64 adds to it does, as well with the fastest level as with any.
_LEVEL = 1


def as_json(value: Any) -> str:
    """Return ``value`` as JSON on one line: bytes in base64, times in UTC with Z."""
    return json.dumps(value, default=_told, ensure_ascii=False, separators=(",", ":"))


def _told(value: object) -> str:
    match value:
        case bytes():
            return encode_base64(value)
        case datetime():
            return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
        case UUID():
            return str(value)
        case _:
            raise TypeError(f"a {type(value).__name__} has no place in an archive")


class _Sink:
    """A file that can only be written to."""

    def __init__(self) -> None:
        self.waiting = bytearray()
        self.size = 0
        self.digest = sha256()

    def write(self, data: bytes) -> int:
        self.waiting += data
        self.size += len(data)
        self.digest.update(data)
        return len(data)

    def flush(self) -> None:
        """Nothing: what is written is taken away by who asks for it."""


class Bundle:
    """A ZIP file in the making.

    Args:
        made_at: the time that its files bear.
    """

    def __init__(self, made_at: datetime) -> None:
        self._sink = _Sink()
        self._zip = zipfile.ZipFile(self._sink, "w", zipfile.ZIP_DEFLATED, compresslevel=_LEVEL)  # type: ignore[call-overload]
        self._made_at = made_at.astimezone(UTC).timetuple()[:6]

    @property
    def size(self) -> int:
        """How many bytes it has so far."""
        return self._sink.size

    @property
    def sha256(self) -> bytes:
        """The digest of its bytes so far."""
        return self._sink.digest.digest()

    @contextmanager
    def file(self, name: str) -> Iterator[IO[bytes]]:
        """Begin a file, of any size; it ends with the ``with``."""
        info = zipfile.ZipInfo(name, date_time=self._made_at)
        info.compress_type = zipfile.ZIP_DEFLATED
        info.external_attr = 0o600 << 16
        with self._zip.open(info, "w", force_zip64=True) as file:
            yield file

    @staticmethod
    def write_lines(file: IO[bytes], lines: Iterable[dict[str, Any]]) -> None:
        """Write each of ``lines`` as JSON."""
        for line in lines:
            file.write(as_json(line).encode() + b"\n")

    def take(self) -> Iterator[bytes]:
        """Take away the full parts that are there."""
        waiting = self._sink.waiting
        while len(waiting) >= PART_BYTES:
            yield bytes(waiting[:PART_BYTES])
            del waiting[:PART_BYTES]

    def end(self) -> Iterator[bytes]:
        """End the ZIP file, and take away the rest."""
        self._zip.close()
        yield from self.take()
        if self._sink.waiting:
            yield bytes(self._sink.waiting)
            self._sink.waiting.clear()
