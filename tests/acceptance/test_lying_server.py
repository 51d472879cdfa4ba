"""A dishonest server and the journal: whatever it says of the history, the devices notice and say so by name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import pytest

from lockleaf.client import Client
from lockleaf.client.errors import HistoryForked, InvalidAnswer, LockleafError, SealBroken
from tests.support import lies
from tests.support.diarist import Diarist, caught, write
from tests.support.forged_history import History, history_of
from tests.support.lies import AltersFeed, AltersPushAnswers, ConfirmsWithoutKeeping, Shows
from tests.support.lying_server import Lie, LyingServer


@dataclass(frozen=True)
class Written:
    """Five entries: two were there ``earlier``; then one of them was edited, and three came behind it."""

    edited: str
    shared: str
    third: str
    last: str
    earlier: History
    now: History
    bodies: set[str]


async def a_journal(laptop: Client, midway: Client) -> Written:
    """Write it on ``laptop``; ``midway`` has synced once ``earlier`` was reached."""
    await write(laptop, "the beginning")
    (edited,) = await write(laptop, "before the edit")
    earlier = await history_of(laptop)
    await midway.sync()
    await laptop.journal.edit(edited, body="behind the edit")
    await laptop.sync()
    laptop.privacy.share_dates(True)
    shared = await laptop.journal.write(
        body="a day at the sea", mood="calm", tags=["weather", "sea"], date="2020-01-02T10:00:00+01:00"
    )
    await laptop.sync()
    laptop.privacy.share_dates(False)
    third, last = await write(laptop, "the third", "the last")
    bodies = {entry.body for entry in await laptop.journal.list()}
    return Written(edited, shared.id, third, last, earlier, await history_of(laptop), bodies)


Rewriting = Callable[[History], None]


def rewritings(w: Written) -> list[tuple[Rewriting, type[LockleafError], type[LockleafError] | None]]:
    """Each lie; the error on a device that has not seen those changes; and on one that has, if it is told it at all."""
    return [
        (partial(lies.swaps_two_payloads, first=w.third, second=w.last), SealBroken, HistoryForked),
        (partial(lies.swaps_two_records, first=w.third, second=w.last), SealBroken, HistoryForked),
        (partial(lies.replays_an_old_payload, earlier=w.earlier, record_id=w.edited), SealBroken, HistoryForked),
        (partial(lies.replays_an_old_revision, earlier=w.earlier, record_id=w.edited), HistoryForked, HistoryForked),
        (
            partial(lies.writes_an_old_revision_once_more, earlier=w.earlier, record_id=w.edited),
            SealBroken,
            SealBroken,
        ),
        (partial(lies.drops_a_change, record_id=w.third), HistoryForked, HistoryForked),
        (partial(lies.leaves_a_gap, record_id=w.third), HistoryForked, HistoryForked),
        (partial(lies.hides_content, record_id=w.third), HistoryForked, None),
        (partial(lies.hides_content, record_id=w.edited), HistoryForked, None),
        (partial(lies.forges_a_deletion, record_id=w.third), SealBroken, HistoryForked),
        (partial(lies.writes_a_deletion, record_id=w.third), SealBroken, SealBroken),
        (partial(lies.takes_a_label_away, record_id=w.shared), SealBroken, HistoryForked),
        (partial(lies.adds_a_label, record_id=w.third), SealBroken, HistoryForked),
        (partial(lies.alters_the_date, record_id=w.shared), SealBroken, HistoryForked),
        (partial(lies.takes_the_date_away, record_id=w.shared), SealBroken, HistoryForked),
        (partial(lies.alters_the_source, record_id=w.shared), SealBroken, HistoryForked),
        (partial(lies.reorders, first=w.third, second=w.last), HistoryForked, HistoryForked),
        (partial(lies.reorders_under_old_numbers, first=w.third, second=w.last), HistoryForked, None),
    ]


@pytest.mark.parametrize("knows", ["nothing", "the beginning", "everything"])
async def test_whatever_is_altered_in_the_history_is_noticed(
    ada: Diarist, liar: LyingServer, knows: str, subtests: pytest.Subtests
) -> None:
    laptop = await ada.first()
    phone, midway = await ada.another("phone", at=liar.url), await ada.another("midway", at=liar.url)
    written = await a_journal(laptop, midway)
    device = phone if knows == "nothing" else midway
    if knows == "everything":
        await device.sync()
    for rewrite, new, known in rewritings(written):
        error = known if knows == "everything" else new
        if error is None:
            continue
        with subtests.test(rewrite.func.__name__):  # type: ignore[attr-defined]
            history = written.now.copy()
            rewrite(history)
            liar.tell(Shows(history))
            await caught(device.sync(), error)
    # Nothing of all that was taken over: as soon as the server is honest, everything is there.
    liar.tell(Lie())
    await device.sync()
    assert {entry.body for entry in await device.journal.list()} == written.bodies


async def test_an_account_that_is_rolled_back_is_noticed(ada: Diarist, liar: LyingServer) -> None:
    laptop = await ada.first()
    phone = await ada.another(at=liar.url)
    await write(laptop, "one", "two")
    earlier = await history_of(laptop)
    await write(laptop, "three")
    await phone.sync()
    liar.tell(Shows(earlier))
    error = await caught(phone.sync(), HistoryForked)
    assert "ends at 2, yours at 3" in str(error)


async def test_a_wrong_head_is_noticed(ada: Diarist, liar: LyingServer) -> None:
    laptop = await ada.first()
    phone = await ada.another(at=liar.url)
    await write(laptop, "one")
    liar.tell(AltersFeed(lambda page, _: page.update(head=bytes(32))))
    await caught(phone.sync(), HistoryForked)


async def test_an_announced_end_that_is_not_reached_is_noticed(ada: Diarist, liar: LyingServer) -> None:
    laptop = await ada.first()
    phone = await ada.another(at=liar.url)
    await write(laptop, "one")
    liar.tell(AltersFeed(lambda page, _: page.update(seq=page["seq"] + 1)))
    await caught(phone.sync(), HistoryForked)


async def test_a_history_narrowed_in_secret_is_noticed(ada: Diarist, liar: LyingServer) -> None:
    laptop = await ada.first()
    phone = await ada.another(at=liar.url)
    await write(laptop, "one")
    liar.tell(AltersFeed(lambda page, _: page.update(verifiable=False)))
    await caught(phone.sync(), HistoryForked)


# ---- confirmations -----------------------------------------------------------------------------------------------


async def test_a_push_that_is_confirmed_and_not_kept_is_noticed_at_the_next_sync(
    ada: Diarist, liar: LyingServer
) -> None:
    phone = await ada.first("phone", at=liar.url)
    await write(phone, "one")
    liar.tell(ConfirmsWithoutKeeping(await history_of(phone)))
    await write(phone, "two")
    await caught(phone.sync(), HistoryForked)
    liar.tell(Lie())
    await caught(phone.sync(), HistoryForked)
    assert {entry.body for entry in await phone.journal.list()} == {"one", "two"}


async def test_a_push_that_is_confirmed_and_not_shown_is_noticed_at_once(ada: Diarist, liar: LyingServer) -> None:
    phone = await ada.first("phone", at=liar.url)
    await write(phone, "one")
    # Another head says that somebody wrote in between, so that the device looks for itself.
    liar.tell(ConfirmsWithoutKeeping(await history_of(phone), lies.says(head=bytes(32))))
    await phone.journal.write(body="two")
    await caught(phone.sync(), HistoryForked)
    assert len(liar.seen) < 20
    assert {entry.body for entry in await phone.journal.list()} == {"one", "two"}


async def test_something_else_at_a_confirmed_place_is_noticed(ada: Diarist, liar: LyingServer) -> None:
    laptop = await ada.first()
    phone = await ada.another(at=liar.url)
    await write(laptop, "one")
    await phone.sync()
    liar.tell(ConfirmsWithoutKeeping(await history_of(phone), keeps_checkpoints=True))
    await write(phone, "two")
    await write(laptop, "instead of two")
    liar.tell(Lie())
    await caught(phone.sync(), HistoryForked)


async def test_a_confirmation_at_a_place_that_was_seen_is_noticed(ada: Diarist, liar: LyingServer) -> None:
    phone = await ada.first("phone", at=liar.url)
    await write(phone, "one")
    liar.tell(AltersPushAnswers(lambda answer: answer["results"][0].update(seq=1)))
    await phone.journal.write(body="two")
    await caught(phone.sync(), HistoryForked)


async def test_a_confirmation_of_another_revision_is_no_answer(ada: Diarist, liar: LyingServer) -> None:
    phone = await ada.first("phone", at=liar.url)
    liar.tell(AltersPushAnswers(lambda answer: answer["results"][0].update(revision=9)))
    await phone.journal.write(body="one")
    await caught(phone.sync(), InvalidAnswer)


async def test_results_for_fewer_changes_than_were_sent_are_no_answer(ada: Diarist, liar: LyingServer) -> None:
    phone = await ada.first("phone", at=liar.url)
    liar.tell(AltersPushAnswers(lambda answer: answer.update(results=[])))
    await phone.journal.write(body="one")
    await caught(phone.sync(), InvalidAnswer)


async def test_an_edit_refused_for_a_newer_one_that_is_not_shown_is_noticed(ada: Diarist, liar: LyingServer) -> None:
    phone = await ada.first("phone", at=liar.url)
    (entry,) = await write(phone, "one")
    history = await history_of(phone)
    liar.tell(ConfirmsWithoutKeeping(history, lambda answer: answer.update(results=[{"status": "conflict"}])))
    await phone.journal.edit(entry, body="edited")
    await caught(phone.sync(), HistoryForked)
    liar.tell(Lie())
    await phone.sync()
    assert (await phone.journal.get(entry)).body == "edited"


async def test_confirmations_of_another_epoch_do_not_go_on_for_ever(ada: Diarist, liar: LyingServer) -> None:
    phone = await ada.first("phone", at=liar.url)
    await write(phone, "one")
    liar.tell(ConfirmsWithoutKeeping(await history_of(phone), lies.says(epoch="another")))
    await phone.journal.write(body="two")
    await caught(phone.sync(), HistoryForked)
    liar.tell(Lie())
    assert (await phone.sync()).pushed == 1
