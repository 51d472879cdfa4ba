"""Sealing a file for its upload: read once, as a stream, into a file of the profile's folder that is sent as it is.

The sealed bytes lie there until the server has them all, so that an upload goes on with the very same ones whenever it
was interrupted. Sealing again would make others.
"""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import IO

from lockleaf.client.errors import AttachmentTooLarge, FileChanged, NoSuchFile
from lockleaf.client.media.staging_folder import StagedFile
from lockleaf.client.media.threads import Beat
from lockleaf.client.profile.private_files import full_disk_by_name
from lockleaf.crypto.streams import seal_stream
from lockleaf.wire.content import MAX_MEDIA_BYTES

__all__ = ["MAX_BYTES", "ONE_PART", "PART_BYTES", "Part", "Sealed", "Source", "sealed_from"]

PART_BYTES = 16 * 1024 * 1024
"""Of each part of a large upload, but its last."""
ONE_PART = 2 * PART_BYTES
"""A file up to this is sent in one piece."""
MAX_BYTES = MAX_MEDIA_BYTES - 8 * 1024 * 1024
"""Plain bytes of the largest file: sealed it is a little longer."""

_BUFFER = 1024 * 1024

Part = tuple[int, bytes]
"""The size of a part, and its SHA-256."""


@dataclass(frozen=True, slots=True)
class Sealed:
    """What is known of a file once it is sealed.

    Attributes:
        size, sha256: of the plain bytes.
        sealed_size, sealed_sha256: of the age file.
        parts: those in which the age file is sent; none where it goes in one piece.
    """

    size: int
    sha256: bytes
    sealed_size: int
    sealed_sha256: bytes
    parts: tuple[Part, ...]


class Source:
    """A file that is to be attached, open, with what tells whether it changes.

    Raises:
        NoSuchFile: there is no regular file that can be read.
        AttachmentTooLarge: it is longer than the store takes.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            # Without O_NONBLOCK a pipe that nobody writes to would hold us here for ever.
            handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        except (OSError, ValueError):
            raise NoSuchFile from None
        try:
            self._before = os.fstat(handle)
            if not stat.S_ISREG(self._before.st_mode):
                raise NoSuchFile
            if self._before.st_size > MAX_BYTES:
                raise AttachmentTooLarge
            self.file: IO[bytes] = os.fdopen(handle, "rb", buffering=_BUFFER)
        except BaseException:
            os.close(handle)
            raise

    @property
    def size(self) -> int:
        """In bytes, as it was opened."""
        return self._before.st_size

    def check_unchanged(self) -> None:
        """Make sure that the file is what it was when it was opened, and still the one of its name.

        Raises:
            FileChanged: it is not.
        """
        try:
            now = (os.fstat(self.file.fileno()), self.path.stat())
        except OSError:
            raise FileChanged from None
        if any(_mark(each) != _mark(self._before) for each in now):
            raise FileChanged

    def __enter__(self) -> Source:
        return self

    def __exit__(self, *_: object) -> None:
        self.file.close()


def _mark(status: os.stat_result) -> tuple[int, ...]:
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns


class _Counted:
    """Passes bytes on, and counts and hashes them on their way."""

    def __init__(self, file: IO[bytes], beat: Beat | None = None, limit: int | None = None) -> None:
        self._file = file
        self._beat = beat
        self._limit = limit
        self._told = 0
        self.size = 0
        self.digest = sha256()

    def read(self, size: int) -> bytes:
        data = self._file.read(size)
        self._count(data)
        if self._limit is not None and self.size > self._limit:
            raise FileChanged
        return data

    def write(self, data: bytes) -> int:
        self._count(data)
        return self._file.write(data)

    def flush(self) -> None:
        self._file.flush()

    def _count(self, data: bytes) -> None:
        self.digest.update(data)
        self.size += len(data)
        if self._beat is not None and self.size - self._told >= _BUFFER:
            self._told = self.size
            self._beat(self.size)


class _Parted(_Counted):
    """Hashes each part by itself too."""

    def __init__(self, file: IO[bytes]) -> None:
        super().__init__(file)
        self.parts: list[Part] = []
        self._part, self._part_size = sha256(), 0

    def write(self, data: bytes) -> int:
        rest = memoryview(data)
        while len(rest) >= PART_BYTES - self._part_size:
            room = PART_BYTES - self._part_size
            self._part.update(rest[:room])
            self._part_size += room
            self._end_part()
            rest = rest[room:]
        self._part.update(rest)
        self._part_size += len(rest)
        return super().write(data)

    def _end_part(self) -> None:
        if self._part_size:
            self.parts.append((self._part_size, self._part.digest()))
            self._part, self._part_size = sha256(), 0

    def all_parts(self) -> tuple[Part, ...]:
        """Return the parts, the last one included."""
        self._end_part()
        return tuple(self.parts)


def sealed_from(plain: IO[bytes], size: int, staged: StagedFile, recipient: str, beat: Beat) -> Sealed:
    """Seal the ``size`` bytes that ``plain`` gives to an age recipient into ``staged``, as a stream; blocks.

    Raises:
        FileChanged: there are more of them, or fewer.
        DiskFull: there is no space for the sealed file.
    """
    reader = _Counted(plain, beat, limit=size)
    writer: _Counted = _Parted(staged.file) if size > ONE_PART else _Counted(staged.file)
    with full_disk_by_name():
        seal_stream(recipient, reader, writer)
        staged.settle()
    if reader.size != size:
        raise FileChanged
    parts = writer.all_parts() if isinstance(writer, _Parted) else ()
    return Sealed(reader.size, reader.digest.digest(), writer.size, writer.digest.digest(), parts)
