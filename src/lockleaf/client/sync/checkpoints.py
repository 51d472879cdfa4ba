"""Checkpoints: each device signs the history that it verified, and checks what the others signed."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from lockleaf.client.errors import CheckpointOutdated, HistoryForked, RetiredKey
from lockleaf.client.errors.claims import RememberedCheckpoint
from lockleaf.client.history.signers import signer_of
from lockleaf.client.history.verification import Chain
from lockleaf.client.sync.syncing_device import SyncingDevice
from lockleaf.crypto.identity import checkpoint_message, sign
from lockleaf.wire.sync import Checkpoint, Checkpoints

__all__ = ["CheckpointExchange"]


class CheckpointExchange(SyncingDevice):
    """Posts this device's checkpoint and checks the others'."""

    async def confer(self, chain: Chain) -> None:
        """Check the others' checkpoints against the verified history, then sign its end.

        Raises:
            HistoryForked: a device of the account signed another history, or nobody of the account signed.
        RetiredKey: a retired key signed one that goes beyond the end of that key.
        """
        answer = await self.transport.request("GET", "/sync/checkpoints", answer=Checkpoints)
        await asyncio.to_thread(self._check, chain, answer.items)
        await self._post(chain)

    def check_remembered(self, chain: Chain, remembered: Iterable[RememberedCheckpoint]) -> None:
        """Check what others signed before this pull began: the history must have reached it.

        Raises:
            HistoryForked: it has not, or is another.
        """
        position = chain.position
        for item in set(remembered) - chain.passed_over:
            agrees = chain.judge(item.epoch, item.seq, item.head)
            beyond = position is not None and item.epoch == position.epoch and item.seq > position.seq
            if agrees is False or beyond:
                raise _contradicted(item)
        self.store.history.forget_checkpoints(item.device_id for item in remembered)

    def _check(self, chain: Chain, checkpoints: Iterable[Checkpoint]) -> None:
        beyond = []
        position = chain.position
        shown = {epoch.epoch for epoch in chain.epochs}
        for item in checkpoints:
            message = checkpoint_message(self.user_id, item.epoch, item.seq, item.head, item.device_id, item.time)
            signer = signer_of(self.store.keyring, message, item.signature)
            if signer is None:
                raise HistoryForked("the server gave a checkpoint that no device of yours has signed")
            said = RememberedCheckpoint(item.device_id, item.epoch, item.seq, item.head)
            if said in chain.passed_over:
                continue
            if chain.judge(item.epoch, item.seq, item.head) is False:
                raise _contradicted(said)
            if item.epoch not in shown and not chain.has_left(item.epoch):
                # One that hides an epoch could otherwise show a new device whatever it likes.
                raise HistoryForked("another device of yours has verified an epoch that the server does not show", said)
            if not chain.may_write(signer, item.epoch, item.seq):
                raise RetiredKey(f"a checkpoint at {item.seq}")
            if position is not None and item.epoch == position.epoch and item.seq > position.seq:
                beyond.append(said)
        # Written after this pull, or withheld from it: the next pull tells.
        self.store.history.remember_checkpoints(beyond)

    async def _post(self, chain: Chain) -> None:
        position = chain.position
        if position is None or await asyncio.to_thread(self.store.history.own_checkpoint) == (
            position.epoch,
            position.seq,
        ):
            return
        time = self.now()
        message = checkpoint_message(self.user_id, position.epoch, position.seq, position.head, self.device_id, time)
        checkpoint = Checkpoint(
            epoch=position.epoch,
            seq=position.seq,
            head=position.head,
            device_id=self.device_id,
            time=time,
            signature=sign(self.store.keyring.newest.signing_seed, message),
        )
        try:
            await self.transport.command("POST", "/sync/checkpoints", body=checkpoint)
        except CheckpointOutdated:
            return  # the server's history went elsewhere since we read it: the next sync finds out where
        await asyncio.to_thread(self.store.history.set_own_checkpoint, position.epoch, position.seq)


def _contradicted(checkpoint: RememberedCheckpoint) -> HistoryForked:
    return HistoryForked(f"another device of yours has seen a different history, up to {checkpoint.seq}", checkpoint)
