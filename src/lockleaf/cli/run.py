"""One run of a command: which profile, how to speak, and the open client."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path
from typing import Any

from lockleaf import client as sdk
from lockleaf.cli import screen
from lockleaf.cli.configuration import Configuration
from lockleaf.cli.errors import Complaint
from lockleaf.cli.surroundings import discard_output
from lockleaf.cli.terminal import json_escaped, printable

__all__ = ["Run"]


def _unlocked_for(settled: Configuration) -> float:
    """Return for how many seconds without a command a journal without a keychain stays unlocked.

    Raises:
        Complaint: ``LOCKLEAF_UNLOCK_MINUTES`` is not a number of minutes.
    """
    given = os.environ.get("LOCKLEAF_UNLOCK_MINUTES")
    if not given:
        return sdk.DEFAULT_IDLE if settled.unlock_minutes is None else settled.unlock_minutes * 60
    try:
        minutes = float(given)
    except ValueError:
        minutes = -1.0
    if not 0 <= minutes <= 60 * 24 * 7:
        raise Complaint("Invalid LOCKLEAF_UNLOCK_MINUTES: use a number of minutes from 0 to 10080, such as 15.")
    return minutes * 60


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
    unlock: Callable[[Run, sdk.Client], Awaitable[object]] | None = None
    """Asks for the password of a journal that is locked."""
    begin: Callable[[Run, sdk.Client], Awaitable[None]] | None = None
    """Begins a journal without an account, and asks what is to seal it."""
    settled: Configuration = field(default_factory=Configuration)
    """What the configuration file says."""
    options: frozenset[str] = frozenset()
    """Names of the common options that were given."""
    second_factor: Callable[[Run, sdk.FactorQuestion], str | Awaitable[sdk.PasskeyAssertion] | None] | None = None
    """Asks for a code or a security key where the server asks for the account's second factor."""

    @cached_property
    def out(self) -> screen.Console:
        """Standard output, for tables and text that a person reads."""
        return self._console(stderr=False)

    @cached_property
    def err(self) -> screen.Console:
        """Standard error, for notes and progress."""
        return self._console(stderr=True)

    def _console(self, *, stderr: bool) -> screen.Console:
        return screen.Console(stderr=stderr, highlight=False, emoji=False, no_color=True if not self.color else None)

    @asynccontextmanager
    async def client(
        self, *, unlock: bool = True, keep_unlocked: bool = False, begin: bool = False
    ) -> AsyncIterator[sdk.Client]:
        """Open the profile's client.

        Args:
            begin: where nothing is there yet, begin a journal without an account.
            unlock: ask for the password where the journal is locked and somebody can be asked.
            keep_unlocked: leave the key beside the journal from the next login on, where there is no keychain.
        """
        async with AsyncExitStack() as opened:
            client = await opened.enter_async_context(await self._opened(keep_unlocked))
            if begin and client.profile is None:
                assert self.begin is not None
                try:
                    await self.begin(self, client)
                except sdk.AlreadyLoggedIn:
                    # Another command began one at the same moment: this one goes on with it.
                    client = await opened.enter_async_context(await self._opened(keep_unlocked))
            if unlock and self.unlock is not None and client.is_locked:
                await self.unlock(self, client)
            yield client

    async def _opened(self, keep_unlocked: bool) -> sdk.Client:
        return await sdk.Client.open(
            sdk.expanded(self.home),
            self.profile,
            notice=self.note,
            unlocked_for=_unlocked_for(self.settled),
            keep_unlocked=keep_unlocked,
            second_factor=None if self.second_factor is None else partial(self.second_factor, self),
        )

    def result(self, value: Any) -> None:
        """Write one JSON value on a line of its own."""
        document = json.dumps(value, ensure_ascii=(sys.stdout.encoding or "").lower() != "utf-8")
        sys.stdout.write(json_escaped(document) + "\n")

    def line(self, text: str) -> None:
        """Write a plain line of a result, for people and scripts alike; nothing in it commands a terminal."""
        sys.stdout.write(printable(text) + "\n")

    def show(self, renderable: screen.RenderableType) -> None:
        """Write something that Rich renders as a result; text is taken as it is, without markup."""
        self.out.print(renderable, markup=False)

    def note(self, text: str) -> None:
        """Tell a person something that is no result; nothing with ``--quiet``, and nothing that commands a terminal."""
        if self.quiet:
            return
        try:
            self.err.print(printable(text), markup=False, style="dim", soft_wrap=not self.err.is_terminal)
        except OSError:  # nobody reads it, and that is no reason to stop
            discard_output(sys.stderr)

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
