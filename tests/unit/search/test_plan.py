"""What is left of a query in a language."""

from __future__ import annotations

import pytest

from lockleaf.search.languages import language
from lockleaf.search.plan import Plan, plan
from lockleaf.search.query import parse


def planned(query: str, name: str = "english") -> Plan:
    return plan(parse(query), language(name))


def test_stop_words_are_left_out_and_named() -> None:
    asked = planned('the gardens of "the house of the lord" OF')
    assert asked.ignored == ("the", "of")
    assert asked.stems == ("garden", "hous", "lord")
    assert planned("the gardens", "simple").ignored == ()


def test_only_what_must_be_there_is_searched_for() -> None:
    assert planned('cats -dogs -(mice -"big house") -(-birds)').stems == ("cat", "big", "hous", "bird")


@pytest.mark.parametrize(
    ("query", "needs_text"),
    [("cats dogs", False), ('cats "big dogs"', True), ('cats -"big dogs"', True), ('"the dogs"', False)],
)
def test_only_phrases_need_the_text(query: str, needs_text: bool) -> None:
    assert planned(query).needs_text is needs_text


@pytest.mark.parametrize(
    ("query", "positive", "empty"),
    [
        ("cats", True, False),
        ("cats mood:calm", True, False),
        ("cats -dogs", True, False),
        ("-(-cats)", True, False),
        ("mood:calm", False, False),
        ("the mood:calm", False, False),
        ("-dogs mood:calm", False, False),
        ("cats OR -dogs", False, True),
        ("-dogs", False, True),
        ("the of", False, True),
        ("", False, True),
        ("!?", False, True),
    ],
)
def test_what_asks_for_nothing_to_be_there_finds_nothing_unless_it_is_narrowed(
    query: str, positive: bool, empty: bool
) -> None:
    asked = planned(query)
    assert (asked.positive, asked.empty) == (positive, empty)
    assert (asked.tokens(lambda field, stem: field + stem) is not None) == positive


def test_entries_that_a_filter_lists_can_be_excluded_by_tokens() -> None:
    assert planned("-dogs mood:calm").condition(lambda field, stem: f"{field} {stem}") == {
        "none": ["title dog", "body dog"]
    }
    assert planned('-"big dogs" mood:calm').condition(lambda field, stem: f"{field} {stem}") is None
    assert planned("mood:calm").condition(lambda field, stem: f"{field} {stem}") is None
