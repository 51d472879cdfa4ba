"""Matching on texts, and what an index is asked for before."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lockleaf.search.languages import language
from lockleaf.search.matching import Match, match
from lockleaf.search.plan import plan
from lockleaf.search.query import parse
from tests.support.search_reference import ENGLISH, Index
from tests.support.search_texts import diary_texts, parts, strange_texts, written
from tests.vectors.searching import plain_holds, plain_positions

STOP = {"the", "of", "a"}


def found(query: str, body: str, title: str | None = None) -> Match | None:
    return match(plan(parse(query), ENGLISH), title, body)


def stemmed(part: Any) -> Any:
    """A drawn query over stems, None where stop words were all it had."""
    ((kind, inner),) = part.items()
    if kind == "term":
        stems = plain_positions(" ".join(inner), "english", STOP)
        while stems and stems[-1] is None:
            stems.pop()
        while stems and stems[0] is None:
            stems.pop(0)
        return ({"word": stems[0]} if len(stems) == 1 else {"phrase": stems}) if stems else None
    if kind == "not":
        within = stemmed(inner)
        return None if within is None else {"not": within}
    kept = [each for each in map(stemmed, inner) if each is not None]
    return {kind: kept} if kept else None


@settings(max_examples=60, deadline=None)
@given(parts, diary_texts, diary_texts)
def test_matching_agrees_with_a_plain_reading(part: Any, title: str, body: str) -> None:
    meant = stemmed(part)
    matches = meant is None or plain_holds(
        meant, plain_positions(title, "english", STOP), plain_positions(body, "english", STOP)
    )
    assert (found(written(part), body, title) is not None) == matches


@settings(max_examples=60, deadline=None)
@given(parts, diary_texts, diary_texts)
def test_whatever_matches_is_selected_by_its_tokens(part: Any, title: str, body: str) -> None:
    asked = plan(parse(written(part)), ENGLISH)
    index = Index([("entry", title, body), ("empty", None, "")])
    matches = match(asked, title, body) is not None
    tokens = asked.tokens(lambda field, stem: (field, stem))
    # An empty entry has no row that a positive query could come across.
    assert (tokens is None) == (asked.root is None or match(asked, None, "") is not None)
    condition = asked.condition(lambda field, stem: (field, stem))
    for expression in (tokens, condition):
        if expression is not None and matches:
            assert "entry" in index.select(expression)
    if tokens is not None:
        assert "empty" not in index.select(tokens)
        if not asked.needs_text:
            assert ("entry" in index.select(tokens)) == matches


@settings(max_examples=60, deadline=None)
@given(strange_texts)
def test_a_text_is_found_by_all_of_its_words_and_by_itself(text: str) -> None:
    for name in ("english", "simple"):
        for query in (text.replace('"', " "), '"' + text.replace('"', " ") + '"'):
            asked = plan(parse(query), language(name))
            if asked.positive and not parse(query).filtered and "-" not in query:
                assert match(asked, None, text) is not None
                assert match(asked, text, "") is not None


@pytest.mark.parametrize(
    ("query", "body", "matches"),
    [
        ('"lord of the house"', "The lord in a house.", True),
        ('"lord of the house"', "The lord, the house.", False),
        ('"the lord of"', "A lord.", True),
        ('"lord the lord"', "lord of lord", True),
        ('"cat cat"', "cat dog cat", False),
        ('"well known"', "It is well-known.", True),
        ("well-known", "well, it is known", False),
        ("café", "CAFE\u0301", True),
        ("ｃａｔ", "cats", True),
        ("שלום", "\u202bהשלום, שלום!\u202c", True),
        ("👍", "Well done 👍🏿", True),
        ("東京", "京東", False),
        ("東京", "東京へ行く", True),
        ("3.14", "It is 3.14.", True),
        ("aint", "I ain’t", True),
        ("ill", "I'll go", False),
    ],
)
def test_texts_as_people_write_them(query: str, body: str, matches: bool) -> None:
    assert (found(query, body) is not None) == matches


def test_a_phrase_lies_within_one_field_and_words_in_either() -> None:
    assert found('"big dog"', "dog", "big") is None
    assert found("big dog", "dog", "big") is not None
    assert found("big -dog", "dog", "big") is None


def test_a_query_without_words_matches_everything() -> None:
    for query in ("", "the of", "mood:calm"):
        hit = found(query, "text")
        assert hit is not None
        assert (hit.count, hit.nearness, hit.spans) == (0, 0.0, {"title": (), "body": ()})


def test_a_match_tells_where_and_how_often() -> None:
    hit = found('"big dog" OR cat -mouse', "A BIG dog, a big cat, a dog.", "Cats")
    assert hit is not None
    assert hit.title_stems == {"cat"}
    assert hit.body_stems == {"big", "dog", "cat"}
    assert hit.count == 3
    assert hit.spans == {"title": ((0, 4),), "body": ((2, 9), (17, 20))}


def test_words_that_lie_near_each_other_are_near() -> None:
    near, far = found("cat dog", "the cat dog " + "x " * 50), found("cat dog", "cat " + "x " * 50 + "dog")
    assert near is not None
    assert far is not None
    assert near.nearness == 1.0
    assert 0 < far.nearness < 0.1


def test_places_are_those_of_the_text_as_it_was_given() -> None:
    body = "½ ﷺ e\u0301te\u0301 … the Cafe\u0301s"
    hit = match(plan(parse("cafés"), language("simple")), None, body)
    assert hit is not None
    ((start, end),) = hit.spans["body"]
    assert body[start:end] == "Cafe\u0301s"


@pytest.mark.parametrize("length", [2, 3, 64])
def test_a_phrase_of_one_word_is_found_in_a_text_that_says_nothing_else(length: int) -> None:
    query = f'"{"cat " * length}"'
    hit = found(query, "cat " * 50_000 + "dog " + "cat " * length)
    assert hit is not None
    assert hit.count == 50_000 - length + 1 + 1
    assert found(query, ("cat " * (length - 1) + "dog ") * (100_000 // length)) is None


@settings(max_examples=30, deadline=None)
@given(diary_texts, st.lists(st.sampled_from(["cat", "dog", "the", "mouse"]), min_size=2, max_size=4))
def test_long_texts_have_the_phrases_that_short_ones_have(text: str, phrase: list[str]) -> None:
    query = f'"{" ".join(phrase)}"'
    apart = text + " x x x x "
    short, long = found(query, apart), found(query, apart * 5000)
    assert (short is None) == (long is None)
    if short is not None and long is not None and parse(query).root is not None:
        assert long.count == short.count * 5000


@pytest.mark.parametrize(
    ("query", "once"),
    [("cat " * 64, "cat"), (" OR ".join(["cat"] * 64), "cat"), ('"cat cat" ' * 32, '"cat cat"')],
)
def test_a_query_that_repeats_itself_in_a_text_that_does_finds_each_place_once(query: str, once: str) -> None:
    body = "cat " * 20_000
    repeated, single = found(query, body), found(once, body)
    assert repeated is not None
    assert single is not None
    assert repeated.count == single.count >= 19_999
    assert repeated.spans == single.spans
    assert 0 < len(repeated.spans["body"]) <= 1000
