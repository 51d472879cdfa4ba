"""Epochs of a store, and what devices signed about them (PROTOCOL section 5)."""

from __future__ import annotations

from typing import Annotated, Literal

from annotated_types import Len
from pydantic import Field, StringConstraints

from lockleaf.wire.base import Body
from lockleaf.wire.fields import Bytes, DeviceId, Digest, Rfc3339Text, Sequence64

__all__ = ["MAX_STATEMENTS", "Epoch", "EpochName", "Statement", "Statements", "place_of"]

MAX_STATEMENTS = 100
"""Statements that one request brings."""

EpochName = Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=r"^[^\x00]+$")]


class Statement(Body):
    """A device's signed word: an epoch ended (``end``), or the account goes on from it (``accepted``)."""

    kind: Literal["end", "accepted"]
    n: Sequence64 = Field(description="1 + the highest number of any statement that the signer knew.")
    old_epoch: EpochName
    seq: Sequence64 = Field(description="Where the new epoch begins.")
    head: Digest = Field(description="The head of the old epoch there.")
    new_epoch: EpochName
    device_id: DeviceId
    time: Rfc3339Text
    signature: Annotated[Bytes, Len(64, 64)]


class Statements(Body):
    """Statements that a device keeps and the server lacks."""

    statements: Annotated[tuple[Statement, ...], Len(1, MAX_STATEMENTS)]


class Epoch(Body):
    """An epoch of a store: it goes on from ``from_seq``, where the epoch before had ``from_head``."""

    epoch: str
    from_seq: Sequence64
    from_head: Digest
    ended: bool = Field(default=False, description="Its leaves are gone: the feed begins behind it.")
    statements: tuple[Statement, ...] = Field(default=(), description="What devices signed about its beginning.")


def place_of(epoch: Epoch) -> tuple[str, int, bytes]:
    """Return what tells one epoch from another: its name, and where it goes on from."""
    return epoch.epoch, epoch.from_seq, epoch.from_head
