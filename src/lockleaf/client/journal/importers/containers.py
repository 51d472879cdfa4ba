"""What a journal to import lies in: the files of it, each read as a stream out of where it lies.

Nothing is ever unpacked to the disk. Links, pipes and devices are refused, and named.
"""

from __future__ import annotations

import codecs
import os
import stat
import tarfile
import unicodedata
import zipfile
import zlib
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from lockleaf.client.errors import ImportRefused
from lockleaf.client.journal.import_report import Skipped

__all__ = [
    "LINK",
    "MAX_MEMBERS",
    "NO_FILE",
    "Container",
    "FileContainer",
    "FolderContainer",
    "Member",
    "Unreadable",
    "local_time",
    "shown_name",
]

MAX_MEMBERS = 500_000
LINK = "a link: copy the file that it leads to in its place"
_TWICE = "a file of this name comes again behind it, and counts"
NO_FILE = "neither a file nor a folder"
_DAMAGED = (zipfile.BadZipFile, zlib.error, EOFError, tarfile.TarError)


class Unreadable(Exception):
    """A file cannot be read; the text says why, as part of a sentence."""


@dataclass(frozen=True, slots=True)
class Member:
    """One file: its path within the container with ``/``, its size in bytes, and when it was last changed, if known."""

    name: str
    size: int
    modified: datetime | None = None


class Container(ABC):
    """The files of a journal to import.

    Attributes:
        path: where it lies.
        label: what the whole is called.
        refused: what in it is left out, and why.
        held: what a reader holds open until the import has ended.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.label = path.resolve().name
        self.held = ExitStack()
        self.refused: list[Skipped] = []
        self._members: dict[str, Member] = {}
        self._folded: dict[str, str] | None = None
        self._last: dict[str, list[str]] | None = None

    @property
    def members(self) -> tuple[Member, ...]:
        """Every file, by its name."""
        return tuple(self._members[name] for name in sorted(self._members))

    def get(self, name: str) -> Member | None:
        """Return the file of a name; another spelling of the same letters, or another case, does as well."""
        if name in self._members:
            return self._members[name]
        if self._folded is None:
            self._folded = {_folded(each): each for each in self._members}
        return self._members.get(self._folded.get(_folded(name), ""))

    def called(self, last: str) -> tuple[Member, ...]:
        """Return the files whose name without folders is ``last``, in any folder and case."""
        if self._last is None:
            self._last = {}
            for name in sorted(self._members):
                self._last.setdefault(_folded(PurePosixPath(name).name), []).append(name)
        return tuple(self._members[name] for name in self._last.get(_folded(last), ()))

    @contextmanager
    def reading(self, name: str) -> Iterator[BinaryIO]:
        """Give the bytes of a file.

        Raises:
            Unreadable: it is damaged, locked with a password, or gone.
        """
        try:
            with self.open(name) as file:
                yield file
        except _DAMAGED:
            raise Unreadable("it is damaged") from None

    def read(self, name: str, limit: int) -> bytes:
        """Return the bytes of a file.

        Raises:
            Unreadable: it is longer than ``limit``, or cannot be read.
        """
        with self.reading(name) as file:
            data = file.read(limit + 1)
        if len(data) > limit:
            raise Unreadable(f"longer than {limit // 1024 // 1024} MiB")
        return data

    def start(self, name: str, size: int = 64 * 1024) -> bytes:
        """Return the first bytes of a file, none where it cannot be read."""
        try:
            with self.reading(name) as file:
                return file.read(size)
        except Unreadable:
            return b""

    def plain_start(self, name: str, size: int = 64 * 1024) -> bytes:
        """Return the first bytes of a file of text, without the mark and the zeros of UTF-16."""
        start = self.start(name, size)
        for mark in (codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
            start = start.removeprefix(mark)
        return start.replace(b"\0", b"")

    @abstractmethod
    def open(self, name: str) -> BinaryIO:
        """Open a file, as a stream that can go back.

        Raises:
            Unreadable: it cannot be opened.
        """

    def close(self) -> None:
        """Close what is open."""
        self.held.close()

    def _add(self, member: Member) -> None:
        if member.name in self._members:
            self.refused.append(Skipped(member.name, _TWICE))
        self._members[member.name] = member
        if len(self._members) > MAX_MEMBERS:
            raise ImportRefused(f"It has more than {MAX_MEMBERS:,} files. Import it in parts.")


class FileContainer(Container):
    """A single file."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._path = path
        status = path.stat()
        self._add(Member(path.name, status.st_size, local_time(status.st_mtime)))

    def open(self, name: str) -> BinaryIO:
        """Open the file."""
        try:
            return self._path.open("rb")
        except OSError as error:
            raise Unreadable(f"it cannot be read: {error.strerror}") from None


class FolderContainer(Container):
    """A folder with all that is below it; hidden files and folders are no part of it."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._path = path
        self._look("")

    def _look(self, below: str) -> None:
        with os.scandir(self._path / below) as found:
            entries = sorted(found, key=lambda each: each.name)
        for entry in entries:
            name = f"{below}/{entry.name}" if below else entry.name
            if entry.name.startswith("."):
                continue
            if entry.is_symlink():
                self.refused.append(Skipped(shown_name(name), LINK))
            elif entry.is_dir(follow_symlinks=False):
                try:
                    self._look(name)
                except OSError as error:
                    self.refused.append(Skipped(shown_name(name), f"the folder cannot be read: {error.strerror}"))
            elif not entry.is_file(follow_symlinks=False):
                self.refused.append(Skipped(shown_name(name), NO_FILE))
            else:
                status = entry.stat(follow_symlinks=False)
                self._add(Member(name, status.st_size, local_time(status.st_mtime)))

    def open(self, name: str) -> BinaryIO:
        """Open a file of the folder; one that became a link or a pipe since is refused."""
        try:
            handle = os.open(self._path / name, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOFOLLOW)
        except OSError as error:
            raise Unreadable(f"it cannot be read: {error.strerror}") from None
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            os.close(handle)
            raise Unreadable(NO_FILE)
        return os.fdopen(handle, "rb")


def _folded(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold()


def shown_name(name: str) -> str:
    """Return a name as it can be written: file systems and archives take bytes that are no text."""
    return name.encode("utf-8", "replace").decode()


def local_time(seconds: float) -> datetime | None:
    """Return a number of seconds since 1970 as a time of this machine, None where it is no such time."""
    try:
        return datetime.fromtimestamp(int(seconds)).astimezone()
    except (OverflowError, ValueError, OSError):
        return None
