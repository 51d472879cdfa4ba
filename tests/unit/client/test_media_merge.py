"""Attachments in the map of an entry: read whatever is in it, merged as a set, unknown fields kept."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from lockleaf.client.media.attachments import (
    attachments_of,
    described,
    described_in,
    with_attachments,
    without_attachment,
)
from lockleaf.client.merge import Conflicting, Merged, merge

IDS = [str(UUID(int=number)) for number in range(1, 6)]
ENTRY = str(UUID(int=99))


def named(media_id: str, name: str = "a", **more: Any) -> dict[str, Any]:
    return {"media_id": media_id, "name": name, "media_type": "a/b", "size": 1, **more}


def content(ids: set[str]) -> dict[str, Any]:
    return {"body": "text"} | ({"attachments": [named(each) for each in sorted(ids)]} if ids else {})


SETS = st.sets(st.sampled_from(IDS))


@given(SETS, SETS, SETS)
def test_what_one_side_added_or_removed_is_so_in_the_merged_entry(
    before: set[str], ours: set[str], theirs: set[str]
) -> None:
    merged = merge(content(before), content(ours), content(theirs))
    assert isinstance(merged, Merged)
    expected = {each for each in IDS if (each in ours if (each in ours) != (each in before) else each in theirs)}
    assert {each.media_id for each in attachments_of(ENTRY, merged.content)} == expected
    assert merged.content.get("attachments") != []


def test_fields_that_nobody_here_knows_survive_a_merge() -> None:
    before = {"attachments": [named(IDS[0], caption="x")]}
    merged = merge(
        before,
        {"attachments": [named(IDS[0], caption="x"), named(IDS[1])]},
        {"attachments": [named(IDS[0], caption="y")]},
    )
    assert isinstance(merged, Merged)
    assert merged.content["attachments"] == [named(IDS[0], caption="y"), named(IDS[1])]


def test_one_attachment_changed_differently_on_both_sides_is_a_conflict() -> None:
    sides = [{"attachments": [named(IDS[0], name)]} for name in ("a", "b", "c")]
    assert merge(*sides) == Conflicting(("attachments",))


def test_what_cannot_be_told_apart_is_not_merged() -> None:
    twice = {"attachments": [named(IDS[0]), named(IDS[0])]}
    assert merge({}, twice, content({IDS[1]})) == Conflicting(("attachments",))


JSONISH = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.binary(max_size=40),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
        st.sampled_from(["media_id", "name", "media_type", "size", "sha256", "sealed_size", "thumbnail"]) | st.text(),
        inner | st.sampled_from(IDS),
    ),
    max_leaves=12,
)  # fmt: skip


@given(JSONISH)
def test_whatever_an_entry_names_is_read_without_harm(value: Any) -> None:
    for given_value in (value, [value], [value, named(IDS[0])]):
        found = attachments_of(ENTRY, {"attachments": given_value})
        assert all(UUID(each.media_id) for each in found)
    assert found[-1].media_id == IDS[0]


def test_an_attachment_is_described_as_it_is_read() -> None:
    digest = bytes(range(32))
    sealed: dict[str, Any] = {"sha256": digest, "sealed_size": 9, "sealed_sha256": digest[::-1]}
    small = {"media_id": IDS[1], "media_type": "image/webp", "size": 2, **sealed}
    whole = named(IDS[0], **sealed, thumbnail=small)
    (read,) = attachments_of(ENTRY, {"attachments": [whole]})
    assert described(read) == whole
    assert read.thumbnail is not None
    assert (read.thumbnail.sha256, read.thumbnail.sealed_size) == (digest, 9)


def test_adding_twice_and_taking_away_leaves_the_entry_as_it_was() -> None:
    start = {"body": "text", "attachments": ["of another program"]}
    added = with_attachments(with_attachments(start, [named(IDS[0])]), [named(IDS[0])])
    assert added["attachments"] == ["of another program", named(IDS[0])]
    assert described_in(added, IDS[0]) == named(IDS[0])
    assert without_attachment(added, IDS[0]) == start
    assert described_in(start, IDS[0]) is None
    assert without_attachment({"body": "text"}, IDS[0]) == {"body": "text"}
    assert without_attachment(content({IDS[0]}), IDS[0]) == {"body": "text"}
