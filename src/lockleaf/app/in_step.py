"""An open journal kept in step with its server, and the pages told how that goes."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from lockleaf import client as sdk
from lockleaf.app.events import Events
from lockleaf.app.models.state import SyncState
from lockleaf.app.problems import UNFORESEEN
from lockleaf.tasks import end_task

__all__ = ["InStep"]

_EVERY = 10.0


@dataclass
class InStep:
    """Synchronises one client, until it is ended or an error ends it.

    Args:
        events: told of each attempt.
        changed: called behind each sync, and where an error ended it; ``came``: something may have come with it.
    """

    events: Events
    changed: Callable[[bool], Awaitable[None]]
    state: SyncState = field(default_factory=lambda: SyncState(state="local"))
    _now: asyncio.Event = field(default_factory=asyncio.Event)
    _task: asyncio.Task[None] | None = None
    _paused: int = 0
    """By so many at once."""

    def begin(self, client: sdk.Client | None) -> None:
        """Keep a client in step from now on, unless it is paused; one without a session is local."""
        if self._paused:
            return
        if client is None or not client.is_logged_in:
            self.state = SyncState(state="local")
            return
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._keep(client))

    def soon(self, client: sdk.Client | None) -> None:
        """Sync as soon as possible, also where an error had ended it."""
        if self._task is None or self._task.done():
            self.begin(client)
        self.wake()

    def wake(self) -> None:
        """Sync as soon as possible, if it goes on at all."""
        self._now.set()

    async def end(self) -> None:
        """Leave it, until `begin`."""
        task, self._task = self._task, None
        if task is not None:
            await end_task(task)
        self.state = SyncState(state="local")

    @asynccontextmanager
    async def paused(self) -> AsyncIterator[None]:
        """End it, and let nobody begin it within."""
        self._paused += 1
        try:
            await self.end()
            yield
        finally:
            self._paused -= 1

    async def _keep(self, client: sdk.Client) -> None:
        def told(outcome: sdk.LockleafError | None) -> None:
            self.state = (
                SyncState(state="syncing")
                if outcome is None
                else SyncState(state="offline", message=str(outcome), code=type(outcome).__name__)
            )
            self.events.tell("sync", self.state.model_dump(mode="json"))

        try:
            async for _ in client.sync.watch(every=_EVERY, told=told, now=self._now):
                self.state = SyncState(state="idle")
                await self.changed(True)
        except Exception as error:
            # One that nobody foresaw, too: it would be raised where this is ended, and the journal stay unlocked.
            said = str(error) if isinstance(error, sdk.LockleafError) else UNFORESEEN
            self.state = SyncState(state="error", message=said, code=type(error).__name__)
            with contextlib.suppress(Exception):
                await self.changed(False)
