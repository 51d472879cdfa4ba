"""What a device of the account signs about two epochs: that one ended, or that another goes on from it.

No device believes a new epoch on the server's word (PROTOCOL section 5, Epochs). An end is signed by the device that
lowers the tier, an acceptance by the first device whose user agreed to go on after a restore.
"""

from __future__ import annotations

from hashlib import sha256
from typing import Final, Literal

from lockleaf.crypto.encoding import lp, u64
from lockleaf.crypto.errors import Malformed

__all__ = ["ACCEPTED", "END", "StatementKind", "statement_id", "statement_message"]

StatementKind = Literal["end", "accepted"]
END: Final = "end"
ACCEPTED: Final = "accepted"

_LABELS: dict[str, bytes] = {END: b"lockleaf/1/epoch-end", ACCEPTED: b"lockleaf/1/epoch-accepted"}
_HASH = 32


def statement_message(
    kind: StatementKind,
    user_id: str,
    n: int,
    old_epoch: str,
    seq: int,
    head: bytes,
    new_epoch: str,
    device_id: str,
    time: str,
) -> bytes:
    """Return the bytes that are signed.

    Arguments:
        kind: ``end``: the account gave up what ``old_epoch`` held; ``accepted``: it goes on from there.
        user_id: the account's UUID as lower-case text.
        n: 1 + the highest number of any statement that the signer knows.
        seq: where ``new_epoch`` begins: k.
        head: 32 bytes, the head of ``old_epoch`` at ``seq``.
        time: RFC 3339 text, as it is posted.

    Raises:
        Malformed: an unknown kind, ``head`` is not 32 bytes, or a number does not fit.
    """
    if kind not in _LABELS:
        raise Malformed("a statement about an epoch is an end or an acceptance")
    if len(head) != _HASH:
        raise Malformed("a head is not 32 bytes")
    parts = (
        _LABELS[kind],
        lp(user_id),
        u64(n),
        lp(old_epoch),
        u64(seq),
        head,
        lp(new_epoch),
        lp(device_id),
        lp(time),
    )
    return b"".join(parts)


def statement_id(
    kind: StatementKind, user_id: str, n: int, old_epoch: str, seq: int, head: bytes, new_epoch: str
) -> bytes:
    """Return 32 bytes that are equal for statements which say the same, whichever device signed them, and when.

    Raises:
        Malformed: see ``statement_message``.
    """
    return sha256(statement_message(kind, user_id, n, old_epoch, seq, head, new_epoch, "", "")).digest()
