"""A PostgreSQL of this data folder that an earlier, killed Lockleaf left running, and how it is told from a stranger.

`postmaster.pid` alone proves nothing: after a crash or in a new container its number may be anybody's process. One that
was not verified to be a PostgreSQL of this very folder is neither trusted nor signalled.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import socket
import struct
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from lockleaf.server.platform.db.embedded.errors import EmbeddedPostgresError
from lockleaf.server.platform.db.embedded.folders import PORT
from lockleaf.server.platform.db.embedded.probe import answering_data_directory

__all__ = ["processes_in", "stop_leftover", "wait_for_end"]

_LINUX = sys.platform.startswith("linux")


@dataclass(frozen=True, slots=True)
class _PidFile:
    pid: int
    socket_dir: Path | None


def _read_pid_file(cluster: Path) -> _PidFile | None:
    try:
        # The folder belongs to the account that runs PostgreSQL: as root we follow no link in it.
        fd = os.open(cluster / "postmaster.pid", os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    with os.fdopen(fd, encoding="utf-8", errors="surrogateescape") as file:
        lines = file.read(4096).splitlines()
    try:
        pid = abs(int(lines[0]))  # negative for a single-user PostgreSQL
    except (IndexError, ValueError):
        pid = 0
    socket_dir = Path(lines[4]) if len(lines) > 4 and lines[4].startswith("/") else None
    return _PidFile(pid=pid, socket_dir=socket_dir)


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    if _LINUX:
        with contextlib.suppress(OSError):
            # What comes behind the parenthesis is the state. A zombie has ended, only nobody has asked yet.
            return Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()[0] not in {"Z", "X"}
    return True


def _works_in(pid: int, cluster: Path) -> bool | None:
    """Tell from /proc whether the process is a `postgres` whose folder is the cluster; None if we may not look."""
    try:
        program = Path(f"/proc/{pid}/exe").readlink().name.removesuffix(" (deleted)")
        return program == "postgres" and Path(f"/proc/{pid}/cwd").samefile(cluster)
    except PermissionError:
        return None
    except OSError:
        return False


def _listener(socket_dir: Path) -> int | None:
    """Return the number of the process that listens on the socket, as the Linux kernel knows it."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(5)
        try:
            connection.connect(str(socket_dir / f".s.PGSQL.{PORT}"))
            peer = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
        except OSError:
            return None
    pid, _uid, _gid = struct.unpack("3i", peer)
    return int(pid)


def _is_ours(found: _PidFile, cluster: Path) -> bool:
    if _LINUX:
        works = _works_in(found.pid, cluster)
        if works is not None:
            return works
        # Root in a container is often not allowed to look at other accounts' processes. The kernel also says who
        # listens on a socket, and the socket lies in a folder that nobody else can write.
        return found.socket_dir is not None and _listener(found.socket_dir) == found.pid
    if found.socket_dir is None:
        return False
    directory = answering_data_directory(found.socket_dir)
    try:
        return directory is not None and directory.samefile(cluster)
    except OSError:
        return False


def wait_for_end(pid: int, seconds: float) -> bool:
    """Wait until a process that is not our child has ended; False if it still lives after `seconds`."""
    end = time.monotonic() + seconds
    if _LINUX:
        try:
            fd = os.pidfd_open(pid)
        except ProcessLookupError:
            return True
        except OSError:
            pass  # a kernel or sandbox without it: look again and again
        else:
            try:
                wanted = select.poll()
                wanted.register(fd, select.POLLIN)
                return bool(wanted.poll(seconds * 1000))
            finally:
                os.close(fd)
    while _is_alive(pid):
        if time.monotonic() >= end:
            return False
        time.sleep(0.02)
    return True


def _send(pid: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)


def stop_leftover(cluster: Path, patience: float) -> int | None:
    """Stop a leftover PostgreSQL of this cluster, and remove the note of one that is gone.

    Args:
        cluster: PostgreSQL's data directory.
        patience: seconds until a fast shutdown becomes an immediate one.

    Returns:
        The number of the process that was stopped; None if nothing had to be stopped.

    Raises:
        EmbeddedPostgresError: it is there and does not stop, or belongs to an account that we may not signal.

    """
    found = _read_pid_file(cluster)
    if found is None:
        return None
    if found.pid > 1 and found.pid != os.getpid() and _is_alive(found.pid) and _is_ours(found, cluster):
        try:
            _send(found.pid, signal.SIGINT)
            if not wait_for_end(found.pid, patience):
                _send(found.pid, signal.SIGQUIT)
        except PermissionError as error:
            raise EmbeddedPostgresError(
                f"A PostgreSQL left over from before still runs on {cluster} (process {found.pid}), under an account "
                "that this user may not control. Stop it, or run Lockleaf as the user that started it."
            ) from error
        if not wait_for_end(found.pid, max(patience, 30.0)):
            raise EmbeddedPostgresError(
                f"A PostgreSQL left over from before still runs on {cluster} (process {found.pid}) and does not stop. "
                f"Nothing is lost. Look at what holds it (a disk that does not answer?), or end it with "
                f"'kill -QUIT {found.pid}', then start again."
            )
        return found.pid
    # PostgreSQL would take any live process of its own account with this number for itself and refuse to start. Against
    # a real one that we failed to recognise there is still its check of the shared memory.
    (cluster / "postmaster.pid").unlink(missing_ok=True)
    return None


def processes_in(cluster: Path) -> list[int]:
    """Return the processes of PostgreSQL that work on this cluster, as far as Linux lets us see them."""
    if not _LINUX:
        return []
    numbers = [int(entry) for entry in os.listdir("/proc") if entry.isdigit()]  # noqa: PTH208 (names are all we need)
    return [pid for pid in numbers if _works_in(pid, cluster)]
