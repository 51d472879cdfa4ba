"""Attachments in the map of an entry: read whatever is in it, merged as a set, unknown fields kept."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from lockleaf.client.records.attachments import (
    attachments_of,
    described,
    described_in,
    with_attachments,
    without_attachment,
)
from lockleaf.client.records.merge import Conflicting, Merged, Version, merge, merge_versions

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


def of_key(index: int, key: int, name: str) -> dict[str, Any]:
    """Attachment number ``index``, with a thumbnail, as a device sealed it under a key; each device draws other ids."""
    sealed = {
        "sha256": bytes([index]) * 32,
        "sealed_sha256": bytes([key]) * 32,
        "sealed_size": 9 + key,
        "recipient": str(key),
    }
    small = {"media_id": str(UUID(int=1000 * key + index)), "media_type": "i/w", "size": 2, **sealed}
    return named(str(UUID(int=100 * key + index)), name, **sealed, thumbnail=small)


FILES = st.dictionaries(st.integers(1, 4), st.sampled_from("ab"), max_size=4)


@given(FILES, FILES, FILES, st.sets(st.integers(1, 4)), st.sets(st.integers(1, 4)))
def test_sealing_anew_changes_nothing_of_what_a_merge_says(
    before: dict[int, str], ours: dict[int, str], theirs: dict[int, str], here: set[int], there: set[int]
) -> None:
    def shown(files: dict[int, str], anew: set[int], key: int) -> dict[str, Any]:
        # A file that was renamed at the same time is another one for its readers, as long as nobody does both at once.
        sealed = {each for each in anew & before.keys() if files.get(each) == before[each]}
        listed = [of_key(each, key if each in sealed else 1, name) for each, name in files.items()]
        return {"body": "text", "attachments": listed}

    plain = merge(*(shown(files, set(), 1) for files in (before, ours, theirs)))
    merged = merge(shown(before, set(), 1), shown(ours, here, 2), shown(theirs, there, 3))
    assert isinstance(merged, Merged) == isinstance(plain, Merged)
    if isinstance(merged, Merged) and isinstance(plain, Merged):
        said = [
            [(each["sha256"], each["name"]) for each in one.content.get("attachments", ())] for one in (plain, merged)
        ]
        assert sorted(said[0]) == sorted(said[1])
        for each in merged.content.get("attachments", ()):
            index = each["sha256"][0]
            keys = [
                key
                for key, files, anew in ((3, theirs, there), (2, ours, here))
                if index in anew and before.get(index) == files.get(index) != None  # noqa: E711
            ]
            assert each["recipient"] == str(keys[0] if keys else 1)
            assert each == of_key(index, int(each["recipient"]), each["name"])


def test_the_deletion_of_an_entry_stands_although_its_files_were_sealed_anew() -> None:
    before, anew = ({"body": "text", "attachments": [of_key(1, key, "a")]} for key in (1, 2))
    for ours, theirs in ((None, anew), (anew, None)):
        assert merge_versions(Version(before), Version(ours), Version(theirs)) == Version(None)
    other = Version(anew | {"body": "another text"})
    assert isinstance(merge_versions(Version(before), Version(None), other), Conflicting)


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
    sealed: dict[str, Any] = {"sha256": digest, "sealed_size": 9, "sealed_sha256": digest[::-1], "recipient": "age1"}
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


def test_the_same_file_that_both_sides_attached_by_themselves_is_one() -> None:
    def side(*ids: str, **more: Any) -> dict[str, Any]:
        files = [named(each, f"photo {number}", **more) for number, each in enumerate(ids)]
        return {"body": "text", "attachments": files}

    known: dict[str, Any] = {"sha256": bytes(32), "recipient": "age1"}
    for before in (None, {"body": "text"}):
        merged = merge(before, side(*IDS[:2], **known), side(*IDS[2:4], **known))
        assert isinstance(merged, Merged)
        assert [each["media_id"] for each in merged.content["attachments"]] == IDS[2:4]
    for more in ({}, {"sha256": None}):  # of those without a digest nobody knows
        merged = merge(None, side(IDS[0], **more), side(IDS[1], **more))
        assert isinstance(merged, Merged)
        assert {each["media_id"] for each in merged.content["attachments"]} == set(IDS[:2])
    # Twice on one side and once on the other: one of the two is not the other's.
    twice = {"body": "text", "attachments": [named(each, "same", **known) for each in IDS[:2]]}
    merged = merge(None, twice, {"body": "text", "attachments": [named(IDS[2], "same", **known)]})
    assert isinstance(merged, Merged)
    assert {each["media_id"] for each in merged.content["attachments"]} == {IDS[2], IDS[1]}
