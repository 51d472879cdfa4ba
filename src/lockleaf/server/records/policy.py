"""What each endpoint lets into the store: who writes a collection, what its ids look like, what its payloads are."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from lockleaf.wire.problems import ErrorCode
from lockleaf.wire.sync import Change

__all__ = [
    "RecordPolicy",
    "bytes_needed",
    "endpoint_policy",
    "is_unsealed",
    "opaque_policy",
    "sealed_under",
    "sync_policy",
]

# version ‖ suite ‖ key_id ‖ nonce ‖ tag, and a plaintext of at least the smallest padding: less is no envelope.
_SHORTEST_ENVELOPE = 1 + 1 + 4 + 12 + 16 + 256
_ENVELOPE_VERSION = 1
_SUITES = (1, 2)
_SMALL_MAP = 0x8
_MAPS = (0xDE, 0xDF)
_KEY_ID = slice(2, 6)
_SEALED = frozenset({"entries", "tags", "x-lockleaf"})
"""The collections whose payloads are envelopes; the last one holds what the account's devices have chosen."""
# A tombstone says little more than that it is one, and is padded like everything.
_LARGEST_TOMBSTONE = 4096
_LABEL_HEX = re.compile(r"[0-9a-f]{32}")


def _is_uuid(record_id: str) -> bool:
    try:
        return str(UUID(record_id)) == record_id
    except ValueError:
        return False


def _is_envelope(payload: bytes) -> bool:
    """Tell whether a payload has the frame of an envelope. What is inside, nobody here can tell."""
    return len(payload) >= _SHORTEST_ENVELOPE and payload[0] == _ENVELOPE_VERSION and payload[1] in _SUITES


def _is_map(payload: bytes) -> bool:
    """Tell whether a payload begins as a MessagePack map does; no envelope does."""
    return len(payload) > 0 and (payload[0] >> 4 == _SMALL_MAP or payload[0] in _MAPS)


def is_unsealed(collection: str, payload: bytes) -> bool:
    """Tell whether a payload is no envelope in a collection in which each one is, where an account has a keyring."""
    return collection in _SEALED and not _is_envelope(payload)


def sealed_under(collection: str, payload: bytes) -> int | None:
    """Return the id of the master key that sealed a payload, as its header says; None where it is no envelope."""
    if collection not in _SEALED or not _is_envelope(payload):
        return None
    return int.from_bytes(payload[_KEY_ID], "big")


@dataclass(frozen=True, slots=True)
class RecordPolicy:
    """The rules of one endpoint for one collection.

    Arguments:
        writable: whether this endpoint writes the collection at all.
        is_id: whether a record id is of the collection's form.
        is_payload: whether a payload has the collection's frame.
        unsealed_deletion: whether a deletion may come without a payload: made by the server, or by an older client.
            In the collections of envelopes that holds for accounts without a keyring alone (PROTOCOL section 3).
    """

    writable: bool = True
    is_id: Callable[[str], bool] = lambda record_id: True
    is_payload: Callable[[bytes], bool] = lambda payload: len(payload) > 0
    unsealed_deletion: bool = False

    def refusal(self, change: Change, *, most_bytes: int) -> ErrorCode | None:
        """Return why ``change``, whose payload may have ``most_bytes``, may not enter, or None."""
        if not self.writable:
            return ErrorCode.WRONG_DOOR
        if not self.is_id(change.record_id):
            return ErrorCode.INVALID_RECORD_ID
        if len(change.payload) > most_bytes:
            return ErrorCode.PAYLOAD_TOO_LARGE
        if self.unsealed_deletion and change.deleted and not change.payload:
            return None
        if not self.is_payload(change.payload):
            return ErrorCode.MALFORMED_PAYLOAD
        return None


_THROUGH_SYNC = {
    "entries": RecordPolicy(is_id=_is_uuid, is_payload=_is_envelope),
    "tags": RecordPolicy(is_id=lambda record_id: _LABEL_HEX.fullmatch(record_id) is not None, is_payload=_is_envelope),
    "vault": RecordPolicy(writable=False),
    "backups": RecordPolicy(writable=False),
}
_FREE = RecordPolicy()


_THROUGH_ENDPOINTS = {
    "entries": RecordPolicy(is_id=_is_uuid, is_payload=_is_envelope, unsealed_deletion=True),
    "tags": RecordPolicy(is_id=lambda record_id: _LABEL_HEX.fullmatch(record_id) is not None, unsealed_deletion=True),
    "vault": RecordPolicy(unsealed_deletion=True),
    "backups": RecordPolicy(unsealed_deletion=True),
}
_AS_THEY_CAME = _THROUGH_ENDPOINTS | {
    "entries": RecordPolicy(is_id=_is_uuid, is_payload=_is_map, unsealed_deletion=True)
}
_CLOSED = RecordPolicy(writable=False)


def bytes_needed(change: Change) -> int:
    """Return how many bytes of an account's quota a change takes. Deletions take none: they free it."""
    size = len(change.payload)
    return 0 if change.deleted and size <= _LARGEST_TOMBSTONE else size


def sync_policy(collection: str) -> RecordPolicy:
    """Return the rules of ``/sync/push`` for a collection (PROTOCOL section 6)."""
    return _THROUGH_SYNC.get(collection, _FREE)


def endpoint_policy(collection: str) -> RecordPolicy:
    """Return the rules for a collection's own endpoint: the server makes some payloads, and deletions without one."""
    return _THROUGH_ENDPOINTS.get(collection, _CLOSED)


def opaque_policy(collection: str) -> RecordPolicy:
    """Return the rules of the endpoints where the server packed an entry's fields as they came."""
    return _AS_THEY_CAME.get(collection, _CLOSED)
