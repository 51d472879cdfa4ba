"""What becomes of the changes of one push: each is compared with the record that it follows, and given its place."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from lockleaf.crypto import history
from lockleaf.server.records.batches import Accepted
from lockleaf.server.records.outcomes import Outcome
from lockleaf.server.records.policy import RecordPolicy, bytes_needed, is_unsealed, sealed_under
from lockleaf.server.records.repository import RecordRepository, State
from lockleaf.wire.problems import ErrorCode
from lockleaf.wire.sync import MAX_BATCH_BYTES, Change, pack_record

__all__ = ["Comparison"]

_NUMBERS = 16
"""Bytes by which a record may grow since its numbers do."""

_NONE = State(revision=0, seq=0, payload_hash=history.ZERO, created_at=None)


class Comparison:
    """The changes of one push while each is compared with the record that it follows."""

    def __init__(
        self,
        changes: Sequence[Change],
        seq: int,
        head: bytes,
        states: dict[tuple[str, str], State],
        now: datetime,
        quota: int | None,
        key_id: int,
        most_bytes: int,
    ) -> None:
        self.changes = changes
        self.key_id = key_id
        self.start = (seq, head)
        self.seq = seq
        self.head = head
        self.states = states
        self.now = now
        self.quota = quota
        self.most_bytes = most_bytes
        self.accepted: list[Accepted] = []
        self.outcomes: list[Outcome] = []
        self.refused = False
        self.added = 0
        """Bytes that the account holds more."""
        self.in_batch: dict[tuple[str, str, int, bytes], int] = {}
        self.late: list[int] = []
        """Positions of changes whose record has moved on: conflicts, or retries of what was accepted long ago."""
        self.behind: set[int] = set()
        """Those of them that would have made a revision before the present one. The others are known not to have."""

    def compare(self, policy: Callable[[str], RecordPolicy]) -> None:
        """Compare each change with the record it follows, and give those that do their place in the history."""
        for position, change in enumerate(self.changes):
            state = self.states.get((change.collection, change.record_id), _NONE)
            most_bytes = self._most_bytes(change, state)
            refusal = self._unsealed(change) or policy(change.collection).refusal(change, most_bytes=most_bytes)
            if refusal is not None:
                limit = self.most_bytes if refusal == ErrorCode.PAYLOAD_TOO_LARGE else None
                self.outcomes.append(Outcome("rejected", code=refusal, limit_bytes=limit))
                continue
            payload_hash = history.payload_hash(change.payload)
            key_id = sealed_under(change.collection, change.payload)
            if change.base_revision + 1 == state.revision and payload_hash == state.payload_hash:
                self.outcomes.append(Outcome("unchanged", seq=state.seq, revision=state.revision))
            elif key_id is not None and key_id < self.key_id:
                self.outcomes.append(Outcome("rejected", code=ErrorCode.KEY_RETIRED))
            elif change.base_revision == state.revision:
                self._follow(change, state, payload_hash, key_id)
            else:
                self.late.append(position)
                if change.base_revision + 1 < state.revision:
                    self.behind.add(position)
                self.outcomes.append(Outcome("conflict"))

    def _most_bytes(self, change: Change, state: State) -> int:
        """Return how long a change's payload may be: what is there can be edited, and sealed anew, under a lower limit.

        It does not grow thereby, but for its labels and the length of its numbers.
        """
        size = len(change.payload)
        if size <= self.most_bytes or size > state.size:
            return self.most_bytes
        bare = change.model_copy(update={"labels": (), "source": None, "occurred_at": None})
        packed = pack_record(bare, seq=state.seq, created_at=self.now, updated_at=self.now)
        return size if len(packed) <= state.size + _NUMBERS else self.most_bytes

    def _unsealed(self, change: Change) -> ErrorCode | None:
        """Return why a change may not enter an account that has a keyring, whatever the endpoint, or None."""
        return ErrorCode.SEAL_REQUIRED if self.key_id > 0 and is_unsealed(change.collection, change.payload) else None

    def _follow(self, change: Change, state: State, payload_hash: bytes, key_id: int | None) -> None:
        if change.parent != state.payload_hash:
            self.outcomes.append(Outcome("rejected", code=ErrorCode.PARENT_MISMATCH))
            return
        if not self._take_quota(change, state):
            self.outcomes.append(Outcome("rejected", code=ErrorCode.QUOTA_EXCEEDED))
            return
        self.seq += 1
        created_at = state.created_at or self.now
        accepted = Accepted(
            seq=self.seq,
            collection=change.collection,
            record_id=change.record_id,
            revision=state.revision + 1,
            parent=change.parent,
            meta=history.meta(change.labels, change.source, change.occurred_at),
            payload_hash=payload_hash,
            deleted=change.deleted,
            labels=change.labels,
            source=change.source,
            occurred_at=_instant(change.occurred_at),
            local_at=_local(change.occurred_at) if change.collection == "entries" else None,
            device_id=change.device_id,
            created_at=created_at,
            packed=pack_record(change, seq=self.seq, created_at=created_at, updated_at=self.now),
            key_id=key_id,
        )
        self.head = history.next_head(
            self.head,
            history.leaf(
                accepted.seq,
                accepted.collection,
                accepted.record_id,
                accepted.revision,
                accepted.parent,
                accepted.meta,
                payload_hash,
                accepted.deleted,
            ),
        )
        self.accepted.append(accepted)
        self.added += len(accepted.packed)
        if state.key_id is not None and state.key_id < self.key_id:
            self.added -= state.size  # such a revision is not kept: batches.py
        key = (change.collection, change.record_id)
        self.states[key] = State(
            accepted.revision, accepted.seq, payload_hash, created_at, key_id, len(accepted.packed)
        )
        self.in_batch[(*key, accepted.revision, payload_hash)] = accepted.seq
        self.outcomes.append(Outcome("applied", accepted.seq, accepted.revision, packed=accepted.packed))

    def _take_quota(self, change: Change, state: State = _NONE) -> bool:
        """Take the bytes of a change from the quota; tell whether there are enough.

        What a retired key sealed gives up its own to what replaces it: a rotation goes through in a full account.
        """
        needed = bytes_needed(change)
        if state.key_id is not None and state.key_id < self.key_id:
            needed = max(0, needed - state.size)
        if self.quota is None or needed == 0:
            return True
        if needed > self.quota:
            return False
        self.quota -= needed
        return True

    async def recognise_retries(self, repository: RecordRepository) -> None:
        """Answer `unchanged` for what was accepted before the record moved on: a retry is never a conflict."""
        wanted = {}
        for position in self.late:
            change = self.changes[position]
            payload_hash = history.payload_hash(change.payload)
            wanted[position] = (change.collection, change.record_id, change.base_revision + 1, payload_hash)
        found = await repository.earlier([wanted[p] for p in self.behind]) if self.behind else {}
        remaining = []
        for position in self.late:
            seq = found.get(wanted[position]) or self.in_batch.get(wanted[position])
            if seq is None:
                remaining.append(position)
            else:
                self.outcomes[position] = Outcome("unchanged", seq=seq, revision=wanted[position][2])
        self.late = remaining

    def refuse(self) -> None:
        """Take back every place that was given."""
        for outcome in self.outcomes:
            if outcome.status == "applied":
                outcome.status, outcome.seq, outcome.revision = "rejected", None, None
                outcome.code = ErrorCode.BATCH_REFUSED
        self.refused = True
        self.accepted.clear()
        self.added = 0
        self.seq, self.head = self.start

    async def keep_conflicts(self, repository: RecordRepository) -> bool:
        """Store the refused payloads whose senders asked for it; tell whether any was new."""
        asked = [p for p in self.late if self.changes[p].on_conflict == "keep"]
        positions = [p for p in asked if self._take_quota(self.changes[p])]
        for position in {*asked} - {*positions}:
            self.outcomes[position] = Outcome("rejected", code=ErrorCode.QUOTA_EXCEEDED)
            self.late.remove(position)
        if not positions:
            return False
        kept, any_new = await repository.keep_conflicts([self.changes[p] for p in positions], now=self.now)
        for position, conflict_id in zip(positions, kept, strict=True):
            self.outcomes[position].conflict_id = str(conflict_id)
        return any_new

    async def attach_current(self, repository: RecordRepository) -> None:
        """Give each conflict the record as it is now, as long as they fit: small changes can meet large ones."""
        shown: dict[int, tuple[str, str]] = {}
        size = 0
        for position in self.late:
            key = (self.changes[position].collection, self.changes[position].record_id)
            if size < MAX_BATCH_BYTES:
                shown[position] = key
                size += self.states.get(key, _NONE).size
        if shown:
            current = await repository.current(shown.values())
            for position, key in shown.items():
                self.outcomes[position].current = current.get(key)


def _instant(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text).astimezone(UTC)


def _local(text: str | None) -> datetime | None:
    """The local time of an entry as it is stored: what its clock showed, as if it were UTC."""
    return None if text is None else datetime.fromisoformat(text).replace(tzinfo=UTC)
