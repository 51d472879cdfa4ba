"""Edits on this device: what the user does becomes the present content of a record, which is then to be sent."""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from lockleaf.client.errors import EditConflict, EntryChanged, EntryNotFound, InvalidEntry
from lockleaf.client.records.attachment_states import follow
from lockleaf.client.records.attachments import descriptions, with_attachments
from lockleaf.client.records.bases import Base
from lockleaf.client.records.beginnings import one_beginning
from lockleaf.client.records.counted import remarked, standing_in
from lockleaf.client.records.entries import Entry, check_size, draft_content
from lockleaf.client.records.merge import Conflicting, Version, merge_versions, same_content
from lockleaf.client.records.readings import changed_metrics, own_metrics
from lockleaf.client.records.views import base_of, entry_of
from lockleaf.client.store import LocalStore
from lockleaf.client.store.open_conflicts import StoredConflict
from lockleaf.client.store.records import ENTRIES, Document, StoredRecord
from lockleaf.client.store.replaced_texts import EarlierText
from lockleaf.crypto.history import ZERO

__all__ = ["Edits", "entry_id_of"]

_WORDS = ("title", "body", "mood", "weather", "location", "tags", "occurred_at", "time_zone", "metrics")
"""The fields that somebody writes, as they stand in an entry's map."""
_SHORT = ("title", "mood", "weather", "location", "tags")
_FEW_LINES = 64


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

    def edit(self, entry_id: str, given: dict[str, Any], base: Base | str | None = None) -> Entry:
        """Change the ``given`` fields of an entry; all others stay, unknown ones too. See `Journal.edit`.

        Args:
            base: what the writer saw, or its version; None stands for the entry as it is now.
        """
        with self._store.transaction():
            record = self.find(entry_id)
            if base is None or self.is_as_seen(record, base):
                if record.deleted or record.doc is None:
                    raise EntryNotFound
                return self.keep(record, _changed(record.doc.content, given, record.doc.created_at))
            seen = self._seen(record, base)
            ground = seen.content if seen is not None else record.doc.content if record.doc is not None else {}
            ours = _changed(ground, given, record.doc.created_at if record.doc is not None else self.time())
            entry, conflict_id = self.settle(record, seen, ours)
        if conflict_id is not None:
            raise EditConflict(entry.id, conflict_id)
        return entry

    def is_as_seen(self, record: StoredRecord, base: Base | str) -> bool:
        """Tell whether a record still is what the writer of an edit saw."""
        version = base if isinstance(base, str) else base.version
        return version is not None and version == base_of(record).version

    def settle(self, record: StoredRecord, seen: Base | None, ours: dict[str, Any]) -> tuple[Entry, str | None]:
        """Merge a version that was written on what somebody saw earlier with the record as it stands now.

        What does not merge stays as it is, and the version becomes an open conflict, which the next sync carries.

        Args:
            seen: what its writer saw; None where that is not known any more.

        Returns:
            The entry as it stands after that, and the id of the conflict if there is one.
        """
        check_size(ours)
        present = None if record.deleted or record.doc is None else record.doc.content
        before = None if seen is None else Version(None if seen.deleted else dict(seen.content))
        result = merge_versions(before, Version(ours), Version(present))
        if isinstance(result, Conflicting) or (record.deleted and record.unseen):
            return self.shown(record), self._dispute(record, seen, ours)
        kept = self.keep(record, result.content)
        return replace(kept, merged=not same_content(result.content, ours)), None

    def _seen(self, record: StoredRecord, base: Base | str) -> Base | None:
        """Return what a writer saw, whole, None if this device does not know it any more."""
        if isinstance(base, Base):
            if base.whole:
                return base
            # What the server does not show of an entry its writer cannot have changed.
            present = record.doc.content if record.doc is not None else {}
            hidden = {name: value for name, value in present.items() if name not in base.content}
            return replace(base, content={**hidden, **base.content}, whole=True)
        sent = self._store.outbox.of_records([record.key]).get(record.key, [])
        known = [text.doc.content for text in self._store.earlier.of_record(record.record_id)]
        known += [content for content in (record.base, *(each.content for each in sent)) if content is not None]
        seen = (Base(record.record_id, content) for content in known)
        return next((each for each in seen if each.version == base), None)

    def _dispute(self, record: StoredRecord, seen: Base | None, ours: dict[str, Any]) -> str:
        """Keep a version that did not merge; return the id of its conflict."""
        # Sent as what follows a revision that the server has left behind by then: it would take it as a change else.
        older = seen is not None and (record.pending or seen.revision < record.base_revision)
        conflict = StoredConflict(
            conflict_id=secrets.token_hex(16),
            server_id=None,
            collection=record.collection,
            record_id=record.record_id,
            base_revision=seen.revision if seen is not None and older else 0,
            deleted=False,
            device_id="",
            detected_at=self.time(),
            own=True,
            state="open",
            content=ours,
            parent=seen.payload_hash if seen is not None and older and seen.revision > 0 else ZERO,
        )
        self._store.conflicts.put(conflict)
        return conflict.conflict_id

    def keep(self, record: StoredRecord, content: dict[str, Any] | None) -> Entry:
        """Make ``content`` (None: nothing, deleted) the present one of a record, as an edit that is to be sent."""
        if content is not None:
            check_size(content)
        present = None if record.deleted or record.doc is None else record.doc.content
        if not same_content(present, content):
            now = self.time()
            self._keep_earlier(record, content, now)
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

    def _keep_earlier(self, record: StoredRecord, content: dict[str, Any] | None, now: str) -> None:
        """Keep the text that an edit replaces, where the server may never have had it as a revision."""
        if record.collection != ENTRIES or record.doc is None or not record.pending:
            return
        if content is None or _loses_words(record.doc.content, content):
            self._store.earlier.add(EarlierText(record.record_id, now, record.doc))

    def delete(self, entry_id: str, base: Base | str | None = None) -> Entry:
        """Delete an entry, and keep its text here."""
        with self._store.transaction():
            record = self.find(entry_id)
            if record.deleted:
                raise EntryNotFound
            if base is not None and not self.is_as_seen(record, base):
                raise EntryChanged
            return self.keep(record, None)

    def restore(self, entry_id: str, base: Base | str | None = None) -> Entry:
        """Bring a deleted entry back; see `Journal.restore`."""
        with self._store.transaction():
            record = self.find(entry_id)
            if base is not None and not self.is_as_seen(record, base):
                raise EntryChanged
            if not record.deleted or record.doc is None:
                raise EntryNotFound
            if not record.unseen:
                return self.keep(record, record.doc.content)
            conflict_id = self._dispute(record, None, record.doc.content)
        raise EditConflict(record.record_id, conflict_id)

    def bring_back(self, entry_id: str, earlier: Base, base: Base | str | None = None) -> Entry:
        """Give an entry the words of an earlier revision again, a deleted one too; its files of today stay."""
        with self._store.transaction():
            record = self.find(entry_id)
            if base is not None and not self.is_as_seen(record, base):
                raise EntryChanged
            present = record.doc.content if record.doc is not None else {}
            told = {name: earlier.content[name] for name in _WORDS if earlier.content.get(name) is not None}
            content = {name: value for name, value in present.items() if name not in _WORDS} | told
            content = with_attachments(content, descriptions(earlier.content))
            return self.keep(record, {"type": "entry"} | content)

    def time(self) -> str:
        """Return the present time as RFC 3339 text."""
        return self._clock().astimezone(UTC).isoformat().replace("+00:00", "Z")

    def find(self, entry_id: str) -> StoredRecord:
        """Return a record by its id or the beginning of it.

        Raises:
            EntryNotFound, IdAmbiguous, IdTooShort: there is no such entry, there are several, or it could be any.
        """
        wanted = entry_id.strip().lower()
        record = self._store.records.get(ENTRIES, wanted)
        if record is None:
            found = one_beginning(wanted, self._store.records.ids_like(wanted), EntryNotFound)
            record = self._store.records.get(ENTRIES, found)
        if record is None or (record.doc is None and not record.deleted):
            raise EntryNotFound
        return record

    def shown(self, record: StoredRecord) -> Entry:
        """Return a record as the user sees it."""
        return entry_of(record, conflict=record.record_id in self._store.conflicts.record_ids())


def _changed(content: Mapping[str, Any], given: dict[str, Any], created_at: str) -> dict[str, Any]:
    """Return an entry's map with the ``given`` fields instead of its own.

    Raises:
        InvalidEntry, EntryTooLarge: there can be no such entry.
    """
    known = {
        "body": content.get("body", ""),
        "title": content.get("title"),
        "mood": content.get("mood"),
        "weather": content.get("weather"),
        "location": content.get("location"),
        "tags": content.get("tags") or (),
        "date": content.get("occurred_at", created_at),
        "time_zone": content.get("time_zone"),
        "source": content.get("source"),
        "metrics": own_metrics(content),
    }
    if "metrics" in given:
        given = given | {"metrics": changed_metrics(own_metrics(content), given["metrics"]) or {}}
    fields = draft_content(**(known | given))
    changed = {"type": "entry"} | {name: value for name, value in content.items() if name != "seen"}
    for name in given:
        field = "occurred_at" if name == "date" else name
        if field in fields:
            changed[field] = fields[field]
        else:
            changed.pop(field, None)
    return changed


def _loses_words(old: Mapping[str, Any], new: Mapping[str, Any]) -> bool:
    """Tell whether a text has words of which another one has nothing: what only grew needs no copy of itself."""
    if any(old.get(name) not in (None, new.get(name)) for name in _SHORT):
        return True
    text = str(new.get("body", ""))
    present = set(text.split("\n"))
    gone = [line for line in str(old.get("body", "")).split("\n") if line not in present]
    return len(gone) > _FEW_LINES or any(line not in text for line in gone)
