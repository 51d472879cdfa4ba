"""What each door lets into the store: who writes a collection, what its ids look like, what its payloads are."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from lockleaf.wire.problems import ErrorCode
from lockleaf.wire.sync import MAX_PAYLOAD_BYTES, Change

__all__ = ["RecordPolicy", "sync_policy"]

# version ‖ suite ‖ key_id ‖ nonce ‖ tag, and a plaintext of at least the smallest padding: less is no envelope.
_SHORTEST_ENVELOPE = 1 + 1 + 4 + 12 + 16 + 256
_ENVELOPE_VERSION = 1
_SUITES = (1, 2)
_LABEL_HEX = re.compile(r"[0-9a-f]{32}")


def _is_uuid(record_id: str) -> bool:
    try:
        return str(UUID(record_id)) == record_id
    except ValueError:
        return False


def _is_envelope(payload: bytes) -> bool:
    """Tell whether a payload has the frame of an envelope. What is inside, nobody here can tell."""
    return len(payload) >= _SHORTEST_ENVELOPE and payload[0] == _ENVELOPE_VERSION and payload[1] in _SUITES


@dataclass(frozen=True, slots=True)
class RecordPolicy:
    """The rules of one door for one collection.

    Arguments:
        writable: whether this door writes the collection at all.
        is_id: whether a record id is of the collection's form.
        is_payload: whether a payload has the collection's frame.
    """

    writable: bool = True
    is_id: Callable[[str], bool] = lambda record_id: True
    is_payload: Callable[[bytes], bool] = lambda payload: len(payload) > 0

    def refusal(self, change: Change) -> ErrorCode | None:
        """Return why ``change`` may not enter, or None."""
        if not self.writable:
            return ErrorCode.WRONG_DOOR
        if not self.is_id(change.record_id):
            return ErrorCode.INVALID_RECORD_ID
        if len(change.payload) > MAX_PAYLOAD_BYTES:
            return ErrorCode.PAYLOAD_TOO_LARGE
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


def sync_policy(collection: str) -> RecordPolicy:
    """Return the rules of ``/sync/push`` for a collection (PROTOCOL section 6)."""
    return _THROUGH_SYNC.get(collection, _FREE)
