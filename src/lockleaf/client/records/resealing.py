"""Sealing again, after a rotation, what the server holds under a retired key.

What remains to be done is told by the key ids of the payloads, so any device of the account goes on with it after a
crash, and two that do it at once do no harm: who comes second is refused, and takes over what the first one sealed.
Content, writer and time of writing stay; only who can open it changes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from lockleaf.client.errors import InvalidAnswer
from lockleaf.client.records.sealer import Sealer
from lockleaf.client.records.tag_records import color_in, new_tag, put_tag, tag_id
from lockleaf.client.store import LocalStore
from lockleaf.client.store.open_conflicts import StoredConflict, conflict_id_of
from lockleaf.client.store.outbox import Outgoing
from lockleaf.client.store.records import TAGS, StoredRecord
from lockleaf.client.store.verified_history import Position
from lockleaf.crypto.errors import TooLarge
from lockleaf.wire.sync import MAX_BATCH_CHANGES

__all__ = ["Resealing", "is_sealed_again"]

Key = tuple[str, str]


def is_sealed_again(store: LocalStore) -> bool:
    """Tell whether this device has seen everything at the server sealed under the newest key."""
    return len(store.keyring) == 1 or store.history.sealed_again() >= store.keyring.newest.key_id


@dataclass
class Resealing:
    """What one sync does of it.

    Args:
        store: where what the server holds is known.
        sealer: seals it.
        now: gives the present time as RFC 3339 text.
    """

    store: LocalStore
    sealer: Sealer
    now: Callable[[], str]
    total: int = 0
    """How many records were to be sealed again when the sync began."""

    @property
    def key_id(self) -> int:
        """Of the key that writes."""
        return self.store.keyring.newest.key_id

    def is_due(self) -> bool:
        """Tell whether anything may still be sealed under a retired key."""
        return not is_sealed_again(self.store)

    def prepare(self, seen: Position | None) -> None:
        """Get ready at the end of the history: what waited to be sent is sealed anew, and tags go to their new ids.

        What the history holds of the outbox was taken as accepted before, by its payload hash.
        """
        if not self.is_due():
            return
        if seen is None:
            raise InvalidAnswer
        with self.store.transaction():
            for _, change in self.store.outbox.waiting(-1):
                if change.key_id < self.key_id:
                    self._replace(change, seen)
            self._move_tags()
            self.total = self.store.records.count_sealed_before(self.key_id)

    def seal_portion(self, after: Key, seen: Position | None) -> Key | None:
        """Seal the next records behind the key ``after`` again; return the last one's key, None if there was none."""
        if not self.is_due():
            return None
        if seen is None:
            raise InvalidAnswer
        with self.store.transaction():
            records = self.store.records.to_seal_again(self.key_id, MAX_BATCH_CHANGES, after=after)
            now, keyring = self.now(), self.store.keyring
            sealed = []
            for record in records:
                try:
                    sealed.append(self.sealer.seal_again(keyring, record, seen=seen, now=now))
                except TooLarge:
                    continue  # as long as a record may be, by a writer that said less of itself: it stays as it is
            self.store.outbox.add(sealed)
        return records[-1].key if records else None

    def is_done(self) -> bool:
        """Tell whether the server holds nothing any more that this device would seal again."""
        return (
            self.store.records.count_sealed_before(self.key_id) == 0
            and not any(change.key_id < self.key_id for _, change in self.store.outbox.waiting(-1))
            and not any(
                conflict.authentic and 0 < conflict.key_id < self.key_id
                for conflict in self.store.conflicts.in_state("open")
            )
        )

    def _replace(self, change: Outgoing, seen: Position) -> None:
        """Take out what was sealed under a retired key; what it says is sealed anew, on the base that holds now."""
        outbox = self.store.outbox
        if change.resealed:
            outbox.remove((change.payload_hash,))
            return
        if change.kind == "edit":
            outbox.absorb(change)
            return  # its record is pending
        outbox.absorb(change, "replaced")
        known = self.store.conflicts.get(conflict_id_of(change.payload_hash))
        if known is None or known.state != "open":
            return
        again = self.sealer.seal_version(self.store.keyring, _version_of(known, change), seen=seen, now=self.now())
        outbox.add((again,))
        self.store.conflicts.sealed(
            known, again, server_id=None, written_at=again.client_updated_at, sealed_parent=again.parent
        )

    # ---- tags, whose ids are labels ----

    def _move_tags(self) -> None:
        """Have each tag stand under its name's label of the newest key, with what is edited of it here."""
        keyring = self.store.keyring
        now = self.now()
        for record in self.store.records.tags():
            content = None if record.deleted or record.doc is None else record.doc.content
            if content is None or not isinstance(content.get("name"), str):
                continue
            key = tag_id(keyring, content["name"])
            if key != record.record_id:
                self._move(record, key, now)

    def _move(self, record: StoredRecord, key: str, now: str) -> None:
        assert record.doc is not None
        content = record.doc.content
        there = self.store.records.get(TAGS, key)
        if there is None:
            there = new_tag(key, content, now)
            if not record.pending:
                there.device, there.written_at = record.device, record.written_at
        elif record.pending:
            # Somebody edited it under its old id, and edits go to the new one.
            present = {} if there.doc is None or there.deleted else there.doc.content
            put_tag(there, content | present | {"color": color_in(content)}, now)
        self.store.records.put(there)
        for waiting in self.store.outbox.of_records([record.key]).get(record.key, []):
            self.store.outbox.absorb(waiting)
        if record.base_revision > 0 and not record.base_deleted:
            put_tag(record, None, now)
        else:
            # The server has nothing under the old id, or a deletion already.
            record.deleted, record.pending, record.rejected = True, False, None
            record.generation += 1
        self.store.records.put(record)


def _version_of(known: StoredConflict, change: Outgoing) -> StoredConflict:
    return replace(
        known, base_revision=change.base_revision, sealed_parent=change.parent, written_at=change.client_updated_at
    )
