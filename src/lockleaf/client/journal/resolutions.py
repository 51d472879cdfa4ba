"""Resolutions of conflicts, made by the user."""

from __future__ import annotations

from datetime import datetime

from lockleaf.client.errors import ConflictNotFound, EditConflict, EntryChanged
from lockleaf.client.records.attachments import descriptions, with_attachments
from lockleaf.client.records.bases import Base
from lockleaf.client.records.beginnings import one_beginning
from lockleaf.client.records.edits import Edits
from lockleaf.client.records.entries import Entry, Unchanged
from lockleaf.client.records.resolution_changes import carry
from lockleaf.client.records.views import Conflict, entry_of
from lockleaf.client.store import LocalStore
from lockleaf.client.store.open_conflicts import StoredConflict, conflict_id_of
from lockleaf.client.store.records import Document, StoredRecord

__all__ = ["Resolutions"]


class Resolutions:
    """Shows open conflicts and carries out what is decided."""

    def __init__(self, store: LocalStore, edits: Edits) -> None:
        self._store = store
        self._edits = edits

    def listed(self, *, decided: bool) -> list[Conflict]:
        """Return what waits for a decision, or what was ``decided`` about versions of this device, oldest first."""
        if decided:
            return [self._conflict(item) for item in self._store.conflicts.in_state("resolved", "closed") if item.own]
        return [self._conflict(item) for item in self._store.conflicts.in_state("open")]

    def resolve(
        self,
        conflict_id: str,
        choice: str,
        merged_body: str | None,
        merged_title: str | Unchanged | None,
        base: Base | str | None = None,
    ) -> Entry | None:
        """Carry out a choice (``local``, ``remote`` or ``merged``); see `Journal.resolve`."""
        opened_id = None
        with self._store.transaction():
            conflict = self._find_conflict(conflict_id)
            record = self._store.records.get(conflict.collection, conflict.record_id)
            if record is None:
                raise ConflictNotFound
            moved = base is not None and not self._edits.is_as_seen(record, base)
            if moved and choice != "merged":
                raise EntryChanged
            if choice != "remote":
                content = conflict.content
                seen = base if moved and isinstance(base, Base) else None
                if choice == "merged":
                    present = seen.content if seen is not None else record.doc.content if record.doc is not None else {}
                    content = (content if content is not None else dict(present)) | {"body": merged_body}
                    # The files of both versions: none was chosen against another.
                    content = with_attachments(content, descriptions(present))
                    if not isinstance(merged_title, Unchanged):
                        content = {**content, "title": merged_title}
                if moved and content is not None:
                    _, opened_id = self._edits.settle(record, seen, content)
                else:
                    self._edits.keep(record, content)
            if conflict.payload_hash is not None and carry(record, {conflict.payload_hash}):
                self._store.records.put(record)
            # The sealed version may still wait to be sent. It need not be any more, and if it was, it is settled.
            for change in self._store.outbox.of_records([record.key]).get(record.key, []):
                if change.kind == "conflict" and conflict_id_of(change.payload_hash) == conflict.conflict_id:
                    self._store.outbox.absorb(change)
            self._store.conflicts.set_state(conflict.conflict_id, "resolved" if conflict.server_id else "closed")
            shown = self._edits.shown(record) if record.doc is not None else None
        if opened_id is not None:
            raise EditConflict(record.record_id, opened_id)
        return shown

    def _find_conflict(self, conflict_id: str) -> StoredConflict:
        wanted = conflict_id.replace("-", "").strip().lower()
        named = {}
        for item in self._store.conflicts.in_state("open"):
            # By the id that it had first, or has now: one conflict, also where both begin so.
            first = item.first_id or ""
            named[item.conflict_id if item.conflict_id.startswith(wanted) else first] = item
        return named[one_beginning(wanted, named, ConflictNotFound)]

    def _conflict(self, stored: StoredConflict) -> Conflict:
        record = self._store.records.get(stored.collection, stored.record_id)
        standing = self._edits.shown(record) if record is not None and record.doc is not None else None
        local = None
        if stored.content is not None:
            version = StoredRecord(
                stored.collection,
                stored.record_id,
                revision=stored.base_revision + 1,
                doc=Document(stored.content, stored.detected_at, stored.detected_at),
            )
            local = entry_of(version, conflict=True)
        return Conflict(
            stored.conflict_id,
            stored.record_id,
            local,
            standing,
            stored.device_id,
            datetime.fromisoformat(stored.detected_at),
            stored.own,
            stored.first_id,
            stored.authentic,
        )
