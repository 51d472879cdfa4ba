"""Between what the store holds and what travels: sealing changes, and opening records, for one account."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from typing import Any

from lockleaf.client.errors import SealBroken, UnsealedChange
from lockleaf.client.records.counted import MARK, marked, unmarked
from lockleaf.client.store.open_conflicts import StoredConflict
from lockleaf.client.store.outbox import Outgoing
from lockleaf.client.store.records import ENTRIES, HASH_LENGTH, Document, StoredRecord
from lockleaf.client.store.verified_history import Position
from lockleaf.crypto import errors as crypto_errors
from lockleaf.crypto.envelope import RecordContext, open_record, parse, seal_record
from lockleaf.crypto.history import ZERO, meta, payload_hash
from lockleaf.crypto.keyring import Keyring
from lockleaf.crypto.labels import label
from lockleaf.wire.content import labelled, shared_source
from lockleaf.wire.days import shared_date
from lockleaf.wire.forms import is_device_id, is_rfc3339

__all__ = ["Sealer", "is_envelope", "labels_of", "resolves_of", "sealed_under", "writer_of"]

TOMBSTONE = "deleted"


@lru_cache(maxsize=4096)
def _label(index_key: bytes, kind: str, value: str) -> bytes:
    return label(index_key, kind, value)


def is_envelope(payload: bytes) -> bool:
    """Tell whether a payload has the frame of an envelope."""
    try:
        parse(payload)
    except crypto_errors.Malformed:
        return False
    return True


def sealed_under(payload: bytes) -> int:
    """Return the id of the master key that sealed a payload that was opened already."""
    return parse(payload).key_id


def writer_of(content: dict[str, Any]) -> tuple[str, str]:
    """Take out of an opened map who wrote it, a device id, and when, RFC 3339; `Sealer.open` made sure of both."""
    return content.pop("device"), content.pop("written_at")


def _names_writer(content: dict[str, Any]) -> bool:
    return is_device_id(content.get("device")) and is_rfc3339(content.get("written_at"))


def resolves_of(content: dict[str, Any]) -> frozenset[bytes]:
    """Take out of an opened map the payload hashes (32 bytes each) of decided conflicts, and nothing else."""
    found = content.pop("resolves", None)
    if not isinstance(found, list):
        return frozenset()
    return frozenset(each for each in found if isinstance(each, bytes) and len(each) == HASH_LENGTH)


def labels_of(index_key: bytes, content: dict[str, Any]) -> tuple[bytes, ...]:
    """Return the labels (16 bytes each, sorted) of an entry's mood, tags and source."""
    return tuple(sorted({_label(index_key, kind, value) for kind, value in labelled(content)}))


class Sealer:
    """Seals and opens records of one account.

    Args:
        user_id: the account's UUID as lower-case text.
        device_id: of this device, which is sealed in as the writer; absent where nothing is sealed.
        share_dates: whether the server may know the date and source of entries.
        census: under whose key entries are counted that are sealed from now on; None: they are not.
        labels: whether entries bear labels by which the server filters.
    """

    def __init__(
        self,
        user_id: str,
        *,
        device_id: str = "",
        share_dates: bool = False,
        census: str | None = None,
        labels: bool = True,
    ) -> None:
        self.user_id = user_id
        self.device_id = device_id
        self.share_dates = share_dates
        self.census = census
        self.labels = labels

    def seal(self, keyring: Keyring, record: StoredRecord, *, seen: Position, now: str) -> Outgoing:
        """Return the present content of ``record`` sealed as the change that follows its base.

        Args:
            seen: the end of the verified history, which is sealed in for other devices to check.
            now: the present time, RFC 3339.
        """
        content = None if record.deleted or record.doc is None else record.doc.content
        counted = self.census if record.collection == ENTRIES else None
        # Written when its user wrote it, however long it waited to be sealed; of a deletion no time is kept.
        written_at = now if content is None or record.doc is None else record.doc.updated_at
        return self._sealed(
            keyring, record, content, seen=seen, counted=counted, device=self.device_id, written_at=written_at
        )

    def seal_again(self, keyring: Keyring, record: StoredRecord, *, seen: Position, now: str) -> Outgoing:
        """Return the content that the server has of ``record`` sealed anew; its writer and its time stay.

        Args:
            seen, now: as for `seal`; ``now`` where the time of writing is not known.
        """
        content = record.base if record.pending else record.doc.content if record.doc is not None else None
        sealed = self._sealed(
            keyring,
            record,
            content,
            seen=seen,
            counted=None,
            device=record.device or self.device_id,
            written_at=record.written_at or now,
        )
        return replace(sealed, resealed=True)

    def seal_version(self, keyring: Keyring, conflict: StoredConflict, *, seen: Position, now: str) -> Outgoing:
        """Return a version that waits as a conflict sealed anew, as the version of the same revision.

        Args:
            seen, now: as for `seal_again`.
        """
        record = StoredRecord(
            conflict.collection,
            conflict.record_id,
            base_revision=conflict.base_revision,
            base_hash=conflict.sealed_parent or ZERO,
            doc=None if conflict.content is None else Document(conflict.content, now, now),
        )
        sealed = self._sealed(
            keyring,
            record,
            conflict.content,
            seen=seen,
            counted=None,
            device=conflict.device_id,
            written_at=conflict.written_at or now,
        )
        return replace(sealed, kind="conflict")

    def _sealed(
        self,
        keyring: Keyring,
        record: StoredRecord,
        content: dict[str, Any] | None,
        *,
        seen: Position,
        counted: str | None,
        device: str,
        written_at: str,
    ) -> Outgoing:
        labels = () if content is None or not self.labels else labels_of(keyring.index_key, content)
        source = occurred_at = None
        if content is not None and self.share_dates:
            source = shared_source(content)
            occurred_at = shared_date(content)
        context = RecordContext(
            self.user_id,
            record.collection,
            record.record_id,
            record.base_revision + 1,
            record.base_hash,
            content is None,
            meta(labels, source, occurred_at),
        )
        head: dict[str, Any] = {"seen": [seen.epoch, seen.seq, seen.head], "device": device, "written_at": written_at}
        if record.resolves:
            head["resolves"] = sorted(record.resolves)
        plaintext: dict[str, Any] = {"type": TOMBSTONE} if content is None else content
        if counted is not None:
            plaintext = self._counted(record, content, counted)
        try:
            payload = seal_record(keyring, context, plaintext | head)
        except crypto_errors.TooLarge:
            if counted is None or content is None:
                raise
            # The longest entries have no room for a mark, and stay out of the sums.
            counted, plaintext = None, content
            payload = seal_record(keyring, context, plaintext | head)
        return Outgoing(
            payload_hash=payload_hash(payload),
            collection=record.collection,
            record_id=record.record_id,
            kind="edit",
            base_revision=record.base_revision,
            parent=record.base_hash,
            payload=payload,
            labels=labels,
            source=source,
            occurred_at=occurred_at,
            deleted=content is None,
            client_updated_at=written_at,
            generation=record.generation,
            content=None if content is None else plaintext,
            counted=counted,
            device=device,
        )

    def _counted(self, record: StoredRecord, content: dict[str, Any] | None, census: str) -> dict[str, Any]:
        """What is sealed of an entry, with the mark of what stands in the sums once this change is counted."""
        if content is None or record.doc is None:
            return {"type": TOMBSTONE, MARK: {"census": census}}
        return unmarked(content) | {MARK: marked(content, record.doc.created_at, census)}

    def open(
        self,
        keyring: Keyring,
        *,
        collection: str,
        record_id: str,
        revision: int,
        parent: bytes,
        deleted: bool,
        meta: bytes,
        payload: bytes,
    ) -> dict[str, Any]:
        """Return the map in a payload that a server gave for this place.

        Raises:
            UnsealedChange: it is no envelope, so that anybody can have made it.
            SealBroken: it was not sealed by this account for it, or does not name its writer and the time of writing,
                as every device does: what is not sealed could be anything.
        """
        if not is_envelope(payload):
            raise UnsealedChange(f"record {record_id}")
        context = RecordContext(self.user_id, collection, record_id, revision, parent, deleted, meta)
        try:
            content = open_record(keyring, context, payload)
        except (crypto_errors.SealBroken, crypto_errors.Malformed):
            raise SealBroken(f"record {record_id}") from None
        if deleted != (content.get("type") == TOMBSTONE) or not _names_writer(content):
            raise SealBroken(f"record {record_id}")
        return content
