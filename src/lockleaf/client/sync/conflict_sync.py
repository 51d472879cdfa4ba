"""The server's list of conflicts and this device's, brought together after each sync."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any, Literal

from lockleaf.client.errors import ConflictResolved, InvalidAnswer, NotFound, UnsealedChange
from lockleaf.client.records.merge import same_content
from lockleaf.client.records.resolution_changes import carry
from lockleaf.client.records.sealer import Sealer, resolves_of, sealed_under, writer_of
from lockleaf.client.store import LocalStore
from lockleaf.client.store.open_conflicts import StoredConflict, conflict_id_of
from lockleaf.client.store.outbox import Standing
from lockleaf.client.store.records import ENTRIES, StoredRecord
from lockleaf.client.transport.http import Transport
from lockleaf.crypto.history import ZERO, meta, payload_hash
from lockleaf.wire.conflicts import Conflict, Conflicts, Resolution, ResolutionResult

__all__ = ["ConflictSync", "StaleConflict"]

_MOST = 100_000


@dataclass(frozen=True, slots=True)
class StaleConflict:
    """A version that the server lists as an open conflict although it is not one. It was dropped, and nothing changed.

    ``why``: the account's history had ``accepted`` it, so that a later revision is what its writer wanted; or it was
    ``decided``, as this device saw.
    """

    entry_id: str
    conflict_id: str
    why: Literal["accepted", "decided"]


@dataclass(frozen=True, slots=True)
class _Listed:
    """A version that the server lists as an open conflict, and what this device knows of it.

    Args:
        row: the record that it is about.
        accepted: whether it is, or was, a revision of an entry.
        standing: why it is no conflict, as far as is remembered.
    """

    item: Conflict
    payload: bytes
    payload_hash: bytes
    row: StoredRecord | None
    accepted: bool
    standing: Standing | None

    @property
    def conflict_id(self) -> str:
        """The id of the conflict on every device."""
        return conflict_id_of(self.payload_hash)

    @property
    def is_told(self) -> bool:
        """Whether a change says that it was decided."""
        return self.row is not None and self.payload_hash in self.row.resolves

    @property
    def why_stale(self) -> Literal["accepted", "decided"] | None:
        """Why the server should not have listed it; None where it may."""
        if self.accepted:
            return "accepted"
        return "decided" if self.standing == "closed" else None


class ConflictSync:
    """Learns of other devices' conflicts, and tells the server of decisions made here.

    The server's list is a claim. A decision is a change that names what was decided, pushed like any edit, so every
    device knows it from the history. What remains is to close the server's conflict, for which the record as it stands
    is the right version: ``remote``.

    Args:
        server_decides: whether a conflict that is not listed any more counts as decided: where the server opens and
            seals for other clients (uce), and they need not say so in a change.
    """

    def __init__(
        self,
        store: LocalStore,
        transport: Transport,
        sealer: Sealer,
        *,
        now: Callable[[], str],
        server_decides: bool = False,
    ) -> None:
        self._store = store
        self._transport = transport
        self._sealer = sealer
        self._now = now
        self._server_decides = server_decides
        self._again = False
        self._stale: dict[str, StaleConflict] = {}

    @property
    def stale(self) -> tuple[StaleConflict, ...]:
        """What the server listed as a conflict in this sync although it is not one."""
        return tuple(self._stale.values())

    async def settle(self) -> bool:
        """Fetch the open conflicts, keep the new ones, close the decided ones.

        Returns:
            Whether something is to be pushed before more can be closed: versions that were sealed again after a
            rotation, or changes that say what was decided.

        Raises:
            UnsealedChange, SealBroken: a version in a conflict is not what a device of the account sealed.
            InvalidAnswer: the list has no end.
        """
        self._again = False
        listed = await self._listed()
        for decided in await asyncio.to_thread(self._take_over, listed):
            with suppress(ConflictResolved, NotFound):
                await self._transport.request(
                    "POST",
                    f"/sync/conflicts/{decided.item.id}/resolve",
                    body=Resolution(chosen_version="remote"),
                    answer=ResolutionResult,
                )
            await asyncio.to_thread(self._closed, decided)
        return self._again

    def _closed(self, decided: _Listed) -> None:
        with self._store.transaction():
            self._store.conflicts.set_state(decided.conflict_id, "closed")
            self._store.outbox.settle(decided.payload_hash, (ENTRIES, decided.item.log_id), "closed")

    async def _listed(self) -> list[Conflict]:
        listed: dict[str, Conflict] = {}
        cursor: str | None = None
        while True:
            page = await self._transport.request(
                "GET",
                "/sync/conflicts",
                answer=Conflicts,
                params={"cursor": cursor} if cursor is not None else None,
                msgpack=True,
            )
            before = len(listed)
            listed.update((item.id, item) for item in page.conflicts)
            if page.next_cursor is None:
                return list(listed.values())
            # A list that repeats itself, or that no person could have made, would go on until the memory is full.
            if len(listed) == before or len(listed) > _MOST:
                raise InvalidAnswer
            cursor = page.next_cursor

    def _take_over(self, listed: list[Conflict]) -> list[_Listed]:
        """Keep what is listed and waits; return what is to be closed at the server."""
        entries = [item for item in listed if item.collection == ENTRIES]
        with self._store.transaction():
            found = self._looked_up(entries)
            present = {each.conflict_id for each in found}
            decided = [each for each in found if self._is_decided(each, entries)]
            for stored in self._store.conflicts.in_state("open", "resolved"):
                if stored.conflict_id in present:
                    continue
                if stored.server_id is not None:
                    self._gone(stored, entries)
                elif self._is_lost(stored):
                    self._seal_again(replace(stored, base_revision=0, sealed_parent=ZERO), entries)
        return decided

    def _is_lost(self, known: StoredConflict) -> bool:
        """Tell whether a version that waits here was at the server before, and is not there now.

        A server that was put back from a backup has not heard of it. It follows no revision any more, so that it does
        not become one there. What went since the last sync was perhaps decided, and is looked at by the next one.
        """
        if known.state != "open" or not known.authentic or known.payload_hash is None:
            return False
        return self._store.outbox.get(known.payload_hash) is None

    def _looked_up(self, entries: list[Conflict]) -> list[_Listed]:
        """Return listed conflicts with what this device knows of them."""
        versions = [(item, payload, payload_hash(payload)) for item, payload in map(_sealed, entries)]
        rows = self._store.records.get_many((ENTRIES, item.log_id) for item in entries)
        accepted = self._store.accepted.among(digest for _, _, digest in versions)
        accepted |= {row.payload_hash for row in rows.values() if row.revision > 0}
        absorbed = self._store.outbox.absorbed()
        return [
            _Listed(item, payload, digest, rows.get((ENTRIES, item.log_id)), digest in accepted, absorbed.get(digest))
            for item, payload, digest in versions
        ]

    def _is_decided(self, one: _Listed, listed: list[Conflict]) -> bool:
        """Tell whether a listed version is to be closed at the server; keep it if it waits for a decision."""
        known, row = self._store.conflicts.get(one.conflict_id), one.row
        waiting = known if known is not None and known.state == "open" else None
        if one.why_stale is not None:
            self._stale[one.conflict_id] = StaleConflict(one.item.log_id, one.conflict_id, one.why_stale)
        elif not one.is_told and waiting is not None:
            self._store.conflicts.set_server_id(one.conflict_id, one.item.id)
            if self._is_retired(waiting):
                self._seal_again(waiting, listed)
            return False
        elif not one.is_told and known is None and one.standing is None:
            self._store.conflicts.put(self._opened(one.item, one.conflict_id, one.payload))
            return False
        if waiting is not None:
            self._store.conflicts.close(waiting)
        if self._waits(one.item) or row is None:
            return row is None
        if one.why_stale is not None or one.is_told or one.standing == "replaced":
            return not row.pending
        # Decided here, and no change says so yet. What is the same as the present content needs no saying.
        version = self._opened(one.item, one.conflict_id, one.payload)
        if not row.pending and same_content(version.content, _standing_content(row)):
            return True
        self._again |= carry(row, {one.payload_hash})
        self._store.records.put(row)
        return False

    def _gone(self, stored: StoredConflict, listed: list[Conflict]) -> None:
        """Handle a conflict that the server does not list any more, which by itself means nothing.

        It was decided if a change said so, which the pull before this took over; or where the record says the same by
        now. Another device may have sealed it again. Otherwise it goes on waiting here.
        """
        row = self._store.records.get(stored.collection, stored.record_id)
        told = row is not None and stored.payload_hash in row.resolves
        same = row is not None and same_content(stored.content, _standing_content(row))
        if stored.state == "resolved" or self._server_decides or told or same:
            self._store.conflicts.close(stored)
        elif stored.payload_hash is not None and any(self._is_same(stored, item) for item in listed):
            self._store.outbox.settle(stored.payload_hash, (stored.collection, stored.record_id), "replaced")
            self._store.conflicts.remove(stored.conflict_id)
        else:
            self._store.conflicts.set_server_id(stored.conflict_id, None)

    def _is_retired(self, known: StoredConflict) -> bool:
        """Tell whether a version that this device vouches for is sealed under a key that was retired since."""
        return known.authentic and 0 < known.key_id < self._store.keyring.newest.key_id

    def _waits(self, item: Conflict) -> bool:
        """Tell whether a version of the record is still to be sent, perhaps in the place of the listed one."""
        waiting = self._store.outbox.of_records([(item.collection, item.log_id)])
        return any(change.kind == "conflict" for changes in waiting.values() for change in changes)

    def _seal_again(self, known: StoredConflict, listed: list[Conflict]) -> None:
        """Put a version sealed under the newest key in the place of one that the server is not to have, or lost."""
        seen = self._store.history.position()
        if seen is None or known.payload_hash is None:
            return
        outbox, conflicts = self._store.outbox, self._store.conflicts
        outbox.settle(known.payload_hash, (known.collection, known.record_id), "replaced")
        conflicts.remove(known.conflict_id)
        if any(self._is_same(known, item) for item in listed):
            return  # another device did so
        change = self._sealer.seal_version(self._store.keyring, known, seen=seen, now=self._now())
        outbox.add((change,))
        conflicts.sealed(known, change, server_id=None)
        self._again = True

    def _is_same(self, known: StoredConflict, item: Conflict) -> bool:
        """Tell whether a listed version under the newest key says the same as ``known``, about the same revision.

        One that was sent again after a restore is about none any more.
        """
        payload = item.local_version.encrypted_content
        if (item.collection, item.log_id) != (known.collection, known.record_id) or payload is None:
            return False
        if sealed_under(payload) != self._store.keyring.newest.key_id:
            return False
        other = self._opened(item, conflict_id_of(payload_hash(payload)), payload)
        return (
            other.base_revision in (known.base_revision, 0)
            and (other.deleted, other.device_id) == (known.deleted, known.device_id)
            and same_content(other.content, known.content)
        )

    def _opened(self, item: Conflict, conflict_id: str, payload: bytes) -> StoredConflict:
        version = item.local_version
        content = self._sealer.open(
            self._store.keyring,
            collection=item.collection,
            record_id=item.log_id,
            revision=version.base_revision + 1,
            parent=version.parent,
            deleted=version.deleted,
            meta=meta(version.labels, version.source, version.occurred_at),
            payload=payload,
        )
        content.pop("seen", None)
        resolves_of(content)
        device, written_at = writer_of(content)
        key = self._store.keyring.get(sealed_under(payload))
        return StoredConflict(
            conflict_id=conflict_id,
            server_id=item.id,
            collection=item.collection,
            record_id=item.log_id,
            base_revision=version.base_revision,
            deleted=version.deleted,
            # The server's word on both could be anything.
            device_id=device,
            detected_at=written_at,
            own=False,
            state="open",
            content=None if version.deleted else content,
            written_at=written_at,
            sealed_parent=version.parent,
            payload_hash=payload_hash(payload),
            key_id=key.key_id,
            # Where it stands in the history nobody can tell of a version that was refused.
            authentic=key.retired_at is None,
        )


def _sealed(item: Conflict) -> tuple[Conflict, bytes]:
    """Return a listed conflict and its version's payload.

    Raises:
        UnsealedChange: it has none.
    """
    payload = item.local_version.encrypted_content
    if payload is None:
        raise UnsealedChange(f"a conflict about record {item.log_id}")
    return item, payload


def _standing_content(row: StoredRecord) -> dict[str, Any] | None:
    """Return the content of a record as it stands, None for a deleted one."""
    return None if row.deleted or row.doc is None else row.doc.content
