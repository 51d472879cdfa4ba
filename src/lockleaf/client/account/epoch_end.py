"""The end of the account's history, as a rotation names it: where the key that wrote until now ends."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable

from pydantic import BaseModel, ConfigDict, ValidationError

from lockleaf.client.account import privacy_tiers
from lockleaf.client.device.device import Device
from lockleaf.client.errors import HistoryForked, HistoryMoved, InvalidAnswer
from lockleaf.client.store import LocalStore
from lockleaf.crypto.errors import Malformed
from lockleaf.crypto.history import ZERO, epoch_head
from lockleaf.crypto.history_place import HistoryPlace
from lockleaf.wire.fields import Digest, Sequence64

__all__ = ["ATTEMPTS", "UNKNOWN", "CatchUp", "PresentEnd", "claimed_end"]

CatchUp = Callable[[], Awaitable[object]]
"""Brings the store to the verified end of the server's history, with everything that was written here sent."""

ATTEMPTS = 25
"""How often a keyring is made for an end that has moved by the time it is written."""

UNKNOWN = HistoryPlace("unknown", 0, ZERO)
"""Stands for an end that is not known; a server answers it with the one that it has."""


class _Claimed(BaseModel):
    """The end that a server names when it refuses another."""

    model_config = ConfigDict(extra="ignore", hide_input_in_errors=True)

    epoch: str
    seq: Sequence64
    head: Digest


class PresentEnd:
    """Looks for the end, again each time that somebody wrote meanwhile.

    Args:
        device: this device.
        sync: see `CatchUp`.
    """

    def __init__(self, device: Device, sync: CatchUp) -> None:
        self._device = device
        self._sync = sync
        self._claimed: HistoryPlace | None = None
        self._refusals = 0

    async def find(self) -> HistoryPlace:
        """Return the end of the history as this device has verified it.

        Raises:
            HistoryForked: the server names an end, without holding records, that does not follow what is known here.
            IntegrityError, TransportError, ApiError, LocalStoreError: as for a sync.
        """
        if (await privacy_tiers.show(self._device)).current_tier == "full_sync":
            await self._sync()
            position = await asyncio.to_thread(self._device.opened.store.history.position)
            if position is None:
                raise InvalidAnswer
            return HistoryPlace(position.epoch, position.seq, position.head)
        return await asyncio.to_thread(self._without_records)

    def moved(self, refusal: HistoryMoved) -> None:
        """Take note that the history did not end there.

        Raises:
            HistoryMoved: it was refused too often.
        """
        self._refusals += 1
        if self._refusals == ATTEMPTS:
            raise refusal
        self._claimed = claimed_end(refusal)

    def _without_records(self) -> HistoryPlace:
        """Return the end of a history to which nothing is written at this tier: an epoch that has only begun."""
        store = self._device.opened.store
        if self._claimed is not None:
            _require_beginning(store, self._claimed)
            return self._claimed
        position = store.history.position()
        if position is not None:
            return HistoryPlace(position.epoch, position.seq, position.head)
        return UNKNOWN


def claimed_end(refusal: HistoryMoved) -> HistoryPlace:
    """Return the end of the history that a server names when it refuses another.

    Raises:
        InvalidAnswer: it names none.
    """
    try:
        claimed = _Claimed.model_validate_json(json.dumps(refusal.facts))
        return HistoryPlace(claimed.epoch, claimed.seq, claimed.head)
    except (ValidationError, Malformed):
        raise InvalidAnswer from None


def _require_beginning(store: LocalStore, end: HistoryPlace) -> None:
    """Make sure that a claimed end is the beginning of an epoch, behind a head that was verified here."""
    heads = store.history.heads_at(end.seq) | {item.from_head for item in store.history.epochs()}
    if end.seq == 0:
        heads.add(ZERO)
    if not any(epoch_head(end.epoch, end.seq, head) == end.head for head in heads):
        raise HistoryForked("the server's history ends where this device has verified nothing")
