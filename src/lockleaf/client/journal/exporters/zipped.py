"""An export in one ZIP file, written beside its name and named when it is whole."""

from __future__ import annotations

import errno
import fcntl
import os
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from hashlib import sha256
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from lockleaf.client.journal.exporters.manifest import MANIFEST, Identity, Manifest
from lockleaf.client.journal.exporters.targets import Placed
from lockleaf.client.profile.private_files import full_disk_by_name

__all__ = ["ExportZip"]

_TIME = (1980, 1, 1, 0, 0, 0)
"""All that ZIP files can say of no time: the same entries make the same file."""
_BUFFER = 1024 * 1024


class ExportZip:
    """A ZIP file as the target of an export.

    Args:
        path: of the file.
        identity: of this export; None leaves the manifest out, for formats of other programs.
        force: replace a file that is there.

    Raises (when it is entered):
        FileExistsError: a file is there.
        FileNotFoundError: there is no such folder.
        DiskFull, ReadOnlyFolder: the disk refuses.
    """

    def __init__(self, path: Path, identity: Identity | None, *, force: bool = False) -> None:
        self._path = path
        self._identity = identity
        self._force = force
        self._now: dict[str, str] = {}
        self._temporary: Path | None = None
        self._file: IO[bytes] | None = None
        self._zip: zipfile.ZipFile | None = None

    def __enter__(self) -> Self:
        self._refuse_to_replace()
        if not self._path.parent.is_dir():
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(self._path.parent))
        with full_disk_by_name():
            self._clean()
            handle, name = tempfile.mkstemp(dir=self._path.parent, prefix=self._prefix, suffix=".part")
            self._temporary = Path(name)
            # Held while it is written, so that what a kill leaves behind can be told from what is at work.
            with suppress(OSError):
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self._file = os.fdopen(handle, "w+b", buffering=_BUFFER)
            self._zip = zipfile.ZipFile(self._file, "w", zipfile.ZIP_DEFLATED)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for opened in (self._zip, self._file):
            with suppress(OSError, ValueError):
                if opened is not None:
                    opened.close()
        if self._temporary is not None:
            self._temporary.unlink(missing_ok=True)

    @property
    def _prefix(self) -> str:
        return f".{self._path.name[:100]}."

    def _refuse_to_replace(self) -> None:
        if os.path.lexists(self._path) and (not self._force or not self._path.is_file()):
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(self._path))

    def _clean(self) -> None:
        for left_over in self._path.parent.glob(f"{_literal(self._prefix)}*.part"):
            with suppress(OSError), left_over.open("rb") as file:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                left_over.unlink()

    def has(self, path: str, digest: bytes | None) -> bool:
        """Tell whether this export has placed it already; what an earlier one had is made anew."""
        return digest is not None and self._now.get(path) == digest.hex()

    def place(self, path: str, data: bytes) -> None:
        """Place a small file."""
        with full_disk_by_name():
            self._open_zip.writestr(_info(path, packed=True), data)
        self._now[path] = sha256(data).hexdigest()

    @contextmanager
    def file(self, path: str, *, packed: bool = True) -> Iterator[IO[bytes]]:
        """Give a file to write to, which is placed when the ``with`` ends well."""
        # One file of a ZIP is written at a time, and there is no way back out of one: so it waits here without a name.
        with full_disk_by_name(), tempfile.TemporaryFile(dir=self._path.parent) as waiting:
            yield waiting
            size = waiting.tell()
            waiting.seek(0)
            info = _info(path, packed=packed)
            info.file_size = size
            digest = sha256()
            with self._open_zip.open(info, "w", force_zip64=size >= zipfile.ZIP64_LIMIT) as into:
                while piece := waiting.read(_BUFFER):
                    digest.update(piece)
                    into.write(piece)
        self._now[path] = digest.hexdigest()

    def unnamed(self) -> AbstractContextManager[IO[bytes]]:
        """Give a file for bytes whose path is not known yet; it is gone afterwards."""
        return tempfile.TemporaryFile(dir=self._path.parent)

    def keep(self, folder: str) -> None:
        """Do nothing: a ZIP file is made anew each time."""

    def finish(self) -> Placed:
        """End the ZIP file and let it have its name."""
        assert self._file is not None
        assert self._temporary is not None
        written = len(self._now)
        with full_disk_by_name():
            if self._identity is not None:
                self.place(MANIFEST, Manifest(self._identity.document(), dict(self._now)).packed())
            self._open_zip.close()
            self._file.flush()
            os.fsync(self._file.fileno())
            self._refuse_to_replace()
            self._temporary.replace(self._path)
        self._temporary = None
        return Placed(written)

    @property
    def _open_zip(self) -> zipfile.ZipFile:
        assert self._zip is not None
        return self._zip


def _info(path: str, *, packed: bool) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(path, _TIME)
    info.compress_type = zipfile.ZIP_DEFLATED if packed else zipfile.ZIP_STORED
    info.external_attr = 0o600 << 16
    return info


def _literal(text: str) -> str:
    """Return text as a pattern of names that stands for itself."""
    return "".join(f"[{sign}]" if sign in "*?[" else sign for sign in text)
