"""The folders of the embedded PostgreSQL below the data folder, who may enter them, and who holds them.

    <data>/postgres        the cluster; belongs to the account that runs PostgreSQL, 0700
    <data>/run             the socket, where its path is short enough; the same account, 0700
    <data>/log             PostgreSQL's log; ours, 0700
    <data>/postgres.lock   locked by the process that runs PostgreSQL
    <data>/postgres.socket where the socket is, if not in <data>/run

The socket folder is the access control of the database: only the account that runs PostgreSQL, and root, can enter it.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import shutil
import stat
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from lockleaf.server.platform.db.embedded.account import Account
from lockleaf.server.platform.db.embedded.errors import DataFolderInUseError, EmbeddedPostgresError

__all__ = ["PORT", "DataFolder", "FolderLock"]

PORT = 5432
"""Part of the socket's name; no network port is opened."""

_SOCKET_PREFIX = "lockleaf-"
# sockaddr_un.sun_path less its final NUL: 108 bytes on Linux, 104 on macOS and the BSDs.
_MAX_SOCKET_PATH = 107 if sys.platform.startswith("linux") else 103
# PostgreSQL reads a list of folders, clients a list of hosts: neither is given a path that could be taken for one.
_PLAIN_PATH = re.compile(r"[A-Za-z0-9/._@+-]+")


def _socket_fits(folder: Path) -> bool:
    # PostgreSQL also makes a lock file beside the socket; its name has no limit of its own.
    name = folder / f".s.PGSQL.{PORT}"
    return len(os.fsencode(name)) <= _MAX_SOCKET_PATH and _PLAIN_PATH.fullmatch(str(folder)) is not None


def _private_folder(path: Path, account: Account | None) -> None:
    """Make `path` a folder of mode 0700 that belongs to the account, without following a link that lies there."""
    with contextlib.suppress(FileExistsError):
        path.mkdir(mode=0o700)
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        if account is not None:
            os.fchown(fd, account.uid, account.gid)
        os.fchmod(fd, 0o700)
    finally:
        os.close(fd)


@dataclass(frozen=True, slots=True)
class DataFolder:
    """Paths below one data folder (absolute, without links)."""

    root: Path

    @property
    def cluster(self) -> Path:
        """PostgreSQL's own data directory."""
        return self.root / "postgres"

    @property
    def log(self) -> Path:
        """The file that PostgreSQL's log goes to."""
        return self.root / "log" / "postgres.log"

    @property
    def _socket_note(self) -> Path:
        return self.root / "postgres.socket"

    def prepare(self) -> None:
        """Create the data folder and the log folder, private to us.

        Raises:
            EmbeddedPostgresError: they cannot be created or written.

        """
        try:
            self.root.mkdir(mode=0o700, parents=True, exist_ok=True)
            self.log.parent.mkdir(mode=0o700, exist_ok=True)
        except OSError as error:
            raise EmbeddedPostgresError(
                f"The data folder {self.root} cannot be prepared ({error.strerror}). "
                "Choose a folder that this user may write, or free some space."
            ) from error

    def let_pass(self, account: Account | None) -> None:
        """Let the account that runs PostgreSQL pass through our data folder, where its own group is enough for that.

        A folder that is private to us becomes 0710 with that account's group: its members may pass, not list. Any
        other folder stays as it is; PostgreSQL then keeps the capability to search folders (see run_as.py).
        """
        if account is None:
            return
        fd = os.open(self.root, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            found = os.fstat(fd)
            if found.st_uid == os.geteuid() and stat.S_IMODE(found.st_mode) == 0o700:
                os.fchown(fd, -1, account.gid)
                os.fchmod(fd, 0o710)
        finally:
            os.close(fd)

    def make_cluster_folder(self, path: Path, account: Account | None) -> None:
        """Create the empty folder `path` for a new cluster."""
        _private_folder(path, account)

    def make_socket_folder(self, account: Account | None) -> Path:
        """Create the socket's folder: `<data>/run`, or one in the system's temporary folder where that is too long.

        To be called by the holder of the lock, while no PostgreSQL runs on the folder.

        Raises:
            EmbeddedPostgresError: the temporary folder's path is too long as well.

        """
        self.remove_socket_folder()
        folder = self.root / "run"
        if not _socket_fits(folder):
            folder = self._temporary_folder()
            self._socket_note.write_text(f"{folder}\n", encoding="utf-8")
        _private_folder(folder, account)
        for remains in folder.glob(".s.PGSQL.*"):
            # Left by a killed PostgreSQL. As in postmaster.pid, the number in its lock may be a stranger's by now.
            remains.unlink(missing_ok=True)
        return folder

    def socket_folder(self) -> Path | None:
        """Return the folder of the socket of a PostgreSQL that runs here, None if there is no socket."""
        try:
            folder = Path(self._socket_note.read_text(encoding="utf-8").strip())
        except FileNotFoundError:
            folder = self.root / "run"
        return folder if (folder / f".s.PGSQL.{PORT}").exists() else None

    def remove_socket_folder(self) -> None:
        """Remove the temporary socket folder that this data folder recorded, if there is one."""
        try:
            folder = Path(self._socket_note.read_text(encoding="utf-8").strip())
        except FileNotFoundError:
            return
        # The note lies in our private folder; its form is looked at all the same before anything is deleted.
        if folder.is_absolute() and folder.name.startswith(_SOCKET_PREFIX) and not folder.is_symlink():
            shutil.rmtree(folder, ignore_errors=True)
        self._socket_note.unlink(missing_ok=True)

    @staticmethod
    def _temporary_folder() -> Path:
        for parent in dict.fromkeys((Path(tempfile.gettempdir()).resolve(), Path("/tmp"))):  # noqa: S108 (mkdtemp below)
            if parent.is_dir() and _socket_fits(parent / f"{_SOCKET_PREFIX}12345678"):
                return Path(tempfile.mkdtemp(prefix=_SOCKET_PREFIX, dir=parent))
        raise EmbeddedPostgresError(
            f"No folder has a path short enough for a socket ({_MAX_SOCKET_PATH} bytes): neither the data folder nor "
            f"{tempfile.gettempdir()}. Choose a data folder with a shorter path."
        )


class FolderLock:
    """The lock that makes one process the owner of a data folder. It ends with the process, however that ends."""

    def __init__(self, folder: DataFolder) -> None:
        self._root = folder.root
        self._path = folder.root / "postgres.lock"
        self._fd = -1

    def acquire(self) -> None:
        """Take the lock.

        Raises:
            DataFolderInUseError: another live process has it, or another EmbeddedPostgres of this process.

        """
        fd = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            holder = os.read(fd, 32).decode("ascii", "replace").strip()
            os.close(fd)
            who = f"the process {holder}" if holder.isdigit() else "another process"
            raise DataFolderInUseError(
                f"The data folder {self._root} is in use by {who}. Two servers on one folder would destroy it. "
                "Stop the other server, or choose another data folder."
            ) from error
        except BaseException:
            os.close(fd)
            raise
        os.ftruncate(fd, 0)
        os.write(fd, f"{os.getpid()}\n".encode())
        self._fd = fd

    def release(self) -> None:
        """Give the lock back; without one, do nothing."""
        if self._fd >= 0:
            os.ftruncate(self._fd, 0)
            os.close(self._fd)
            self._fd = -1

    def forget(self) -> None:
        """In a forked child: close the copy of the descriptor, so that the lock ends with the parent."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1
