"""Sealing and opening of records (PROTOCOL section 3).

A record's key is its own, and its place is in the associated data: account, collection, id, revision, the revision
before, whether it is a deletion, and the labels, source and date that travel beside it. Bytes that are moved,
renumbered or given another label do not open.
"""

from __future__ import annotations

from dataclasses import dataclass
from struct import Struct
from typing import Any

from lockleaf.crypto.encoding import lp, pack, strict_unpack
from lockleaf.crypto.errors import Malformed
from lockleaf.crypto.frame import AES_256_GCM, Frame, header, open, open_frame, parse, seal
from lockleaf.crypto.keyring import Keyring
from lockleaf.crypto.padding import pad, unpad

__all__ = ["Frame", "RecordContext", "open", "open_record", "parse", "seal", "seal_record"]

_RECORD_AAD = b"lockleaf/1/record-aad"
_HASH = 32
_MAX_REVISION = 2**63 - 1

_revision = Struct(">Q").pack


@dataclass(frozen=True, slots=True)
class RecordContext:
    """The place of one revision of one record: what its seal is bound to.

    Arguments:
        user_id: the account's UUID as lower-case text.
        revision: from 1.
        parent: SHA-256 of the payload of the revision before, 32 zeros for the first.
        deleted: whether this revision is a tombstone.
        meta: ``history.meta`` of what travels in the open beside it, 32 bytes.
    """

    user_id: str
    collection: str
    record_id: str
    revision: int
    parent: bytes
    deleted: bool
    meta: bytes

    def aad(self, head: bytes) -> bytes:
        """Return the associated data behind a frame's six ``head`` bytes.

        Raises:
            Malformed: a revision below 1 or too large, a hash that is not 32 bytes, or a user id in upper case.
        """
        if not 1 <= self.revision <= _MAX_REVISION:
            raise Malformed("a revision is a number from 1")
        if not len(self.parent) == len(self.meta) == _HASH:
            raise Malformed("parent and meta are 32 bytes")
        if self.user_id != self.user_id.lower():
            raise Malformed("a user id is lower-case text")
        return b"".join(
            (
                _RECORD_AAD,
                head,
                lp(self.user_id),
                lp(self.collection),
                lp(self.record_id),
                _revision(self.revision),
                self.parent,
                b"\1" if self.deleted else b"\0",
                self.meta,
            )
        )


def seal_record(
    keyring: Keyring, context: RecordContext, plaintext_map: dict[str, Any], *, suite: int = AES_256_GCM
) -> bytes:
    """Return the payload of a record: ``plaintext_map`` padded and sealed under the newest key, bound to ``context``.

    Raises:
        TooLarge: the packed map is longer than 4 MiB less 64 KiB.
        Malformed: the map has no MessagePack form, or the context or suite is invalid.
    """
    entry = keyring.newest
    key = entry.record_key(context.collection, context.record_id)
    aad = context.aad(header(entry.key_id, suite))
    return seal(key, aad, pad(pack(plaintext_map)), entry.key_id, suite)


def open_record(keyring: Keyring, context: RecordContext, payload: bytes) -> dict[str, Any]:
    """Return the map in a record's ``payload``, every field of it, known or not.

    Raises:
        UnknownKey: the keyring lacks the key that sealed it.
        SealBroken: it was not sealed by this account for just this place, or its bytes were changed.
        Malformed: no frame, or no padded map within.
    """
    frame = parse(payload)
    key = keyring.get(frame.key_id).record_key(context.collection, context.record_id)
    aad = context.aad(header(frame.key_id, frame.suite))
    value = strict_unpack(unpad(open_frame(key, aad, frame)))
    if not isinstance(value, dict):
        raise Malformed("a record holds a map")
    return value
