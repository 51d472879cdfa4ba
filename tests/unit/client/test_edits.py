"""An edit follows what its writer saw: it merges with what came between, or both are kept."""

from __future__ import annotations

from pathlib import Path

import pytest

from lockleaf.client.errors import EditConflict, EntryChanged, EntryNotFound, TagChanged
from lockleaf.client.journal.journal import Journal
from lockleaf.client.journal.revisions import replaced_here
from lockleaf.client.records.bases import Base
from lockleaf.client.records.entries import Entry
from lockleaf.client.store import LocalStore, local_keys
from lockleaf.crypto.keyring import Keyring

KEYRING = Keyring.new("2026-01-01T00:00:00Z")


@pytest.fixture
def store(tmp_path: Path) -> LocalStore:
    return LocalStore.create(tmp_path / "store.sqlite3", KEYRING)


@pytest.fixture
def journal(store: LocalStore) -> Journal:
    return Journal(store)


def edited_by_another_program(store: LocalStore) -> Journal:
    """The same store in another program."""
    return Journal(LocalStore.open(store.path, local_keys(KEYRING)))


async def test_an_edit_of_what_is_still_there_is_made(journal: Journal) -> None:
    seen = await journal.write(body="one")
    changed = await journal.edit(seen.id, base=seen, body="two")
    assert (changed.body, changed.merged) == ("two", False)


async def test_two_edits_of_other_lines_merge_and_it_is_said(store: LocalStore, journal: Journal) -> None:
    seen = await journal.write(body="first\nsecond\nthird", title="A day")
    await edited_by_another_program(store).edit(seen.id, body="FIRST\nsecond\nthird", mood="calm")
    changed = await journal.edit(seen.id, base=seen, body="first\nsecond\nTHIRD", title="The day")
    assert (changed.body, changed.title, changed.mood) == ("FIRST\nsecond\nTHIRD", "The day", "calm")
    assert changed.merged


async def test_two_edits_of_one_line_are_both_kept(store: LocalStore, journal: Journal) -> None:
    seen = await journal.write(body="Milk, bread.")
    await edited_by_another_program(store).edit(seen.id, body="Milk, bread, butter.")
    with pytest.raises(EditConflict) as told:
        await journal.edit(seen.id, base=seen, body="Milk, bread, cheese.")

    assert (await journal.get(seen.id)).body == "Milk, bread, butter."
    (conflict,) = await journal.conflicts()
    assert (conflict.id, conflict.entry_id) == (told.value.conflict_id, told.value.entry_id)
    assert conflict.local is not None
    assert conflict.local.body == "Milk, bread, cheese."
    assert await journal.pending_count() == 2  # the entry, and the version that only this device has


async def test_an_edit_of_what_was_deleted_meanwhile_is_kept(store: LocalStore, journal: Journal) -> None:
    seen = await journal.write(body="one")
    await edited_by_another_program(store).delete(seen.id)
    with pytest.raises(EditConflict):
        await journal.edit(seen.id, base=seen, body="two")

    assert (await journal.get(seen.id)).deleted
    (conflict,) = await journal.conflicts()
    restored = await journal.resolve(conflict.id, "local", base=conflict.remote)
    assert restored is not None
    assert (restored.body, restored.deleted) == ("two", False)


async def test_an_edit_that_says_nothing_of_what_was_seen_leaves_the_text_before_it_to_be_read(
    store: LocalStore, journal: Journal
) -> None:
    written = await journal.write(body="words that no server has")
    await journal.edit(written.id, body="others")
    (earlier,) = replaced_here(store, written.id)
    assert (earlier.number, earlier.entry and earlier.entry.body) == ("u1", "words that no server has")

    back = await journal.restore(written.id, revision=earlier)
    assert back.body == "words that no server has"
    assert [each.entry and each.entry.body for each in replaced_here(store, written.id)] == [
        "others",
        "words that no server has",
    ]


async def test_a_text_that_only_grew_is_not_kept_twice(store: LocalStore, journal: Journal) -> None:
    written = await journal.write(body="It rai")
    for body in ("It rained", "It rained.\nThen", "It rained.\nThen the sun"):
        written = await journal.edit(written.id, base=written, body=body)
    assert replaced_here(store, written.id) == ()


async def test_the_words_of_an_entry_that_was_edited_and_deleted_before_a_sync_are_kept(
    store: LocalStore, journal: Journal
) -> None:
    written = await journal.write(body="one")
    await journal.delete(written.id)
    assert [each.entry and each.entry.body for each in replaced_here(store, written.id)] == ["one"]


async def test_a_version_names_the_content_and_nothing_else(store: LocalStore, journal: Journal) -> None:
    one, other = await journal.write(body="same"), await journal.write(body="same")
    assert one.version != other.version
    changed = await journal.edit(one.id, body="another")
    assert changed.version != one.version
    assert (await journal.edit(one.id, body="same")).version == one.version
    assert (await journal.delete(one.id)).version != one.version
    assert (await journal.restore(one.id)).version == one.version


def test_a_version_does_not_depend_on_the_order_of_fields_and_knows_unknown_ones() -> None:
    first = Base("e1", {"body": "b", "x": {"p": 1, "q": [2]}, "seen": ["e", 1, b"h"], "mood": None})
    second = Base("e1", {"x": {"q": [2], "p": 1}, "body": "b"})
    assert first.version == second.version
    assert first.version != Base("e1", {"body": "b", "x": {"p": 1, "q": [3]}}).version


async def test_a_script_names_the_version_it_saw(store: LocalStore, journal: Journal) -> None:
    seen = await journal.write(body="first\nsecond\nthird")
    await journal.edit(seen.id, body="FIRST\nsecond\nthird")
    merged = await journal.edit(seen.id, base=seen.version, body="first\nsecond\nTHIRD")
    assert merged.body == "FIRST\nsecond\nTHIRD"
    with pytest.raises(EditConflict):  # nobody knows what this one was
        await journal.edit(seen.id, base="0" * 32, body="another")
    assert (await journal.get(seen.id)).body == "FIRST\nsecond\nTHIRD"


async def test_what_is_not_as_it_was_seen_is_neither_deleted_nor_restored(journal: Journal) -> None:
    seen = await journal.write(body="one")
    await journal.edit(seen.id, body="two")
    with pytest.raises(EntryChanged):
        await journal.delete(seen.id, base=seen)
    deleted = await journal.delete(seen.id)
    await journal.restore(seen.id)
    with pytest.raises(EntryChanged):
        await journal.restore(seen.id, base=deleted)
    with pytest.raises(EntryNotFound):
        await journal.edit("0" * 32, base=seen, body="x")


async def conflicting(journal: Journal) -> Entry:
    """An entry with an open conflict; as it was at first."""
    seen = await journal.write(body="one")
    await journal.edit(seen.id, body="two")
    with pytest.raises(EditConflict):
        await journal.edit(seen.id, base=seen, body="three")
    return seen


async def test_a_side_is_not_chosen_against_an_entry_that_nobody_looked_at(journal: Journal) -> None:
    seen = await conflicting(journal)
    (shown,) = await journal.conflicts()
    await journal.edit(seen.id, body="four")
    for choice in ("local", "remote"):
        with pytest.raises(EntryChanged):
            await journal.resolve(shown.id, choice, base=shown.remote)
    assert [each.id for each in await journal.conflicts()] == [shown.id]
    assert (await journal.get(seen.id)).body == "four"


async def test_a_text_merged_by_hand_merges_with_what_came_meanwhile_or_becomes_a_conflict(journal: Journal) -> None:
    seen = await conflicting(journal)
    (shown,) = await journal.conflicts()
    await journal.edit(seen.id, mood="calm")
    merged = await journal.resolve(shown.id, "merged", base=shown.remote, merged_body="two and three")
    assert merged is not None
    assert (merged.body, merged.mood) == ("two and three", "calm")

    seen = await conflicting(journal)
    (shown,) = await journal.conflicts()
    await journal.edit(seen.id, body="four")
    with pytest.raises(EditConflict):
        await journal.resolve(shown.id, "merged", base=shown.remote, merged_body="two and three")
    (left,) = await journal.conflicts()
    assert left.local is not None
    assert (left.local.body, (await journal.get(seen.id)).body) == ("two and three", "four")
    assert [each.local and each.local.body for each in await journal.conflicts(decided=True)][-1] == "three"


async def test_a_tag_that_changed_is_not_removed_from_more_entries_than_were_asked_about(journal: Journal) -> None:
    await journal.write(body="one", tags=["sea"])
    seen = await journal.tag("SEA")
    await journal.write(body="two", tags=["sea"])
    with pytest.raises(TagChanged):
        await journal.remove_tag("sea", base=seen)
    with pytest.raises(TagChanged):
        await journal.rename_tag("sea", "lake", base=seen)
    with pytest.raises(TagChanged):
        await journal.recolor_tag("sea", "#112233", base=seen)
    assert await journal.remove_tag("sea", base=await journal.tag("sea")) == 2
