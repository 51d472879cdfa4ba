"""Cursors say where a list goes on, to whom they were given, for that list, under a key that the server still has."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lockleaf.server.platform.cursors import CursorCodec, InvalidCursor
from lockleaf.server.platform.server_keys import ServerKeys

OLD, NEW, OTHER = b"o" * 40, b"n" * 40, b"x" * 40
USER = uuid4()
PLACE = (7, "an epoch")


def codec(*roots: bytes) -> CursorCodec:
    return CursorCodec(ServerKeys(roots or (NEW,), OTHER))


@given(
    st.tuples(
        st.integers(-(2**63), 2**63 - 1),
        st.text(max_size=40),
        st.uuids(),
        st.dates(),
        st.datetimes(timezones=st.just(UTC)),
    )
)
def test_a_place_is_read_from_its_cursor(place: tuple[Any, ...]) -> None:
    cursor = codec().seal("list", USER, place)
    assert codec().open("list", USER, cursor, int, str, UUID, date, datetime) == place


@given(st.text(max_size=80))
def test_what_no_server_gave_is_no_cursor(text: str) -> None:
    with pytest.raises(InvalidCursor):
        codec().open("list", USER, text, int, str)


def test_a_cursor_is_one_text_and_one_accounts_and_one_lists() -> None:
    cursor = codec().seal("list", USER, PLACE)
    for other in (f"{cursor}=", f"{cursor}A", f" {cursor}", f"{cursor}\n", cursor[:-1], cursor.swapcase()):
        with pytest.raises(InvalidCursor):
            codec().open("list", USER, other, int, str)
    for kind, user_id in (("other", USER), ("list", uuid4())):
        with pytest.raises(InvalidCursor):
            codec().open(kind, user_id, cursor, int, str)
    with pytest.raises(InvalidCursor):
        codec().open("list", USER, cursor, int, UUID)


def test_the_other_alphabet_is_no_cursor() -> None:
    cursors = (codec().seal("list", USER, (number, "")) for number in range(1000))
    cursor = next(each for each in cursors if "-" in each and "_" in each)
    for plain in (cursor.replace("-", "+"), cursor.replace("_", "/")):
        with pytest.raises(InvalidCursor):
            codec().open("list", USER, plain, int, str)


def test_a_place_that_stays_has_the_cursor_that_came_until_there_is_a_newer_key() -> None:
    cursor = codec(OLD).seal("list", USER, PLACE)
    assert codec(OLD).seal_again("list", USER, PLACE, cursor) == cursor
    both = codec(NEW, OLD)
    assert both.open("list", USER, cursor, int, str) == PLACE
    renewed = both.seal_again("list", USER, PLACE, cursor)
    assert renewed == both.seal_again("list", USER, PLACE, renewed) == codec(NEW).seal("list", USER, PLACE)
    assert codec(NEW).open("list", USER, renewed, int, str) == PLACE
