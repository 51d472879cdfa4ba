"""Stems and stop words."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
import snowballstemmer

from lockleaf.search.languages import LANGUAGES, UnknownLanguage, language, language_of
from lockleaf.search.stop_words import STOP_WORDS
from lockleaf.search.terms import stems
from lockleaf.search.words import words

ENGLISH = language("english")


@pytest.mark.parametrize(
    ("locale", "name"),
    [
        ("en", "english"),
        ("en-GB", "english"),
        ("de_AT", "german"),
        ("PT-br", "portuguese"),
        ("nb-NO", "norwegian"),
        ("zh-Hans", "simple"),
        ("", "simple"),
        (None, "simple"),
        ("../../etc", "simple"),
    ],
)
def test_a_locale_has_its_language(locale: str | None, name: str) -> None:
    assert language_of(locale).name == name


def test_an_unknown_name_is_refused_without_repeating_it() -> None:
    with pytest.raises(UnknownLanguage) as caught:
        language("klingon")
    assert "klingon" not in str(caught.value)


def test_languages_are_shared_and_each_gives_stems() -> None:
    for name in LANGUAGES:
        assert language(name) is language(name)
        assert language(name).stem("test")


def test_words_of_one_stem_are_one() -> None:
    assert stems("Gardens, gardening; the GARDEN'S gardener", ENGLISH) == {"garden"}
    assert ENGLISH.stem("the") == "the"
    assert language("simple").stem("gardens") == "gardens"
    assert stems("The the THE", language("simple")) == {"the"}


def test_a_contraction_is_not_found_by_the_word_it_looks_like() -> None:
    assert stems("I'll, we'll, he'll, I'd, we'd, she'll", ENGLISH) == frozenset()
    assert stems("ill hell shell wed", ENGLISH) == {"ill", "hell", "shell", "wed"}


@pytest.mark.parametrize("name", sorted(STOP_WORDS))
def test_every_stop_word_is_a_word_as_texts_have_it(name: str) -> None:
    for stop in STOP_WORDS[name]:
        assert [word.text for word in words(stop)] == [stop]
    assert 60 <= len(STOP_WORDS[name]) <= 250


def test_words_with_a_meaning_of_their_own_are_searched() -> None:
    assert stems("able act good little well May", ENGLISH) == {"abl", "act", "good", "littl", "well", "may"}


def test_threads_do_not_disturb_each_others_stems() -> None:
    forms = [
        f"{stem}{ending}" for stem in ("garden", "flood", "relat", "hop") for ending in ("ing", "ed", "ional", "s")
    ]
    forms = [form + "x" * (number % 7) for number in range(300) for form in forms]
    stemmer = snowballstemmer.stemmer("english")
    right = [stemmer.stemWord(form) for form in forms]
    with ThreadPoolExecutor(4) as pool:
        for found in pool.map(lambda _: [ENGLISH.work_out(form) for form in forms], range(4)):
            assert found == right


def test_what_is_remembered_is_bounded() -> None:
    danish = language("danish")
    for number in range(70_000):
        danish.stem(f"w{number}")
    danish.stem("w" * 100)
    assert len(danish.forms) <= 32_768
    assert "w" * 100 not in danish.forms
