"""Edits on this device: what the user does becomes the present content of a record, which is then to be sent."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from lockleaf.client.entries import Entry, InvalidEntry, check_size, draft_content
from lockleaf.client.errors import EntryNotFound
from lockleaf.client.media.following import follow
from lockleaf.client.merge import same_content
from lockleaf.client.metrics.marks import remarked, standing_in
from lockleaf.client.metrics.readings import changed_metrics, own_metrics
from lockleaf.client.store import LocalStore
from lockleaf.client.store.records import ENTRIES, Document, StoredRecord
from lockleaf.client.views import entry_of

__all__ = ["MIN_PREFIX", "Edits", "entry_id_of"]

MIN_PREFIX = 4
"""Characters of an id that are enough to ask by, if they fit one entry."""

_OWN_FIELDS = frozenset(
    {"type", "title", "body", "mood", "tags", "source", "occurred_at", "time_zone", "seen", "metrics"}
)


def entry_id_of(given: str | None) -> str:
    """Return the id of a new entry: a random UUID, or the one given.

    Raises:
        InvalidEntry: what is given is no UUID.
    """
    if given is None:
        return str(uuid.uuid4())
    try:
        return str(uuid.UUID(given))
    except ValueError:
        raise InvalidEntry("the id is no UUID") from None


class Edits:
    """Changes records in the store, each change in one transaction.

    Args:
        clock: gives the present time, with a zone.
    """

    def __init__(self, store: LocalStore, clock: Callable[[], datetime]) -> None:
        self._store = store
        self._clock = clock

    def insert(self, entry_id: str, content: dict[str, Any]) -> Entry:
        """Keep a new entry; the same under the same id again changes nothing."""
        now = self.time()
        record = StoredRecord(
            ENTRIES, entry_id, pending=True, generation=1, doc=Document(content, created_at=now, updated_at=now)
        )
        with self._store.transaction():
            present = self._store.records.get(ENTRIES, entry_id)
            if present is not None:
                if present.doc is None or present.deleted or not same_content(present.doc.content, content):
                    raise InvalidEntry("the id belongs to another entry")
                return self.shown(present)
            self._store.records.put(record)
        return entry_of(record, conflict=False)

    def edit(self, entry_id: str, given: dict[str, Any]) -> Entry:
        """Change the ``given`` fields of an entry; all others stay, unknown ones too."""
        with self._store.transaction():
            record = self.find(entry_id)
            if record.deleted or record.doc is None:
                raise EntryNotFound
            content = record.doc.content
            known = {
                "body": content.get("body", ""),
                "title": content.get("title"),
                "mood": content.get("mood"),
                "tags": content.get("tags") or (),
                "date": content.get("occurred_at", record.doc.created_at),
                "time_zone": content.get("time_zone"),
                "source": content.get("source"),
                "metrics": own_metrics(content),
            }
            if "metrics" in given:
                given = given | {"metrics": changed_metrics(own_metrics(content), given["metrics"]) or {}}
            changed = draft_content(**(known | given)) | {"type": content.get("type", "entry")}
            foreign = {name: value for name, value in content.items() if name not in _OWN_FIELDS}
            return self.keep(record, foreign | changed)

    def keep(self, record: StoredRecord, content: dict[str, Any] | None) -> Entry:
        """Make ``content`` (None: nothing, deleted) the present one of a record, as an edit that is to be sent."""
        if content is not None:
            check_size(content)
        present = None if record.deleted or record.doc is None else record.doc.content
        if not same_content(present, content):
            now = self.time()
            if not record.pending:
                record.base = present
                record.base_deleted = record.deleted
            record.deleted = content is None
            if content is not None:
                created = record.doc.created_at if record.doc is not None else now
                # Another content of the entry does not change what of it is counted.
                counted = standing_in(record.doc) if record.collection == ENTRIES else None
                record.doc = remarked(Document(content, created_at=created, updated_at=now), counted)
            record.pending = True
            record.rejected = None
            record.generation += 1
            self._store.records.put(record)
            if record.collection == ENTRIES:
                follow(self._store.media, record.record_id, present, content, now)
        return self.shown(record)

    def delete(self, entry_id: str) -> Entry:
        """Delete an entry, and keep its text here."""
        with self._store.transaction():
            record = self.find(entry_id)
            if record.deleted:
                raise EntryNotFound
            return self.keep(record, None)

    def restore(self, entry_id: str) -> Entry:
        """Bring a deleted entry back."""
        with self._store.transaction():
            record = self.find(entry_id)
            if not record.deleted or record.doc is None:
                raise EntryNotFound
            return self.keep(record, record.doc.content)

    def time(self) -> str:
        """Return the present time as RFC 3339 text."""
        return self._clock().astimezone(UTC).isoformat().replace("+00:00", "Z")

    def find(self, entry_id: str) -> StoredRecord:
        """Return a record by its id or the beginning of it."""
        wanted = entry_id.strip().lower()
        record = self._store.records.get(ENTRIES, wanted)
        if record is None and len(wanted) >= MIN_PREFIX:
            ids = self._store.records.ids_like(wanted)
            record = self._store.records.get(ENTRIES, ids[0]) if len(ids) == 1 else None
        if record is None or (record.doc is None and not record.deleted):
            raise EntryNotFound
        return record

    def shown(self, record: StoredRecord) -> Entry:
        """Return a record as the user sees it."""
        return entry_of(record, conflict=record.record_id in self._store.conflicts.record_ids())
