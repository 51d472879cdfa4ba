"""The SDK for programs without an event loop: the same methods, which return when they are done.

One event loop runs in a thread of its own; every method here hands its work over and waits. There is no second
implementation of anything. Progress and notice callbacks are called in that thread.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Coroutine, Iterator
from types import TracebackType
from typing import Any, Generic, ParamSpec, Self

from lockleaf.client.account.account import AccountService
from lockleaf.client.account.factors import Factors
from lockleaf.client.account.networks import Networks
from lockleaf.client.account.privacy import PrivacyChoices
from lockleaf.client.client import Client
from lockleaf.client.errors import LockleafError
from lockleaf.client.journal.drafts import Drafts
from lockleaf.client.journal.exporters.exports import AgeIdentity
from lockleaf.client.journal.inbox import Inbox
from lockleaf.client.journal.journal import Journal
from lockleaf.client.keychain.keychains import KeysIn
from lockleaf.client.loop_thread import Face, LoopThread, waits
from lockleaf.client.media.media import Media
from lockleaf.client.metrics.metrics import Metrics
from lockleaf.client.profile.profiles import Profile
from lockleaf.client.search.server_search import ServerSearch
from lockleaf.client.sync.sync import Sync
from lockleaf.client.sync.synchroniser import SyncReport

__all__ = [
    "BlockingAccount",
    "BlockingClient",
    "BlockingFactors",
    "BlockingInbox",
    "BlockingJournal",
    "BlockingMedia",
    "BlockingMetrics",
    "BlockingPrivacy",
    "BlockingServerSearch",
    "BlockingSync",
]

P = ParamSpec("P")


class BlockingAccount(Face[AccountService]):
    """`AccountService`, waiting for each answer."""

    register = waits(AccountService.register)
    login = waits(AccountService.login)
    adopt = waits(AccountService.adopt)
    reach = waits(AccountService.reach)
    recover = waits(AccountService.recover)
    logout = waits(AccountService.logout)
    delete = waits(AccountService.delete)
    me = waits(AccountService.me)
    details = waits(AccountService.details)
    update = waits(AccountService.update)
    preferences = waits(AccountService.preferences)
    update_preferences = waits(AccountService.update_preferences)
    features = waits(AccountService.features)
    sessions = waits(AccountService.sessions)
    revoke = waits(AccountService.revoke)
    link_code = waits(AccountService.link_code)
    access = waits(AccountService.access)
    check_keys = waits(AccountService.check_keys)
    change_password = waits(AccountService.change_password)
    rotate_keyring = waits(AccountService.rotate_keyring)
    new_recovery_codes = waits(AccountService.new_recovery_codes)
    recovery_codes_left = waits(AccountService.recovery_codes_left)


class BlockingFactors(Face[Factors]):
    """`Factors`, waiting for each answer."""

    list = waits(Factors.list)
    add_app = waits(Factors.add_app)
    confirm_app = waits(Factors.confirm_app)
    add_passkey = waits(Factors.add_passkey)
    remove = waits(Factors.remove)
    new_codes = waits(Factors.new_codes)


class BlockingJournal(Face[Journal]):
    """`Journal`, waiting for each answer."""

    write = waits(Journal.write)
    edit = waits(Journal.edit)
    delete = waits(Journal.delete)
    restore = waits(Journal.restore)
    get = waits(Journal.get)
    list = waits(Journal.list)
    search = waits(Journal.search)
    count = waits(Journal.count)
    pending_count = waits(Journal.pending_count)
    replaced_count = waits(Journal.replaced_count)
    written_after = waits(Journal.written_after)
    unverified_count = waits(Journal.unverified_count)
    doubt = waits(Journal.doubt)
    last_sync = waits(Journal.last_sync)
    tags = waits(Journal.tags)
    tag = waits(Journal.tag)
    recolor_tag = waits(Journal.recolor_tag)
    rename_tag = waits(Journal.rename_tag)
    remove_tag = waits(Journal.remove_tag)
    clean_up_tags = waits(Journal.clean_up_tags)
    conflicts = waits(Journal.conflicts)
    resolve = waits(Journal.resolve)
    import_entries = waits(Journal.import_entries)
    import_from = waits(Journal.import_from)


class BlockingServerSearch(Face[ServerSearch]):
    """`ServerSearch`, waiting for each answer."""

    find = waits(ServerSearch.find)
    entries_page = waits(ServerSearch.entries_page)
    status = waits(ServerSearch.status)
    keeps_up = waits(ServerSearch.keeps_up)
    switch_on = waits(ServerSearch.switch_on)
    switch_off = waits(ServerSearch.switch_off)
    rebuild = waits(ServerSearch.rebuild)


class BlockingInbox(Face[Inbox]):
    """`Inbox`, waiting for each answer."""

    list = waits(Inbox.list)
    count = waits(Inbox.count)
    get = waits(Inbox.get)
    accept = waits(Inbox.accept)
    refuse = waits(Inbox.refuse)


class BlockingNetworks(Face[Networks]):
    """`Networks`, waiting for each answer."""

    list = waits(Networks.list)
    connect = waits(Networks.connect)
    finish = waits(Networks.finish)
    disconnect = waits(Networks.disconnect)
    pull = waits(Networks.pull)
    publish = waits(Networks.publish)


class BlockingMedia(Face[Media]):
    """`Media`, waiting for each answer."""

    attach = waits(Media.attach)
    attach_stream = waits(Media.attach_stream)
    list = waits(Media.list)
    get = waits(Media.get)
    get_object = waits(Media.get_object)
    delete = waits(Media.delete)
    delete_for_good = waits(Media.delete_for_good)
    restore = waits(Media.restore)
    pending_count = waits(Media.pending_count)
    resume = waits(Media.resume)
    download = waits(Media.download)
    copy = waits(Media.copy)
    is_here = waits(Media.is_here)
    keep_all = waits(Media.keep_all)
    seal_anew = waits(Media.seal_anew)
    is_rotation_unfinished = waits(Media.is_rotation_unfinished)
    is_here = waits(Media.is_here)
    stores = waits(Media.stores)
    allow_store = waits(Media.allow_store)
    forbid_store = waits(Media.forbid_store)


class BlockingMetrics(Face[Metrics]):
    """`Metrics`, waiting for each answer."""

    stats = waits(Metrics.stats)
    count = waits(Metrics.count)
    send = waits(Metrics.send)


class BlockingPrivacy(Face[PrivacyChoices]):
    """`PrivacyChoices`, waiting for each answer."""

    tier = waits(PrivacyChoices.tier)
    set_tier = waits(PrivacyChoices.set_tier)
    server_view = waits(PrivacyChoices.server_view)
    send_labels = waits(PrivacyChoices.send_labels)

    @property
    def sends_labels(self) -> bool:
        """Whether labels go to the server with each entry; see `PrivacyChoices.sends_labels`."""
        return self._find().sends_labels

    def share_dates(self, share: bool) -> None:
        """Decide whether the server may know date and source of entries written from now on."""
        self._find().share_dates(share)


class BlockingSync(Face[Sync]):
    """`Sync`, waiting for each answer."""

    __call__ = waits(Sync.__call__)
    repair = waits(Sync.repair)
    catch_up = waits(Sync.catch_up)

    @property
    def sealed_again(self) -> bool:
        """Whether everything at the server is sealed under the newest keys; see `Sync.sealed_again`."""
        return self._find().sealed_again

    def watch(
        self,
        *,
        every: float = 15.0,
        told: Callable[[LockleafError | None], None] | None = None,
        now: asyncio.Event | None = None,
    ) -> Iterator[SyncReport]:
        """Sync again and again; see `Sync.watch`."""
        reports = self._find().watch(every=every, told=told, now=now)
        try:
            while True:
                report = self._loop.run(_next(reports))
                if report is None:
                    return
                yield report
        finally:
            self._loop.run(_end(reports))


class _Opening(Generic[P]):
    """`Client.open`, with the same parameters and a `BlockingClient` for a result."""

    def __init__(self, opener: Callable[P, Coroutine[Any, Any, Client]]) -> None:
        self._opener = opener
        self.__doc__ = opener.__doc__

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> BlockingClient:
        loop = LoopThread()
        try:
            return BlockingClient(loop, loop.run(self._opener(*args, **kwargs)))
        except BaseException:
            loop.close()
            raise


class BlockingClient(Face[Client]):
    """`Client` for programs without an event loop.

    Made by `BlockingClient.open`; closed by ``close`` or at the end of ``with``.
    """

    open = _Opening(Client.open)

    begin = waits(Client.begin)
    unlock = waits(Client.unlock)
    lock = waits(Client.lock)
    keep_unlocked = waits(Client.keep_unlocked)
    unlock_with = waits(Client.unlock_with)
    let_unlock = waits(Client.let_unlock)
    forget_security_key = waits(Client.forget_security_key)
    history = waits(Client.history)
    revision = waits(Client.revision)
    fetch_archive = waits(Client.fetch_archive)
    export = waits(Client.export)

    def __init__(self, loop: LoopThread, client: Client) -> None:
        super().__init__(loop, lambda: client)
        self.account = BlockingAccount(loop, lambda: client.account)
        self.factors = BlockingFactors(loop, lambda: client.factors)
        self.journal = BlockingJournal(loop, lambda: client.journal)
        self.inbox = BlockingInbox(loop, lambda: client.inbox)
        self.networks = BlockingNetworks(loop, lambda: client.networks)
        self.media = BlockingMedia(loop, lambda: client.media)
        self.metrics = BlockingMetrics(loop, lambda: client.metrics)
        self.privacy = BlockingPrivacy(loop, lambda: client.privacy)
        self.search = BlockingServerSearch(loop, lambda: client.search)
        self.sync = BlockingSync(loop, lambda: client.sync)

    def close(self) -> None:
        """Close the store, the connections and the loop."""
        try:
            self._loop.run(self._find().aclose())
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
        return self._find().profile

    @property
    def is_logged_in(self) -> bool:
        """Whether there is a session."""
        return self._find().is_logged_in

    @property
    def is_open(self) -> bool:
        """Whether the journal on this device is open."""
        return self._find().is_open

    @property
    def has_moved(self) -> bool:
        """Whether another program gave this journal an account since it was opened here: then open it anew."""
        return self._find().has_moved

    @property
    def is_locked(self) -> bool:
        """Whether the journal on this device wants the password before it opens."""
        return self._find().is_locked

    @property
    def is_unlocked_by_key(self) -> bool:
        """Whether a security key opens the journal on this device, too."""
        return self._find().is_unlocked_by_key

    @property
    def keys_in(self) -> KeysIn:
        """Where the key of the journal is kept."""
        return self._find().keys_in

    def age_identities(self) -> tuple[AgeIdentity, ...]:
        """Return the secret keys that open the account's attached files; see `Client.age_identities`."""
        return self._find().age_identities()

    @property
    def drafts(self) -> Drafts:
        """What was typed or piped on this device and is not in the journal; see `Client.drafts`."""
        return self._find().drafts


async def _next(reports: AsyncIterator[SyncReport]) -> SyncReport | None:
    return await anext(reports, None)


async def _end(reports: AsyncIterator[SyncReport]) -> None:
    if isinstance(reports, AsyncGenerator):
        await reports.aclose()
