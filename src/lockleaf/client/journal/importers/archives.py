"""Archives that a journal to import lies in, and what opens whatever lies at a path.

Nothing is unpacked, so a name that leads elsewhere can do no harm; such names are refused all the same, as links and
devices are, and named. A ZIP that promises far more bytes than it holds is refused whole.
"""

from __future__ import annotations

import io
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import IO, BinaryIO, cast

from lockleaf.client.errors import ImportRefused
from lockleaf.client.journal.import_report import Skipped
from lockleaf.client.journal.importers.containers import (
    LINK,
    NO_FILE,
    Container,
    FileContainer,
    FolderContainer,
    Member,
    Unreadable,
    local_time,
    shown_name,
)
from lockleaf.zips import open_zip

__all__ = ["TarContainer", "ZipContainer", "opened_container"]

_RATIO = 200
"""So many times its packed bytes a file may have: photos have one, texts up to ten."""
_SMALL = 64 * 1024 * 1024
"""Below this many bytes nobody asks how well a file is packed."""

_START = 4096
_TAR = b"ustar"
_GZIP = b"\x1f\x8b"
_PACKERS = (b"7z\xbc\xaf\x27\x1c", b"Rar!\x1a\x07", b"\xfd7zXZ\0", b"BZh", b"\x28\xb5\x2f\xfd")
"""How 7-Zip, RAR, xz, bzip2 and Zstandard begin: none of them can be read from anywhere within."""

_MAC = "__MACOSX"
_ELSEWHERE = "its name leads out of the archive"
_PACKED = "packed so tightly that it is no text and no photo"


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
            start = file.read(_START)
        if start.startswith((b"PK\x03\x04", b"PK\x05\x06")):
            return ZipContainer(path)
        if start[257:262] == _TAR:
            return TarContainer(path)
        if start.startswith(_PACKERS) or _is_packed_tar(start):
            raise ImportRefused("It is an archive of a kind that is not read here. Unpack it, and import the folder.")
        return FileContainer(path)
    except OSError as error:
        raise ImportRefused(f"It cannot be read: {error.strerror}.") from None


class ZipContainer(Container):
    """A ZIP file."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        try:
            self._zip = open_zip(path)
        except zipfile.BadZipFile:
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
        top = _shared_folder(_zip_name(info) for info in infos)
        for info in infos:
            name = _zip_name(info)
            if info.is_dir() or _is_clutter(name, top):
                continue
            if (reason := self._objection(info, name)) is not None:
                self.refused.append(Skipped(shown_name(name), reason))
                continue
            self._add(Member(name, info.file_size, _zip_time(info)))
            self._infos[name] = info

    @staticmethod
    def _objection(info: zipfile.ZipInfo, name: str) -> str | None:
        mode = info.external_attr >> 16
        if stat.S_ISLNK(mode):
            return LINK
        if stat.S_IFMT(mode) not in (0, stat.S_IFREG):
            return NO_FILE
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
        super().close()
        self._zip.close()


class TarContainer(Container):
    """A TAR file, not compressed."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
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
        infos: list[tuple[str, tarfile.TarInfo]] = []
        try:
            for info in self._tar:
                infos.append((info.name.removeprefix("./"), info))
        except tarfile.TarError:
            self.refused.append(Skipped(self.label, "the file is damaged, and what stands behind cannot be read"))
        top = _shared_folder(name for name, _ in infos)
        for name, info in infos:
            if info.isdir() or _is_clutter(name, top):
                continue
            reason = LINK if info.issym() or info.islnk() else None if info.isreg() else NO_FILE
            if reason is None and _leads_elsewhere(name):
                reason = _ELSEWHERE
            if reason is not None:
                self.refused.append(Skipped(shown_name(name), reason))
                continue
            self._add(Member(name, info.size, local_time(info.mtime)))
            self._infos[name] = info

    def open(self, name: str) -> BinaryIO:
        """Open a file of the archive."""
        file: IO[bytes] | None = self._tar.extractfile(self._infos[name])
        return cast(BinaryIO, file if file is not None else io.BytesIO())

    def close(self) -> None:
        """Close the archive."""
        super().close()
        self._tar.close()


def _is_packed_tar(start: bytes) -> bool:
    """Tell whether a file is a TAR file within gzip; a single file of lines within it is read."""
    if not start.startswith(_GZIP):
        return False
    try:
        return zlib.decompressobj(wbits=31).decompress(start, 512)[257:262] == _TAR
    except zlib.error:
        return False


def _leads_elsewhere(name: str) -> bool:
    parts = name.replace("\\", "/").split("/")
    return not name or name.startswith(("/", "\\")) or ".." in parts or "\0" in name or name[1:2] == ":"


def _shared_folder(names: Iterable[str]) -> str:
    """Return the folder that everything lies in, with its slash, "" where there is none."""
    firsts = {name.partition("/")[0] for name in names if "/" in name or not _is_clutter(name, "")} - {_MAC}
    return f"{first}/" if len(firsts) == 1 and (first := firsts.pop()) else ""


def _is_clutter(name: str, top: str) -> bool:
    """Tell whether a file is not the journal's: hidden, as in a folder, or of the machine that packed it.

    Macs add a file ``._NAME`` for many a file, and vaults have their trash in a hidden folder. The folder that somebody
    packed may be hidden itself.
    """
    parts = name.removeprefix(top).replace("\\", "/").split("/")
    hidden = any(part.startswith(".") and part not in {".", ".."} for part in parts)
    return hidden or name.startswith(f"{_MAC}/") or parts[-1] in {"Thumbs.db", "desktop.ini"}


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
