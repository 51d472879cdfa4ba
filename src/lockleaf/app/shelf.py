"""The entries of the open journal in memory, in order: a list is answered without opening each of them again.

Other programs write into the same journal (a command, a sync). Before anything is answered, what was written since is
read anew; that costs one small query where nothing was.
"""

from __future__ import annotations

import asyncio
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from operator import attrgetter

from lockleaf import client as sdk

__all__ = ["Pictures", "Shelf", "Shelved"]

_MANY = 200
"""So many entries that were written are rather read all at once."""


@dataclass(frozen=True, slots=True)
class Shelved:
    """An entry, and what is worked out of it once.

    ``key`` sorts: the local time, and the id where two fall together.
    """

    entry: sdk.Entry
    key: str
    day: date
    words: int

    @classmethod
    def of(cls, entry: sdk.Entry) -> Shelved:
        """Return an entry with its facts."""
        time = entry.local_time
        key = f"{time.isoformat(timespec='microseconds')}|{entry.id}"
        return cls(entry, key, time.date(), len(entry.body.split()))


_KEY = attrgetter("key")


class Pictures:
    """Small pictures that were opened, the last ones used; a few megabytes at most."""

    def __init__(self, most: int = 32 * 1024 * 1024) -> None:
        self._most = most
        self._size = 0
        self._pictures: dict[str, bytes] = {}

    def get(self, media_id: str) -> bytes | None:
        """Return a picture, and count the use."""
        picture = self._pictures.pop(media_id, None)
        if picture is not None:
            self._pictures[media_id] = picture
        return picture

    def __setitem__(self, media_id: str, picture: bytes) -> None:
        self._size += len(picture) - len(self._pictures.pop(media_id, b""))
        self._pictures[media_id] = picture
        while self._size > self._most:
            self._size -= len(self._pictures.pop(next(iter(self._pictures))))


class Shelf:
    """All entries of a journal, deleted ones too, in the order of their days."""

    def __init__(self, journal: sdk.Journal) -> None:
        self._journal = journal
        self.pictures = Pictures()
        self._by_id: dict[str, Shelved] = {}
        self._ordered: list[Shelved] = []
        self._stamp: int | None = None
        self._lock = asyncio.Lock()

    async def catch_up(self) -> list[str] | None:
        """Read what was written since; return the ids, None for all of them."""
        async with self._lock:
            written = None if self._stamp is None else await self._journal.written_after(self._stamp)
            if written is None or len(written.entry_ids) > _MANY:
                await self._fill()
                return None
            for entry_id in written.entry_ids:
                self._put(entry_id, await self._found(entry_id))
            self._stamp = written.stamp
            return list(written.entry_ids)

    async def _fill(self) -> None:
        written = await self._journal.written_after(0)
        entries = await self._journal.list(include_deleted=True)
        shelved = await asyncio.to_thread(lambda: sorted(map(Shelved.of, entries), key=_KEY))
        self._by_id = {each.entry.id: each for each in shelved}
        self._ordered = shelved
        # What is written in between is read once more by the next call.
        self._stamp = 0 if written is None else written.stamp

    async def _found(self, entry_id: str) -> sdk.Entry | None:
        try:
            return await self._journal.get(entry_id)
        except sdk.EntryNotFound:
            return None

    def _put(self, entry_id: str, entry: sdk.Entry | None) -> None:
        old = self._by_id.pop(entry_id, None)
        if old is not None:
            del self._ordered[bisect_left(self._ordered, old.key, key=_KEY)]
        if entry is not None:
            new = Shelved.of(entry)
            self._by_id[entry_id] = new
            self._ordered.insert(bisect_left(self._ordered, new.key, key=_KEY), new)

    def get(self, entry_id: str) -> Shelved | None:
        """Return an entry by its whole id."""
        return self._by_id.get(entry_id)

    def present(self) -> Iterator[Shelved]:
        """Yield the entries that are not deleted, newest first."""
        return (each for each in reversed(self._ordered) if not each.entry.deleted)

    def deleted(self) -> Iterator[Shelved]:
        """Yield the deleted ones, newest first."""
        return (each for each in reversed(self._ordered) if each.entry.deleted)

    @staticmethod
    def page(
        found: Iterable[Shelved], wanted: Callable[[Shelved], bool], before: str | None, limit: int
    ) -> tuple[Sequence[Shelved], str | None, int]:
        """Return a page of what is wanted, the key from which the next one goes on, and how many there are in all."""
        fitting = [each for each in found if wanted(each)]
        start = 0
        if before is not None:
            start = next((at for at, each in enumerate(fitting) if each.key < before), len(fitting))
        page = fitting[start : start + limit]
        more = start + limit < len(fitting)
        return page, page[-1].key if more and page else None, len(fitting)
