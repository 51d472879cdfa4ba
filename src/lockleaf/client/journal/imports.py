"""Taking over entries from elsewhere, in portions, so that a run that was killed is simply run again.

What an entry is called is not taken for what it is. The same id and the same content is the same entry, here already.
The same id and other content is said: within one file both are kept, and what differs from the entry that is here is
offered as an edit. Each entry remembers, sealed in its map, a digest of what was imported, so that every device can
tell what changed since: the file, the entry, or both.
"""

from __future__ import annotations

import hmac
import uuid
from collections import Counter
from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from lockleaf.client.errors import EntryTooLarge
from lockleaf.client.journal.import_report import ImportReport, Remark, RemarkKind, Skipped
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
from lockleaf.client.metrics.readings import changed_metrics
from lockleaf.client.records.edits import Edits
from lockleaf.client.records.entries import EntryDraft, InvalidEntry, draft_content
from lockleaf.client.records.merge import Merged, merge
from lockleaf.client.store import LocalStore
from lockleaf.client.store.records import ENTRIES, Document, StoredRecord
from lockleaf.crypto.encoding import lp

__all__ = ["Import", "imported_id", "portions"]

_IMPORT = b"lockleaf/1/import"
_PORTION = 1000
_SECOND = "content"
"""Stands, with a digest, for the provider of an entry whose own id belongs to another text."""


def imported_id(index_key: bytes, provider: str, external_id: str) -> str:
    """Return the id of an imported entry: the same for the same thing on every device, and telling nothing.

    A UUIDv8 from HMAC-SHA-256(index key, "lockleaf/1/import" ‖ lp(provider) ‖ lp(external_id)) (PROTOCOL section 8).
    """
    digest = bytearray(hmac.digest(index_key, _IMPORT + lp(provider) + lp(external_id), "sha256")[:16])
    digest[6] = digest[6] & 0x0F | 0x80
    digest[8] = digest[8] & 0x3F | 0x80
    return str(uuid.UUID(bytes=bytes(digest)))


def portions(drafts: Iterable[EntryDraft | Skipped]) -> Iterator[tuple[EntryDraft | Skipped, ...]]:
    """Yield items in portions of a thousand. Where reading them fails, what stands before comes first."""
    portion: list[EntryDraft | Skipped] = []
    try:
        for draft in drafts:
            portion.append(draft)
            if len(portion) == _PORTION:
                yield tuple(portion)
                portion.clear()
    except Exception:
        if portion:
            yield tuple(portion)
        raise
    if portion:
        yield tuple(portion)


@dataclass(frozen=True, slots=True)
class _Item:
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
    entry_ids: tuple[str, ...]
    second_ids: tuple[str, ...]
    entry_id: str = ""
    second_id: str = ""

    def named(self, present: Container[str]) -> _Item:
        """Return it under the oldest of its ids that are ``present``, else under those of a new entry.

        So what was imported before the account's keys were rotated is known again.
        """
        entry_id, second_id = (
            next((each for each in ids if each in present), ids[-1]) for ids in (self.entry_ids, self.second_ids)
        )
        return replace(self, entry_id=entry_id, second_id=second_id)

    @property
    def deleted(self) -> bool:
        return self.draft.exported is not None and self.draft.exported.deleted


class Import:
    """One import into a store.

    Args:
        edits: by which entries are changed that are here.
        time: gives the present time as RFC 3339 text.
        update: whether entries that are here become what the import says.
    """

    def __init__(self, store: LocalStore, edits: Edits, *, time: Callable[[], str], update: bool = False) -> None:
        self._store = store
        self._edits = edits
        self._time = time
        self._update = update
        self._number = 0
        self._seen: dict[str, bytes] = {}
        """The entries that the import named so far, and the digest of what it said of each."""
        self._counts: Counter[str] = Counter()
        self._remarks: list[Remark] = []

    @property
    def done(self) -> int:
        """How many items were gone through."""
        return self._number

    def report(self) -> ImportReport:
        """Return what was done so far."""
        counts = self._counts
        return ImportReport(counts["added"], counts["present"], counts["updated"], tuple(self._remarks))

    def take(self, portion: Sequence[EntryDraft | Skipped]) -> None:
        """Keep a portion, in one transaction. What cannot be kept is said, and the rest is kept.

        Raises:
            DiskFull, StoreLocked, StoreDamaged: the local store refused; nothing of the portion is kept.
        """
        items: list[_Item] = []
        for each in portion:
            self._number += 1
            if isinstance(each, Skipped):
                self._remarks.append(Remark("skipped", each.place, each.reason))
                continue
            items.append(self._item(each))
        with self._store.transaction():
            ids = {entry_id for each in items for entry_id in (*each.entry_ids, *each.second_ids)}
            found = self._store.records.get_many((ENTRIES, entry_id) for entry_id in ids)
            present = {record_id: record for (_, record_id), record in found.items()}
            new: dict[str, StoredRecord] = {}
            for item in items:
                self._settle(item.named(present), present, new)
            self._store.records.put_many(new.values())

    # ---- one item ----

    def _item(self, draft: EntryDraft) -> _Item:
        place = draft.place or f"item {self._number}"
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
            if draft.exported is None:
                said = content
        except InvalidEntry as error:
            reason = error.detail or "it is no entry"
        except EntryTooLarge:
            reason = "the entry is longer than 4,032 KiB"
        exported = draft.exported
        state = digest(said, deleted=exported is not None and exported.deleted)
        name = exported.entry_id if exported is not None else f"{draft.provider}\0{draft.external_id}"
        return _Item(
            draft,
            place,
            content,
            reason,
            state,
            entry_ids=(name,) if exported is not None else self._ids(draft.provider, draft.external_id),
            second_ids=self._ids(_SECOND, f"{name}\0{state.hex()}"),
        )

    def _ids(self, provider: str, external_id: str) -> tuple[str, ...]:
        keyring = self._store.keyring
        older = (entry.index_key for entry in keyring.entries if entry.index_key != keyring.index_key)
        return tuple(imported_id(key, provider, external_id) for key in (*older, keyring.index_key))

    def _settle(self, item: _Item, present: dict[str, StoredRecord], new: dict[str, StoredRecord]) -> None:
        if item.digest in (self._seen.get(item.entry_id), self._seen.get(item.second_id)):
            self._counts["present"] += 1
            self._remark("repeats", item, "the same as an entry before it", item.entry_id)
            return
        if item.second_id in present:
            self._seen[item.second_id] = item.digest
            self._counts["present"] += 1
            return
        record = present.get(item.entry_id)
        if item.entry_id in self._seen:
            self._add_second(item, new, "its id belongs to another text before it; both are kept")
            return
        if record is None or (record.doc is None and not record.deleted):
            self._add(item, item.entry_id, new)
            return
        here = digest_of(record)
        if here == item.digest or item.digest in earlier(record):
            self._seen[item.entry_id] = item.digest
            self._counts["present"] += 1
        elif item.content is None:
            self._skip(item)
        elif self._update:
            self._seen[item.entry_id] = item.digest
            self._change(
                item, record, new, as_imported=here in earlier(record) or is_what_was_exported(item.draft, record)
            )
        else:
            self._seen[item.entry_id] = item.digest
            what = "the entry here is deleted" if record.deleted else "the entry here says something else"
            self._remark("differs", item, what, item.entry_id)

    def _add(self, item: _Item, entry_id: str, new: dict[str, StoredRecord]) -> bool:
        if item.content is None:
            self._skip(item)
            return False
        self._seen[entry_id] = item.digest
        now, exported = self._time(), item.draft.exported
        created = (exported.created_at if exported is not None else None) or now
        updated = (exported.updated_at if exported is not None else None) or now
        document = Document(remembering(item.content, item.digest), created_at=created, updated_at=updated)
        new[entry_id] = StoredRecord(ENTRIES, entry_id, pending=True, generation=1, deleted=item.deleted, doc=document)
        self._counts["added"] += 1
        for note in item.draft.notes:
            self._remark("changed", item, note, entry_id)
        if exported is not None and exported.media_ids:
            count = len(exported.media_ids)
            files = f"{count} attachment{'' if count == 1 else 's'}"
            self._remark("skipped", item, f"{files} of it: the bytes are not in the file", entry_id)
        return True

    def _add_second(self, item: _Item, new: dict[str, StoredRecord], why: str) -> None:
        if self._add(item, item.second_id, new):
            self._remark("second", item, why, item.second_id)

    def _change(self, item: _Item, record: StoredRecord, new: dict[str, StoredRecord], *, as_imported: bool) -> None:
        """Make an entry that is here what the import says, without losing what was written here since."""
        assert item.content is not None
        present = record.doc.content if record.doc is not None else {}
        kept = {name: value for name, value in present.items() if name not in (*COMPARED, REMEMBERED)}
        content: dict[str, Any] | None = remembering(kept | item.content, item.digest)
        if not as_imported:
            merged = None if item.deleted or record.deleted else merge(None, item.content, own(present))
            if not isinstance(merged, Merged):
                self._add_second(item, new, "the entry here was edited too; what is imported came as a second entry")
                return
            content = remembering(kept | merged.content, item.digest)
        self._edits.keep(record, None if item.deleted else content)
        self._counts["updated"] += 1

    def _skip(self, item: _Item) -> None:
        self._remark("skipped", item, item.reason or "it is no entry")

    def _remark(
        self,
        kind: RemarkKind,
        item: _Item,
        reason: str,
        entry_id: str | None = None,
    ) -> None:
        self._remarks.append(Remark(kind, item.place, reason, entry_id))
