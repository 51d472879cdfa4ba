"""What the writer of an edit saw: the base on which the edit is merged, and the version that names it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from lockleaf.client.records.merge import said
from lockleaf.crypto.encoding import lp, pack
from lockleaf.crypto.history import ZERO

__all__ = ["Base"]

_LABEL = b"lockleaf/1/version"
_LENGTH = 16


@dataclass(frozen=True, slots=True)
class Base:
    """An entry as it was shown.

    Attributes:
        record_id: whose it is.
        content: its map; of a deleted one the last that is known.
        deleted: whether it was shown as deleted.
        revision, payload_hash: the server's revision that this content is or follows; 0 and zeros before the first.
        whole: whether ``content`` is the whole map, fields that this program does not know included.
    """

    record_id: str
    content: Mapping[str, Any]
    deleted: bool = False
    revision: int = 0
    payload_hash: bytes = ZERO
    whole: bool = True

    @property
    def version(self) -> str | None:
        """The name of exactly this content, 32 hexadecimal digits: the same on every device, and after a sync too.

        None where the content is not whole.
        """
        if not self.whole:
            return None
        state = b"\1" if self.deleted else b"\0"
        packed = pack(_sorted(said(self.content)))
        return sha256(_LABEL + lp(self.record_id) + state + packed).digest()[:_LENGTH].hex()


def _sorted(value: Any) -> Any:
    """Return a value whose maps list their keys in one order."""
    if isinstance(value, Mapping):
        return {key: _sorted(value[key]) for key in sorted(value)}
    return [_sorted(each) for each in value] if isinstance(value, list | tuple) else value
