"""What was written into a journal, by whomever, since somebody last looked."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from lockleaf.client.store import LocalStore

__all__ = ["JournalWrites", "Written"]


@dataclass(frozen=True, slots=True)
class Written:
    """What was written.

    Attributes:
        stamp: of the latest write; it only grows.
        entry_ids: of the entries that were written, deleted ones included, in the order of their latest writes.
    """

    stamp: int
    entry_ids: tuple[str, ...]


class JournalWrites:
    """Tells what was written, so that a program which shows entries can keep them in memory."""

    _store: LocalStore

    async def written_after(self, stamp: int) -> Written | None:
        """Return which entries were written after the write of that ``stamp``, by any program; opens nothing.

        Args:
            stamp: as an earlier call gave it; 0 for every write that is known.

        Returns:
            None where this journal knows of no such write, since it was put back to an earlier state: look at all anew.
        """
        try:
            latest, ids = await asyncio.to_thread(self._store.records.touched, stamp)
        except LookupError:
            return None
        return Written(latest, tuple(ids))
