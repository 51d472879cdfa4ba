"""Going on with a server whose history this device refused, without losing a word (PROTOCOL section 11).

The present store is set aside whole and stays until its user deletes it. A new one is filled with what the server shows
now, verified; then both are compared, and what is missing or differs is taken in. An interrupted repair is run again.
"""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, fields, replace
from pathlib import Path

from lockleaf.client.account import enrolment
from lockleaf.client.account.account import AccountService
from lockleaf.client.account.credentials import write_again
from lockleaf.client.account.epoch_end import CatchUp
from lockleaf.client.account.link_codes import FirstContact
from lockleaf.client.account.recovery_codes import RecoveryCodes
from lockleaf.client.account.sessions import AccountPlace
from lockleaf.client.device.device import Device
from lockleaf.client.errors import (
    HistoryForked,
    JournalLocked,
    KeyringRolledBack,
    LocalStoreError,
    LockleafError,
    NotLoggedIn,
    ServerRestored,
)
from lockleaf.client.errors.claims import RememberedCheckpoint
from lockleaf.client.history.verification import Chain
from lockleaf.client.profile.profiles import Profile
from lockleaf.client.records.opened_changes import OPENED
from lockleaf.client.records.progress import ProgressCallback
from lockleaf.client.records.sealer import Sealer
from lockleaf.client.store import LocalStore, local_keys
from lockleaf.client.store.verified_history import Position
from lockleaf.client.sync.differences import Choose, Difference, Held, TakenIn, take_in
from lockleaf.client.sync.pull import fetch_page
from lockleaf.client.sync.synchroniser import Synchroniser
from lockleaf.crypto.keyring import Keyring

__all__ = ["Confirm", "Doubt", "RepairReport", "SyncOf", "accept_history", "repair", "take_all"]

Doubt = ServerRestored | HistoryForked | KeyringRolledBack
"""What a repair asks about before it goes on."""
Confirm = Callable[[Doubt], bool]
SyncOf = Callable[[Device], Synchroniser]

_NEW = "repair"
"""The folder, within the profile's, of the store that is to take the place of the present one."""


@dataclass(frozen=True, slots=True)
class RepairReport:
    """What a repair did.

    ``aside`` are the folders of the stores that were set aside and are done with: they stay until their user deletes
    them. ``unreadable`` are those that could not be opened. See `TakenIn` for what was ``taken``. ``keys_again``: the
    server had an older keyring, and has this device's again, sealed under the password that was given; ``codes`` are
    then the recovery codes in place of the earlier ones, if keys had been lost there.
    """

    aside: tuple[Path, ...] = ()
    unreadable: tuple[Path, ...] = ()
    taken: TakenIn = field(default_factory=TakenIn)
    keys_again: bool = False
    codes: RecoveryCodes | None = None


class _InMemory:
    """A keychain for a store that is about to take the place of another, whose key is kept already."""

    def __init__(self) -> None:
        self._kept: dict[str, str] = {}

    def get(self, profile_key: str) -> str | None:
        """Return the text kept for the profile, or None."""
        return self._kept.get(profile_key)

    def set(self, profile_key: str, value: str) -> None:
        """Keep ``value`` for the profile."""
        self._kept[profile_key] = value

    def delete(self, profile_key: str) -> None:
        """Forget what is kept for the profile."""
        self._kept.pop(profile_key, None)


async def repair(
    device: Device,
    password: Callable[[], str] | str,
    sync_of: SyncOf,
    *,
    confirm: Confirm,
    choose: Choose,
    progress: ProgressCallback | None,
    again: bool,
) -> RepairReport:
    """Repair the journal of ``device``; see `Sync.repair`."""
    if device.profile is None or device.profile.logged_out:
        raise NotLoggedIn
    if device.is_locked:
        raise JournalLocked
    doubtful = not device.is_open or device.opened.store.history.doubt() is not None or not device.is_logged_in
    keys_again, codes = False, None
    if again or doubtful:
        given = password if isinstance(password, str) else await asyncio.to_thread(password)
        keys_again, codes = await _exchange(device, given, sync_of, confirm, progress)
    return replace(await _take_in_all(device, choose), keys_again=keys_again, codes=codes)


async def _exchange(
    device: Device, password: str, sync_of: SyncOf, confirm: Confirm, progress: ProgressCallback | None
) -> tuple[bool, RecoveryCodes | None]:
    """Fill a new store with what the server shows, and put it in the place of the present one.

    Returns:
        Whether this device's keyring was written again at the server, and the recovery codes that came of it.
    """
    profile = device.profile
    assert profile is not None
    folder = device.folder.within(_NEW)
    await asyncio.to_thread(shutil.rmtree, folder.path, ignore_errors=True)
    new = replace(device, folder=folder, keychain=_InMemory(), profile=profile, _opened=None, _trouble=None)
    try:

        async def sync() -> object:
            return await sync_of(new).run()

        newer = await _enter(new, AccountService(new, sync=sync), device, password, confirm)
        if device.is_open:
            # What the old store knows is fresher than what is remembered outside it.
            await asyncio.to_thread(_pass_on, device.opened.store, new.opened.store)
        await _fill(new, sync_of, confirm, progress)
        codes = None if newer is None else await _keys_again(new, profile, password, newer, sync)
        tokens = new.opened.tokens.load()
        taken_over, keyring = new.profile, new.opened.keyring
        assert tokens is not None
        assert taken_over is not None
    except BaseException:
        await _end_session(new)
        await new.aclose()
        await asyncio.to_thread(shutil.rmtree, folder.path, ignore_errors=True)
        raise
    await new.aclose()
    if device.is_logged_in:
        await _end_session(device)
    await device.aclose()
    await asyncio.to_thread(device.folder.exchange, folder, device.clock())
    await device.adopt(taken_over, keyring, tokens, password)
    return newer is not None, codes


async def _enter(
    new: Device, account: AccountService, device: Device, password: str, confirm: Confirm
) -> Keyring | None:
    """Log in with a new store; return the keyring that is to be written again, where the server has an older one.

    Raises:
        KeyringRolledBack: it has, and nobody agreed, or the newer one is not at hand; or keys of a ``uce`` account were
            lost, which its server makes, and takes from no device.
    """
    profile = new.profile
    assert profile is not None
    allow_pbkdf2 = profile.kdf is not None and profile.kdf.algorithm == "pbkdf2-sha256"
    try:
        await account.login(
            profile.server,
            profile.login_name,
            password,
            device_name=profile.device_name,
            custody=profile.custody,
            allow_insecure=profile.allow_insecure,
            allow_pbkdf2=allow_pbkdf2,
        )
    except KeyringRolledBack as error:
        if not device.is_open:
            raise KeyringRolledBack("the newer keys are in the journal here, which does not open") from None
        if not await asyncio.to_thread(confirm, error):
            raise
        newer = device.opened.keyring
        contact = FirstContact(allow_pbkdf2=allow_pbkdf2)
        await enrolment.login(new, AccountPlace.of(profile), password, remembered=profile, contact=contact, newer=newer)
        return newer
    return None


async def _keys_again(
    new: Device, before: Profile, password: str, newer: Keyring, sync: CatchUp
) -> RecoveryCodes | None:
    """Have the server hold ``newer`` under a version that no device has passed; return the codes that come of it."""
    remembered = await asyncio.to_thread(new.memory.of_account, before.user_id)
    highest = max(before.keyring_version, 0 if remembered is None else remembered.keyring_version)
    return await write_again(new, password, newer, highest, sync=sync)


async def _end_session(device: Device) -> None:
    with suppress(LockleafError):
        await device.session.transport.command("POST", "/auth/logout", retry=False)


def _pass_on(old: LocalStore, new: LocalStore) -> None:
    with new.transaction():
        new.history.keep_statements(old.history.statements())


async def _fill(device: Device, sync_of: SyncOf, confirm: Confirm, progress: ProgressCallback | None) -> None:
    """Fetch what the server shows, asking about all that contradicts it.

    What another device signed may come of a lie that was told to that one. Somebody has to begin: were it an obstacle
    for ever, two devices that were told different histories could never be repaired.
    """
    accept_restore, history = False, device.opened.store.history
    # What this device signed itself is what is being repaired.
    consented = {device.session.profile.device_id}
    waiting: set[RememberedCheckpoint] = set()
    while True:
        try:
            await sync_of(device).run(progress, accept_restore=accept_restore)
        except ServerRestored as error:
            if accept_restore or not await asyncio.to_thread(confirm, error):
                raise
            accept_restore = True
        except HistoryForked as error:
            checkpoint = error.contradicts
            if checkpoint is None or checkpoint in await asyncio.to_thread(history.passed_over):
                raise
            if checkpoint.device_id not in consented and not await asyncio.to_thread(confirm, error):
                raise
            consented.add(checkpoint.device_id)
            await asyncio.to_thread(history.pass_over, checkpoint)
        else:
            beyond = set(await asyncio.to_thread(history.checkpoints)) - await asyncio.to_thread(history.passed_over)
            if beyond == waiting:
                return
            # The claim that was accepted named them. Otherwise the next run tells whether they are withheld.
            for checkpoint in beyond if accept_restore else ():
                await asyncio.to_thread(history.pass_over, checkpoint)
            waiting = set() if accept_restore else beyond


async def _take_in_all(device: Device, choose: Choose) -> RepairReport:
    """Take in every store that was set aside and is not done with."""
    store = device.opened.store
    found = [path for path in device.folder.stores_aside() if not store.history.merged(path.name)]
    unreadable: list[Path] = []
    taken = TakenIn()
    for path in found:
        try:
            aside = await asyncio.to_thread(LocalStore.open, path / device.folder.store.name, local_keys(store.keyring))
        except LocalStoreError:
            unreadable.append(path)
            continue
        try:
            held = await _held(device, aside)
            done = await asyncio.to_thread(_take_in, device, aside, path, held, choose)
        finally:
            aside.close()
        for each in fields(TakenIn):
            setattr(taken, each.name, getattr(taken, each.name) + getattr(done, each.name))
    return RepairReport(tuple(path for path in found if path not in unreadable), tuple(unreadable), taken)


async def _held(device: Device, aside: LocalStore) -> Held:
    """Walk the server's history once more, for what is in it and for where it parts from the one that was set aside.

    Raises:
        HistoryForked: it is not the one that was verified a moment ago.
    """
    held, chain, cursor = Held(), Chain(), None
    while True:
        feed = await fetch_page(device.session.transport, cursor)
        page = await asyncio.to_thread(chain.extend, feed)
        for change in page.changes:
            if change.collection in OPENED:
                held.hashes.setdefault(change.key, set()).add(change.payload_hash)
        await asyncio.to_thread(_go_along, held, aside, page.heads)
        if page.complete:
            break
        cursor = feed.cursor
    present = device.opened.store.history.position()
    end = chain.position
    if present is None or end is None or (end.epoch == present.epoch and end.seq < present.seq):
        raise HistoryForked("the server changes its history while it is read")
    held.end = Position(present.epoch, present.seq, present.head)
    return held


def _go_along(held: Held, aside: LocalStore, heads: tuple[tuple[str, int, bytes], ...]) -> None:
    for epoch, seq, head in heads:
        if aside.history.head_at(epoch, seq) == head:
            held.common = max(held.common, seq)


def _take_in(device: Device, aside: LocalStore, path: Path, held: Held, choose: Choose) -> TakenIn:
    session = device.session
    staged, media = path / device.folder.media.name, device.folder.media

    def bring(media_id: str) -> None:
        source = staged / f"{media_id}.age"
        if source.exists():
            media.mkdir(mode=0o700, exist_ok=True)
            # Its bytes stay with the store that was set aside; a link takes no space.
            try:
                (media / source.name).hardlink_to(source)
            except OSError:
                shutil.copyfile(source, media / source.name)

    return take_in(
        aside,
        session.store,
        held,
        sealer=Sealer(
            str(session.profile.user_id),
            device_id=session.profile.device_id,
            share_dates=session.profile.share_dates,
        ),
        device_id=session.profile.device_id,
        clock=device.clock,
        choose=choose,
        name=path.name,
        bring=bring,
    )


def accept_history(error: Doubt) -> bool:
    """Accept what the server shows, but not that newer keys are sealed under an earlier password."""
    return not isinstance(error, KeyringRolledBack)


def take_all(_difference: Difference) -> bool:
    """Choose every difference."""
    return True
