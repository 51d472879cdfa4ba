"""Merging keeps what both sides did, or says that it cannot."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from lockleaf.client.records.merge import Conflicting, Merged, Version, merge, merge_versions, same_content

lines = st.lists(st.sampled_from(["a", "b", "c", "", "\r", "ü"]), max_size=6).map("\n".join)
tags = st.lists(st.sampled_from(["x", "y", "z", "w"]), unique=True, max_size=4)
values = st.one_of(st.none(), st.booleans(), st.integers(-3, 3), st.sampled_from(["p", "q"]))
contents = st.fixed_dictionaries(
    {"type": st.just("entry"), "body": lines},
    optional={"title": st.sampled_from(["t", "u"]), "mood": values, "tags": tags, "x-unknown": values, "more": values},
)
versions = st.one_of(st.just(Version(None)), contents.map(Version))


@given(contents, contents)
def test_what_only_one_side_changed_is_taken(base: dict[str, Any], changed: dict[str, Any]) -> None:
    for local, remote in ((changed, base), (base, changed), (changed, changed)):
        merged = merge(base, local, remote)
        assert isinstance(merged, Merged)
        assert same_content(merged.content, changed)


@given(contents, contents, contents)
def test_sides_may_change_places(base: dict[str, Any], one: dict[str, Any], two: dict[str, Any]) -> None:
    first, second = merge(base, one, two), merge(base, two, one)
    if isinstance(first, Merged):
        assert isinstance(second, Merged)
        for merged in (first, second):
            if isinstance(merged.content.get("tags"), list):
                merged.content["tags"].sort()
        assert same_content(first.content, second.content)
    else:
        assert second == first


@given(contents, contents, contents)
def test_a_field_is_one_of_what_the_sides_have_or_a_merge_of_text_or_tags(
    base: dict[str, Any], one: dict[str, Any], two: dict[str, Any]
) -> None:
    merged = merge(base, one, two)
    if isinstance(merged, Conflicting):
        for name in merged.fields:
            assert one.get(name) != two.get(name)
            assert base.get(name) != one.get(name)
            assert base.get(name) != two.get(name)
        return
    for name in base.keys() | one.keys() | two.keys():
        if name not in ("body", "tags"):
            assert merged.content.get(name) in (one.get(name), two.get(name))


@given(tags, tags, tags)
def test_tags_that_a_side_added_stay_and_removed_ones_go(base: list[str], one: list[str], two: list[str]) -> None:
    merged = merge({"tags": base}, {"tags": one}, {"tags": two})
    assert isinstance(merged, Merged)
    found = merged.content.get("tags", [])
    assert len(found) == len(set(found))
    added = (set(one) | set(two)) - set(base)
    removed = set(base) - (set(one) & set(two))
    assert set(found) == (set(base) | added) - removed


@given(st.lists(st.text(alphabet="abc", max_size=3), min_size=3, max_size=8), st.data())
def test_lines_that_are_changed_apart_from_each_other_are_both_changed(text: list[str], data: st.DataObject) -> None:
    first = data.draw(st.integers(0, len(text) - 3))
    last = data.draw(st.integers(first + 2, len(text) - 1))
    one, two, both = list(text), list(text), list(text)
    one[first] = both[first] = "ONE"
    two[last] = both[last] = "TWO"
    # The line between them ties both sides together only if it is found again in one place.
    text[first + 1] = one[first + 1] = two[first + 1] = both[first + 1] = "between"
    merged = merge({"body": "\n".join(text)}, {"body": "\n".join(one)}, {"body": "\n".join(two)})
    assert merged == Merged({"body": "\n".join(both)})


def test_lines_that_both_sides_add_at_the_end_are_a_conflict() -> None:
    assert merge({"body": "a"}, {"body": "a\nb"}, {"body": "a\nc"}) == Conflicting(("body",))


def test_a_line_added_at_the_end_leaves_the_one_before_it_alone() -> None:
    assert merge({"body": "a\nb\nc"}, {"body": "a\nb\nc\nd"}, {"body": "A\nb\nc"}) == Merged({"body": "A\nb\nc\nd"})


def test_what_a_writer_saw_is_not_content() -> None:
    assert merge({"seen": [1]}, {"seen": [2]}, {"seen": [3]}) == Merged({})
    assert same_content({"a": 1, "seen": 1}, {"a": 1, "seen": 2})


def test_without_a_base_the_sides_must_agree() -> None:
    assert merge(None, {"body": "a", "title": "t"}, {"body": "a"}) == Merged({"body": "a", "title": "t"})
    assert merge(None, {"body": "a"}, {"body": "b"}) == Conflicting(("body",))


@given(versions, versions)
def test_versions_of_which_one_is_unchanged_give_the_other(base: Version, changed: Version) -> None:
    for local, remote in ((changed, base), (base, changed)):
        result = merge_versions(base, local, remote)
        assert isinstance(result, Version)
        assert same_content(result.content, changed.content)


def test_a_deletion_against_an_edit_is_a_conflict_from_either_side() -> None:
    base, edited, deleted = Version({"body": "a"}), Version({"body": "b"}), Version(None)
    assert merge_versions(base, edited, deleted) == merge_versions(base, deleted, edited) == Conflicting(("deleted",))
    assert merge_versions(None, edited, deleted) == Conflicting(("deleted",))
    assert merge_versions(base, deleted, deleted) == deleted
