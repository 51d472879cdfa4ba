"""Pieces that show why an entry was found."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from lockleaf.search.highlights import Highlight, highlights
from lockleaf.search.languages import language
from lockleaf.search.matching import match
from lockleaf.search.plan import plan
from lockleaf.search.query import parse
from tests.support.search_texts import strange_texts

ENGLISH = language("english")


def shown(query: str, body: str, title: str | None = None) -> tuple[Highlight, ...]:
    asked = plan(parse(query), ENGLISH)
    hit = match(asked, title, body)
    assert hit is not None
    return highlights(asked, title, body, hit)


def marked(highlight: Highlight) -> list[str]:
    return [highlight.text[start:end] for start, end in highlight.marks]


def test_a_short_entry_is_shown_whole() -> None:
    title, body = shown('"big dogs" OR cat', "Two BIG dogs and a cat’s tail.", "The Cat")
    assert (title.field, title.text, marked(title)) == ("title", "The Cat", ["Cat"])
    assert (body.field, body.text, marked(body)) == ("body", "Two BIG dogs and a cat’s tail.", ["BIG dogs", "cat’s"])


def test_a_title_without_a_hit_is_not_shown_nor_an_entry_that_only_filters_found() -> None:
    assert [piece.field for piece in shown("cat", "cat", "dog")] == ["body"]
    assert [piece.field for piece in shown("cat", "dog", "cat")] == ["title"]
    assert shown("mood:calm", "cat", "dog") == ()
    assert shown("-bird mood:calm", "cat", "dog") == ()


def test_a_long_entry_is_shown_by_its_fullest_pieces_in_order() -> None:
    filler = "word " * 100
    body = f"{filler}cat {filler}cat dog {filler}cat dog mouse {filler}dog mouse cat dog {filler}"
    pieces = shown("cat OR dog OR mouse", body)
    assert [marked(piece) for piece in pieces] == [
        ["cat", "dog"],
        ["cat", "dog", "mouse"],
        ["dog", "mouse", "cat", "dog"],
    ]
    for piece in pieces:
        assert len(piece.text) <= 240
        assert body.count(piece.text) >= 1
        assert (piece.text.split()[0], piece.text.split()[-1]) == ("word", "word")


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.one_of(strange_texts, st.sampled_from(["cat", "dog ", " cat dog ", "x" * 90, " y" * 60])), max_size=30)
)
def test_every_piece_is_of_the_text_and_every_mark_of_what_was_asked(pieces: list[str]) -> None:
    body = " ".join(pieces)
    asked = plan(parse('cat OR "cat dog"'), ENGLISH)
    hit = match(asked, None, body)
    if hit is None:
        return
    found = highlights(asked, None, body, hit)
    assert 1 <= len(found) <= 3
    at = 0
    for piece in found:
        assert piece.field == "body"
        assert 0 < len(piece.text) <= 240
        at = body.index(piece.text, at)
        before = 0
        assert piece.marks
        for start, end in piece.marks:
            assert before <= start < end <= len(piece.text)
            assert "cat" in piece.text[start:end].lower() or "dog" in piece.text[start:end].lower()
            before = end


def test_text_without_spaces_is_cut_between_characters() -> None:
    body = "天気" * 200 + "東京" + "e\u0301" * 200
    (piece,) = shown("東京", body)
    assert marked(piece) == ["東京"]
    assert len(piece.text) <= 240
    assert not piece.text.endswith("e")
    assert body[body.index(piece.text) + len(piece.text)] != "\u0301"


def test_an_entry_that_says_nothing_else_is_shown_in_three_pieces() -> None:
    pieces = shown("cat", "cat " * 50_000)
    assert len(pieces) == 3
    assert sum(len(piece.text) for piece in pieces) <= 720
