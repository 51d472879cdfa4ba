"""Taking a verified change over into the store: as it is, or merged with what waits here, or as a conflict."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from lockleaf.client.history.changes import VerifiedChange
from lockleaf.client.records.attachment_states import forsake
from lockleaf.client.records.counted import MARK, Mark, remarked, standing_in, valid
from lockleaf.client.records.labels import merge_settings, state_of
from lockleaf.client.records.merge import Conflicting, Merged, Version, merge, merge_versions, same_content
from lockleaf.client.records.opened_changes import OpenedChange
from lockleaf.client.records.resolution_changes import tell_decided
from lockleaf.client.records.sealer import Sealer
from lockleaf.client.records.tag_records import merge_tags
from lockleaf.client.store import LocalStore
from lockleaf.client.store.contributions import Contribution
from lockleaf.client.store.open_conflicts import StoredConflict, conflict_id_of
from lockleaf.client.store.outbox import Outgoing
from lockleaf.client.store.records import ENTRIES, LOST_BASE, SETTINGS, TAGS, Document, StoredRecord
from lockleaf.client.store.verified_history import Position
from lockleaf.crypto.history import ZERO
from lockleaf.wire.sync import Record

__all__ = ["Applying", "Counts", "acknowledge"]


@dataclass(slots=True)
class Counts:
    """Entries: taken over, merged, and sent earlier but confirmed only now."""

    pulled: int = 0
    merged: int = 0
    confirmed: int = 0


class Applying:
    """Brings what the server shows together with what this device has.

    Args:
        now: gives the present time as RFC 3339 text.
    """

    def __init__(self, store: LocalStore, sealer: Sealer, *, device_id: str, now: Callable[[], str]) -> None:
        self._store = store
        self._sealer = sealer
        self._device_id = device_id
        self._now = now
        self.counts = Counts()
        self.through = 0
        """Where the history ended to which the server was restored: what is shown up to there is an ancestor."""

    def apply(
        self,
        change: VerifiedChange,
        opened: OpenedChange | None,
        row: StoredRecord,
        waiting: list[Outgoing],
        position: Position,
    ) -> None:
        """Take one change over into the record that it is about.

        Args:
            opened: what is in it, where it came whole.
            row: the record, which the caller writes.
            waiting: what is sealed of it and not known to be at the server.
            position: the end of the verified history, once the page is taken over.
        """
        row.revision, row.seq, row.payload_hash = change.revision, change.seq, change.payload_hash
        row.bare = change.record is None
        row.key_id = opened.key_id if opened is not None and opened.usable else 0
        for sent in [item for item in waiting if item.payload_hash == change.payload_hash]:
            self._store.outbox.remove((sent.payload_hash,))
            waiting.remove(sent)
            if sent.kind == "edit":
                acknowledge(self._store, row, sent)
                self.counts.confirmed += row.collection == ENTRIES and not sent.resealed
                return
            # It was to become a conflict, and the server could take it as a change after all.
            self._store.conflicts.set_state(conflict_id_of(sent.payload_hash), "closed")
        if change.record is None or opened is None:
            row.unseen = row.unseen or change.record is None
            return
        if not opened.usable:
            self._pass_over(row, change, waiting)
            return
        row.unseen = row.unseen and opened.content is None
        # Those of another application are its own.
        borne = change.record.labels if opened.key_id else ()
        row.labels = state_of(borne, opened.content) if row.collection == ENTRIES else 0
        remote = Version(opened.content)
        mark = self._mark(row, opened)
        # Content that another device sealed again first, or changed, need not be sealed again here.
        for sent in [item for item in waiting if item.resealed]:
            self._store.outbox.remove((sent.payload_hash,))
            waiting.remove(sent)
        row.device, row.written_at = opened.device, opened.written_at
        self._drop_decided(row, opened.resolves - row.resolves)
        if not row.pending:
            self._take(row, change.record, remote)
            if opened.contradicted and (row.deleted or row.doc is not None):
                # Written once more, it says what history it stands in, and stops no device any more.
                row.send_as_it_is()
        elif row.base_revision != change.revision or row.base_hash != change.payload_hash:
            self._merge(row, change, change.record, remote, waiting, position)
            tell_decided(row, opened.resolves)
        # Otherwise it is the very revision that the pending edit follows, shown once more.
        if row.collection == ENTRIES and row.doc is not None:
            row.doc = remarked(row.doc, mark)

    def _drop_decided(self, row: StoredRecord, fresh: frozenset[bytes]) -> None:
        """Take over which versions of a record somebody decided about: none of them waits any more."""
        if not fresh:
            return
        row.resolves |= fresh
        for conflict in self._store.conflicts.open_about(*row.key):
            if conflict.payload_hash in fresh:
                self._store.conflicts.close(conflict)

    def _mark(self, row: StoredRecord, opened: OpenedChange) -> Mark | None:
        """What stands in the sums of an entry as it comes: its writer's word, if that is about the present ones."""
        known = standing_in(row.doc)
        if opened.mark is not None and (known is None or self._sealer.census in (None, opened.mark["census"])):
            return opened.mark
        return known

    def _pass_over(self, row: StoredRecord, change: VerifiedChange, waiting: list[Outgoing]) -> None:
        """Leave this device's content of a tag as it is: what a device sealed there is not that tag.

        What is edited here from now on follows that revision, and so brings the content back for everybody.
        """
        for sent in [item for item in waiting if item.kind == "edit"]:
            self._store.outbox.absorb(sent)
            waiting.remove(sent)
        row.base_revision, row.base_hash, row.base_deleted = change.revision, change.payload_hash, False
        row.generation += row.pending

    def _take(self, row: StoredRecord, record: Record, version: Version) -> None:
        """Make the server's version the present one; the text of a deleted record stays for a restoration."""
        if row.base_revision != record.revision or row.base_hash != row.payload_hash:
            self.counts.pulled += row.collection == ENTRIES
        created, updated = (time.isoformat().replace("+00:00", "Z") for time in (record.created_at, record.updated_at))
        if version.content is not None:
            # What is sealed again is not written again: its writer's time stays, where it said one.
            row.doc = Document(version.content, created, row.written_at or updated)
        row.deleted = row.base_deleted = version.deleted
        row.base_revision, row.base_hash, row.base = record.revision, row.payload_hash, None
        row.pending, row.rejected = False, None

    def _merge(
        self,
        row: StoredRecord,
        change: VerifiedChange,
        record: Record,
        remote: Version,
        waiting: list[Outgoing],
        position: Position,
    ) -> None:
        """Bring a pending edit and a newer revision together."""
        local = Version(None if row.deleted or row.doc is None else row.doc.content)
        if row.base_revision > 0:
            base = Version(None if row.base_deleted else row.base)
        elif row.base_revision == LOST_BASE and change.seq <= self.through:
            # From before the server was restored: what this device has was written on top of it.
            base = remote
        else:
            base = None
        result = _COMBINED.get(row.collection, merge_versions)(base, local, remote)
        edited = base is None or not same_content(base.content, local.content)
        if row.collection == ENTRIES and remote.deleted and row.unseen and edited and not local.deleted:
            # Whoever deleted it may have deleted more than this device had seen.
            result = Conflicting(("deleted",))
        edits = [item for item in waiting if item.kind == "edit"]
        if isinstance(result, Conflicting):
            self._open_conflict(row, local, edits, position)
            self._take(row, record, remote)
            return
        for sent in edits:
            self._store.outbox.absorb(sent)
            waiting.remove(sent)
            # The server may keep it as a conflict by now, which other devices then see.
            if row.collection == ENTRIES and not same_content(sent.content, remote.content):
                row.resolves |= {sent.payload_hash}
        if row.collection == ENTRIES:
            sides = (None if base is None else base.content, local.content, remote.content)
            forsake(self._store.media, row.record_id, sides, result.content, self._now())
        if same_content(result.content, remote.content):
            self._take(row, record, remote)
            return
        self.counts.pulled += row.collection == ENTRIES
        if not same_content(result.content, local.content):
            self.counts.merged += row.collection == ENTRIES
            row.deleted = result.deleted
            if result.content is not None and row.doc is not None:
                row.doc = Document(result.content, row.doc.created_at, self._now())
        elif local.deleted and base is not None and base.content and remote.content and row.doc is not None:
            # Restored, it is to name its files as they are sealed by now.
            restorable = merge(base.content, row.doc.content, remote.content)
            if isinstance(restorable, Merged):
                row.doc = replace(row.doc, content=restorable.content)
        row.base, row.base_deleted = remote.content, remote.deleted
        row.base_revision, row.base_hash = change.revision, change.payload_hash
        row.generation += 1

    def _open_conflict(self, row: StoredRecord, local: Version, edits: list[Outgoing], position: Position) -> None:
        """Keep a version that could not be merged, and have it sent so that the server keeps it as well."""
        current = next((item for item in edits if item.generation == row.generation), None)
        for sent in edits:
            if sent is not current:
                self._store.outbox.absorb(sent)
        if current is None:
            if row.base_revision == LOST_BASE:
                row.base_revision, row.base_hash = 0, ZERO
            current = self._sealer.seal(self._store.keyring, row, seen=position, now=self._now())
            self._store.outbox.add((current,))
        self._store.outbox.as_conflict(current.payload_hash)
        self._store.conflicts.put(
            StoredConflict(
                conflict_id=conflict_id_of(current.payload_hash),
                server_id=None,
                collection=row.collection,
                record_id=row.record_id,
                base_revision=current.base_revision,
                deleted=local.deleted,
                device_id=self._device_id,
                detected_at=self._now(),
                own=True,
                state="open",
                content=local.content,
                written_at=current.client_updated_at,
                sealed_parent=current.parent,
                payload_hash=current.payload_hash,
                key_id=current.key_id,
            )
        )


_COMBINED: dict[str, Callable[[Version | None, Version, Version], Version | Conflicting]] = {
    TAGS: merge_tags,
    SETTINGS: merge_settings,
}
"""How two versions come together of what no person is asked about."""


def acknowledge(store: LocalStore, row: StoredRecord, sent: Outgoing) -> None:
    """Note in ``row`` that the server has ``sent``; edits made after it was sealed stay pending, on top of it.

    What the change does to the sums is kept to be sent. The caller writes the row, in the same transaction.
    """
    if sent.counted is not None and row.doc is not None:
        before = standing_in(row.doc)
        after = valid(sent.content.get(MARK)) if sent.content is not None else None
        after = after or {"census": sent.counted}
        contribution = Contribution(sent.counted, row.record_id, sent.base_revision + 1, before, after)
        store.contributions.add((contribution,))
        row.doc = remarked(row.doc, after)
    row.base_revision, row.base_hash, row.base_deleted = sent.base_revision + 1, sent.payload_hash, sent.deleted
    row.key_id, row.device, row.written_at = sent.key_id, sent.device, sent.client_updated_at
    row.rejected, row.unseen = None, False
    row.labels = state_of(sent.labels, sent.content) if row.collection == ENTRIES else 0
    row.pending = row.pending and row.generation != sent.generation
    row.base = sent.content if row.pending else None
