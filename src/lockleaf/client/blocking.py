"""The SDK for programs without an event loop: the same methods, which return when they are done.

One event loop runs in a thread of its own; every method here hands its work over and waits. There is no second
implementation of anything. Progress and notice callbacks are called in that thread.
"""

from __future__ import annotations

import asyncio
import functools
import threading
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Coroutine, Iterator
from datetime import date
from pathlib import Path
from types import TracebackType
from typing import Any, Concatenate, Generic, ParamSpec, Self, TypeVar

from lockleaf.client.account.account import AccountService
from lockleaf.client.account.archive import Archive
from lockleaf.client.client import Client
from lockleaf.client.journal.drafts import Drafts
from lockleaf.client.journal.exporters.exporting import ExportReport
from lockleaf.client.journal.inbox import Inbox
from lockleaf.client.journal.journal import Journal
from lockleaf.client.journal.revisions import Revision
from lockleaf.client.keychain.keychains import KeysIn
from lockleaf.client.media.media import Media
from lockleaf.client.metrics.summary import By, Stats
from lockleaf.client.metrics.sums import MetricsReport
from lockleaf.client.networks import Networks
from lockleaf.client.profile.profiles import Profile
from lockleaf.client.records.entries import ProgressCallback
from lockleaf.client.search.listing import EntriesPage
from lockleaf.client.search.server_search import ServerSearch
from lockleaf.client.sync.differences import Choose
from lockleaf.client.sync.repair import Confirm, RepairReport
from lockleaf.client.sync.synchroniser import SyncReport
from lockleaf.wire.account_fields import PrivacyTier
from lockleaf.wire.privacy import Privacy, PrivacyChanged

__all__ = [
    "BlockingAccount",
    "BlockingClient",
    "BlockingInbox",
    "BlockingJournal",
    "BlockingMedia",
    "BlockingServerSearch",
]

P = ParamSpec("P")
R = TypeVar("R")
T = TypeVar("T")

_PATIENCE = 10.0
"""Seconds that an interrupted call waits for its work to end."""


class _LoopThread:
    """An event loop in a thread."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="lockleaf", daemon=True)
        self._thread.start()

    def run(self, work: Coroutine[Any, Any, R]) -> R:
        """Run ``work`` in the loop and return its result; an interrupt cancels it."""
        ended = threading.Event()

        async def watched() -> R:
            try:
                return await work
            finally:
                ended.set()

        future = asyncio.run_coroutine_threadsafe(watched(), self._loop)
        try:
            return future.result()
        except BaseException:
            if future.cancel():
                # It may hold locks and open files: let it put them down before the caller goes on.
                ended.wait(_PATIENCE)
            raise

    def close(self) -> None:
        """End the loop, with everything that still runs in it."""
        if self._thread.is_alive():
            self.run(_cancel_all())
            self.run(self._loop.shutdown_asyncgens())
            self.run(self._loop.shutdown_default_executor())
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
            self._loop.close()


async def _cancel_all() -> None:
    tasks = asyncio.all_tasks() - {asyncio.current_task()}
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


class _Face(Generic[T]):
    """Stands for an object of the asynchronous SDK, found anew at each use: a login replaces some of them."""

    def __init__(self, loop: _LoopThread, find: Callable[[], T]) -> None:
        self._loop = loop
        self._find = find


class _waits(Generic[P, R]):  # noqa: N801  (read like a decorator)
    """Makes a method of the asynchronous SDK one that returns when it is done."""

    def __init__(self, method: Callable[Concatenate[Any, P], Coroutine[Any, Any, R]]) -> None:
        self._method = method
        self.__doc__ = method.__doc__

    def __get__(self, face: _Face[Any], owner: type) -> Callable[P, R]:
        @functools.wraps(self._method)
        def call(*args: P.args, **kwargs: P.kwargs) -> R:
            return face._loop.run(self._method(face._find(), *args, **kwargs))

        return call


class BlockingAccount(_Face[AccountService]):
    """`AccountService`, waiting for each answer."""

    register = _waits(AccountService.register)
    login = _waits(AccountService.login)
    recover = _waits(AccountService.recover)
    logout = _waits(AccountService.logout)
    delete = _waits(AccountService.delete)
    me = _waits(AccountService.me)
    details = _waits(AccountService.details)
    update = _waits(AccountService.update)
    preferences = _waits(AccountService.preferences)
    update_preferences = _waits(AccountService.update_preferences)
    features = _waits(AccountService.features)
    sessions = _waits(AccountService.sessions)
    revoke = _waits(AccountService.revoke)
    link_code = _waits(AccountService.link_code)
    access = _waits(AccountService.access)
    check_keys = _waits(AccountService.check_keys)
    change_password = _waits(AccountService.change_password)
    rotate_keyring = _waits(AccountService.rotate_keyring)
    new_recovery_codes = _waits(AccountService.new_recovery_codes)
    recovery_codes_left = _waits(AccountService.recovery_codes_left)


class BlockingJournal(_Face[Journal]):
    """`Journal`, waiting for each answer."""

    write = _waits(Journal.write)
    edit = _waits(Journal.edit)
    delete = _waits(Journal.delete)
    restore = _waits(Journal.restore)
    get = _waits(Journal.get)
    list = _waits(Journal.list)
    search = _waits(Journal.search)
    count = _waits(Journal.count)
    pending_count = _waits(Journal.pending_count)
    replaced_count = _waits(Journal.replaced_count)
    unverified_count = _waits(Journal.unverified_count)
    doubt = _waits(Journal.doubt)
    last_sync = _waits(Journal.last_sync)
    tags = _waits(Journal.tags)
    tag = _waits(Journal.tag)
    recolor_tag = _waits(Journal.recolor_tag)
    rename_tag = _waits(Journal.rename_tag)
    remove_tag = _waits(Journal.remove_tag)
    clean_up_tags = _waits(Journal.clean_up_tags)
    conflicts = _waits(Journal.conflicts)
    resolve = _waits(Journal.resolve)
    import_entries = _waits(Journal.import_entries)
    import_from = _waits(Journal.import_from)


class BlockingServerSearch(_Face[ServerSearch]):
    """`ServerSearch`, waiting for each answer."""

    find = _waits(ServerSearch.find)
    status = _waits(ServerSearch.status)
    keeps_up = _waits(ServerSearch.keeps_up)
    switch_on = _waits(ServerSearch.switch_on)
    switch_off = _waits(ServerSearch.switch_off)
    rebuild = _waits(ServerSearch.rebuild)


class BlockingInbox(_Face[Inbox]):
    """`Inbox`, waiting for each answer."""

    list = _waits(Inbox.list)
    count = _waits(Inbox.count)
    get = _waits(Inbox.get)
    accept = _waits(Inbox.accept)
    refuse = _waits(Inbox.refuse)


class BlockingNetworks(_Face[Networks]):
    """`Networks`, waiting for each answer."""

    list = _waits(Networks.list)
    connect = _waits(Networks.connect)
    finish = _waits(Networks.finish)
    disconnect = _waits(Networks.disconnect)
    pull = _waits(Networks.pull)
    publish = _waits(Networks.publish)


class BlockingMedia(_Face[Media]):
    """`Media`, waiting for each answer."""

    attach = _waits(Media.attach)
    list = _waits(Media.list)
    get = _waits(Media.get)
    medium = _waits(Media.medium)
    delete = _waits(Media.delete)
    delete_for_good = _waits(Media.delete_for_good)
    restore = _waits(Media.restore)
    pending_count = _waits(Media.pending_count)
    resume = _waits(Media.resume)
    download = _waits(Media.download)
    copy = _waits(Media.copy)
    keep_all = _waits(Media.keep_all)
    seal_anew = _waits(Media.seal_anew)
    is_rotation_unfinished = _waits(Media.is_rotation_unfinished)
    stores = _waits(Media.stores)
    allow_store = _waits(Media.allow_store)
    forbid_store = _waits(Media.forbid_store)


class _Opening(Generic[P]):
    """`Client.open`, with the same parameters and a `BlockingClient` for a result."""

    def __init__(self, opener: Callable[P, Coroutine[Any, Any, Client]]) -> None:
        self._opener = opener
        self.__doc__ = opener.__doc__

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> BlockingClient:
        loop = _LoopThread()
        try:
            return BlockingClient(loop, loop.run(self._opener(*args, **kwargs)))
        except BaseException:
            loop.close()
            raise


class BlockingClient:
    """`Client` for programs without an event loop.

    Made by `BlockingClient.open`; closed by ``close`` or at the end of ``with``.
    """

    open = _Opening(Client.open)

    def __init__(self, loop: _LoopThread, client: Client) -> None:
        self._loop = loop
        self._client = client
        self.account = BlockingAccount(loop, lambda: client.account)
        self.journal = BlockingJournal(loop, lambda: client.journal)
        self.inbox = BlockingInbox(loop, lambda: client.inbox)
        self.networks = BlockingNetworks(loop, lambda: client.networks)
        self.media = BlockingMedia(loop, lambda: client.media)
        self.server_search = BlockingServerSearch(loop, lambda: client.server_search)

    def close(self) -> None:
        """Close the store, the connections and the loop."""
        try:
            self._loop.run(self._client.aclose())
        finally:
            self._loop.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def profile(self) -> Profile | None:
        """What this device remembers of its account; None before the first login."""
        return self._client.profile

    @property
    def is_logged_in(self) -> bool:
        """Whether there is a session."""
        return self._client.is_logged_in

    @property
    def sealed_again(self) -> bool:
        """Whether everything at the server is sealed under the newest keys; see `Client.sealed_again`."""
        return self._client.sealed_again

    @property
    def is_open(self) -> bool:
        """Whether the journal on this device is open."""
        return self._client.is_open

    @property
    def is_locked(self) -> bool:
        """Whether the journal on this device wants the password before it opens."""
        return self._client.is_locked

    @property
    def keys_in(self) -> KeysIn:
        """Where the key of the journal is kept."""
        return self._client.keys_in

    def unlock(self, password: str, *, unlocked_for: float | None = None) -> bool:
        """Open a journal that is locked; see `Client.unlock`."""
        return self._loop.run(self._client.unlock(password, unlocked_for=unlocked_for))

    def lock(self) -> None:
        """Close the journal until the password is given; see `Client.lock`."""
        self._loop.run(self._client.lock())

    def keep_unlocked(self) -> None:
        """Leave the key beside the journal; see `Client.keep_unlocked`."""
        self._loop.run(self._client.keep_unlocked())

    @property
    def drafts(self) -> Drafts:
        """What was typed or piped on this device and is not in the journal; see `Client.drafts`."""
        return self._client.drafts

    def privacy(self) -> Privacy:
        """Return how much the server holds of the account; see `Client.privacy`."""
        return self._loop.run(self._client.privacy())

    def set_privacy_tier(
        self, tier: PrivacyTier, *, password: str | None = None, he_public_key: bytes | None = None
    ) -> PrivacyChanged:
        """Choose how much the server holds; see `Client.set_privacy_tier`."""
        return self._loop.run(self._client.set_privacy_tier(tier, password=password, he_public_key=he_public_key))

    def export(self, path: Path, **asked: Any) -> ExportReport:
        """Write the journal of this device in plain text; see `Client.export`."""
        return self._loop.run(self._client.export(path, **asked))

    def fetch_archive(
        self,
        path: Path,
        progress: ProgressCallback | None = None,
        *,
        overwrite: bool = False,
        files: bool = True,
    ) -> Archive:
        """Write everything that the server holds of the account to a file; see `Client.fetch_archive`."""
        return self._loop.run(self._client.fetch_archive(path, progress, overwrite=overwrite, files=files))

    def share_dates(self, share: bool) -> None:
        """Decide whether the server may know date and source of entries written from now on."""
        self._client.share_dates(share)

    @property
    def sends_labels(self) -> bool:
        """Whether labels go to the server with each entry; see `Client.sends_labels`."""
        return self._client.sends_labels

    def send_labels(self, send: bool) -> None:
        """Decide for all devices whether labels go to the server; see `Client.send_labels`."""
        self._loop.run(self._client.send_labels(send))

    def entries_page(
        self,
        *,
        since: date | str | None = None,
        until: date | str | None = None,
        tag: str | None = None,
        mood: str | None = None,
        source: str | None = None,
        cursor: str | None = None,
        limit: int = 50,
    ) -> EntriesPage:
        """Ask the server for entries; see `Client.entries_page`."""
        return self._loop.run(
            self._client.entries_page(
                since=since, until=until, tag=tag, mood=mood, source=source, cursor=cursor, limit=limit
            )
        )

    def history(self, entry_id: str, *, limit: int = 20, offline: bool = False) -> tuple[Revision, ...]:
        """Return what an entry held before and holds now; see `Client.history`."""
        return self._loop.run(self._client.history(entry_id, limit=limit, offline=offline))

    def revision(self, entry_id: str, number: str) -> Revision:
        """Return one state of an entry; see `Client.revision`."""
        return self._loop.run(self._client.revision(entry_id, number))

    def stats(
        self,
        metric: str = "word_count",
        *,
        by: By = "month",
        since: date | str | None = None,
        until: date | str | None = None,
        local: bool = False,
    ) -> Stats:
        """Return averages, variances and the trend of a metric; see `Client.stats`."""
        return self._loop.run(self._client.stats(metric, by=by, since=since, until=until, local=local))

    def count_metrics(self, on: bool = True, *, again: bool = False) -> MetricsReport:
        """Have the server keep encrypted sums of metrics, or delete them; see `Client.count_metrics`."""
        return self._loop.run(self._client.count_metrics(on, again=again))

    def sync_metrics(self) -> MetricsReport:
        """Send what changed to the account's sums; see `Client.sync_metrics`."""
        return self._loop.run(self._client.sync_metrics())

    def sync(self, progress: ProgressCallback | None = None, *, accept_restore: bool = False) -> SyncReport:
        """Fetch, verify, merge and send; see `Client.sync`."""
        return self._loop.run(self._client.sync(progress, accept_restore=accept_restore))

    def repair(
        self,
        password: str | Callable[[], str],
        *,
        confirm: Confirm | None = None,
        choose: Choose | None = None,
        progress: ProgressCallback | None = None,
        again: bool = False,
    ) -> RepairReport:
        """Go on with a server whose history was refused, and lose nothing; see `Client.repair`."""
        return self._loop.run(
            self._client.repair(password, confirm=confirm, choose=choose, progress=progress, again=again)
        )

    def watch(self, *, every: float = 15.0) -> Iterator[SyncReport]:
        """Sync again and again; see `Client.watch`."""
        reports = self._client.watch(every=every)
        try:
            while True:
                report = self._loop.run(_next(reports))
                if report is None:
                    return
                yield report
        finally:
            self._loop.run(_end(reports))


async def _next(reports: AsyncIterator[SyncReport]) -> SyncReport | None:
    return await anext(reports, None)


async def _end(reports: AsyncIterator[SyncReport]) -> None:
    if isinstance(reports, AsyncGenerator):
        await reports.aclose()
