"""The journal on this device: everything works without a server, and `Client.sync` carries it further."""

from __future__ import annotations

import asyncio
import builtins
import hmac
import uuid
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from itertools import islice
from typing import Any, Final, Literal, TypeVar

from lockleaf.client.entries import (
    Entry,
    EntryDraft,
    InvalidEntry,
    Progress,
    ProgressCallback,
    check_size,
    date_text,
    draft_content,
)
from lockleaf.client.errors import ConflictNotFound, EntryNotFound
from lockleaf.client.merge import same_content
from lockleaf.client.store import LocalStore
from lockleaf.client.store.conflicts import StoredConflict
from lockleaf.client.store.records import ENTRIES, Document, StoredRecord
from lockleaf.crypto.encoding import lp

__all__ = ["UNCHANGED", "Conflict", "ImportReport", "Journal", "imported_id"]

T = TypeVar("T")

_IMPORT = b"lockleaf/1/import"
_PORTION = 1000
_MIN_PREFIX = 4


class _Unchanged:
    """The type of `UNCHANGED`."""


UNCHANGED: Final = _Unchanged()
"""A field that an edit leaves as it is; None empties it."""


@dataclass(frozen=True, slots=True)
class Conflict:
    """Two versions of an entry that wait for a decision.

    ``local`` is the version that could not be merged, None if it is a deletion; ``remote`` is the entry as it stands.
    ``own`` tells whether ``local`` was written on this device.
    """

    id: str
    entry_id: str
    local: Entry | None
    remote: Entry | None
    device_id: str
    detected_at: datetime
    own: bool


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What an import did: entries that are new, and entries that were there already."""

    added: int
    present: int


def imported_id(index_key: bytes, provider: str, external_id: str) -> str:
    """Return the id of an imported entry: the same for the same thing on every device, and telling nothing.

    A UUIDv8 from HMAC-SHA-256(index key, "lockleaf/1/import" ‖ lp(provider) ‖ lp(external_id)) (PROTOCOL section 8).
    """
    digest = bytearray(hmac.digest(index_key, _IMPORT + lp(provider) + lp(external_id), "sha256")[:16])
    digest[6] = digest[6] & 0x0F | 0x80
    digest[8] = digest[8] & 0x3F | 0x80
    return str(uuid.UUID(bytes=bytes(digest)))


def _now() -> datetime:
    return datetime.now(UTC)


class Journal:
    """The entries of one profile.

    Ids may be given by their first characters (at least 4, fitting one entry).

    Args:
        store: the local store.
        clock: gives the present time, with a zone.
    """

    def __init__(self, store: LocalStore, *, clock: Callable[[], datetime] = _now) -> None:
        self._store = store
        self._clock = clock

    # ---- writing ----

    async def write(
        self,
        *,
        body: str,
        title: str | None = None,
        mood: str | None = None,
        tags: Iterable[str] = (),
        date: date | datetime | str | None = None,
        time_zone: str | None = None,
        entry_id: str | None = None,
        source: str | None = "cli",
    ) -> Entry:
        """Write a new entry.

        Args:
            date: the day or time it is about; now if absent. Text is ISO 8601 and kept to the letter.
            time_zone: an IANA name.
            entry_id: a UUID chosen by the caller: writing the same entry under it again changes nothing.

        Raises:
            InvalidEntry: a field is none, or the id belongs to another entry.
            EntryTooLarge: it is longer than a record may be.
            DiskFull, StoreLocked, StoreDamaged: the local store refused.
        """
        content = draft_content(
            body=body,
            title=title,
            mood=mood,
            tags=tags,
            date=self._clock().astimezone().isoformat(timespec="seconds") if date is None else date_text(date),
            time_zone=time_zone,
            source=source,
        )
        return await asyncio.to_thread(self._insert, _entry_id(entry_id), content)

    def _insert(self, entry_id: str, content: dict[str, Any]) -> Entry:
        now = self._time()
        record = StoredRecord(
            ENTRIES, entry_id, pending=True, generation=1, doc=Document(content, created_at=now, updated_at=now)
        )
        with self._store.transaction():
            present = self._store.records.get(ENTRIES, entry_id)
            if present is not None:
                if present.doc is None or present.deleted or not same_content(present.doc.content, content):
                    raise InvalidEntry("the id belongs to another entry")
                return self._shown(present)
            self._store.records.put(record)
        return _entry(record, conflict=False)

    async def edit(
        self,
        entry_id: str,
        *,
        body: str | _Unchanged = UNCHANGED,
        title: str | _Unchanged | None = UNCHANGED,
        mood: str | _Unchanged | None = UNCHANGED,
        tags: Iterable[str] | _Unchanged = UNCHANGED,
        date: date | datetime | str | _Unchanged = UNCHANGED,
        time_zone: str | _Unchanged | None = UNCHANGED,
    ) -> Entry:
        """Change fields of an entry; fields that are not given, known or not, stay.

        Raises:
            EntryNotFound: there is none, or it is deleted.
            InvalidEntry, EntryTooLarge, DiskFull, StoreLocked, StoreDamaged: as for `write`.
        """
        changes: dict[str, Any] = {
            "body": body,
            "title": title,
            "mood": mood,
            "tags": tags if isinstance(tags, _Unchanged) else tuple(tags),
            "date": date if isinstance(date, _Unchanged) else date_text(date),
            "time_zone": time_zone,
        }
        given = {name: value for name, value in changes.items() if not isinstance(value, _Unchanged)}
        return await asyncio.to_thread(self._edit, entry_id, given)

    def _edit(self, entry_id: str, given: dict[str, Any]) -> Entry:
        with self._store.transaction():
            record = self._find(entry_id)
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
            }
            changed = draft_content(**(known | given)) | {"type": content.get("type", "entry")}
            foreign = {name: value for name, value in content.items() if name not in _OWN_FIELDS}
            return self._keep(record, foreign | changed)

    def _keep(self, record: StoredRecord, content: dict[str, Any] | None) -> Entry:
        """Make ``content`` (None: nothing, deleted) the present one of a record, as an edit that is to be sent."""
        if content is not None:
            check_size(content)
        present = None if record.deleted or record.doc is None else record.doc.content
        if not same_content(present, content):
            now = self._time()
            if not record.pending:
                record.base = present
                record.base_deleted = record.deleted
            record.deleted = content is None
            if content is not None:
                created = record.doc.created_at if record.doc is not None else now
                record.doc = Document(content, created_at=created, updated_at=now)
            record.pending = True
            record.rejected = None
            record.generation += 1
            self._store.records.put(record)
        return self._shown(record)

    async def delete(self, entry_id: str) -> Entry:
        """Delete an entry; this device keeps its text, so that it can be restored here.

        Raises:
            EntryNotFound: there is none, or it is deleted already.
        """
        return await asyncio.to_thread(self._delete, entry_id)

    def _delete(self, entry_id: str) -> Entry:
        with self._store.transaction():
            record = self._find(entry_id)
            if record.deleted:
                raise EntryNotFound
            return self._keep(record, None)

    async def restore(self, entry_id: str) -> Entry:
        """Bring a deleted entry back.

        Raises:
            EntryNotFound: there is none, it is not deleted, or this device never had its text.
        """
        return await asyncio.to_thread(self._restore, entry_id)

    def _restore(self, entry_id: str) -> Entry:
        with self._store.transaction():
            record = self._find(entry_id)
            if not record.deleted or record.doc is None:
                raise EntryNotFound
            return self._keep(record, record.doc.content)

    # ---- reading ----

    async def get(self, entry_id: str) -> Entry:
        """Return one entry, deleted or not.

        Raises:
            EntryNotFound: there is none, or the beginning of an id fits several.
        """
        return await asyncio.to_thread(lambda: self._shown(self._find(entry_id)))

    async def list(
        self,
        *,
        since: date | str | None = None,
        until: date | str | None = None,
        tag: str | None = None,
        mood: str | None = None,
        limit: int | None = None,
        include_deleted: bool = False,
    ) -> builtins.list[Entry]:
        """Return entries, newest first by their date.

        Args:
            since, until: days, both inclusive.
            tag, mood: only entries that have it; case does not matter.
            limit: at most so many.
        """
        first, last = (date_text(day)[:10] if day is not None else None for day in (since, until))

        def wanted(entry: Entry) -> bool:
            return (
                (first is None or entry.date[:10] >= first)
                and (last is None or entry.date[:10] <= last)
                and (tag is None or tag.casefold() in (item.casefold() for item in entry.tags))
                and (mood is None or mood.casefold() == (entry.mood or "").casefold())
            )

        return await asyncio.to_thread(self._list, wanted, limit, include_deleted)

    async def search(self, text: str, *, limit: int | None = None) -> builtins.list[Entry]:
        """Return the entries whose title, body or tags contain every word of ``text``, newest first."""
        words = text.casefold().split()

        def wanted(entry: Entry) -> bool:
            everything = "\n".join((entry.title or "", entry.body, *entry.tags)).casefold()
            return all(word in everything for word in words)

        return await asyncio.to_thread(self._list, wanted, limit, False)

    def _list(self, wanted: Callable[[Entry], bool], limit: int | None, deleted: bool) -> builtins.list[Entry]:
        conflicting = self._store.conflicts.record_ids()
        entries = (
            _entry(record, conflict=record.record_id in conflicting)
            for record in self._store.records.entries(deleted=deleted)
        )
        found = sorted(
            filter(wanted, entries), key=lambda entry: (entry.date, entry.created_at, entry.id), reverse=True
        )
        return found if limit is None else found[:limit]

    async def count(self) -> int:
        """Return how many entries there are."""
        return await asyncio.to_thread(self._store.records.count)

    async def pending_count(self) -> int:
        """Return how many entries have edits that the server has not confirmed."""
        return await asyncio.to_thread(self._store.records.pending_count)

    # ---- conflicts ----

    async def conflicts(self) -> builtins.list[Conflict]:
        """Return what waits for a decision, oldest first."""
        return await asyncio.to_thread(
            lambda: [self._conflict(item) for item in self._store.conflicts.in_state("open")]
        )

    async def resolve(
        self,
        conflict_id: str,
        choice: Literal["local", "remote", "merged"],
        *,
        merged_body: str | None = None,
        merged_title: str | _Unchanged | None = UNCHANGED,
    ) -> Entry | None:
        """Decide a conflict; the decision is an edit like any other, and the next sync carries it.

        Args:
            conflict_id: as `conflicts` gives it, or its beginning.
            choice: ``local`` takes the version that could not be merged, ``remote`` leaves the entry as it stands,
                ``merged`` takes the local version with the body (and title) given here.
            merged_body: required with ``merged``.

        Returns:
            The entry as it stands now.

        Raises:
            ConflictNotFound: there is no such open conflict.
            InvalidEntry: ``merged`` without a body.
        """
        if choice == "merged" and merged_body is None:
            raise InvalidEntry("a merged version needs its text")
        return await asyncio.to_thread(self._resolve, conflict_id, choice, merged_body, merged_title)

    def _resolve(
        self, conflict_id: str, choice: str, merged_body: str | None, merged_title: str | _Unchanged | None
    ) -> Entry | None:
        with self._store.transaction():
            conflict = self._find_conflict(conflict_id)
            record = self._store.records.get(conflict.collection, conflict.record_id)
            if record is None:
                raise ConflictNotFound
            if choice != "remote":
                content = conflict.content
                if choice == "merged":
                    present = record.doc.content if record.doc is not None else {}
                    content = (content if content is not None else present) | {"body": merged_body}
                    if not isinstance(merged_title, _Unchanged):
                        content = {**content, "title": merged_title}
                self._keep(record, content)
            # The sealed version may still wait to be sent. It need not be any more, and if it was, it is settled.
            for change in self._store.outbox.of_records([record.key]).get(record.key, []):
                if change.kind == "conflict" and change.payload_hash[:16].hex() == conflict.conflict_id:
                    self._store.outbox.absorb(change)
            self._store.conflicts.set_state(conflict.conflict_id, "resolved" if conflict.server_id else "closed")
            return self._shown(record) if record.doc is not None else None

    def _find_conflict(self, conflict_id: str) -> StoredConflict:
        wanted = conflict_id.replace("-", "").lower()
        found = [item for item in self._store.conflicts.in_state("open") if item.conflict_id.startswith(wanted)]
        if len(found) != 1 or len(wanted) < _MIN_PREFIX:
            raise ConflictNotFound
        return found[0]

    def _conflict(self, stored: StoredConflict) -> Conflict:
        record = self._store.records.get(stored.collection, stored.record_id)
        standing = self._shown(record) if record is not None and record.doc is not None else None
        local = None
        if stored.content is not None:
            version = StoredRecord(
                stored.collection,
                stored.record_id,
                revision=stored.base_revision + 1,
                doc=Document(stored.content, stored.detected_at, stored.detected_at),
            )
            local = _entry(version, conflict=True)
        return Conflict(
            stored.conflict_id,
            stored.record_id,
            local,
            standing,
            stored.device_id,
            datetime.fromisoformat(stored.detected_at),
            stored.own,
        )

    # ---- import ----

    async def import_entries(
        self, drafts: Iterable[EntryDraft], progress: ProgressCallback | None = None, *, total: int | None = None
    ) -> ImportReport:
        """Add entries from elsewhere. What was imported before, by this device or another, is left as it is now.

        Entries are kept in portions; an import that was killed is run again and goes on where it was.

        Args:
            drafts: read as the import goes on; an error in one of them ends it, and what came before is kept.
            total: how many there are, for the progress alone.

        Raises:
            MalformedImport, InvalidEntry, EntryTooLarge: of the drafts.
            DiskFull, StoreLocked, StoreDamaged: the local store refused; portions before are kept.
        """
        portions = _portions(iter(drafts))
        added = present = 0
        while (done := await asyncio.to_thread(self._import_next, portions)) is not None:
            added, present = added + done.added, present + done.present
            if progress is not None:
                progress(Progress("import", added + present, total))
        return ImportReport(added, present)

    def _import_next(self, portions: Iterator[tuple[EntryDraft, ...]]) -> ImportReport | None:
        portion = next(portions, None)
        if portion is None:
            return None
        index_key, now = self._store.keyring.index_key, self._time()
        records: dict[str, StoredRecord] = {}
        for draft in portion:
            content = draft_content(
                body=draft.body,
                title=draft.title,
                mood=draft.mood,
                tags=draft.tags,
                date=draft.date,
                time_zone=draft.time_zone,
                source=draft.provider,
            )
            entry_id = imported_id(index_key, draft.provider, draft.external_id)
            records.setdefault(
                entry_id,
                StoredRecord(
                    ENTRIES, entry_id, pending=True, generation=1, doc=Document(content, created_at=now, updated_at=now)
                ),
            )
        with self._store.transaction():
            present = self._store.records.existing(tuple(records))
            new = [record for entry_id, record in records.items() if entry_id not in present]
            self._store.records.put_many(new)
        return ImportReport(len(new), len(portion) - len(new))

    # ---- within ----

    def _time(self) -> str:
        return self._clock().astimezone(UTC).isoformat().replace("+00:00", "Z")

    def _find(self, entry_id: str) -> StoredRecord:
        wanted = entry_id.strip().lower()
        record = self._store.records.get(ENTRIES, wanted)
        if record is None and len(wanted) >= _MIN_PREFIX:
            ids = self._store.records.ids_like(wanted)
            record = self._store.records.get(ENTRIES, ids[0]) if len(ids) == 1 else None
        if record is None or (record.doc is None and not record.deleted):
            raise EntryNotFound
        return record

    def _shown(self, record: StoredRecord) -> Entry:
        return _entry(record, conflict=record.record_id in self._store.conflicts.record_ids())


_OWN_FIELDS = frozenset({"type", "title", "body", "mood", "tags", "source", "occurred_at", "time_zone", "seen"})


def _entry_id(given: str | None) -> str:
    if given is None:
        return str(uuid.uuid4())
    try:
        return str(uuid.UUID(given))
    except ValueError:
        raise InvalidEntry("the id is no UUID") from None


def _portions(drafts: Iterator[EntryDraft]) -> Iterator[tuple[EntryDraft, ...]]:
    """Yield drafts in portions. What stands before a malformed one comes before its error."""
    while True:
        portion: list[EntryDraft] = []
        try:
            portion.extend(islice(drafts, _PORTION))
        except Exception:
            if portion:
                yield tuple(portion)
            raise
        if not portion:
            return
        yield tuple(portion)


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _entry(record: StoredRecord, *, conflict: bool) -> Entry:
    doc = record.doc or Document({}, _NEVER, _NEVER)
    content = doc.content
    tags = content.get("tags")
    return Entry(
        id=record.record_id,
        date=_text(content.get("occurred_at")) or doc.created_at,
        title=_text(content.get("title")),
        body=_text(content.get("body")) or "",
        mood=_text(content.get("mood")),
        tags=tuple(tag for tag in tags if isinstance(tag, str)) if isinstance(tags, list) else (),
        revision=record.base_revision if record.base_revision > 0 else 0,
        created_at=datetime.fromisoformat(doc.created_at),
        updated_at=datetime.fromisoformat(doc.updated_at),
        deleted=record.deleted,
        pending=record.pending,
        conflict=conflict,
        rejected=record.rejected,
        time_zone=_text(content.get("time_zone")),
        source=_text(content.get("source")),
    )


_NEVER = "1970-01-01T00:00:00Z"
