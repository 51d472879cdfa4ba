"""The open journal behind the page: opened, locked when nobody uses it, kept in step, and told to all pages."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import lockleaf
from lockleaf import client as sdk
from lockleaf.app.attendance import Attendance
from lockleaf.app.events import Events
from lockleaf.app.in_step import InStep
from lockleaf.app.models.state import AccountState, Counts, State
from lockleaf.app.moves import Moves
from lockleaf.app.shelf import Shelf
from lockleaf.app.wishes import daily_goal, keep_daily_goal
from lockleaf.tasks import end_task

__all__ = ["Desk", "Opener"]

Opener = Callable[[sdk.SecondFactor], Awaitable[sdk.Client]]
"""Opens the client of a profile; what answers the server's question for a second factor is given."""
_LOOK_AROUND = 1.0
_WORTH_WARMING = 25
"""So many entries that were written at once take an index of words longer than anybody who types a search waits."""
_PATIENCE = 10.0
"""Seconds for which a request that is being answered keeps a journal open that is to be locked."""


@dataclass
class Desk:
    """One profile, open for the pages of one process.

    Args:
        profile: its name.
        open_client: opens its client.
        lock_after: seconds after which the journal is locked where a person does nothing; None: never.
        folder: the profile's, for what the page remembers of its user's wishes, and for archives on their way.
    """

    profile: str
    open_client: Opener
    lock_after: float | None = None
    folder: Path | None = None
    events: Events = field(default_factory=Events)
    _client: sdk.Client | None = None
    _profile: sdk.Profile | None = None
    """What is known of it while it is locked, too."""
    _shelf: tuple[sdk.Journal, Shelf] | None = None
    _left: list[sdk.Client] = field(default_factory=list)
    """Those whose journal moved: a request may still be reading. A journal moves once."""
    _closed_here: bool = False
    """The keychain would open it at once: it was locked here."""
    attendance: Attendance = field(init=False)
    moves: Moves = field(init=False)
    _in_step: InStep = field(init=False)
    _tasks: list[asyncio.Task[None]] = field(default_factory=list)
    _warming: asyncio.Task[None] | None = None
    factor: str | None = None
    """The code of a second factor, while a request that brought one is answered."""
    adding: sdk.NewApp | None = None
    """The authenticator app that is being added, until a code confirms it."""
    connecting: tuple[str, sdk.Connecting] | None = None
    """The network that is being connected, until its code comes."""
    drafting: asyncio.Lock = field(default_factory=asyncio.Lock)
    searching: asyncio.Lock = field(default_factory=asyncio.Lock)

    def __post_init__(self) -> None:
        self.attendance = Attendance(self.lock_after)
        self._in_step = InStep(self.events, self._changed)
        self.moves = Moves(lambda: self._client, lambda: self.open_client(self.second_factor), self._exchange)

    # ---- from the first moment to the last ----

    async def start(self) -> None:
        """Open the profile, and look after it from now on."""
        self._client = await self.open_client(self.second_factor)
        self._tasks = [asyncio.create_task(self._look_after())]
        await self._begin()

    async def aclose(self) -> None:
        """Let go of everything."""
        self.events.close()
        for task in (*self._tasks, self._warming):
            if task is not None:
                await end_task(task)
        await self._in_step.end()
        for client in (*self._left, self._client):
            if client is not None:
                await client.aclose()

    # ---- what is open ----

    @property
    def client(self) -> sdk.Client:
        """The client.

        Raises:
            JournalLocked: the journal is locked.
        """
        if self._client is None or self._closed_here:
            raise sdk.JournalLocked
        return self._client

    @property
    def journal(self) -> sdk.Journal:
        """The journal; see `Client.journal` for what it raises."""
        return self.client.journal

    async def shelf(self) -> Shelf:
        """Return the entries in memory, with everything that was written."""
        shelf = self._shelf_of(self.journal)
        await self.catch_up()
        return shelf

    def _shelf_of(self, journal: sdk.Journal) -> Shelf:
        if self._shelf is None or self._shelf[0] is not journal:
            self._shelf = (journal, Shelf(journal))
        return self._shelf[1]

    async def catch_up(self) -> bool:
        """Read what was written, by whomever, tell the pages, and return whether there was anything."""
        ids = await self._shelf_of(self.journal).catch_up()
        if ids is None or len(ids) > _WORTH_WARMING:
            self._warm()
        if ids is None:
            self.events.tell("entries", {"all": True})
        elif ids:
            self.events.tell("entries", {"ids": ids})
        return ids is None or bool(ids)

    def _warm(self) -> None:
        """Have the index of words read, or made, before somebody searches."""
        if self._warming is None or self._warming.done():
            self._warming = asyncio.create_task(self._make_index())

    async def _make_index(self) -> None:
        # Whatever goes wrong is told to whoever searches.
        with contextlib.suppress(sdk.LockleafError):
            async with self.attendance.at_work():
                await self.journal.search("", limit=1)

    # ---- lock and unlock ----

    @property
    def is_locked(self) -> bool:
        """Whether the page has to ask before it shows anything."""
        return self._client is None or self._closed_here or self._client.is_locked

    @property
    def asks_for_password(self) -> bool:
        """Whether what locks this journal is its password, and not the system's keychain."""
        return self._client is not None and self._client.keys_in == "password"

    async def lock(self) -> None:
        """Forget the keys, and everything that was open under them, until somebody unlocks."""
        client = self._client
        if client is None or self.is_locked:
            return
        self._closed_here = True  # nobody new comes in
        await self._in_step.end()
        await self.attendance.end(_PATIENCE)
        self._shelf = self.adding = self.connecting = None
        if client.keys_in == "password":
            await client.lock()
            self._closed_here = False
        else:
            # The keychain, or a file, opens it again: what can be done here is to let go of it.
            self._client = None
            await client.aclose()
        self.events.tell("locked", {})

    async def unlock(self, password: str) -> None:
        """Open the journal again.

        Raises:
            WrongPassword: it does not open it.
        """
        if self._client is None:
            self._client = await self.open_client(self.second_factor)
        if self._client.is_locked:
            await self._client.unlock(password)
        self._closed_here = False
        self.attendance.use()
        await self._begin()
        await self.tell_state()

    async def _begin(self) -> None:
        """Read what is open, and keep it in step."""
        self._in_step.begin(self._client)
        if self._client is not None and self._client.is_open:
            with contextlib.suppress(sdk.LockleafError):
                await self.catch_up()

    # ---- the account ----

    async def entered(self) -> None:
        """Go on with an account that was entered just now."""
        self._shelf = None
        self._in_step.begin(self._client)
        self.events.tell("entries", {"all": True})
        await self.tell_state()

    async def leave(self) -> None:
        """Log out; the journal stays here, sealed, for the next login."""
        client = self.client
        await self._in_step.end()
        try:
            await client.account.logout()
        except sdk.LockleafError:
            self._in_step.begin(client)
            raise
        self._shelf = None
        await self.tell_state()

    async def _exchange(self, client: sdk.Client) -> None:
        """Go on with another client, whose journal is this one under other keys."""
        await self._in_step.end()
        if self._client is not None:
            self._left.append(self._client)
        self._client, self.adding, self.connecting = client, None, None
        await self._begin()
        self.events.tell("locked" if self.is_locked else "entries", {} if self.is_locked else {"all": True})
        await self.tell_state()

    def second_factor(self, question: sdk.FactorQuestion) -> str | None:
        """Answer where the server asks for a second factor: with what was typed beside the password."""
        return None if question.refused else self.factor

    # ---- how it stands ----

    async def state(self) -> State:
        """Return how it stands."""
        client, locked = self._client, self.is_locked
        profile = self._profile = self._profile if client is None else client.profile
        account = None
        if profile is not None and profile.server:
            account = AccountState(
                name=profile.login_name,
                server=profile.server,
                custody=profile.custody,
                device_name=profile.device_name,
                logged_in=client is not None and client.is_logged_in,
                deleted=profile.account_deleted,
            )
        counts, words_today, sync = Counts(), 0, self._in_step.state
        is_open = client is not None and client.is_open and not locked
        if is_open:
            assert client is not None
            await self.catch_up()
            shelf = self._shelf_of(client.journal)
            today = datetime.now().astimezone().date()
            present = list(shelf.present())
            words_today = sum(each.words for each in present if each.day == today)
            counts = Counts(
                entries=len(present),
                conflicts=len(await client.journal.conflicts()),
                drafts=len(await asyncio.to_thread(client.drafts.list)),
                inbox=await client.inbox.count(),
            )
            sync = self._in_step.state.model_copy(
                update={"pending": await client.journal.pending_count(), "last_sync": await client.journal.last_sync()}
            )
        return State(
            profile=self.profile,
            first_run=profile is None or (profile.is_local and not counts.entries and not locked),
            keys_in=None if client is None else client.keys_in,
            locked=locked,
            can_lock=self.asks_for_password,
            account=account,
            sync=sync,
            counts=counts,
            daily_goal=None if self.folder is None else await asyncio.to_thread(daily_goal, self.folder),
            words_today=words_today,
            app_version=lockleaf.__version__,
        )

    async def set_daily_goal(self, words: int | None) -> None:
        """Remember how many words a day its user wants to write."""
        if self.folder is not None:
            await asyncio.to_thread(keep_daily_goal, self.folder, words)
        await self.tell_state()

    async def tell_state(self) -> None:
        """Tell the pages how it stands."""
        if self.events.is_heard:
            self.events.tell("state", (await self.state()).model_dump(mode="json"))

    async def written(self) -> None:
        """Tell the pages that something was written here, and have it sent."""
        await self.catch_up()
        await self.tell_state()
        self._in_step.wake()

    # ---- synchronisation ----

    def sync_soon(self) -> None:
        """Sync as soon as possible, also where an error had ended it."""
        self._in_step.soon(self._client)

    @asynccontextmanager
    async def without_sync(self) -> AsyncIterator[None]:
        """Leave the synchronisation to what is done within, which syncs itself or ends the session."""
        try:
            async with self._in_step.paused():
                yield
        finally:
            self._in_step.begin(self._client)

    async def _changed(self, came: bool) -> None:
        if came:
            await self.catch_up()
        await self.tell_state()

    # ---- beside the requests ----

    async def _look_after(self) -> None:
        """Tell pages what other programs write, and lock what nobody uses."""
        while True:
            await asyncio.sleep(_LOOK_AROUND)
            with contextlib.suppress(sdk.LockleafError, OSError):
                await self.moves.look()
            if self.is_locked:
                continue
            if self.attendance.is_over:
                await self.lock()
                continue
            if self.events.is_heard and self._client is not None and self._client.is_open:
                with contextlib.suppress(sdk.LockleafError):
                    if await self.catch_up():
                        await self.tell_state()
