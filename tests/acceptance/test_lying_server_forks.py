"""A dishonest server and time: new epochs, histories told apart, and lists without an end."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from lockleaf.client.errors import HistoryForked, InvalidAnswer, LockleafError, ServerEmptied, ServerRestored
from tests.support import lies
from tests.support.diarist import Diarist, caught, write
from tests.support.forged_history import History, history_of
from tests.support.lies import AltersFeed, NeverEnds, RepeatsConflicts, Restored, Shows
from tests.support.lying_server import Lie, LyingServer

# ---- epochs ------------------------------------------------------------------------------------------------------


async def test_a_restore_asks_and_then_gives_back_what_was_lost(ada: Diarist, liar: LyingServer) -> None:
    laptop = await ada.first("laptop", at=liar.url)
    await write(laptop, "one", "two")
    earlier = await history_of(laptop)
    (lost,) = await write(laptop, "three")
    liar.tell(Restored(earlier.restored(2)))
    for _ in range(2):
        error = await caught(laptop.sync(), ServerRestored)
        assert isinstance(error, ServerRestored)
        assert (error.from_seq, error.missing) == (2, (("entries", lost),))
    report = await laptop.sync(accept_restore=True)
    assert (report.pushed, report.pending, report.conflicts) == (1, 0, 0)
    tablet = await ada.another("tablet", at=liar.url)
    await tablet.sync()
    assert {entry.body for entry in await tablet.journal.list()} == {"one", "two", "three"}


async def test_an_account_that_is_said_to_be_emptied_asks_too(ada: Diarist, liar: LyingServer) -> None:
    laptop = await ada.first("laptop", at=liar.url)
    await write(laptop, "one", "two")
    emptied = (await history_of(laptop)).restored(2)
    emptied.changes, emptied.epochs[0]["ended"] = [], True
    liar.tell(Restored(emptied))
    error = await caught(laptop.sync(), ServerEmptied)
    assert isinstance(error, ServerEmptied)
    assert len(error.missing) == 2
    assert len(await laptop.journal.list()) == 2


def without_basis(history: History) -> None:
    history.epochs[-1]["from_head"] = bytes([7] * 32)


def from_the_future(history: History) -> None:
    history.epochs[-1]["from_seq"] = 9


def twice_the_same(history: History) -> None:
    history.epochs.append(history.epochs[0])


def in_the_wrong_order(history: History) -> None:
    history.epochs.reverse()


def unnamed(history: History) -> None:
    history.epochs[-1]["epoch"] = history.epochs[0]["epoch"]


def alone_without_basis(history: History) -> None:
    history.epochs, history.changes = history.epochs[1:], []
    without_basis(history)


def under_another_name(history: History) -> None:
    history.epochs = history.epochs[:1]
    lies.renames_the_epoch(history)


def from_another_beginning(history: History) -> None:
    history.epochs = history.epochs[:1]
    lies.begins_elsewhere(history)


EPOCHS: list[Callable[[History], None]] = [
    without_basis,
    from_the_future,
    twice_the_same,
    in_the_wrong_order,
    unnamed,
    alone_without_basis,
    under_another_name,
    from_another_beginning,
]


@pytest.mark.parametrize("accept_restore", [False, True])
async def test_a_new_epoch_without_a_basis_is_a_fork_even_for_who_would_accept_a_restore(
    ada: Diarist, liar: LyingServer, accept_restore: bool, subtests: pytest.Subtests
) -> None:
    laptop = await ada.first("laptop", at=liar.url)
    await write(laptop, "one", "two")
    earlier = await history_of(laptop)
    await write(laptop, "three")
    for claim in EPOCHS:
        with subtests.test(claim.__name__):
            history = earlier.restored(2)
            claim(history)
            liar.tell(Restored(history))
            await caught(laptop.sync(accept_restore=accept_restore), HistoryForked)
    liar.tell(Lie())
    await laptop.sync()
    assert {entry.body for entry in await laptop.journal.list()} == {"one", "two", "three"}


async def test_an_epoch_that_begins_before_what_was_verified_asks_too(ada: Diarist, liar: LyingServer) -> None:
    """The cursor is taken, and only the page names the new epoch."""
    laptop = await ada.first("laptop", at=liar.url)
    await write(laptop, "one", "two")
    earlier = await history_of(laptop)
    await write(laptop, "three")
    liar.tell(Shows(earlier.restored(2)))
    await caught(laptop.sync(), ServerRestored)


async def test_a_new_device_is_not_fooled_by_an_epoch_that_hides_what_came_before(
    ada: Diarist, liar: LyingServer
) -> None:
    """Whatever does not suit the server would be gone with the epoch before; nobody signed the end of it."""
    laptop = await ada.first()
    await write(laptop, "one", "two", "three")
    phone = await ada.another(at=liar.url)
    history = await history_of(laptop)
    history.changes = history.changes[-1:]
    history.epochs = [{"epoch": "behind-it-all", "from_seq": 1000, "from_head": bytes([7] * 32)}]
    history.renumber()
    liar.tell(Shows(history))
    error = await caught(phone.sync(), ServerRestored)
    assert isinstance(error, ServerRestored)
    assert [seq for _, seq, _ in error.claim.checkpoints] == [3]
    await caught(phone.sync(accept_restore=True), HistoryForked)


# ---- forks -------------------------------------------------------------------------------------------------------


async def test_devices_that_are_told_different_histories_hear_it_from_each_other(
    ada: Diarist, liar: LyingServer
) -> None:
    """Each history is consistent, and each device writes into its own; their signed words give it away."""
    laptop = await ada.first()
    phone = await ada.another(at=liar.url)
    await write(laptop, "one")
    await phone.sync()
    liar.tell(Shows(await history_of(laptop), keeps_checkpoints=True))
    await write(phone, "on the phone")
    await write(laptop, "on the laptop")
    liar.lie = Shows(liar.lie.history)  # type: ignore[attr-defined]
    await caught(phone.sync(), HistoryForked)
    assert {entry.body for entry in await phone.journal.list()} == {"one", "on the phone"}


async def test_the_other_device_hears_it_as_well(ada: Diarist, liar: LyingServer) -> None:
    laptop = await ada.first()
    phone = await ada.another(at=liar.url)
    await write(laptop, "one")
    await phone.sync()
    liar.tell(Shows(await history_of(laptop)))
    await write(phone, "on the phone")
    await laptop.journal.write(body="on the laptop")
    await caught(laptop.sync(), HistoryForked)


async def test_a_fork_is_noticed_as_soon_as_anything_crosses_it(ada: Diarist, liar: LyingServer) -> None:
    """Their signed words are withheld; what a device saw is sealed into what it writes."""
    laptop = await ada.first()
    phone = await ada.another(at=liar.url)
    await write(laptop, "one")
    await phone.sync()
    fork = await history_of(laptop)
    liar.tell(Shows(fork, keeps_checkpoints=True))
    await write(phone, "on the phone")
    first, second = await write(laptop, "before it", "behind it")
    truth = await history_of(laptop)
    # This one was written by a device that had seen no more than both histories have.
    fork.changes.append({**truth.of(first), "seq": fork.seq + 1})
    await phone.sync()
    fork.changes.append({**truth.of(second), "seq": fork.seq + 1})
    await caught(phone.sync(), HistoryForked)
    assert {entry.body for entry in await phone.journal.list()} == {"one", "on the phone", "before it"}


async def test_a_new_device_that_is_shown_too_little_notices_when_it_hears_of_more(
    ada: Diarist, liar: LyingServer
) -> None:
    laptop = await ada.first()
    await write(laptop, "one", "two")
    earlier = await history_of(laptop)
    await write(laptop, "three")
    phone = await ada.another(at=liar.url)
    liar.tell(Shows(earlier))
    # What lies beyond may have been written just now; it must be there the next time.
    await phone.sync()
    await caught(phone.sync(), HistoryForked)


async def test_a_checkpoint_that_no_device_signed_is_refused(ada: Diarist, liar: LyingServer) -> None:
    laptop = await ada.first("laptop", at=liar.url)
    await write(laptop, "one")
    for alter in (lies.says(seq=7), lies.says(head="A" * 43 + "="), lies.says(device_id="another")):
        liar.tell(lies.AltersAnswers("/sync/checkpoints", lambda answer, a=alter: a(answer["items"][0]), method="GET"))  # type: ignore[misc]
        await caught(laptop.sync(), HistoryForked)


# ---- lists without an end ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("repeats", "one_cursor", "error"),
    [
        (False, False, HistoryForked),
        (False, True, HistoryForked),
        (True, False, HistoryForked),
        (True, True, InvalidAnswer),
    ],
)
async def test_a_feed_that_announces_more_and_gives_nothing_new_ends(
    ada: Diarist, liar: LyingServer, repeats: bool, one_cursor: bool, error: type[LockleafError]
) -> None:
    laptop = await ada.first("laptop", at=liar.url)
    await write(laptop, "one")
    liar.tell(NeverEnds(await history_of(laptop), repeats=repeats, one_cursor=one_cursor))
    phone = await ada.another(at=liar.url)
    await caught(asyncio.wait_for(phone.sync(), 20), error)
    assert len(liar.seen) < 12


async def test_a_feed_that_announces_more_at_its_verified_end_ends_there(ada: Diarist, liar: LyingServer) -> None:
    laptop = await ada.first()
    await write(laptop, "one")
    phone = await ada.another(at=liar.url)
    liar.tell(AltersFeed(lambda page, _: page.update(has_more=True)))
    assert (await asyncio.wait_for(phone.sync(), 20)).seq == 1
    assert [entry.body for entry in await phone.journal.list()] == ["one"]


async def test_a_list_of_conflicts_that_repeats_itself_ends(ada: Diarist, liar: LyingServer) -> None:
    laptop = await ada.first("laptop", at=liar.url)
    liar.tell(RepeatsConflicts())
    await caught(asyncio.wait_for(laptop.sync(), 20), InvalidAnswer)
    assert len(liar.seen) < 12


async def test_a_conflict_that_is_hidden_leaves_its_text_where_it_was_written(ada: Diarist, liar: LyingServer) -> None:
    """The list of conflicts is no part of the history, so it cannot be verified; but a lie in it loses nothing."""
    laptop = await ada.first()
    (entry,) = await write(laptop, "first")
    phone = await ada.another(at=liar.url)
    await phone.sync()
    await laptop.journal.edit(entry, body="on the laptop")
    await laptop.sync()
    await phone.journal.edit(entry, body="on the phone")
    assert (await phone.sync()).conflicts == 1
    liar.tell(lies.AltersAnswers("/sync/conflicts", lies.says(conflicts=[], total_count=0)))
    await phone.sync()
    kept = [*await phone.journal.conflicts(), *await phone.journal.conflicts(decided=True)]
    assert [conflict.local and conflict.local.body for conflict in kept] == ["on the phone"]
