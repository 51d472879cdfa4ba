"""Processes that another one forked for us, with what `subprocess` offers for those that it started itself."""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import socket
import subprocess
import time
from collections.abc import Sequence
from types import TracebackType
from typing import IO, Any, Self

__all__ = ["Started"]

_PIECE = 65_536


class Started:
    """A process that was forked, as far as one that is not its parent can look after it.

    Arguments:
        way_back: where its id is told, and how it ended.
        argv: its command.
        stdin, stdout, stderr: our ends of the pipes to it, as files; None where it has something else there.

    Attributes:
        pid: its id.
        returncode: how it ended (negative: the signal that ended it); None as long as that is not known here.
    """

    def __init__(
        self,
        way_back: socket.socket,
        argv: Sequence[str],
        *,
        stdin: IO[Any] | None = None,
        stdout: IO[Any] | None = None,
        stderr: IO[Any] | None = None,
    ) -> None:
        self._way_back, self.args = way_back, list(argv)
        self.stdin, self.stdout, self.stderr = stdin, stdout, stderr
        self.pid = int(way_back.recv(16))
        self.returncode: int | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close()
        self.wait()

    def wait(self, timeout: float | None = None) -> int:
        """Return how it ended, once it did.

        Raises:
            subprocess.TimeoutExpired: it did not, for so many seconds.
        """
        if self.returncode is None:
            self._way_back.settimeout(timeout)
            try:
                told = self._way_back.recv(16)
            except (TimeoutError, BlockingIOError):
                raise subprocess.TimeoutExpired(self.args, timeout or 0) from None
            self.returncode = os.waitstatus_to_exitcode(int(told))
            self._way_back.close()
        return self.returncode

    def poll(self) -> int | None:
        """Return how it ended, None while it runs."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            return self.wait(0)
        return None

    def communicate(self, given: bytes | None = None, timeout: float | None = None) -> tuple[bytes, bytes]:
        """Give it its input, which has to fit into a pipe; return what it writes and its errors, once it ended.

        Raises:
            subprocess.TimeoutExpired: it did not, for so many seconds.
        """
        if self.stdin is not None and not self.stdin.closed:
            with contextlib.suppress(BrokenPipeError):
                self.stdin.write(given or b"")
                self.stdin.close()
        deadline = None if timeout is None else time.monotonic() + timeout
        pieces: dict[int, list[bytes]] = {1: [], 2: []}
        with selectors.DefaultSelector() as selector:
            for number, end in ((1, self.stdout), (2, self.stderr)):
                if end is not None and not end.closed:
                    selector.register(end, selectors.EVENT_READ, number)
            while selector.get_map():
                left = None if deadline is None else deadline - time.monotonic()
                if left is not None and left < 0:
                    raise subprocess.TimeoutExpired(self.args, timeout or 0)
                for key, _ in selector.select(left):
                    if piece := os.read(key.fd, _PIECE):
                        pieces[key.data].append(piece)
                    else:
                        selector.unregister(key.fileobj)
        self.wait(None if deadline is None else max(0.0, deadline - time.monotonic()))
        self._close()
        return b"".join(pieces[1]), b"".join(pieces[2])

    def send_signal(self, number: int) -> None:
        """Send it a signal, unless it ended."""
        if self.poll() is None:
            # It may have ended, and its end not have been told yet.
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def terminate(self) -> None:
        """Ask it to end."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """End it at once."""
        self.send_signal(signal.SIGKILL)

    def _close(self) -> None:
        for end in (self.stdin, self.stdout, self.stderr):
            if end is not None:
                with contextlib.suppress(BrokenPipeError):
                    end.close()
