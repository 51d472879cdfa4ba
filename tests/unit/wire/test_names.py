"""The one form of a name: spellings that a person means as one are one, and nothing else is."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lockleaf.wire.content import clean_tags
from lockleaf.wire.names import distinct_names, known_as, same_name
from lockleaf.wire.palette import color_of


@pytest.mark.parametrize(
    "spelling",
    ["Long Walks", "long walks", "LONG WALKS", " long  walks ", "long\u00a0walks", "long\twalks", "long\u200b walks",
     "long\ufe0f walks", "ｌｏｎｇ　walks"],
)  # fmt: skip
def test_spellings_of_one_name_are_one(spelling: str) -> None:
    assert same_name(spelling, "long walks")
    assert color_of(spelling) == color_of("long walks")


def test_composed_and_decomposed_letters_are_one() -> None:
    assert same_name("caf\u00e9", "cafe\u0301")
    assert same_name("Straße", "STRASSE")
    assert same_name("☺", "☺\ufe0f")


@pytest.mark.parametrize(
    ("one", "other"), [("walk", "walks"), ("cafe", "caf\u00e9"), ("long walks", "longwalks"), ("a-b", "a b")]
)
def test_names_that_differ_in_what_is_read_stay_apart(one: str, other: str) -> None:
    assert not same_name(one, other)


def test_an_entry_has_a_tag_once_in_its_first_spelling() -> None:
    assert clean_tags(["Walks", " walks", "caf\u00e9", "cafe\u0301", "", "\u200b", "  "]) == ("Walks", "caf\u00e9")


@given(st.text())
def test_the_form_of_a_form_is_itself(name: str) -> None:
    assert known_as(known_as(name)) == known_as(name)
    assert known_as(unicodedata.normalize("NFD", name)) == known_as(name)


@given(st.lists(st.text(max_size=8), max_size=8))
def test_each_name_is_there_once_and_as_it_was_first_spelled(names: list[str]) -> None:
    found = distinct_names(names)
    assert len({known_as(each) for each in found}) == len(found)
    assert {known_as(each) for each in names} - {""} == {known_as(each) for each in found}
    assert all(each in names for each in found)
