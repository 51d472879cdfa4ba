"""A place of the history, as a keyring names it (PROTOCOL section 2)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from lockleaf.crypto.errors import Malformed
from lockleaf.crypto.hkdf import KEY_LENGTH

__all__ = ["HistoryPlace", "place_of"]

_FIELDS = {"epoch", "seq", "head"}
_MAX_EPOCH = 64
_MAX_SEQ = 2**63 - 1


@dataclass(frozen=True, slots=True)
class HistoryPlace:
    """A place of the history: the last one at which a key may have sealed or signed anything, or before it could.

    Arguments:
        epoch: the name of the epoch, 1 to 64 bytes.
        seq: 0 .. 2**63 - 1.
        head: 32 bytes, the head at ``seq`` in that epoch.

    Raises:
        Malformed: one of them is not so.
    """

    epoch: str
    seq: int
    head: bytes

    def __post_init__(self) -> None:
        if not isinstance(self.epoch, str) or not 1 <= len(self.epoch.encode("utf-8", "replace")) <= _MAX_EPOCH:
            raise Malformed("an epoch's name has 1 to 64 bytes")
        if type(self.seq) is not int or not 0 <= self.seq <= _MAX_SEQ:
            raise Malformed("a sequence number is from 0 to 2**63 - 1")
        if not isinstance(self.head, bytes) or len(self.head) != KEY_LENGTH:
            raise Malformed("a head is 32 bytes")

    def to_map(self) -> dict[str, Any]:
        """Return it as a keyring holds it."""
        return {"epoch": self.epoch, "seq": self.seq, "head": self.head}


def place_of(item: Any) -> HistoryPlace:
    """Return the place that stands in a keyring.

    Raises:
        Malformed: it is not a place of the history.
    """
    if not isinstance(item, dict) or item.keys() != _FIELDS:
        raise Malformed("a place of the history is an epoch, a seq and a head")
    return HistoryPlace(item["epoch"], item["seq"], item["head"])
