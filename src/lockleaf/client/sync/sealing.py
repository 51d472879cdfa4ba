"""Sealing what waits on this device, and the form in which it is sent."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Set as AbstractSet
from dataclasses import replace
from datetime import datetime
from typing import NamedTuple

from lockleaf.client.records.sealer import Sealer
from lockleaf.client.records.tag_records import make_missing
from lockleaf.client.store import LocalStore
from lockleaf.client.store.outbox import Outgoing
from lockleaf.client.store.records import SETTINGS, TAGS, Document, StoredRecord
from lockleaf.client.store.verified_history import Position
from lockleaf.crypto.errors import TooLarge
from lockleaf.crypto.history import ZERO
from lockleaf.wire.sync import MAX_BATCH_CHANGES, Change

__all__ = ["Sealing", "Waiting"]

_OVERHEAD = 1024
"""Bytes that a change takes on the wire beside its payload and its tokens, generously."""
_TOKEN_BYTES = 10


class Waiting(NamedTuple):
    """A sealed change, its place in the outbox, and the digests of its words, if any go with it."""

    place: int
    outgoing: Outgoing
    tokens: tuple[bytes, ...] | None

    @property
    def size(self) -> int:
        """Bytes on the wire, about."""
        return len(self.outgoing.payload) + _OVERHEAD + len(self.tokens or ()) * _TOKEN_BYTES

    def change(self, device_id: str) -> Change:
        """Return the change as it travels, from this device where it does not say from which."""
        change = self.outgoing
        return Change(
            collection=change.collection,
            record_id=change.record_id,
            base_revision=change.base_revision,
            parent=change.parent,
            payload=change.payload,
            deleted=change.deleted,
            labels=change.labels,
            source=change.source,
            occurred_at=change.occurred_at,
            tokens=self.tokens,
            device_id=change.device or device_id,
            client_updated_at=datetime.fromisoformat(change.client_updated_at),
            # Both versions of an entry are kept for a person to choose. Those of a tag or setting merge by themselves.
            on_conflict="reject" if change.collection in (TAGS, SETTINGS) or change.resealed else "keep",
        )


class Sealing:
    """Seals edits and conflicts into the outbox.

    Args:
        now: gives the present time as RFC 3339 text.
        refuse: told of each record that is too large to be sealed.
    """

    def __init__(
        self,
        store: LocalStore,
        sealer: Sealer,
        *,
        device_id: str,
        now: Callable[[], str],
        refuse: Callable[[StoredRecord], None],
    ) -> None:
        self._store = store
        self._sealer = sealer
        self._device_id = device_id
        self._now = now
        self._refuse = refuse

    def seal_portion(
        self, seen: Position, after: tuple[str, str], refused: AbstractSet[tuple[str, str]]
    ) -> tuple[str, str] | None:
        """Seal the next pending records behind the key ``after``; return the last one's key, None if there was none.

        Tags that entries name and that are new are made and sealed before them, to go out in the same batch.

        Args:
            seen: the end of the verified history.
            refused: keys of records whose edits the server refused in this sync.
        """
        with self._store.transaction():
            records = self._store.records.to_seal(MAX_BATCH_CHANGES, after=after)
            now, keyring = self._now(), self._store.keyring
            wanted = [record for record in records if record.key not in refused]
            made = {record.key: record for record in make_missing(self._store, wanted, now)}
            # One that was deleted a moment ago waits until its deletion is confirmed.
            for key in (*refused, *self._store.outbox.of_records(made)):
                made.pop(key, None)
            sealed = []
            for record in (*made.values(), *(record for record in wanted if record.key not in made)):
                try:
                    sealed.append(self._sealer.seal(keyring, record, seen=seen, now=now))
                except TooLarge:
                    # What another application wrote may fill a record, which leaves no room for a seal.
                    self._refuse(record)
            self._store.outbox.add(sealed)
        return records[-1].key if records else None

    def seal_conflicts(self, seen: Position) -> int:
        """Seal the versions that were refused on this device, for the server to keep; return how many there were.

        Behind the edits of their records: so that the server has moved on from the revision that they follow.
        """
        with self._store.transaction():
            waiting, keyring = self._store.conflicts.unsealed(), self._store.keyring
            for conflict in waiting:
                record = self._store.records.get(conflict.collection, conflict.record_id)
                now = self._now()
                created_at = record.doc.created_at if record is not None and record.doc is not None else now
                version = StoredRecord(
                    conflict.collection,
                    conflict.record_id,
                    base_revision=conflict.base_revision,
                    base_hash=conflict.parent or ZERO,
                    doc=Document(conflict.content or {}, created_at, now),
                )
                sealed = self._sealer.seal(keyring, version, seen=seen, now=now)
                self._store.outbox.add((replace(sealed, kind="conflict"),))
                self._store.conflicts.sealed(
                    conflict,
                    sealed,
                    parent=None,
                    device_id=self._device_id,
                    written_at=sealed.client_updated_at,
                    sealed_parent=sealed.parent,
                )
        return len(waiting)
