"""Where an export takes entries from: the journal on this device, or whatever else gives the same."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import IO, Protocol

from lockleaf.client.device.open_account import OpenAccount
from lockleaf.client.errors import (
    ApiError,
    AttachmentAwaited,
    IntegrityError,
    LockleafError,
    NotLoggedIn,
    TransportError,
)
from lockleaf.client.journal.resolutions import Resolutions
from lockleaf.client.journal.revisions import Revision, fetch_history, replaced_here
from lockleaf.client.media.media import Media
from lockleaf.client.records.attachments import Attachment
from lockleaf.client.records.edits import Edits
from lockleaf.client.records.entries import Entry
from lockleaf.client.records.progress import ProgressCallback
from lockleaf.client.records.tag_records import color_in
from lockleaf.client.records.views import Conflict, entry_of
from lockleaf.client.search.selection import Selection
from lockleaf.client.store import LocalStore
from lockleaf.client.store.records import ENTRIES
from lockleaf.wire.names import known_as
from lockleaf.wire.palette import color_of

__all__ = ["ExportSource", "JournalSource", "Kept", "TagColor", "Unavailable"]

_PORTION = 200
_ALL = 2**31
"""More revisions than an entry has."""
_OF_ONE_PART = (ApiError, AttachmentAwaited, IntegrityError, NotLoggedIn, TransportError)


class Unavailable(Exception):
    """A part of an entry cannot be had now; the text says why."""


@dataclass(frozen=True, slots=True)
class TagColor:
    """A tag's name and its colour, ``#rrggbb``."""

    name: str
    color: str


@dataclass(frozen=True, slots=True)
class Kept:
    """Earlier states of an entry, oldest first, without the present one; ``missing`` says why some are not there."""

    revisions: tuple[Revision, ...] = ()
    missing: str | None = None


class ExportSource(Protocol):
    """Gives entries and what belongs to them."""

    def ids(self, wanted: Selection, *, deleted: bool) -> list[str]:
        """Return the ids of the entries that are wanted, oldest first by their local time; blocks."""

    def entries(self, ids: Sequence[str]) -> list[Entry]:
        """Return those of ``ids`` that are there, in this order; blocks."""

    def unreadable(self) -> Mapping[str, str]:
        """Return why entries could not be read, by their ids; after all were asked for."""

    def tags(self) -> list[TagColor]:
        """Return all tags by name; blocks."""

    def conflicts(self) -> list[Conflict]:
        """Return what waits for a decision; blocks."""

    async def revisions(self, entry: Entry) -> Kept:
        """Return what an entry held before."""

    async def copy(self, attachment: Attachment, file: IO[bytes], progress: ProgressCallback | None) -> None:
        """Write an attachment to ``file`` once it is known to be right.

        Raises:
            Unavailable: it cannot be had.
        """


class JournalSource:
    """The journal on this device; attachments and revisions that are not here come from its server.

    Args:
        store: of the profile.
        media: its attachments.
        session: gives the way to the server, or raises `NotLoggedIn`.
        clock: gives the present time, with a zone.
    """

    def __init__(
        self, store: LocalStore, media: Media, session: Callable[[], OpenAccount], clock: Callable[[], datetime]
    ) -> None:
        self._store = store
        self._media = media
        self._session = session
        self._edits = Edits(store, clock)
        self._used: dict[str, str] = {}
        """The tags of entries, by the form in which they are compared."""
        self._trouble: str | None = None
        """Why the server is not asked again."""

    def ids(self, wanted: Selection, *, deleted: bool) -> list[str]:
        """Return the ids of the entries that are wanted, oldest first by their local time."""
        found = []
        every = self._store.records.entry_ids(deleted=deleted)
        for start in range(0, len(every), _PORTION):
            for entry in self.entries(every[start : start + _PORTION]):
                self._used.update((known_as(tag), tag) for tag in entry.tags if known_as(tag) not in self._used)
                if wanted.holds(entry):
                    found.append((entry.local_time, entry.id))
        return [entry_id for _, entry_id in sorted(found)]

    def entries(self, ids: Sequence[str]) -> list[Entry]:
        """Return those of ``ids`` that are there, in this order."""
        found = self._store.records.get_many((ENTRIES, each) for each in ids)
        records = [record for each in ids if (record := found.get((ENTRIES, each))) is not None]
        return [entry_of(record, conflict=False) for record in records if record.doc is not None]

    def unreadable(self) -> Mapping[str, str]:
        """Return nothing: what is in the journal was opened before."""
        return {}

    def tags(self) -> list[TagColor]:
        """Return all tags by name: those that entries have, and those that are kept without an entry."""
        found = {form: TagColor(tag, color_of(tag)) for form, tag in self._used.items()}
        for record in self._store.records.tags():
            if record.doc is not None and not record.deleted:
                tag = TagColor(record.doc.content["name"], color_in(record.doc.content))
                found[known_as(tag.name)] = tag
        return sorted(found.values(), key=lambda tag: (tag.name.casefold(), tag.name))

    def conflicts(self) -> list[Conflict]:
        """Return what waits for a decision, oldest first."""
        return Resolutions(self._store, self._edits).listed(decided=False)

    async def revisions(self, entry: Entry) -> Kept:
        """Return what an entry held before; where the server cannot be asked, what this device has of it."""
        here = await asyncio.to_thread(replaced_here, self._store, entry.id)
        if entry.revision <= 1:
            return Kept(tuple(reversed(here)))
        if self._trouble is not None:
            return Kept(tuple(reversed(here)), self._trouble)
        try:
            found = await fetch_history(self._session(), entry.id, _ALL)
        except _OF_ONE_PART as error:
            return Kept(tuple(reversed(here)), self._told(error))
        return Kept(tuple(each for each in reversed(found) if each.number != str(entry.revision)))

    async def copy(self, attachment: Attachment, file: IO[bytes], progress: ProgressCallback | None) -> None:
        """Write an attachment to ``file`` once it is known to be right."""
        if self._trouble is not None and not await self._media.is_here(attachment):
            raise Unavailable(self._trouble)
        try:
            await self._media.copy(attachment, file, progress=progress)
        except _OF_ONE_PART as error:
            raise Unavailable(self._told(error)) from None

    def _told(self, error: LockleafError) -> str:
        """Return why a part is missing, and ask the server no more where it would say the same of the next one."""
        if isinstance(error, (TransportError, NotLoggedIn)):
            self._trouble = str(error)
        return str(error)
