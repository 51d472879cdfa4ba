"""The parent process of PostgreSQL: a script of the standard library alone, started with `python -I -S`.

It exists so that PostgreSQL ends when Lockleaf does, whatever way Lockleaf ends. Its standard input is a pipe that only
Lockleaf's parent process holds open: at end of file it asks PostgreSQL for a fast shutdown. Its standard output tells
Lockleaf, one JSON object a line, `{"pid": n}` when PostgreSQL was started, and ends when the guard does. It also
writes what PostgreSQL logs into a file of limited size. Its one argument is JSON:

    {"argv": [...], "log": path, "log_bytes": n, "patience": seconds}

On Linux PostgreSQL gets a signal if the guard itself is killed (see run_as.py). Where PostgreSQL's main process, the
postmaster, is killed, the guard inherits its children and ends those that do not end by themselves: while one of them
lives, no new PostgreSQL can start.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import select
import signal
import sys
import time
from types import FrameType

__all__: list[str] = []

_CONTROL = 0
_STATUS = 1
_PR_SET_CHILD_SUBREAPER = 36  # linux/prctl.h
_GRACE = 1.0
"""Seconds that children of a killed postmaster get to notice its end, and then to obey SIGQUIT."""


class _Log:
    """A file that is moved aside to `path.1` when it reaches `limit` bytes. A full disk stops logging, nothing else."""

    def __init__(self, path: str, limit: int) -> None:
        self._path = path
        self._limit = limit
        self._fd = -1
        self._open()

    def _open(self) -> None:
        self._fd = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)

    def write(self, data: bytes) -> None:
        with contextlib.suppress(OSError):
            if os.fstat(self._fd).st_size + len(data) > self._limit:
                os.replace(self._path, self._path + ".1")  # noqa: PTH105 (fewer imports)
                os.close(self._fd)
                self._open()
            os.write(self._fd, data)


def _note_signal(_number: int, _frame: FrameType | None) -> None:
    """Do nothing: the wake-up pipe has the news. Unlike SIG_IGN, a handler is not inherited by PostgreSQL."""


def _tell(message: dict[str, int]) -> None:
    with contextlib.suppress(OSError):
        os.write(_STATUS, json.dumps(message).encode() + b"\n")


def _drain(source: int, log: _Log) -> bool:
    """Move what is there from the pipe to the log; False at its end."""
    try:
        data = os.read(source, 65536)
    except BlockingIOError:
        return True
    if data:
        log.write(data)
    return bool(data)


def _inherit_orphans() -> None:
    """Become the parent of PostgreSQL's processes that lose theirs; without that, they are looked for by name later."""
    if sys.platform.startswith("linux"):
        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, ctypes.c_ulong(1), *[ctypes.c_ulong(0)] * 3)


def _children() -> list[int]:
    """Return our children's numbers; /proc/*/stat is open to every account, unlike most of /proc."""
    found = []
    for entry in os.listdir("/proc"):  # noqa: PTH208 (fewer imports)
        with contextlib.suppress(OSError):
            if entry.isdigit():
                with open(f"/proc/{entry}/stat", encoding="utf-8", errors="replace") as file:  # noqa: PTH123
                    if int(file.read().rpartition(")")[2].split()[1]) == os.getpid():
                        found.append(int(entry))
    return found


def _end_orphans(wake_read: int) -> None:
    """Wait for the children of a postmaster that is gone, with more and more emphasis.

    What they had in hand was never acknowledged, and recovery undoes it.
    """
    for number in (None, signal.SIGQUIT, signal.SIGKILL):
        if number is not None:
            for pid in _children():
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.kill(pid, number)
        deadline = time.monotonic() + _GRACE
        while (left := deadline - time.monotonic()) > 0:
            try:
                ended, _status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if not ended and select.select([wake_read], [], [], left)[0]:
                os.read(wake_read, 4096)


def _main() -> int:
    order = json.loads(sys.argv[1])
    wake_read, wake_write = os.pipe()
    os.set_blocking(wake_read, False)
    os.set_blocking(wake_write, False)
    signal.set_wakeup_fd(wake_write, warn_on_full_buffer=False)
    # Who stops a service often signals all of its processes at once. Lockleaf then still answers requests that it
    # has accepted, so that PostgreSQL has to stay until Lockleaf lets go of the pipe.
    for number in (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, _note_signal)

    _inherit_orphans()
    log = _Log(order["log"], order["log_bytes"])
    output_read, output_write = os.pipe()
    argv = order["argv"]
    actions = [
        (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
        (os.POSIX_SPAWN_DUP2, output_write, 1),
        (os.POSIX_SPAWN_DUP2, output_write, 2),
    ]
    argv[-1] = json.dumps({**json.loads(argv[-1]), "parent": os.getpid()})
    postgres = os.posix_spawn(argv[0], argv, os.environ, file_actions=actions)
    os.close(output_write)
    os.set_blocking(output_read, False)
    _tell({"pid": postgres})

    watched = [_CONTROL, output_read, wake_read]
    escalate_at: float | None = None
    while True:
        # After the request to stop, look once a second whether patience has ended.
        ready, _, _ = select.select(watched, [], [], None if escalate_at is None else 1.0)
        if wake_read in ready:
            os.read(wake_read, 4096)
        if output_read in ready and not _drain(output_read, log):
            watched.remove(output_read)
        ended, _status = os.waitpid(postgres, os.WNOHANG)
        if ended:
            break
        if _CONTROL in ready and not os.read(_CONTROL, 4096):
            watched.remove(_CONTROL)
            os.kill(postgres, signal.SIGINT)
            escalate_at = time.monotonic() + order["patience"]
        if escalate_at is not None and time.monotonic() >= escalate_at:
            os.kill(postgres, signal.SIGQUIT)
            escalate_at = float("inf")
    _end_orphans(wake_read)
    while output_read in watched and select.select([output_read], [], [], 0)[0] and _drain(output_read, log):
        pass
    return 0


if __name__ == "__main__":
    sys.exit(_main())
