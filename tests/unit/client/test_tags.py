"""Tags on one device, and how two versions of one come together."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lockleaf.client.errors import InvalidTag, TagNotFound
from lockleaf.client.journal.journal import Journal
from lockleaf.client.records.merge import Version
from lockleaf.client.records.tag_records import (
    make_missing,
    merge_tags,
    new_tag,
    tag_content,
    tag_id,
    well_formed_tag,
)
from lockleaf.client.store import LocalStore
from lockleaf.client.store.records import TAGS
from lockleaf.crypto.keyring import Keyring
from lockleaf.wire.palette import PALETTE, color_of

NOW = "2026-01-01T00:00:00Z"


class Clock:
    """A clock that moves when it is told to."""

    def __init__(self) -> None:
        self.now = datetime(2026, 1, 1, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[LocalStore]:
    with LocalStore.create(tmp_path / "store.sqlite3", Keyring.new(NOW)) as store:
        yield store


@pytest.fixture
def journal(store: LocalStore, clock: Clock) -> Journal:
    return Journal(store, clock=clock)


def seal_all(store: LocalStore) -> list[str]:
    """Do what a sync does about tags before it seals; the names of those that it made."""
    made = make_missing(store, store.records.to_seal(500), NOW)
    return [record.doc.content["name"] for record in made if record.doc is not None]


async def test_tags_stand_in_the_order_of_the_alphabet_with_their_uses(journal: Journal, clock: Clock) -> None:
    await journal.write(body="1", tags=["work", "Garden"])
    clock.now += timedelta(days=1)
    await journal.write(body="2", tags=["WORK"])
    garden, work = await journal.tags()
    assert (garden.name, garden.count, garden.color) == ("Garden", 1, color_of("Garden"))
    assert (work.name.casefold(), work.count, work.last_used_at) == ("work", 2, clock.now)


async def test_a_tag_of_a_deleted_entry_is_not_in_use(journal: Journal) -> None:
    entry = await journal.write(body="1", tags=["work"])
    await journal.delete(entry.id)
    assert await journal.tags() == []


async def test_a_colour_is_kept_whatever_the_spelling_of_the_name(journal: Journal) -> None:
    await journal.write(body="1", tags=["Work"])
    given_color = await journal.recolor_tag(" WORK ", "#ABCDEF")
    assert (given_color.name, given_color.color, given_color.count) == ("Work", "#abcdef", 1)
    assert [tag.color for tag in await journal.tags()] == ["#abcdef"]


@pytest.mark.parametrize("color", ["red", "#12345", "#1234567", "#12345g", "", "#123456\n"])
async def test_what_is_no_colour_is_refused(journal: Journal, color: str) -> None:
    await journal.write(body="1", tags=["work"])
    with pytest.raises(InvalidTag):
        await journal.recolor_tag("work", color)


async def test_a_tag_that_is_not_there_is_named_as_such(journal: Journal) -> None:
    with pytest.raises(TagNotFound):
        await journal.recolor_tag("nothing", "#000000")
    with pytest.raises(TagNotFound):
        await journal.rename_tag("nothing", "something")
    with pytest.raises(TagNotFound):
        await journal.remove_tag("nothing")


async def test_a_new_name_is_written_into_every_entry_and_the_colour_goes_along(journal: Journal) -> None:
    one = await journal.write(body="1", tags=["work", "home"])
    two = await journal.write(body="2", tags=["home", "WORK"])
    await journal.recolor_tag("work", "#123456")
    renamed = await journal.rename_tag("work", "Office")
    assert (renamed.name, renamed.color, renamed.count) == ("Office", "#123456", 2)
    assert (await journal.get(one.id)).tags == ("Office", "home")
    assert (await journal.get(two.id)).tags == ("home", "Office")
    assert [tag.name for tag in await journal.tags()] == ["home", "Office"]


async def test_a_tag_takes_in_another_and_keeps_its_own_colour(journal: Journal) -> None:
    entry = await journal.write(body="1", tags=["work", "office"])
    await journal.recolor_tag("office", "#111111")
    await journal.recolor_tag("work", "#222222")
    taken = await journal.rename_tag("work", "office")
    assert (taken.name, taken.color, taken.count) == ("office", "#111111", 1)
    assert (await journal.get(entry.id)).tags == ("office",)


async def test_a_tag_can_be_spelled_anew(journal: Journal) -> None:
    entry = await journal.write(body="1", tags=["work"])
    assert (await journal.rename_tag("work", "Work")).name == "Work"
    assert (await journal.get(entry.id)).tags == ("Work",)
    assert [tag.name for tag in await journal.tags()] == ["Work"]


async def test_a_removed_tag_is_off_every_entry(journal: Journal) -> None:
    entry = await journal.write(body="1", tags=["work", "home"])
    assert await journal.remove_tag("WORK") == 1
    assert (await journal.get(entry.id)).tags == ("home",)
    assert [tag.name for tag in await journal.tags()] == ["home"]


async def test_only_tags_without_an_entry_that_are_old_enough_are_cleaned_up(
    journal: Journal, store: LocalStore, clock: Clock
) -> None:
    await journal.write(body="1", tags=["used"])
    entry = await journal.write(body="2", tags=["unused"])
    seal_all(store)
    await journal.edit(entry.id, tags=[])
    assert [tag.count for tag in await journal.tags()] == [0, 1]
    clock.now += timedelta(days=10)
    assert await journal.clean_up_tags(30) == []
    assert await journal.clean_up_tags(10) == ["unused"]
    assert [tag.name for tag in await journal.tags()] == ["used"]


async def test_a_record_is_made_of_each_new_tag_once(journal: Journal, store: LocalStore) -> None:
    await journal.write(body="1", tags=["work", "Work", "home"])
    assert sorted(seal_all(store)) == ["home", "work"]
    await journal.write(body="2", tags=["HOME"])
    assert seal_all(store) == []


async def test_a_tag_that_was_removed_is_made_again_with_its_colour_when_an_entry_names_it(
    journal: Journal, store: LocalStore
) -> None:
    await journal.write(body="1", tags=["work"])
    await journal.recolor_tag("work", "#123456")
    await journal.remove_tag("work")
    await journal.write(body="2", tags=["work"])
    assert seal_all(store) == ["work"]
    assert [(tag.name, tag.color) for tag in await journal.tags()] == [("work", "#123456")]


def test_a_tag_stands_under_the_label_of_its_name_alone(store: LocalStore) -> None:
    keyring = store.keyring
    assert well_formed_tag(keyring, tag_id(keyring, "Work"), {"name": "work"})
    for content in ({"name": "other"}, {"name": ""}, {"name": 7}, {}, {"name": "\ud800"}):
        assert not well_formed_tag(keyring, tag_id(keyring, "work"), content)


async def test_a_colour_that_is_none_gives_way_to_the_name_s_own(journal: Journal, store: LocalStore) -> None:
    keyring = store.keyring
    for name, color in (("a", "javascript:"), ("b", None), ("c", 7)):
        store.records.put(new_tag(tag_id(keyring, name), {"name": name, "color": color}, NOW))
    assert [tag.color for tag in await journal.tags()] == [color_of(name) for name in "abc"]


# ---- two versions of one tag ----

contents = st.builds(tag_content, st.sampled_from(["work", "Work", "WORK"]), st.sampled_from(PALETTE[:3]))
versions = st.builds(Version, st.none() | contents)
bases = st.none() | versions


@given(bases, versions, versions)
def test_two_versions_of_a_tag_always_come_to_one_and_a_second_merge_changes_nothing(
    base: Version | None, local: Version, remote: Version
) -> None:
    merged = merge_tags(base, local, remote)
    assert merge_tags(remote, merged, remote) == merged
    if local.content is not None and remote.content is not None:
        assert merged.content is not None
        for name in ("name", "color"):
            assert merged.content[name] in (local.content[name], remote.content[name])


def test_fields_that_two_devices_changed_come_together() -> None:
    base = Version(tag_content("work", "#111111"))
    local, remote = Version(tag_content("Work", "#111111")), Version(tag_content("work", "#222222"))
    assert merge_tags(base, local, remote) == Version(tag_content("Work", "#222222"))


def test_of_two_colours_the_one_that_the_history_took_first_stands() -> None:
    base = Version(tag_content("work", "#111111"))
    local, remote = Version(tag_content("work", "#222222")), Version(tag_content("work", "#333333"))
    assert merge_tags(base, local, remote) == remote
    assert merge_tags(None, local, remote) == remote


def test_a_change_stands_against_a_deletion() -> None:
    base, gone = Version(tag_content("work", "#111111")), Version(None)
    changed = Version(tag_content("work", "#222222"))
    assert merge_tags(base, changed, gone) == merge_tags(base, gone, changed) == changed
    assert merge_tags(base, base, gone) == gone


def test_tags_are_no_entries(store: LocalStore) -> None:
    store.records.put(new_tag(tag_id(store.keyring, "work"), tag_content("work", "#111111"), NOW))
    assert store.records.count() == 0
    assert list(store.records.entries()) == []
    assert store.records.pending_count() == 1
    assert store.records.get(TAGS, tag_id(store.keyring, "work")) is not None
