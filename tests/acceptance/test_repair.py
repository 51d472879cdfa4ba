"""A server whose history a device refused: the printed remedy ends it, and loses no word."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Any

import asyncpg
import pytest
from fastapi import FastAPI

from lockleaf.client import Client
from lockleaf.client.errors import HistoryForked, KdfWeakened, KeyringRolledBack, SealBroken, ServerRestored
from lockleaf.server.records.restores import declare_restored
from tests.support.backups import Backup
from tests.support.diarist import PASSWORD, Diarist, caught, write
from tests.support.forged_history import History, history_of
from tests.support.lies import ConfirmsWithoutKeeping, Restored, Shows, swaps_two_payloads
from tests.support.lying_server import Answer, Honest, Lie, LyingServer, Request
from tests.support.senders import POST, put_in

Take = Callable[[Client], Coroutine[Any, Any, Backup]]


@pytest.fixture
async def copy_of(database_url: str) -> AsyncIterator[Take]:
    """Takes a copy of an account's history, as the operator's backup does."""
    connection = await asyncpg.connect(database_url)

    async def take(client: Client) -> Backup:
        assert client.profile is not None
        backup = Backup(connection, client.profile.user_id)
        await backup.take()
        return backup

    try:
        yield take
    finally:
        await connection.close()


async def texts(client: Client) -> list[str]:
    """Every text that is reachable on a device: entries, deleted ones and both sides of conflicts."""
    found = [entry.body for entry in await client.journal.list(include_deleted=True)]
    found += [each.local.body for each in await client.journal.conflicts() if each.local is not None]
    return sorted(found)


async def test_a_server_put_back_without_a_word_gets_everything_back_by_a_repair(ada: Diarist, copy_of: Take) -> None:
    laptop = await ada.first("laptop")
    first, *_ = await write(laptop, "before 1", "before 2", "before 3")
    backup = await copy_of(laptop)
    after = await write(laptop, "after 1", "after 2")
    await laptop.journal.edit(first, body="before 1, and more")
    await laptop.sync()
    dropped = await laptop.journal.write(body="deleted later")
    await laptop.sync()
    await laptop.journal.delete(dropped.id)
    await laptop.sync()
    await backup.restore(None)
    await laptop.journal.write(body="never sent")
    had = await texts(laptop)
    await caught(laptop.sync(), HistoryForked)
    # Confirmed once is not at the server now.
    listed = await laptop.journal.list(unsynced=True)
    assert len(listed) == await laptop.journal.count() == 6
    assert await laptop.journal.doubt() == "HistoryForked"

    report = await laptop.sync.repair(PASSWORD)
    assert (report.taken.sent_again, report.taken.merged, report.taken.conflicts) == (3, 1, 0)
    (aside,) = report.aside
    assert (aside / "store.sqlite3").exists()
    assert await texts(laptop) == had
    done = await laptop.sync()
    assert (done.pending, done.conflicts) == (0, 0)
    assert {entry.id for entry in await laptop.journal.list()} >= set(after)
    restored = await laptop.journal.restore(dropped.id)
    assert restored.body == "deleted later"
    await laptop.sync()

    tablet = await ada.another("tablet")
    await tablet.sync()
    assert await texts(tablet) == had
    # Done once, it is done: nothing comes twice.
    assert (await laptop.sync.repair(PASSWORD)).aside == ()


async def test_what_differs_after_a_repair_becomes_a_conflict_with_both_texts(ada: Diarist, copy_of: Take) -> None:
    laptop = await ada.first("laptop")
    (entry,) = await write(laptop, "one line")
    backup = await copy_of(laptop)
    await laptop.journal.edit(entry, body="as the laptop left it")
    await laptop.sync()
    await backup.restore(None)
    phone = await ada.another("phone")
    await phone.sync()
    await phone.journal.edit(entry, body="as the phone left it")
    await phone.sync()
    await caught(laptop.sync(), HistoryForked)
    report = await laptop.sync.repair(PASSWORD)
    assert report.taken.conflicts == 1
    await laptop.sync()
    await phone.sync()
    for device in (laptop, phone):
        assert await texts(device) == ["as the laptop left it", "as the phone left it"]


async def test_what_is_not_chosen_stays_with_the_journal_that_was_set_aside(ada: Diarist, copy_of: Take) -> None:
    laptop = await ada.first("laptop")
    await write(laptop, "before")
    backup = await copy_of(laptop)
    await write(laptop, "wanted", "unwanted")
    await backup.restore(None)
    await caught(laptop.sync(), HistoryForked)
    asked: list[ServerRestored] = []

    def decline(error: ServerRestored) -> bool:
        asked.append(error)
        return False

    with pytest.raises(ServerRestored):
        await laptop.sync.repair(PASSWORD, confirm=decline)
    (question,) = asked
    assert (question.claim.verified, question.claim.ends_at, question.claim.declared) == (3, 1, False)
    assert len(await laptop.journal.list()) == 3
    report = await laptop.sync.repair(
        PASSWORD, choose=lambda item: item.here is not None and item.here.body == "wanted"
    )
    assert (report.taken.sent_again, report.taken.left) == (1, 1)
    assert await texts(laptop) == ["before", "wanted"]


async def test_a_repair_that_finds_another_lie_leaves_everything_as_it_was(ada: Diarist, liar: LyingServer) -> None:
    laptop = await ada.first("laptop", at=liar.url)
    one, two = await write(laptop, "one", "two")
    forged = await history_of(laptop)
    swaps_two_payloads(forged, one, two)
    liar.tell(Shows(forged))
    await laptop.journal.write(body="three")
    await caught(laptop.sync(), HistoryForked)
    with pytest.raises(SealBroken):
        await laptop.sync.repair(PASSWORD)
    assert await texts(laptop) == ["one", "three", "two"]
    liar.tell(Lie())
    await laptop.sync.repair(PASSWORD)
    await laptop.sync()
    assert await texts(laptop) == ["one", "three", "two"]


async def test_forgetting_a_journal_in_doubt_deletes_nothing_and_remembers_what_was_verified(
    ada: Diarist, copy_of: Take
) -> None:
    laptop = await ada.first("laptop")
    await write(laptop, "before")
    backup = await copy_of(laptop)
    await write(laptop, "after")
    await backup.restore(None)
    await caught(laptop.sync(), HistoryForked)
    aside = await laptop.account.logout(forget=True)
    assert aside is not None
    assert (aside / "store.sqlite3").exists()
    assert laptop.profile is None

    await ada.login(laptop)
    error = await caught(laptop.sync(), ServerRestored)
    assert isinstance(error, ServerRestored)
    assert (error.claim.verified, error.claim.ends_at) == (2, 1)
    assert await texts(laptop) == []
    await laptop.sync(accept_restore=True)
    report = await laptop.sync.repair(PASSWORD)
    assert (report.aside, report.taken.sent_again) == ((aside,), 1)
    await laptop.sync()
    assert await texts(laptop) == ["after", "before"]


async def test_forgetting_a_journal_that_the_server_has_leaves_its_memory_alone(
    ada: Diarist, liar: LyingServer
) -> None:
    laptop = await ada.first("laptop", at=liar.url)
    await write(laptop, "one")
    earlier = await history_of(laptop)
    await write(laptop, "two")
    assert await laptop.account.logout(forget=True) is None
    memory = next((ada.home / "memory" / "laptop").glob("*.json"))
    text = memory.read_text()
    # As if this device had seen a keyring that the server has no longer.
    memory.write_text(text.replace('"keyring_version": 1', '"keyring_version": 2'))
    await caught(ada.login(laptop, at=liar.url), KeyringRolledBack)
    memory.write_text(text)
    await ada.login(laptop, at=liar.url)
    liar.tell(Shows(earlier, keeps_checkpoints=True))
    await caught(laptop.sync(), ServerRestored)
    liar.tell(Lie())
    await laptop.sync()
    assert await texts(laptop) == ["one", "two"]


async def test_a_claimed_restore_that_replays_what_it_likes_stops_every_device(ada: Diarist, liar: LyingServer) -> None:
    """Epoch 2 begins at 2, of what came later one change is replayed, and honest checkpoints lie beyond."""
    laptop = await ada.first("laptop", at=liar.url)
    await write(laptop, "one", "two")
    claimed = (await history_of(laptop)).restored(2)
    _, liked = await write(laptop, "hidden", "liked")
    phone = await ada.another("phone", at=liar.url)
    await phone.sync()
    replayed = dict((await history_of(laptop)).of(liked), seq=3)
    claimed.changes.append(replayed)
    lie = Restored(claimed)
    lie.keeps_checkpoints = False
    liar.tell(lie)
    fresh = await ada.another("fresh", at=liar.url)
    for device, verified in ((laptop, 4), (phone, 4), (fresh, None)):
        for _ in range(2):
            error = await caught(device.sync(), ServerRestored)
            assert isinstance(error, ServerRestored)
            assert (error.claim.from_seq, error.claim.verified, error.claim.confirmed) == (2, verified, False)
            assert {seq for _, seq, _ in error.claim.checkpoints} == {4}
    assert await texts(fresh) == []
    # It is told who would have to agree to what, and nothing was lost meanwhile.
    liar.tell(Lie())
    for device in (laptop, phone, fresh):
        await device.sync()
        assert await texts(device) == ["hidden", "liked", "one", "two"]


async def test_a_confirmation_of_another_restore_confirms_nothing(
    ada: Diarist, copy_of: Take, liar: LyingServer, database_url: str
) -> None:
    """A variant: the device's own acceptance of an honest restore is replayed for a made-up one."""
    laptop = await ada.first("laptop", at=liar.url)
    await write(laptop, "one", "two")
    backup = await copy_of(laptop)
    await write(laptop, "three")
    await backup.restore(None)
    await declare_restored(database_url)
    phone = await ada.another("phone")
    await phone.sync(accept_restore=True)
    await laptop.sync(accept_restore=True)
    honest = await history_of(laptop)
    await write(laptop, "four")
    made_up = honest.restored(3, epoch="made-up")
    made_up.epochs[-1]["statements"] = [each | {"new_epoch": "made-up"} for each in honest.epochs[-1]["statements"]]
    liar.tell(Restored(made_up))
    await caught(laptop.sync(), HistoryForked)
    made_up.epochs[-1]["statements"] = []
    liar.tell(Restored(made_up))
    await caught(laptop.sync(), ServerRestored)
    liar.tell(Lie())
    await laptop.sync()
    assert await texts(laptop) == ["four", "one", "three", "two"]


async def test_weaker_key_derivation_is_refused_after_the_journal_was_forgotten(
    ada: Diarist, liar: LyingServer
) -> None:
    laptop = await ada.first("laptop", at=liar.url)
    await write(laptop, "one")
    memory = next((ada.home / "memory" / "laptop").glob("*.json"))
    text = memory.read_text()
    assert ada.email not in text
    await laptop.account.logout(forget=True)
    assert '"memory_kib": 8' in text
    # As if the account had been made with more.
    memory.write_text(text.replace('"memory_kib": 8', '"memory_kib": 65536'))
    await caught(ada.login(laptop, at=liar.url), KdfWeakened)


class ConfirmsAndPassesOn(ConfirmsWithoutKeeping):
    """Shows a history in which the first ``dropped`` pushes are; only the later ones reach the real server."""

    def __init__(self, history: History, dropped: int) -> None:
        super().__init__(history)
        self.dropped = dropped

    async def answer(self, request: Request, honest: Honest) -> Answer | None:
        if not request.asks("POST", "/sync/push"):
            return await super().answer(request, honest)
        answer = Answer.of(request, self.history.push(request.read()["changes"]))
        if self.dropped == 0:
            await honest(request)
        self.dropped = max(0, self.dropped - 1)
        return answer


class ConfirmsToOneAlone(ConfirmsWithoutKeeping):
    """Confirms what it drops, takes the device's word on it, and shows it no other device's."""

    async def answer(self, request: Request, honest: Honest) -> Answer | None:
        if request.asks("GET", "/sync/checkpoints"):
            return Answer.of(request, {"items": []})
        return await super().answer(request, honest)


async def test_two_devices_that_were_told_different_histories_are_both_repaired(
    ada: Diarist, liar: LyingServer
) -> None:
    laptop = await ada.first("laptop", at=liar.url)
    await write(laptop, "known to both")
    phone = await ada.another("phone", at=liar.url)
    await phone.sync()
    history = await history_of(laptop)
    for device, text in ((laptop, "by the laptop"), (phone, "by the phone")):
        liar.tell(ConfirmsToOneAlone(history))
        await write(device, text)
    liar.tell(Lie())
    for device in (laptop, phone):
        await caught(device.sync(), HistoryForked)

    asked: list[ServerRestored | HistoryForked] = []

    def agree(error: ServerRestored | HistoryForked) -> bool:
        asked.append(error)
        return True

    # The phone still vouches for what it was told: somebody is asked.
    refused = await caught(laptop.sync.repair(PASSWORD, confirm=lambda _: False), ServerRestored)
    assert isinstance(refused, ServerRestored)
    assert any("signed a history" in sentence for sentence in refused.details)
    assert await texts(laptop) == ["by the laptop", "known to both"]
    await laptop.sync.repair(PASSWORD, confirm=agree)
    assert [type(error) for error in asked] == [ServerRestored]
    await laptop.sync()
    await phone.sync.repair(PASSWORD, confirm=agree)
    for device in (phone, laptop, phone):
        await device.sync()
    for device in (laptop, phone):
        assert await texts(device) == ["by the laptop", "by the phone", "known to both"]


async def test_an_entry_that_stands_on_a_history_that_never_was_stops_nobody_for_ever(
    ada: Diarist, liar: LyingServer
) -> None:
    laptop = await ada.first("laptop", at=liar.url)
    await write(laptop, "known to both")
    phone = await ada.another("phone")
    await phone.sync()
    liar.tell(ConfirmsAndPassesOn(await history_of(laptop), dropped=1))
    # The second names, under its seal, a head that only the laptop was shown.
    await write(laptop, "dropped", "passed on")
    liar.tell(Lie())
    for device in (phone, laptop):
        error = await caught(device.sync(), HistoryForked)
        assert isinstance(error, HistoryForked)
    for device in (laptop, phone):
        await device.sync.repair(PASSWORD)
        await device.sync()
    await laptop.sync()
    # It was written once more: a new device meets nothing of it.
    tablet = await ada.another("tablet")
    await tablet.sync()
    for device in (laptop, phone, tablet):
        assert await texts(device) == ["dropped", "known to both", "passed on"]


async def test_the_last_text_of_an_entry_that_was_deleted_after_the_backup_is_kept(ada: Diarist, copy_of: Take) -> None:
    laptop = await ada.first("laptop")
    (entry,) = await write(laptop, "as it was")
    backup = await copy_of(laptop)
    await laptop.journal.edit(entry, body="rewritten in the evening")
    await laptop.sync()
    await laptop.journal.delete(entry)
    await laptop.sync()
    await backup.restore(None)
    await caught(laptop.sync(), HistoryForked)
    await laptop.sync.repair(PASSWORD)
    await laptop.sync()
    assert await texts(laptop) == ["as it was"]
    states = await laptop.history(entry)
    kept = [await laptop.revision(entry, each.number) for each in states]
    assert "rewritten in the evening" in {each.entry.body for each in kept if each.entry is not None}


@pytest.mark.parametrize("declared", [True, False], ids=["declared", "undeclared"])
async def test_a_conflict_and_an_item_from_after_the_backup_are_not_lost_by_a_restore(
    app: FastAPI, ada: Diarist, database_url: str, declared: bool
) -> None:
    laptop = await ada.first("laptop")
    assert laptop.profile is not None
    entry, other = await write(laptop, "as it was", "also there")
    phone = await ada.another("phone")
    await phone.sync()
    connection = await asyncpg.connect(database_url)
    backup = Backup(connection, laptop.profile.user_id, also=("inbox",))
    await backup.take()
    for device, text in ((phone, "as the phone has it"), (laptop, "as the laptop has it")):
        await device.journal.edit(entry, body=text)
        await device.sync()
    await put_in(app, laptop.profile.user_id)
    await write(laptop, "after")
    await phone.sync()
    had = await texts(laptop)
    assert await texts(phone) == had
    await backup.restore(None)
    await connection.close()
    if declared:
        await declare_restored(database_url)
    for device in (laptop, phone):
        if declared:
            await device.sync(accept_restore=True)
        else:
            await caught(device.sync(), HistoryForked)
            await device.sync.repair(PASSWORD)
            await device.sync()
    await laptop.sync()
    tablet = await ada.another("tablet")
    await tablet.sync()
    for device in (laptop, phone, tablet):
        assert await texts(device) == had
    for device in (laptop, phone):
        (item,) = await device.inbox.list()
        assert item.body == POST["body"]
    (conflict,) = await tablet.journal.conflicts()
    await tablet.journal.resolve(conflict.id, "local")
    for device in (tablet, laptop, phone):
        await device.sync()
        assert await device.journal.conflicts() == []
        assert (await device.journal.get(entry)).body in ("as the phone has it", "as the laptop has it")
    assert other in {each.id for each in await tablet.journal.list()}
