"""The server's list of conflicts and this device's, brought together after each sync."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from lockleaf.client.errors import ConflictResolved, InvalidAnswer, NotFound
from lockleaf.client.sealer import Sealer
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

    def __init__(self, store: LocalStore, transport: Transport, sealer: Sealer) -> None:
        self._store = store
        self._transport = transport
        self._sealer = sealer

    async def settle(self) -> None:
        """Fetch the open conflicts, keep the new ones, close the decided ones.

        Raises:
            SealBroken: a version in a conflict is not what a device of the account sealed.
            InvalidAnswer: the list has no end.
        """
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
                elif known is not None or digest in absorbed:
                    if settled:
                        decided.append((item.id, conflict_id))
                else:
                    self._store.conflicts.put(self._opened(item, conflict_id, version.encrypted_content))
            for stored in self._store.conflicts.in_state("open", "resolved"):
                if stored.server_id is not None and stored.conflict_id not in present:
                    self._close(stored)
        return decided

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
        return StoredConflict(
            conflict_id=conflict_id,
            server_id=item.id,
            collection=item.collection,
            record_id=item.log_id,
            base_revision=version.base_revision,
            deleted=version.deleted,
            device_id=version.device_id,
            detected_at=item.detected_at.isoformat().replace("+00:00", "Z"),
            own=False,
            state="open",
            content=None if version.deleted else content,
        )
