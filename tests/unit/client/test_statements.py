"""Which changes of epoch devices of the account confirmed."""

from __future__ import annotations

from typing import Any

import pytest

from lockleaf.client.errors import HistoryForked
from lockleaf.client.history.statements import StatementBook, Transition, offer_of, transitions
from lockleaf.crypto.keyring import Keyring
from lockleaf.wire.epochs import Epoch, Statement

USER = "0190a3a0-0000-4000-8000-000000000001"
TIME = "2026-11-21T05:00:00Z"
KEYRING = Keyring.new(TIME)
STRANGER = Keyring.new(TIME)


def head(number: int) -> bytes:
    return bytes([number] * 32)


def epoch(name: str, from_seq: int, *statements: Statement, ended: bool = False) -> Epoch:
    at = bytes(32) if from_seq == 0 and name == "a" else head(from_seq)
    return Epoch(epoch=name, from_seq=from_seq, from_head=at, statements=statements, ended=ended)


def said(
    old: str, seq: int, new: str, n: int, *, ends: bool = False, by: Keyring = KEYRING, **fields: Any
) -> Statement:
    book = StatementBook(USER, by)
    transition = Transition(old, seq, head(seq), new, ends)
    return book.sign(transition, n, device_id=fields.get("device_id", "laptop"), time=fields.get("time", TIME))


A = epoch("a", 0)


def test_nothing_is_asked_where_nothing_changed() -> None:
    offer = offer_of([A, epoch("b", 3)], [A, epoch("b", 3)])
    assert (offer.kept, offer.left, offer.common, offer.transitions) == (2, False, None, ())


def test_a_first_epoch_that_begins_at_the_beginning_is_no_change() -> None:
    assert transitions([A], 0) == []


def test_a_first_epoch_that_begins_later_is_a_change_too() -> None:
    (found,) = transitions([epoch("z", 7)], 0)
    assert (found.old_epoch, found.seq, found.ends) == (None, 7, True)
    book = StatementBook(USER, KEYRING)
    assert book.uncovered([found], [epoch("z", 7)]) == (found,)
    assert book.uncovered([found], [epoch("z", 7, said("whatever", 7, "z", 1, ends=True))]) == ()


def test_a_new_epoch_counts_once_a_device_signed_it() -> None:
    unsigned, signed = [A, epoch("b", 3)], [A, epoch("b", 3, said("a", 3, "b", 1))]
    book = StatementBook(USER, KEYRING)
    (needed,) = offer_of([A], unsigned).transitions
    assert needed == Transition("a", 3, head(3), "b", ends=False)
    assert book.uncovered([needed], unsigned) == (needed,)
    assert book.uncovered([needed], signed) == ()


@pytest.mark.parametrize("other", [("a", 2, "b"), ("x", 3, "b")], ids=["another place", "another epoch before"])
def test_a_statement_about_another_change_does_not_count(other: tuple[str, int, str]) -> None:
    offered = [A, epoch("b", 3, said(*other, 1))]
    book = StatementBook(USER, KEYRING)
    needed = offer_of([A], offered).transitions
    assert book.uncovered(needed, offered) == needed


def test_what_was_given_up_takes_a_signed_end_and_no_acceptance() -> None:
    book = StatementBook(USER, KEYRING)
    for ends in (False, True):
        offered = [epoch("a", 0, ended=True), epoch("b", 3, said("a", 3, "b", 1, ends=ends))]
        needed = offer_of([A], offered).transitions
        assert [each.ends for each in needed] == [True]
        assert (book.uncovered(needed, offered) == ()) is ends


def test_a_statement_that_no_device_signed_is_a_lie() -> None:
    forged = said("a", 3, "b", 1, by=STRANGER)
    altered = said("a", 3, "b", 1).model_copy(update={"n": 2})
    moved = said("a", 3, "c", 1)
    for bad in (forged, altered, moved):
        with pytest.raises(HistoryForked):
            StatementBook(USER, KEYRING).uncovered([], [A, epoch("b", 3, bad)])
    with pytest.raises(HistoryForked):
        StatementBook("another", KEYRING).uncovered([], [A, epoch("b", 3, said("a", 3, "b", 1))])


def test_a_lower_number_than_a_known_one_is_a_replay() -> None:
    known = said("a", 5, "c", 2)
    offered = [A, epoch("b", 3, said("a", 3, "b", 1))]
    book = StatementBook(USER, KEYRING, [known])
    needed = transitions(offered, 1)
    assert book.uncovered(needed, offered) == tuple(needed)
    assert len(book.contradictions(offered)) == 1


def test_another_statement_under_a_known_number_is_a_contradiction() -> None:
    book = StatementBook(USER, KEYRING, [said("a", 5, "c", 1)])
    offered = [A, epoch("b", 3, said("a", 3, "b", 1))]
    assert len(book.contradictions(offered)) == 1
    book.learn(book.fresh(offered))
    assert book.contradictions(offered) == ()


def test_two_statements_under_one_number_contradict_each_other_for_a_new_device_too() -> None:
    offered = [A, epoch("b", 3, said("a", 3, "b", 1), said("a", 2, "b", 1))]
    assert StatementBook(USER, KEYRING).contradictions(offered) != ()


def test_statements_that_differ_in_device_and_time_are_one() -> None:
    one, other = said("a", 3, "b", 1), said("a", 3, "b", 1, device_id="phone", time="2027-01-01T00:00:00Z")
    book = StatementBook(USER, KEYRING, [one])
    assert book.fresh([A, epoch("b", 3, other)]) == []
    assert book.contradictions([A, epoch("b", 3, other)]) == ()


def test_the_same_change_confirmed_twice_under_two_numbers_contradicts_nothing() -> None:
    """Two devices were asked at the same time, and one of them knew more."""
    book = StatementBook(USER, KEYRING, [said("a", 3, "b", 4)])
    assert book.contradictions([A, epoch("b", 3, said("a", 3, "b", 2))]) == ()


def test_numbers_rise_along_the_history() -> None:
    book = StatementBook(USER, KEYRING)
    rising = [A, epoch("b", 3, said("a", 3, "b", 1)), epoch("c", 5, said("b", 5, "c", 2))]
    falling = [A, epoch("b", 3, said("a", 3, "b", 2)), epoch("c", 5, said("b", 5, "c", 1))]
    assert book.uncovered(transitions(rising, 1), rising) == ()
    assert [each.new_epoch for each in book.uncovered(transitions(falling, 1), falling)] == ["c"]


def test_an_epoch_that_is_left_altogether_is_left_where_both_histories_part() -> None:
    known, offered = [A, epoch("b", 5)], [A, epoch("c", 3)]
    offer = offer_of(known, offered)
    assert (offer.kept, offer.left, offer.common) == (1, True, 3)
    assert offer.transitions == (
        Transition("a", 3, head(3), "c", ends=False),
        Transition("b", 3, head(3), "c", ends=False),
    )
    later = offer_of([A, epoch("b", 2)], [A, epoch("c", 3)])
    assert (later.common, later.transitions[-1]) == (2, Transition("b", 2, head(2), "c", ends=False))


def test_what_this_device_signs_covers_what_it_was_asked() -> None:
    known, offered = [A, epoch("b", 5)], [A, epoch("c", 3, said("a", 3, "c", 6))]
    book = StatementBook(USER, KEYRING, [said("a", 5, "b", 7)])
    needed = offer_of(known, offered).transitions
    made = book.signed(book.uncovered(needed, offered), offered, device_id="laptop", now=lambda: TIME)
    assert [each.n for each in made] == [8, 9]
    book.learn((*made, *book.fresh(offered)))
    assert book.uncovered(needed, offered) == ()
    assert book.contradictions(offered) == ()
    assert book.has_left("b")


@pytest.mark.parametrize(
    "offered",
    [
        [epoch("z", 0)],
        [A],
        [A, epoch("b", 6)],
        [A, epoch("c", 3), epoch("c", 4)],
        [A, epoch("c", 4), epoch("d", 3)],
    ],
    ids=["another beginning", "back without a word", "moved", "twice", "disorder"],
)
def test_epochs_that_cannot_be_are_a_fork(offered: list[Epoch]) -> None:
    with pytest.raises(HistoryForked):
        offer_of([A, epoch("b", 5)], offered)
