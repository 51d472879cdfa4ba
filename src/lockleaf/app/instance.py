"""One page server a profile: who serves it, and how a second `lockleaf app` finds the first.

Beside the profile lies ``app.json``, for its user alone: the port, and the secret by which a token is asked for. The
lock beside it says whether it still holds, and the system takes that back from a process that dies.
"""

from __future__ import annotations

import fcntl
import http.client
import json
import os
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

__all__ = ["Instance", "NotAnswering", "write_for_owner"]

_SECONDS = 10.0
_A_MOMENT = 0.1


class NotAnswering(Exception):
    """The page of this profile is served by another process, and that does not answer."""


class Instance:
    """The files by which the processes of one profile know of one another.

    Args:
        folder: the profile's.
    """

    def __init__(self, folder: Path) -> None:
        self._file = folder / "app.json"
        self._lock = folder / "app.lock"

    @contextmanager
    def only_one(self) -> Iterator[bool]:
        """Hold the profile's page; yield whether it is ours, and not another process's."""
        handle = os.open(self._lock, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        try:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                yield False
                return
            try:
                yield True
            finally:
                self._file.unlink(missing_ok=True)
        finally:
            os.close(handle)

    def tell(self, port: int, control: str) -> None:
        """Write down where this process serves."""
        write_for_owner(self._file, json.dumps({"port": port, "control": control, "pid": os.getpid()}).encode())

    def ask_for_token(self) -> tuple[int, str]:
        """Return the port of the process that serves the page, and a new token; blocks.

        Raises:
            NotAnswering: it gives none.
        """
        until = time.monotonic() + _SECONDS
        while time.monotonic() < until:
            with suppress(OSError, ValueError, KeyError, TypeError, http.client.HTTPException):
                known = json.loads(self._file.read_bytes())
                return int(known["port"]), _token(int(known["port"]), str(known["control"]))
            time.sleep(_A_MOMENT)  # it may be about to begin
        raise NotAnswering


def _token(port: int, control: str) -> str:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("POST", "/control/token", headers={"Authorization": f"Bearer {control}"})
        return str(json.loads(connection.getresponse().read(4096))["token"])
    finally:
        connection.close()


def write_for_owner(path: Path, data: bytes) -> None:
    """Write a file that nobody else can read, in place of what is there."""
    beside = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        os.write(handle, data)
    finally:
        os.close(handle)
    beside.replace(path)
