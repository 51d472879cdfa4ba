"""The verifiable history: hashes that bind every change of an account to all changes before it (PROTOCOL section 5).

Server and client compute the same; the server does so for each change that it writes. Every variable part is either of
fixed width, which is checked, or behind its length, so no two changes share a preimage.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from hashlib import sha256
from struct import Struct

from lockleaf.crypto.encoding import lp, u64
from lockleaf.crypto.errors import Malformed

__all__ = ["ZERO", "epoch_head", "leaf", "meta", "next_head", "payload_hash"]

ZERO = bytes(32)
"""The parent of a first revision, and the head before the first epoch."""

_LEAF = b"lockleaf/1/leaf"
_HEAD = b"lockleaf/1/head"
_EPOCH = b"lockleaf/1/epoch"
_META = b"lockleaf/1/meta"

_HASH = 32
_sequence_and_length = Struct(">QI").pack
_length = Struct(">I").pack
_u64 = Struct(">Q").pack

# Most records have no labels, source or date in the open.
_EMPTY_META = sha256(_META + u64(0) + lp(b"") + lp(b"")).digest()


def payload_hash(payload: bytes) -> bytes:
    """Return the SHA-256 of a ``payload``: the ``parent`` of the revision that follows it."""
    return sha256(payload).digest()


def meta(labels: Sequence[bytes], source: str | None, occurred_at: str | None) -> bytes:
    """Return the 32-byte hash of what travels in the open beside a payload.

    Arguments:
        labels: in any order; they are hashed sorted.
        source: as uploaded; absent and empty are the same.
        occurred_at: the exact RFC 3339 text as uploaded; absent and empty are the same.

    Raises:
        Malformed: a label occurs twice.
    """
    if not labels and not source and not occurred_at:
        return _EMPTY_META
    if len(set(labels)) != len(labels):
        raise Malformed("a label occurs twice")
    parts = [_META, _u64(len(labels)), *map(lp, sorted(labels)), lp(source or ""), lp(occurred_at or "")]
    return sha256(b"".join(parts)).digest()


def leaf(
    seq: int,
    collection: str,
    record_id: str,
    revision: int,
    parent: bytes,
    meta: bytes,
    payload_hash: bytes,
    deleted: bool,
) -> bytes:
    """Return the 32-byte hash of one change, as the account's ``seq``-th.

    Arguments:
        seq, revision: 0 .. 2**64 - 1.
        parent, meta, payload_hash: 32 bytes each.

    Raises:
        Malformed: a number out of range, a hash of another length, or text without a UTF-8 form.
    """
    if not len(parent) == len(meta) == len(payload_hash) == _HASH:
        raise Malformed("a hash in a leaf is not 32 bytes")
    try:
        name = collection.encode()
        key = record_id.encode()
        preimage = (
            _LEAF,
            _sequence_and_length(seq, len(name)),
            name,
            _length(len(key)),
            key,
            _u64(revision),
            parent,
            meta,
            payload_hash,
            b"\1" if deleted else b"\0",
        )
    except (struct.error, UnicodeEncodeError):
        raise Malformed("a number or a name in a leaf is out of range") from None
    return sha256(b"".join(preimage)).digest()


def next_head(head: bytes, leaf: bytes) -> bytes:
    """Return the head after ``leaf`` joined ``head``, 32 bytes each.

    Raises:
        Malformed: one of them is not 32 bytes.
    """
    if not len(head) == len(leaf) == _HASH:
        raise Malformed("a head or a leaf is not 32 bytes")
    return sha256(_HEAD + head + leaf).digest()


def epoch_head(epoch: str, k: int, head_k: bytes) -> bytes:
    """Return the head with which an ``epoch`` begins.

    Arguments:
        epoch: its name.
        k: the sequence number from which it goes on, 0 for the first.
        head_k: the head of the epoch before at ``k``, ``ZERO`` for the first.

    Raises:
        Malformed: ``k`` out of range or ``head_k`` not 32 bytes.
    """
    if len(head_k) != _HASH:
        raise Malformed("a head is not 32 bytes")
    return sha256(_EPOCH + lp(epoch) + u64(k) + head_k).digest()
