"""The journal on this device: everything works without a server, and `Client.sync` carries it further."""

from __future__ import annotations

import asyncio
import builtins
from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from lockleaf.client.device.clock import utc_now
from lockleaf.client.errors import InvalidEntry
from lockleaf.client.journal.entry_lists import EntryLists
from lockleaf.client.journal.journal_imports import JournalImports
from lockleaf.client.journal.journal_tags import JournalTags
from lockleaf.client.journal.journal_writes import JournalWrites
from lockleaf.client.journal.resolutions import Resolutions
from lockleaf.client.journal.tags import TagBook
from lockleaf.client.records.bases import Base
from lockleaf.client.records.edits import Edits, entry_id_of
from lockleaf.client.records.entries import UNCHANGED, Entry, Unchanged, date_text, draft_content
from lockleaf.client.records.readings import changed_metrics
from lockleaf.client.records.views import Conflict
from lockleaf.client.search.results import Found
from lockleaf.client.search.selection import Selection
from lockleaf.client.store import LocalStore
from lockleaf.lazy import late

if TYPE_CHECKING:
    from lockleaf.client.journal import revisions
    from lockleaf.client.search import local_search
else:
    # What is neither searched nor brought back needs no search, and no answers of a server.
    revisions = late("lockleaf.client.journal.revisions")
    local_search = late("lockleaf.client.search.local_search")

__all__ = ["Journal"]


def _seen(base: Entry | str | None) -> Base | str | None:
    """Return what the writer of an edit saw, or its version.

    Raises:
        InvalidEntry: an entry that this package did not make says nothing of what it was.
    """
    if not isinstance(base, Entry):
        return base
    if base.shown_as is None:
        raise InvalidEntry("the base is no entry that was read from a journal")
    return base.shown_as


class Journal(JournalTags, JournalImports, JournalWrites):
    """The entries of one profile.

    Ids may be given by their first characters (at least 4, fitting one entry).

    Args:
        store: the local store.
        clock: gives the present time, with a zone.
        media: the folder where attachments wait for their upload; without one, none are imported.
    """

    def __init__(
        self, store: LocalStore, *, clock: Callable[[], datetime] = utc_now, media: Path | None = None
    ) -> None:
        self._store = store
        self._clock = clock
        self._edits = Edits(store, clock)
        self._decisions = Resolutions(store, self._edits)
        self._lists = EntryLists(store, lambda: self._search)
        JournalTags.__init__(self, TagBook(store, self._edits, clock))
        JournalImports.__init__(self, store, self._edits, media)

    @cached_property
    def _search(self) -> local_search.LocalSearch:
        return local_search.LocalSearch(self._store)

    # ---- writing ----

    async def write(
        self,
        *,
        body: str,
        title: str | None = None,
        mood: str | None = None,
        weather: str | None = None,
        location: str | None = None,
        tags: Iterable[str] = (),
        date: date | datetime | str | None = None,
        time_zone: str | None = None,
        entry_id: str | None = None,
        source: str | None = "cli",
        metrics: Mapping[str, float] | None = None,
    ) -> Entry:
        """Write a new entry.

        Args:
            mood, weather, location: a few words each, at most 200 characters.
            date: the day or time it is about; now if absent. Text is ISO 8601 and kept to the letter.
            time_zone: an IANA name.
            entry_id: a UUID chosen by the caller: writing the same entry under it again changes nothing.
            metrics: numbers of one's own by name (1 to 64 of ``a-z 0-9 _``), from -65536 to 65536, up to 20.

        Raises:
            InvalidEntry: a field is invalid, or the id belongs to another entry.
            EntryTooLarge: it is longer than a record may be.
            DiskFull, StoreLocked, StoreDamaged: the local store refused.
        """
        content = draft_content(
            body=body,
            title=title,
            mood=mood,
            weather=weather,
            location=location,
            tags=tags,
            date=self._clock().astimezone().isoformat(timespec="seconds") if date is None else date_text(date),
            time_zone=time_zone,
            source=source,
            metrics=changed_metrics({}, metrics or {}),
        )
        return await asyncio.to_thread(self._edits.insert, entry_id_of(entry_id), content)

    async def edit(
        self,
        entry_id: str,
        *,
        base: Entry | str | None = None,
        body: str | Unchanged = UNCHANGED,
        title: str | Unchanged | None = UNCHANGED,
        mood: str | Unchanged | None = UNCHANGED,
        weather: str | Unchanged | None = UNCHANGED,
        location: str | Unchanged | None = UNCHANGED,
        tags: Iterable[str] | Unchanged = UNCHANGED,
        date: date | datetime | str | Unchanged = UNCHANGED,
        time_zone: str | Unchanged | None = UNCHANGED,
        metrics: Mapping[str, float | None] | Unchanged = UNCHANGED,
    ) -> Entry:
        """Change fields of an entry; fields that are not given, known or not, stay.

        If the entry is not ``base`` any more, since another device or program changed it meanwhile, the edit is merged
        with that change: the body by lines, other fields one by one. The entry that is returned then says ``merged``.
        Changes to the same lines or fields, and an edit of what was deleted meanwhile, do not merge: the entry stays as
        it is now, and this edit becomes an open conflict, which the next sync carries to the server.

        Args:
            base: the entry as its writer saw it, or its ``version``. Pass it wherever somebody saw the entry before
                they wrote. Without it the edit is made on the entry as it is now, of which an earlier revision stays. A
                version that this device does not have any more cannot be merged.
            metrics: of the entry's own numbers those that change; None takes one away.

        Raises:
            EditConflict: it did not merge; both versions are kept.
            EntryNotFound: there is no such entry, or without ``base`` it is deleted.
            InvalidEntry, EntryTooLarge, DiskFull, StoreLocked, StoreDamaged: as for `write`.
        """
        changes: dict[str, Any] = {
            "body": body,
            "title": title,
            "mood": mood,
            "weather": weather,
            "location": location,
            "tags": tags if isinstance(tags, Unchanged) else tuple(tags),
            "date": date if isinstance(date, Unchanged) else date_text(date),
            "time_zone": time_zone,
            "metrics": metrics,
        }
        given = {name: value for name, value in changes.items() if not isinstance(value, Unchanged)}
        return await asyncio.to_thread(self._edits.edit, entry_id, given, _seen(base))

    async def delete(self, entry_id: str, *, base: Entry | str | None = None) -> Entry:
        """Delete an entry; this device keeps its text, so that it can be restored here.

        Args:
            base: the entry as whoever deletes it saw it, or its ``version``.

        Raises:
            EntryNotFound: there is no such entry, or it is deleted already.
            EntryChanged: it is not ``base`` any more, so it stays.
        """
        return await asyncio.to_thread(self._edits.delete, entry_id, _seen(base))

    async def restore(
        self, entry_id: str, *, base: Entry | str | None = None, revision: revisions.Revision | None = None
    ) -> Entry:
        """Bring a deleted entry back, or the words of an earlier revision.

        Args:
            base: the entry as it was seen, or its ``version``.
            revision: one that `Client.history` gave: text, title, mood, weather, location, tags, date and numbers
                become those of that revision, as an edit like any other. Attachments of both stay.

        Raises:
            EntryNotFound: there is no such entry, it is not deleted, or this device never had its text.
            EntryChanged: it is not ``base`` any more, so it stays as it is.
            EditConflict: another device changed it before it was deleted, and this one never saw that text. What is
                here waits as a conflict; `Client.history` shows the other.
            InvalidEntry: the revision is of another entry, or has no text.
        """
        if revision is None:
            return await asyncio.to_thread(self._edits.restore, entry_id, _seen(base))
        found = await self.get(entry_id)
        earlier = None if revision.entry is None else revision.entry.shown_as
        if earlier is None or earlier.deleted or earlier.record_id != found.id:
            raise InvalidEntry("there is no text of this entry in that revision")
        return await asyncio.to_thread(self._edits.bring_back, found.id, earlier, _seen(base))

    # ---- reading ----

    async def get(self, entry_id: str) -> Entry:
        """Return one entry, deleted or not.

        Raises:
            EntryNotFound, IdAmbiguous, IdTooShort: there is none, there are several, or it could be any.
        """
        return await asyncio.to_thread(lambda: self._edits.shown(self._edits.find(entry_id)))

    async def list(
        self,
        *,
        since: date | str | None = None,
        until: date | str | None = None,
        tag: str | None = None,
        mood: str | None = None,
        source: str | None = None,
        limit: int | None = None,
        include_deleted: bool = False,
        unsynced: bool = False,
        starting: str = "",
    ) -> builtins.list[Entry]:
        """Return entries, newest first by their local time.

        Args:
            since, until: days, both inclusive; an entry's day is the one where it was written.
            tag, mood, source: only entries that have it; case does not matter.
            limit: at most so many. Where nothing else but filters is asked for, others are seldom read.
            starting: only those whose id begins so.
            unsynced: only those that are not known to be at the server now. After a sync that found the server's
                history wrong that is so of every entry, until one verifies it again.
        """
        wanted = Selection.of(since=since, until=until, tag=tag, mood=mood, source=source)
        return await asyncio.to_thread(
            self._lists.find, wanted, limit, starting=starting, deleted=include_deleted, unsynced=unsynced
        )

    async def search(self, query: str, *, limit: int | None = None, newest: bool = False) -> Found:
        """Search on this device, best hits first: those with the rarer words, with words in the title, then the latest.

        Nothing of the query leaves this device. It has words, of which an entry has all, ``"phrases"``, ``OR``,
        ``-words`` that it must not have, ``(groups)``, and ``mood: tag: source: from: to:``, whose values may stand in
        quotes. Words are compared by their stems, in the language of the account's locale. A query of filters alone
        gives entries by their dates; one of words that are too common to search for gives none, and says so.

        Args:
            query: at most 4,096 characters and 64 words.
            limit: at most so many.
            newest: the newest first, and not the best.

        Raises:
            InvalidSearch: it is longer, or has brackets within brackets too deep.
            StoreLocked, StoreDamaged: the local store refused.
        """
        return await asyncio.to_thread(self._search.find, query, limit, newest)

    async def count(
        self,
        *,
        since: date | str | None = None,
        until: date | str | None = None,
        tag: str | None = None,
        mood: str | None = None,
        source: str | None = None,
    ) -> int:
        """Return how many entries there are, or how many fit; see `list`."""
        wanted = Selection.of(since=since, until=until, tag=tag, mood=mood, source=source)
        return await asyncio.to_thread(self._lists.count, wanted)

    async def pending_count(self) -> int:
        """Return how many edits of entries and tags, and versions in conflicts, the server does not have yet."""
        records, conflicts = self._store.records, self._store.conflicts
        return await asyncio.to_thread(lambda: records.pending_count() + conflicts.unsent_count())

    async def replaced_count(self) -> int:
        """Return how many texts were replaced here before a server had them; `Client.history` gives an entry's."""
        return await asyncio.to_thread(self._store.earlier.count)

    async def unverified_count(self) -> int:
        """Return how many entries are not known to be at the server now, deleted ones with a text included.

        After a sync that found the server's history wrong, that is all of them; see `list`.
        """
        return await asyncio.to_thread(self._lists.unverified)

    async def doubt(self) -> str | None:
        """Return the name of the error with which the last sync found the server's history wrong, if it did."""
        return await asyncio.to_thread(self._store.history.doubt)

    async def last_sync(self) -> datetime | None:
        """Return when a sync of this device last came to its end, None if none did."""
        time = await asyncio.to_thread(self._store.history.last_sync)
        return None if time is None else datetime.fromisoformat(time)

    # ---- conflicts ----

    async def conflicts(self, *, decided: bool = False) -> builtins.list[Conflict]:
        """Return what waits for a decision, oldest first.

        Args:
            decided: return instead the versions written on this device about which somebody decided, here or on another
                device. Their text stays here, so that a decision can be looked at, whoever says that it was made.
        """
        return await asyncio.to_thread(self._decisions.listed, decided=decided)

    async def resolve(
        self,
        conflict_id: str,
        choice: Literal["local", "remote", "merged"],
        *,
        base: Entry | str | None = None,
        merged_body: str | None = None,
        merged_title: str | Unchanged | None = UNCHANGED,
    ) -> Entry | None:
        """Decide a conflict; the decision is an edit like any other, and the next sync carries it.

        Args:
            conflict_id: as `conflicts` gives it, or its beginning.
            choice: ``local`` takes the version that could not be merged, ``remote`` leaves the entry as it stands,
                ``merged`` takes the local version with the body (and title) given here.
            base: the entry (``Conflict.remote``) as whoever decides saw it, or its ``version``.
            merged_body: required with ``merged``.

        Returns:
            The entry as it stands now.

        Raises:
            ConflictNotFound: there is no such open conflict.
            EntryChanged: the entry is not ``base`` any more, and ``local`` or ``remote`` was chosen. Nothing was done.
            EditConflict: it is not, and the merged text does not merge with what it is now: a new conflict holds it.
            InvalidEntry: ``merged`` without a body.
        """
        if choice == "merged" and merged_body is None:
            raise InvalidEntry("a merged version needs its text")
        return await asyncio.to_thread(
            self._decisions.resolve, conflict_id, choice, merged_body, merged_title, _seen(base)
        )
