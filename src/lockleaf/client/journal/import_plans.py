"""What becomes of one item of an import: decided before anything is written, and before a file of it is read."""

from __future__ import annotations

from collections.abc import Container, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from lockleaf.client.errors import EntryTooLarge, InvalidEntry
from lockleaf.client.journal.import_files import REMEMBERED_FILES, unknown_files
from lockleaf.client.journal.import_states import (
    COMPARED,
    REMEMBERED,
    digest,
    digest_of,
    earlier,
    is_what_was_exported,
    own,
    remembering,
    told,
)
from lockleaf.client.records.entries import EntryDraft, IncomingFile, check_size, draft_content
from lockleaf.client.records.foreign import FOREIGN
from lockleaf.client.records.merge import Merged, merge
from lockleaf.client.records.readings import changed_metrics
from lockleaf.client.store.records import StoredRecord

__all__ = ["Item", "Plan", "judged", "plan"]

PlanKind = Literal["skip", "repeats", "present", "differs", "add", "second", "change"]


@dataclass(frozen=True, slots=True)
class Item:
    """A draft, what an entry of it would hold, and the ids that it may have.

    Attributes:
        content: None where the journal cannot hold it, for this ``reason``.
        digest: of what it says.
        entry_ids: that it may have, one for each key of the account: the last is that of a new entry.
        second_ids: that it has where its entry id belongs to another text.
    """

    draft: EntryDraft
    place: str
    content: dict[str, Any] | None
    reason: str | None
    digest: bytes
    entry_ids: tuple[str, ...] = ()
    second_ids: tuple[str, ...] = ()
    entry_id: str = ""
    second_id: str = ""

    def named(self, present: Container[str]) -> Item:
        """Return it under the oldest of its ids that are ``present``, else under those of a new entry.

        So what was imported before the account's keys were rotated is known again.
        """
        entry_id, second_id = (
            next((each for each in ids if each in present), ids[-1]) for ids in (self.entry_ids, self.second_ids)
        )
        return replace(self, entry_id=entry_id, second_id=second_id)

    @property
    def deleted(self) -> bool:
        """Whether it is an entry that was deleted where it was exported."""
        return self.draft.exported is not None and self.draft.exported.deleted


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be done with an item.

    Attributes:
        kind: ``skip``: nothing, for the ``reason``. ``repeats``: nothing, the import had it before. ``present``:
            nothing, it is here. ``differs``: nothing, although it differs, as the ``reason`` says. ``add``, ``second``:
            a new entry, the latter beside another one. ``change``: of the ``record``.
        entry_id: of the entry that it is, becomes or differs from.
        content: what the entry is to hold, its new files left out; None for a deletion.
        files: that are new to it.
    """

    kind: PlanKind
    entry_id: str
    reason: str = ""
    record: StoredRecord | None = None
    content: dict[str, Any] | None = None
    files: tuple[IncomingFile, ...] = ()


def judged(draft: EntryDraft, place: str) -> Item:
    """Return what a draft says, and whether an entry can hold it; it has no ids yet."""
    said, content, reason = told(draft), None, None
    try:
        content = draft_content(
            body=draft.body,
            title=draft.title,
            mood=draft.mood,
            weather=draft.weather,
            location=draft.location,
            tags=draft.tags,
            date=draft.date,
            time_zone=draft.time_zone,
            source=said["source"],
            metrics=changed_metrics({}, draft.metrics),
        )
        if draft.foreign is not None:
            content[FOREIGN] = dict(draft.foreign)
            check_size(content)
        if draft.exported is None:
            said = content
    except InvalidEntry as error:
        reason = error.detail or "it is no entry"
    except EntryTooLarge:
        reason = "the entry is longer than 4,032 KiB"
    exported = draft.exported
    state = digest(said, deleted=exported is not None and exported.deleted)
    return Item(draft, place, content, reason, state)


def plan(item: Item, present: Mapping[str, StoredRecord], seen: Mapping[str, bytes], *, update: bool) -> Plan:
    """Return what is to be done with an item.

    Args:
        present: the records of its ids that are here.
        seen: of the entries that the import named so far, the digest of what it said of each.
        update: whether entries that are here become what the import says.
    """
    if item.digest in (seen.get(item.entry_id), seen.get(item.second_id)):
        return Plan("repeats", item.entry_id, "the same as an entry before it")
    if item.second_id in present:
        return _known(item, item.second_id, present[item.second_id], update=update)
    record = present.get(item.entry_id)
    if item.entry_id in seen:
        return _new(item, "second", "its id belongs to another text before it; both are kept")
    if record is None or (record.doc is None and not record.deleted):
        return _new(item, "add")
    here = digest_of(record)
    if here == item.digest or item.digest in earlier(record):
        return _known(item, item.entry_id, record, update=update)
    if item.content is None:
        return _skipped(item)
    if not update:
        what = "the entry here is deleted" if record.deleted else "the entry here says something else"
        return Plan("differs", item.entry_id, what)
    as_imported = here in earlier(record) or is_what_was_exported(item.draft, record)
    return _changed(item, record, as_imported=as_imported)


def _skipped(item: Item) -> Plan:
    return Plan("skip", "", item.reason or "it is no entry")


def _new(item: Item, kind: Literal["add", "second"], why: str = "") -> Plan:
    if item.content is None:
        return _skipped(item)
    entry_id = item.entry_id if kind == "add" else item.second_id
    content = remembering(item.content, item.digest)
    return Plan(kind, entry_id, why, content=content, files=() if item.deleted else item.draft.files)


def _known(item: Item, entry_id: str, record: StoredRecord, *, update: bool) -> Plan:
    """Plan for what is here as the import says it, or was when it was imported: at most it gains files."""
    files = () if record.deleted or record.doc is None else unknown_files(item.draft.files, record.doc.content)
    if not files or record.doc is None:
        return Plan("present", entry_id)
    if not update:
        more = "1 more file" if len(files) == 1 else f"{len(files):,} more files"
        return Plan("differs", entry_id, f"there it has {more}")
    return Plan("change", entry_id, record=record, content=dict(record.doc.content), files=files)


def _changed(item: Item, record: StoredRecord, *, as_imported: bool) -> Plan:
    """Plan to make an entry that is here what the import says, without losing what was written here since."""
    assert item.content is not None
    present = record.doc.content if record.doc is not None else {}
    kept = {name: value for name, value in present.items() if name not in (*COMPARED, REMEMBERED)}
    if record.deleted:
        kept.pop(REMEMBERED_FILES, None)
    content: dict[str, Any] | None = remembering(kept | item.content, item.digest)
    if not as_imported:
        merged = None if item.deleted or record.deleted else merge(None, item.content, own(present))
        if not isinstance(merged, Merged):
            return _new(item, "second", "the entry here was edited too; what is imported came as a second entry")
        content = remembering(kept | merged.content, item.digest)
    if item.deleted:
        return Plan("change", item.entry_id, record=record)
    return Plan("change", item.entry_id, record=record, content=content, files=unknown_files(item.draft.files, kept))
