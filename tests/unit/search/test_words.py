"""Words of texts in every script, and where they stand."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lockleaf.search.languages import language
from lockleaf.search.terms import positions, stems
from lockleaf.search.words import LONGEST_WORD, bounds, surfaces, text_of, words
from tests.support.search_texts import strange_texts
from tests.vectors.searching import plain_words


def of(text: str) -> list[str]:
    return [word.text for word in words(text)]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("I don't know John's house, and we'll see.", ["i", "dont", "know", "john", "house", "and", "we", "see"]),
        ("rock 'n' roll, the dogs' dinner, 'tis", ["rock", "n", "roll", "the", "dogs", "dinner", "tis"]),
        ("don’t DON＇T", ["dont", "dont"]),
        ("L’amour de l'été, qu'elle", ["l", "amour", "de", "l", "été", "qu", "elle"]),
        ("well-known, snake_case", ["well", "known", "snake", "case"]),
        (
            "3.14 and 1,000.50, v1.2. 10:30 2020-01-05",
            ["3.14", "and", "1,000.50", "v1.2", "10", "30", "2020", "01", "05"],
        ),
        ("Straße STRASSE ﬁne ｆｕｌｌ", ["strasse", "strasse", "fine", "full"]),
        ("שלום עולם, צה״ל", ["שלום", "עולם", "צהל"]),
        ("\u202bשלום\u202c\u200f!", ["שלום"]),
        ("می\u200cخواهم میخواهم", ["میخواهم", "میخواهم"]),
        ("東京へ ガ", ["東", "京", "へ", "ガ"]),
        ("so\u00adft ta\u2060pe e\u200e\u0301te\u0301", ["soft", "tape", "été"]),
        ("👍👍🏽 a❤️b", ["👍", "👍", "a", "❤", "b"]),
        ("👩\u200d👩\u200d👧\u200d👦 🇩🇪🇫🇷", ["👩\u200d👩\u200d👧\u200d👦", "🇩🇪", "🇫🇷"]),
        ("wait…what 3…4 «\u00a0l’été\u202f» a\u00b7b 1.2é", ["wait", "what", "3", "4", "l", "été", "a·b", "1.2é"]),
        ("-- ... ¡! \u0301 \ufe0f", []),
        ("", []),
    ],
)
def test_a_text_is_cut_into_its_words(text: str, found: list[str]) -> None:
    assert of(text) == found


@settings(max_examples=60, deadline=None)
@given(strange_texts)
def test_words_are_those_of_a_plain_reading(text: str) -> None:
    assert of(text) == plain_words(text)


@settings(max_examples=200, deadline=None)
@given(st.text("aLlqunhéÉß03'’.,·\xad_ -…½²ж\u0301", max_size=40))
def test_words_of_latin_letters_are_those_of_a_plain_reading(text: str) -> None:
    assert of(text) == plain_words(text)
    assert [text_of(surface) for surface in surfaces(text)] == of(text)


@settings(max_examples=60, deadline=None)
@given(strange_texts)
def test_all_ways_to_encode_a_text_have_the_same_words(text: str) -> None:
    found = of(unicodedata.normalize("NFKC", text))
    for form in ("NFC", "NFD", "NFKD"):
        assert of(unicodedata.normalize(form, text)) == found


@settings(max_examples=60, deadline=None)
@given(strange_texts)
def test_a_place_is_one_of_the_original_text_and_holds_the_word(text: str) -> None:
    before = 0
    for word in words(text):
        assert 0 <= before <= word.start < word.end <= len(text)
        # One character can stand for several words, which then share its place.
        assert word.text in of(text[word.start : word.end])
        before = word.start


@settings(max_examples=60, deadline=None)
@given(strange_texts)
def test_the_fast_way_gives_the_words_of_the_exact_one(text: str) -> None:
    normal = unicodedata.normalize("NFKC", text)
    assert [text_of(surface) for surface in surfaces(normal)] == of(normal)
    simple = language("simple")
    assert positions(text, simple) == [word or None for word in of(text)]
    assert stems(text, simple) == set(of(text)) - {""}
    for same in (text, normal):
        places = [(word.start, word.end) for word in words(same)]
        assert bounds(same, range(len(places))) == dict(enumerate(places))
        assert bounds(same, {len(places) - 1} if places else ()) == dict(list(enumerate(places))[-1:])


@settings(max_examples=60, deadline=None)
@given(strange_texts)
def test_the_form_of_a_word_is_its_own_form(text: str) -> None:
    for word in of(text):
        assert text_of(word) == word


def test_an_endless_word_is_compared_by_its_beginning() -> None:
    (word,) = words("x" * 1_000_000)
    assert word == ("x" * LONGEST_WORD, 0, 1_000_000)


@pytest.mark.parametrize(
    "text",
    [
        "a\u0301" * 100_000,
        "e" + "\u0301" * 200_000,
        "1." * 100_000,
        "l'" * 100_000,
        "❤\u200d" * 100_000,
        "\u1100" * 200_000,
    ],
)
def test_a_text_made_to_be_slow_is_read_in_time_linear_in_it(text: str) -> None:
    # Quadratic time would be hours, which the limit on every test would end.
    assert sum(word.end - word.start for word in words(text)) <= len(text)
