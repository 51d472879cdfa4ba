"""The installed command at a terminal of its own, as a person uses it."""

from __future__ import annotations

import errno
import os
import pty
import re
import select
import termios
import time
from types import TracebackType
from typing import Self

from tests.support import warm_program
from tests.support.command_line import INSTALLED, SECONDS, CommandLine

__all__ = ["Terminal"]

_COMMANDS = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


class Terminal:
    """A command whose three ends, and whose controlling terminal, are a pseudo-terminal.

    Args:
        device: whose command it is.
        arguments: of the command.
        without: names that its environment must not have.
    """

    def __init__(self, device: CommandLine, *arguments: str, without: tuple[str, ...] = ()) -> None:
        self._controller, self._inside = pty.openpty()
        environment = {name: value for name, value in device.variables().items() if name not in without}
        environment |= {"TERM": "dumb", "COLUMNS": "400", "LINES": "50"}  # of a dumb terminal one alone does not count
        self.process = warm_program.start_at_terminal(
            device.program, arguments, environment, self._inside, loads=device.program != INSTALLED
        )
        self._unread = ""
        self.seen = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        os.close(self._inside)
        os.close(self._controller)

    def wait_for(self, text: str) -> str:
        """Return what the command wrote up to the end of ``text``, once it has written it."""
        deadline = time.monotonic() + SECONDS
        while text not in self._unread:
            assert self._read(deadline), f"it never wrote {text!r} after {self.seen!r}"
        before, _, self._unread = self._unread.partition(text)
        return before + text

    def type(self, line: str | bytes) -> None:
        """Type a line."""
        os.write(self._controller, (line.encode() if isinstance(line, str) else line) + b"\n")

    def interrupt(self) -> None:
        """Press Ctrl-C."""
        os.write(self._controller, b"\x03")

    def shows_typing(self) -> bool:
        """Whether the terminal shows what is typed."""
        return bool(termios.tcgetattr(self._inside)[3] & termios.ECHO)

    def end(self) -> int:
        """Return how the command ended."""
        deadline = time.monotonic() + SECONDS
        while self.process.poll() is None:
            self._read(min(deadline, time.monotonic() + 0.1))
            assert time.monotonic() < deadline, f"it did not end after {self.seen!r}"
        while self._read(time.monotonic()):
            pass
        return self.process.returncode

    def _read(self, deadline: float) -> bool:
        ready, _, _ = select.select([self._controller], [], [], max(0.0, deadline - time.monotonic()))
        if not ready:
            return False
        try:
            data = os.read(self._controller, 65536)
        except OSError as error:
            if error.errno == errno.EIO:
                return False
            raise
        text = _COMMANDS.sub("", data.decode(errors="replace")).replace("\r\n", "\n")
        self._unread += text
        self.seen += text
        return bool(data)
