"""Which of an account's keys sealed or signed something, and whether its word counts: the one place that decides it.

A key that a rotation retired is in the hands of whoever has an old keyring. What it sealed or signed counts where it
stands in the history up to ``retired_at``, and nowhere after. The order is that of the verified chain, never one of
numbers: after is whatever follows that leaf, and whatever stands in an epoch that was begun after it or instead of it
(PROTOCOL section 2).
"""

from __future__ import annotations

from collections.abc import Sequence

from lockleaf.crypto.history_place import HistoryPlace
from lockleaf.crypto.identity import verify
from lockleaf.crypto.keyring import KeyEntry, Keyring

__all__ = ["is_after", "may_leave", "may_write", "signer_of"]


def signer_of(keyring: Keyring, message: bytes, signature: bytes) -> KeyEntry | None:
    """Return the key of the account that signed ``message``, newest tried first; None if none did."""
    for entry in reversed(keyring.entries):
        if verify(entry.public_signing_key, message, signature):
            return entry
    return None


def is_after(place: HistoryPlace, epochs: Sequence[str], epoch: str, seq: int) -> bool:
    """Tell whether (``epoch``, ``seq``) comes after ``place`` on a chain.

    Args:
        place: where a key was retired.
        epochs: the names of the chain's epochs, in its order.
        epoch, seq: what is asked about, on the same chain.
    """
    if epoch == place.epoch:
        return seq > place.seq
    if place.epoch not in epochs or epoch not in epochs:
        # The epoch of the retirement was left altogether: whatever is there now was begun instead of it.
        return True
    return epochs.index(epoch) > epochs.index(place.epoch)


def may_write(entry: KeyEntry, epochs: Sequence[str], epoch: str, seq: int) -> bool:
    """Tell whether ``entry`` may seal the change at a place, or sign a checkpoint about it; see `is_after`."""
    return entry.retired_at is None or not is_after(entry.retired_at, epochs, epoch, seq)


def may_leave(keyring: Keyring, entry: KeyEntry, epochs: Sequence[str], old: str, seq: int, new: str) -> bool:
    """Tell whether the word of ``entry`` counts on a transition from one epoch to another.

    A retired key's counts only where the new epoch begins before its ``retired_at`` on that chain. One that leaves the
    place at which any key was retired counts by the newest key alone.

    Args:
        keyring: the account's.
        entry: who signed it.
        epochs: the names of the chain's epochs, in its order, the new one included.
        old, seq: the epoch that is left, and where.
        new: the epoch that begins.
    """
    if entry.retired_at is None:
        return True
    places = [each.retired_at for each in keyring if each.retired_at is not None]
    if any(place.epoch == old and place.seq > seq for place in places):
        return False
    return (
        entry.retired_at.epoch in epochs and new in epochs and epochs.index(new) <= epochs.index(entry.retired_at.epoch)
    )
