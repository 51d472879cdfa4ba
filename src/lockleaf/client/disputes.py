"""The server's list of conflicts and this device's, brought together after each sync."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

from lockleaf.client.errors import ConflictResolved, InvalidAnswer, NotFound
from lockleaf.client.merge import same_content
from lockleaf.client.sealer import Sealer, sealed_under, writer_of
from lockleaf.client.store import LocalStore
from lockleaf.client.store.conflicts import StoredConflict, conflict_id_of
from lockleaf.client.store.records import ENTRIES
from lockleaf.client.transport import Transport
from lockleaf.crypto.history import meta, payload_hash
from lockleaf.wire.sync import Conflict, Conflicts, Resolution, ResolutionResult

__all__ = ["Disputes"]

_MOST = 100_000


class Disputes:
    """Learns of other devices' conflicts, and tells the server of decisions made here.

    A decision is an edit and was pushed as one; what remains is to close the server's conflict, for which the record
    as it stands is the right version: ``remote``.
    """

    def __init__(self, store: LocalStore, transport: Transport, sealer: Sealer, *, now: Callable[[], str]) -> None:
        self._store = store
        self._transport = transport
        self._sealer = sealer
        self._now = now
        self._replaced = False

    async def settle(self) -> bool:
        """Fetch the open conflicts, keep the new ones, close the decided ones.

        Returns:
            Whether versions were sealed again after a rotation, and wait to be pushed in the place of those listed.

        Raises:
            SealBroken: a version in a conflict is not what a device of the account sealed.
            InvalidAnswer: the list has no end.
        """
        self._replaced = False
        listed = await self._listed()
        for server_id, conflict_id in await asyncio.to_thread(self._take_over, listed):
            with suppress(ConflictResolved, NotFound):
                await self._transport.request(
                    "POST",
                    f"/sync/conflicts/{server_id}/resolve",
                    body=Resolution(chosen_version="remote"),
                    answer=ResolutionResult,
                )
            await asyncio.to_thread(self._store.conflicts.set_state, conflict_id, "closed")
        return self._replaced

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

    def _take_over(self, listed: list[Conflict]) -> list[tuple[str, str]]:
        """Keep what is listed; return the (server's id, id here) of what is decided."""
        decided: list[tuple[str, str]] = []
        present: set[str] = set()
        with self._store.transaction():
            absorbed = self._store.outbox.absorbed()
            pending = set(self._pending(listed))
            for item in listed:
                version = item.local_version
                if item.collection != ENTRIES or version.encrypted_content is None:
                    continue
                digest = payload_hash(version.encrypted_content)
                conflict_id = conflict_id_of(digest)
                present.add(conflict_id)
                known = self._store.conflicts.get(conflict_id)
                settled = (item.collection, item.log_id) not in pending
                if known is not None and known.state == "open":
                    self._store.conflicts.set_server_id(conflict_id, item.id)
                    if self._is_retired(known):
                        self._seal_again(known, listed)
                elif known is not None or digest in absorbed:
                    if settled and not self._waits(item):
                        decided.append((item.id, conflict_id))
                else:
                    self._store.conflicts.put(self._opened(item, conflict_id, version.encrypted_content))
            for stored in self._store.conflicts.in_state("open", "resolved"):
                if stored.server_id is not None and stored.conflict_id not in present:
                    self._close(stored)
        return decided

    def _is_retired(self, known: StoredConflict) -> bool:
        """Tell whether a version that this device vouches for is sealed under a key that was retired since."""
        return known.authentic and 0 < known.key_id < self._store.keyring.newest.key_id

    def _waits(self, item: Conflict) -> bool:
        """Tell whether a version of the record is still to be sent, perhaps in the place of the listed one."""
        waiting = self._store.outbox.of_records([(item.collection, item.log_id)])
        return any(change.kind == "conflict" for changes in waiting.values() for change in changes)

    def _seal_again(self, known: StoredConflict, listed: list[Conflict]) -> None:
        """Put a version sealed under the newest key in the place of one that a retired key opens."""
        seen = self._store.history.position()
        if seen is None or known.payload_hash is None:
            return
        outbox, conflicts = self._store.outbox, self._store.conflicts
        outbox.settle(known.payload_hash, (known.collection, known.record_id))
        conflicts.remove(known.conflict_id)
        if any(self._is_same(known, item) for item in listed):
            return  # another device did so
        change = self._sealer.seal_version(self._store.keyring, known, seen=seen, now=self._now())
        outbox.add((change,))
        conflicts.put(
            replace(
                known,
                conflict_id=conflict_id_of(change.payload_hash),
                first_id=known.first_id or known.conflict_id,
                server_id=None,
                payload_hash=change.payload_hash,
                key_id=change.key_id,
            )
        )
        self._replaced = True

    def _is_same(self, known: StoredConflict, item: Conflict) -> bool:
        """Tell whether a listed version under the newest key says the same as ``known``, about the same revision."""
        payload = item.local_version.encrypted_content
        if (item.collection, item.log_id) != (known.collection, known.record_id) or payload is None:
            return False
        if sealed_under(payload) != self._store.keyring.newest.key_id:
            return False
        other = self._opened(item, conflict_id_of(payload_hash(payload)), payload)
        return (other.base_revision, other.deleted, other.device_id) == (
            known.base_revision,
            known.deleted,
            known.device_id,
        ) and same_content(other.content, known.content)

    def _pending(self, listed: list[Conflict]) -> list[tuple[str, str]]:
        found = self._store.records.get_many((item.collection, item.log_id) for item in listed)
        return [key for key, record in found.items() if record.pending]

    def _close(self, stored: StoredConflict) -> None:
        """Another device decided. The text written on this one is kept, though it is no longer shown."""
        if stored.own:
            self._store.conflicts.set_state(stored.conflict_id, "closed")
        else:
            self._store.conflicts.remove(stored.conflict_id)

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
        device, written_at = writer_of(content)
        key = self._store.keyring.get(sealed_under(payload))
        return StoredConflict(
            conflict_id=conflict_id,
            server_id=item.id,
            collection=item.collection,
            record_id=item.log_id,
            base_revision=version.base_revision,
            deleted=version.deleted,
            device_id=device or version.device_id,
            detected_at=item.detected_at.isoformat().replace("+00:00", "Z"),
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
