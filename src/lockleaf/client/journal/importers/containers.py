"""What a journal to import lies in: one file, a folder, a ZIP or a TAR. Nothing of it is ever unpacked to the disk.

Every file is read as a stream out of where it lies, so a name that leads elsewhere can do no harm; such names, links
and devices are refused all the same, and named. A ZIP that promises far more bytes than it holds is refused whole.
"""

from __future__ import annotations

import codecs
import io
import os
import stat
import tarfile
import unicodedata
import zipfile
import zlib
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import IO, BinaryIO, cast

from lockleaf.client.errors import ImportRefused
from lockleaf.client.journal.import_report import Skipped

__all__ = ["MAX_MEMBERS", "Container", "Member", "Unreadable", "opened_container"]

MAX_MEMBERS = 500_000
_RATIO = 200
"""So many times its packed bytes a file may have: photos have one, texts up to ten."""
_SMALL = 64 * 1024 * 1024
"""Below this many bytes nobody asks how well a file is packed."""

_LINK = "a link: copy the file that it leads to in its place"
_ELSEWHERE = "its name leads out of the archive"
_TWICE = "a file of this name comes again behind it, and counts"
_PACKED = "packed so tightly that it is no text and no photo"
_NO_FILE = "neither a file nor a folder"
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
        label: what the whole is called.
        refused: what in it is left out, and why.
    """

    def __init__(self, label: str) -> None:
        self.label = label
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

    def close(self) -> None:  # noqa: B027  (most have nothing to close)
        """Close what is open."""

    def _add(self, member: Member) -> None:
        if member.name in self._members:
            self.refused.append(Skipped(member.name, _TWICE))
        self._members[member.name] = member
        if len(self._members) > MAX_MEMBERS:
            raise ImportRefused(f"It has more than {MAX_MEMBERS:,} files. Import it in parts.")


def opened_container(path: Path) -> Container:
    """Open what lies at ``path``.

    Raises:
        ImportRefused: it cannot be read, is damaged, or is a trap.
    """
    try:
        if path.is_dir():
            return FolderContainer(path)
        if not stat.S_ISREG(path.stat().st_mode):
            raise ImportRefused("It is a device or a pipe. Save what comes out of it, and import that.")
        with path.open("rb") as file:
            start = file.read(512)
        if start.startswith((b"PK\x03\x04", b"PK\x05\x06")):
            return ZipContainer(path)
        if start[257:262] == b"ustar":
            return TarContainer(path)
        return FileContainer(path)
    except OSError as error:
        raise ImportRefused(f"It cannot be read: {error.strerror}.") from None


class FileContainer(Container):
    """A single file."""

    def __init__(self, path: Path) -> None:
        super().__init__(path.name)
        self._path = path
        status = path.stat()
        self._add(Member(path.name, status.st_size, _local(status.st_mtime)))

    def open(self, name: str) -> BinaryIO:
        """Open the file."""
        try:
            return self._path.open("rb")
        except OSError as error:
            raise Unreadable(f"it cannot be read: {error.strerror}") from None


class FolderContainer(Container):
    """A folder with all that is below it; hidden files and folders are no part of it."""

    def __init__(self, path: Path) -> None:
        super().__init__(path.resolve().name)
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
                self.refused.append(Skipped(_shown(name), _LINK))
            elif entry.is_dir(follow_symlinks=False):
                try:
                    self._look(name)
                except OSError as error:
                    self.refused.append(Skipped(_shown(name), f"the folder cannot be read: {error.strerror}"))
            elif not entry.is_file(follow_symlinks=False):
                self.refused.append(Skipped(_shown(name), _NO_FILE))
            else:
                status = entry.stat(follow_symlinks=False)
                self._add(Member(name, status.st_size, _local(status.st_mtime)))

    def open(self, name: str) -> BinaryIO:
        """Open a file of the folder; one that became a link or a pipe since is refused."""
        try:
            handle = os.open(self._path / name, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOFOLLOW)
        except OSError as error:
            raise Unreadable(f"it cannot be read: {error.strerror}") from None
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            os.close(handle)
            raise Unreadable(_NO_FILE)
        return os.fdopen(handle, "rb")


class ZipContainer(Container):
    """A ZIP file."""

    def __init__(self, path: Path) -> None:
        super().__init__(path.name)
        try:
            self._zip = zipfile.ZipFile(path)
        except (zipfile.BadZipFile, NotImplementedError, ValueError):
            raise ImportRefused("The ZIP file is damaged, or only the beginning of one. Get it again.") from None
        self._infos: dict[str, zipfile.ZipInfo] = {}
        try:
            self._look(path.stat().st_size)
        except BaseException:
            self._zip.close()
            raise

    def _look(self, size: int) -> None:
        infos = self._zip.infolist()
        if sum(info.file_size for info in infos) > max(_SMALL, _RATIO * size):
            raise ImportRefused("The ZIP file says that it holds far more than it can. Nothing was imported.")
        for info in infos:
            name = _zip_name(info)
            if info.is_dir() or _is_clutter(name):
                continue
            if (reason := self._objection(info, name)) is not None:
                self.refused.append(Skipped(_shown(name), reason))
                continue
            self._add(Member(name, info.file_size, _zip_time(info)))
            self._infos[name] = info

    @staticmethod
    def _objection(info: zipfile.ZipInfo, name: str) -> str | None:
        mode = info.external_attr >> 16
        if stat.S_ISLNK(mode):
            return _LINK
        if stat.S_IFMT(mode) not in (0, stat.S_IFREG):
            return _NO_FILE
        if _leads_elsewhere(name):
            return _ELSEWHERE
        if info.file_size > _SMALL and info.file_size > _RATIO * max(info.compress_size, 1):
            return _PACKED
        return "locked with a password" if info.flag_bits & 0x1 else None

    def open(self, name: str) -> BinaryIO:
        """Open a file of the archive; it ends after as many bytes as the archive says."""
        try:
            return cast(BinaryIO, self._zip.open(self._infos[name]))
        except zipfile.BadZipFile:
            raise Unreadable("it is damaged") from None
        except (NotImplementedError, RuntimeError):
            raise Unreadable("it is packed in a way that is not read here") from None

    def close(self) -> None:
        """Close the archive."""
        self._zip.close()


class TarContainer(Container):
    """A TAR file, not compressed."""

    def __init__(self, path: Path) -> None:
        super().__init__(path.name)
        try:
            self._tar = tarfile.open(path, "r:")  # noqa: SIM115  (closed with the container)
        except tarfile.TarError:
            raise ImportRefused("The TAR file is damaged. Get it again.") from None
        self._infos: dict[str, tarfile.TarInfo] = {}
        try:
            self._look()
        except BaseException:
            self._tar.close()
            raise

    def _look(self) -> None:
        try:
            for info in self._tar:
                name = info.name.removeprefix("./")
                if info.isdir() or _is_clutter(name):
                    continue
                reason = _LINK if info.issym() or info.islnk() else None if info.isreg() else _NO_FILE
                if reason is None and _leads_elsewhere(name):
                    reason = _ELSEWHERE
                if reason is not None:
                    self.refused.append(Skipped(_shown(name), reason))
                    continue
                self._add(Member(name, info.size, _local(info.mtime)))
                self._infos[name] = info
        except tarfile.TarError:
            self.refused.append(Skipped(self.label, "the file is damaged, and what stands behind cannot be read"))

    def open(self, name: str) -> BinaryIO:
        """Open a file of the archive."""
        file: IO[bytes] | None = self._tar.extractfile(self._infos[name])
        return cast(BinaryIO, file if file is not None else io.BytesIO())

    def close(self) -> None:
        """Close the archive."""
        self._tar.close()


def _folded(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold()


def _shown(name: str) -> str:
    """Return a name as it can be written: file systems and archives take bytes that are no text."""
    return name.encode("utf-8", "replace").decode()


def _leads_elsewhere(name: str) -> bool:
    parts = name.replace("\\", "/").split("/")
    return not name or name.startswith(("/", "\\")) or ".." in parts or "\0" in name or name[1:2] == ":"


def _is_clutter(name: str) -> bool:
    """Tell whether a file is not the journal's but of the machine that packed it."""
    return name.startswith("__MACOSX/") or PurePosixPath(name).name in {".DS_Store", "Thumbs.db", "desktop.ini"}


def _zip_name(info: zipfile.ZipInfo) -> str:
    """Return a name, read as UTF-8 where a program wrote that without saying so."""
    if not info.flag_bits & 0x800:
        try:
            return info.filename.encode("cp437").decode()
        except UnicodeError:
            pass
    return info.filename


def _zip_time(info: zipfile.ZipInfo) -> datetime | None:
    try:
        return datetime(*info.date_time)  # noqa: DTZ001  (a ZIP has local times without a zone)
    except ValueError:
        return None


def _local(seconds: float) -> datetime | None:
    try:
        return datetime.fromtimestamp(int(seconds)).astimezone()
    except (OverflowError, ValueError, OSError):
        return None
