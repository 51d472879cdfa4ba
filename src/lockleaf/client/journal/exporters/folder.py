"""An export in a folder: each file replaced whole, nothing touched that is not the export's own.

Beside the files, in a hidden folder, lie the manifest and, while an export runs, a log of what it is about to place.
After a kill the next export knows by the log which files are its own. A file that is neither in the manifest nor in the
log, or has other bytes than these say, is somebody else's: it is neither replaced nor deleted.
"""

from __future__ import annotations

import json
import os
import stat
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from hashlib import sha256
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from lockleaf.client.errors import ExportRunning, NotAnExportFolder, OtherExport
from lockleaf.client.journal.exporters.manifest import FOLDER, MANIFEST, Identity, Manifest
from lockleaf.client.journal.exporters.targets import Left, Placed
from lockleaf.client.profile.private_files import full_disk_by_name, locked

__all__ = ["ExportFolder"]

_PENDING = "pending"
_LOCK = "lock"
_PART = ".part"
_IGNORED = f"{_LOCK}\n{_PENDING}\n*{_PART}\n"
_BUFFER = 1024 * 1024
_AT_ONCE = 128
_THREADS = 16


class ExportFolder:
    """A folder as the target of an export.

    Args:
        path: of the folder; made, for its owner alone, where it is missing.
        identity: of this export.
        force: go on with another export that is there, and replace files of an export that were edited.

    Raises (when it is entered):
        NotAnExportFolder, ExportRunning, OtherExport: each as its name says.
        DiskFull, ReadOnlyFolder: the disk refuses.
    """

    def __init__(self, path: Path, identity: Identity, *, force: bool = False) -> None:
        self._path = path
        self._identity = identity
        self._force = force
        self._known: dict[str, set[str]] = {}
        self._now: dict[str, str] = {}
        self._safe_folders: set[Path] = {path}
        self._left: list[Left] = []
        self._kept: list[str] = []
        self._waiting: list[tuple[str, Path, str]] = []
        self._written = self._unchanged = 0
        self._stack = ExitStack()
        self._log: IO[str] | None = None

    def __enter__(self) -> Self:
        with full_disk_by_name(), ExitStack() as stack:
            if self._path.exists() and not self._path.is_dir():
                raise NotAnExportFolder
            self._own.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._own.mkdir(mode=0o700, exist_ok=True)
            if self._own.is_symlink():
                raise NotAnExportFolder
            stack.enter_context(locked(self._own / _LOCK, otherwise=ExportRunning))
            for left_over in self._own.glob(f"*{_PART}"):
                left_over.unlink()
            self._read_manifest()
            self._read_log()
            self._log = stack.enter_context((self._own / _PENDING).open("a", encoding="utf-8"))
            ignored = self._own / ".gitignore"
            if not ignored.exists():
                ignored.write_text(_IGNORED, encoding="ascii")
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for _, temporary, _ in self._waiting:
            temporary.unlink(missing_ok=True)
        self._stack.close()

    @property
    def _own(self) -> Path:
        return self._path / FOLDER

    def _read_manifest(self) -> None:
        manifest = None
        with suppress(FileNotFoundError):
            manifest = Manifest.unpack((self._path / MANIFEST).read_bytes())
        if manifest is None:
            return
        if dict(manifest.identity) != self._identity.document() and not self._force:
            raise OtherExport
        for path, digest in manifest.files.items():
            self._known.setdefault(path, set()).add(digest)

    def _read_log(self) -> None:
        try:
            lines = (self._own / _PENDING).read_text(encoding="utf-8").splitlines()
        except FileNotFoundError:
            return
        for line in lines:
            # The last line of an export that was killed may be half a line.
            with suppress(ValueError):
                digest, path = json.loads(line)
                self._known.setdefault(path, set()).add(digest)

    # ---- placing ----

    def has(self, path: str, digest: bytes | None) -> bool:
        """Take a file that is there already and has this SHA-256 as placed; tell whether it is so."""
        if digest is None or self._present(path) != digest.hex():
            return False
        self._take(path, digest.hex())
        return True

    def place(self, path: str, data: bytes) -> None:
        """Place a small file, with others: each has its name only when its bytes are on the disk."""
        digest = sha256(data)
        if self.has(path, digest.digest()):
            return
        with full_disk_by_name():
            handle, name = tempfile.mkstemp(dir=self._own, suffix=_PART)
            self._waiting.append((path, Path(name), digest.hexdigest()))
            with os.fdopen(handle, "wb") as file:
                file.write(data)
            if len(self._waiting) >= _AT_ONCE:
                self._place_waiting()

    def _place_waiting(self) -> None:
        # One after the other they would take milliseconds each; asked for together, the disk settles them together.
        with ThreadPoolExecutor(_THREADS) as pool:
            list(pool.map(_settle, [temporary for _, temporary, _ in self._waiting]))
        for path, temporary, digest in self._waiting:
            self._place(path, temporary, digest)
            temporary.unlink(missing_ok=True)
        self._waiting.clear()

    @contextmanager
    def file(self, path: str, *, packed: bool = True) -> Iterator[IO[bytes]]:
        """Give a file to write to, which is placed when the ``with`` ends well."""
        del packed
        with full_disk_by_name():
            handle, name = tempfile.mkstemp(dir=self._own, suffix=_PART)
            temporary = Path(name)
            try:
                with os.fdopen(handle, "w+b", buffering=_BUFFER) as file:
                    yield file
                    file.flush()
                    file.seek(0)
                    digest = _digest(file)
                    os.fsync(file.fileno())
                self._place(path, temporary, digest)
            finally:
                temporary.unlink(missing_ok=True)

    def unnamed(self) -> AbstractContextManager[IO[bytes]]:
        """Give a file for bytes whose path is not known yet; it is gone afterwards."""
        return tempfile.TemporaryFile(dir=self._own)

    def _place(self, path: str, temporary: Path, digest: str) -> None:
        present = self._present(path)
        if present == digest:
            self._take(path, digest)
        elif not self._is_of_others(path, present):
            self._write_ahead(path, digest)
            target = self._path / path
            self._make_folders(target.parent)
            temporary.replace(target)
            self._now[path] = digest
            self._written += 1
        else:
            self._leave(path, "edited" if self._ours(path) else "foreign")

    def _is_of_others(self, path: str, present: str | None) -> bool:
        """Tell whether a file must not be replaced: no export made it, or it is not what an export made of it."""
        if present is None or present in self._known.get(path, ()):
            return False
        return not present or not self._force or not self._ours(path)

    def _take(self, path: str, digest: str) -> None:
        self._now[path] = digest
        self._unchanged += 1

    def _ours(self, path: str) -> bool:
        return path in self._known

    def _leave(self, path: str, kind: str) -> None:
        self._left.append(Left(path, kind))  # type: ignore[arg-type]
        # It stays known: the next export shall not take it for a file that it never made.
        if self._ours(path):
            self._now[path] = min(self._known[path])

    def _write_ahead(self, path: str, digest: str) -> None:
        assert self._log is not None
        self._log.write(json.dumps([digest, path]) + "\n")
        self._log.flush()

    def _present(self, path: str) -> str | None:
        """Return the digest of what has this name; None without such a thing, empty where it is no file of its own."""
        target = self._path / path
        if not self._reachable(target.parent):
            return "" if self._blocked(target.parent) else None
        try:
            handle = os.open(target, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        except FileNotFoundError:
            return None
        except OSError:
            return ""
        try:
            if not stat.S_ISREG(os.fstat(handle).st_mode):
                return ""
            with os.fdopen(handle, "rb", buffering=_BUFFER, closefd=False) as file:
                return _digest(file)
        finally:
            os.close(handle)

    def _reachable(self, folder: Path) -> bool:
        """Tell whether a folder is there, and a link nowhere on the way to it: a link could lead anywhere."""
        if folder in self._safe_folders:
            return True
        if not self._reachable(folder.parent):
            return False
        try:
            found = stat.S_ISDIR(folder.lstat().st_mode)
        except OSError:
            return False
        if found:
            self._safe_folders.add(folder)
        return found

    def _blocked(self, folder: Path) -> bool:
        """Tell whether something that is no folder stands on the way to one."""
        return folder not in self._safe_folders and (
            (os.path.lexists(folder) and not self._reachable(folder)) or self._blocked(folder.parent)
        )

    def _make_folders(self, folder: Path) -> None:
        if not self._reachable(folder):
            self._make_folders(folder.parent)
            folder.mkdir(mode=0o700)
            self._safe_folders.add(folder)

    # ---- the end ----

    def keep(self, folder: str) -> None:
        """Leave what an earlier export has in a folder: what should be there now could not all be had."""
        self._kept.append(f"{folder}/")

    def finish(self) -> Placed:
        """Take away what is not part of the export any more, and say what was done."""
        removed = 0
        with full_disk_by_name():
            self._place_waiting()
            for path in sorted(self._known.keys() - self._now.keys(), reverse=True):
                present = self._present(path)
                if present in self._known[path] and path.startswith(tuple(self._kept)):
                    self._now[path] = str(present)
                elif present in self._known[path]:
                    (self._path / path).unlink()
                    self._drop_empty((self._path / path).parent)
                    removed += 1
                elif present is not None:
                    self._left.append(Left(path, "kept"))
            self._write_manifest()
        left = tuple(sorted(self._left, key=lambda each: each.path))
        return Placed(self._written, self._unchanged, removed, left)

    def _drop_empty(self, folder: Path) -> None:
        with suppress(OSError):
            while folder != self._path:
                folder.rmdir()
                self._safe_folders.discard(folder)
                folder = folder.parent

    def _write_manifest(self) -> None:
        assert self._log is not None
        data = Manifest(self._identity.document(), self._now).packed()
        manifest = self._path / MANIFEST
        if not (manifest.exists() and manifest.read_bytes() == data):
            handle, name = tempfile.mkstemp(dir=self._own, suffix=_PART)
            with os.fdopen(handle, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            Path(name).replace(manifest)
        self._log.close()
        (self._own / _PENDING).unlink(missing_ok=True)


def _settle(path: Path) -> None:
    """Bring a file to the disk."""
    handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _digest(file: IO[bytes]) -> str:
    digest = sha256()
    while piece := file.read(_BUFFER):
        digest.update(piece)
    return digest.hexdigest()
