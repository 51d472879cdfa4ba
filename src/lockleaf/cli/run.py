"""One run of a command: which profile, how to speak, and the open client."""

from __future__ import annotations

import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lockleaf.cli.terminal import json_escaped, printable

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

    from lockleaf.client.client import Client

__all__ = ["Run"]


@dataclass(frozen=True)
class Run:
    """What the options common to all commands decided.

    Results go to standard output, everything else that a person reads to standard error, so that a pipe carries
    results alone.
    """

    home: Path
    profile: str
    json: bool
    quiet: bool
    color: bool

    @cached_property
    def out(self) -> Console:
        """Standard output, for tables and text that a person reads."""
        return self._console(stderr=False)

    @cached_property
    def err(self) -> Console:
        """Standard error, for notes and progress."""
        return self._console(stderr=True)

    def _console(self, *, stderr: bool) -> Console:
        from rich.console import Console  # noqa: PLC0415

        return Console(stderr=stderr, highlight=False, emoji=False, no_color=True if not self.color else None)

    @asynccontextmanager
    async def client(self) -> AsyncIterator[Client]:
        """Open the profile's client."""
        from lockleaf.client.client import Client  # noqa: PLC0415

        async with await Client.open(self.home, self.profile, notice=self.note) as client:
            yield client

    def result(self, value: Any) -> None:
        """Write one JSON value on a line of its own."""
        document = json.dumps(value, ensure_ascii=(sys.stdout.encoding or "").lower() != "utf-8")
        sys.stdout.write(json_escaped(document) + "\n")

    def line(self, text: str) -> None:
        """Write a plain line of a result, for people and scripts alike; nothing in it commands a terminal."""
        sys.stdout.write(printable(text) + "\n")

    def show(self, renderable: RenderableType) -> None:
        """Write something that Rich renders as a result; text is taken as it is, without markup."""
        self.out.print(renderable, markup=False)

    def note(self, text: str) -> None:
        """Tell a person something that is no result; nothing with ``--quiet``, and nothing that commands a terminal."""
        if not self.quiet:
            self.err.print(printable(text), markup=False, style="dim", soft_wrap=not self.err.is_terminal)

    def flush(self) -> None:
        """Let go of what standard output still holds."""
        sys.stdout.flush()

    @property
    def interactive(self) -> bool:
        """Whether a person can be asked: both what is typed and what is asked are at a terminal."""
        return sys.stdin.isatty() and sys.stderr.isatty()

    @property
    def shows_progress(self) -> bool:
        """Whether a moving bar makes sense."""
        return not self.quiet and self.err.is_terminal
