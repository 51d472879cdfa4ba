"""What a store that was set aside holds and the server does not: compared record by record, and taken in.

Payload hashes and parents are compared, never numbers. What is missing becomes an entry again, what differs is merged
or becomes a conflict, and nothing is deleted.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Literal

from lockleaf.client.records.edits import Edits
from lockleaf.client.records.entries import Entry
from lockleaf.client.records.merge import Conflicting, Version, merge_versions, same_content
from lockleaf.client.records.sealer import Sealer
from lockleaf.client.records.tag_records import merge_tags
from lockleaf.client.records.views import entry_of
from lockleaf.client.store import LocalStore
from lockleaf.client.store.open_conflicts import StoredConflict, conflict_id_of
from lockleaf.client.store.records import ENTRIES, TAGS, StoredRecord
from lockleaf.client.store.replaced_texts import EarlierText
from lockleaf.client.store.verified_history import Position
from lockleaf.crypto.history import ZERO

__all__ = ["Choose", "Difference", "Held", "TakenIn", "take_in"]


@dataclass(slots=True)
class Held:
    """What the server's history holds, as it was verified.

    Args:
        hashes: the payload hashes of every revision of a record, by collection and record id.
        common: up to where it is the history that the store set aside had verified too.
        end: its end.
    """

    hashes: dict[tuple[str, str], set[bytes]] = field(default_factory=dict)
    common: int = 0
    end: Position | None = None

    def has(self, key: tuple[str, str], payload_hash: bytes) -> bool:
        """Tell whether a revision of a record with this payload is in the history."""
        return payload_hash in self.hashes.get(key, ())


@dataclass(frozen=True, slots=True)
class Difference:
    """One entry that the server lacks, or has otherwise.

    ``here`` is what was set aside, ``there`` what the server shows, None where it shows nothing. ``becomes``: what is
    done with it if it is chosen.
    """

    becomes: Literal["entry", "edit", "conflict"]
    entry_id: str
    here: Entry | None
    there: Entry | None


Choose = Callable[[Difference], bool]


@dataclass(slots=True)
class TakenIn:
    """What was taken in: entries ``sent_again``, ``merged`` into others, kept as ``conflicts``; ``left`` by choice.

    ``tags``, ``inbox`` and ``media`` count tags, undecided or decided items, and files that were not sent yet.
    """

    sent_again: int = 0
    merged: int = 0
    conflicts: int = 0
    left: int = 0
    tags: int = 0
    inbox: int = 0
    media: int = 0


class _Taking:
    """Takes one store into another, within a transaction of the latter."""

    def __init__(
        self,
        aside: LocalStore,
        store: LocalStore,
        held: Held,
        sealer: Sealer,
        device_id: str,
        clock: Callable[[], datetime],
        choose: Choose,
    ) -> None:
        self._aside = aside
        self._store = store
        self._held = held
        self._sealer = sealer
        self._device_id = device_id
        self._edits = Edits(store, clock)
        self._choose = choose
        self.done = TakenIn()

    def records(self) -> None:
        """Take in entries and tags."""
        known = self._aside.records
        for record in (*known.tags(), *known.entries(deleted=True)):
            self._record(record, self._store.records.get(*record.key))

    def _record(self, mine: StoredRecord, theirs: StoredRecord | None) -> None:
        if theirs is not None and theirs.doc is None and mine.doc is not None:
            # Deleted there, and never seen: its text stays here, so that it can be restored.
            theirs = replace(theirs, doc=mine.doc) if theirs.deleted else None
            if theirs is not None:
                self._store.records.put(theirs)
        sent = mine.base_revision > 0 and self._held.has(mine.key, mine.base_hash)
        if sent and not mine.pending:
            return  # what the server shows follows it
        local = Version(None if mine.deleted or mine.doc is None else mine.doc.content)
        if theirs is None:
            self._missing(mine, local)
            return
        remote = Version(None if theirs.deleted or theirs.doc is None else theirs.doc.content)
        base = Version(None if mine.base_deleted else mine.base) if sent else None
        if base is None and 0 < theirs.seq <= self._held.common:
            base = remote  # from before the histories part: what is here was written on top of it
        self._differing(mine, theirs, base, local, remote)

    def _missing(self, mine: StoredRecord, local: Version) -> None:
        fresh = StoredRecord(mine.collection, mine.record_id, generation=1, doc=mine.doc)
        if local.content is None:
            # Deleted here, and nowhere to be deleted: it can be restored, as before.
            self._store.records.put(replace(fresh, deleted=True, base_deleted=True))
            return
        if self._wanted("entry", mine, None):
            self._store.records.put(replace(fresh, pending=True))
            self._count("sent_again", mine)

    def _differing(
        self, mine: StoredRecord, theirs: StoredRecord, base: Version | None, local: Version, remote: Version
    ) -> None:
        result = (merge_tags if mine.collection == TAGS else merge_versions)(base, local, remote)
        self._keep_deleted(mine, theirs)
        if isinstance(result, Conflicting):
            if local.content is None:
                return  # a deletion: nothing is deleted by this
            if self._wanted("conflict", mine, theirs):
                self._keep_conflict(mine)
                self.done.conflicts += 1
        elif not same_content(result.content, remote.content):
            if result.content is None and not mine.pending:
                return
            if self._wanted("edit", mine, theirs):
                self._edits.keep(theirs, result.content)
                self._count("merged", mine)

    def _keep_deleted(self, mine: StoredRecord, theirs: StoredRecord) -> None:
        """Keep the last text of an entry that was deleted here, where the server shows another one."""
        if mine.collection != ENTRIES or not mine.deleted or mine.doc is None:
            return
        if theirs.doc is None or not same_content(mine.doc.content, theirs.doc.content):
            self._keep_earlier(EarlierText(mine.record_id, self._edits.time(), mine.doc))

    def _keep_earlier(self, text: EarlierText) -> None:
        if text not in self._store.earlier.of_record(text.record_id):
            self._store.earlier.add(text)

    def _count(self, what: str, record: StoredRecord) -> None:
        name = what if record.collection == ENTRIES else "tags"
        setattr(self.done, name, getattr(self.done, name) + 1)

    def _wanted(
        self, becomes: Literal["entry", "edit", "conflict"], mine: StoredRecord, theirs: StoredRecord | None
    ) -> bool:
        if mine.collection != ENTRIES:
            return True
        here = entry_of(mine, conflict=False) if mine.doc is not None else None
        there = entry_of(theirs, conflict=False) if theirs is not None and theirs.doc is not None else None
        chosen = self._choose(Difference(becomes, mine.record_id, here, there))
        self.done.left += not chosen
        return chosen

    def _keep_conflict(self, mine: StoredRecord) -> None:
        """Keep a version as an open conflict, sealed so that the server keeps it as well."""
        assert self._held.end is not None
        now = self._edits.time()
        unbased = replace(mine, base_revision=0, base_hash=ZERO)
        sealed = self._sealer.seal(self._store.keyring, unbased, seen=self._held.end, now=now)
        self._store.outbox.add((sealed,))
        self._store.outbox.as_conflict(sealed.payload_hash)
        self._put_conflict(conflict_id_of(sealed.payload_hash), mine, mine.doc.content if mine.doc else None, now)

    def _put_conflict(self, conflict_id: str, mine: StoredRecord, content: dict[str, Any] | None, now: str) -> None:
        self._store.conflicts.put(
            StoredConflict(
                conflict_id=conflict_id,
                server_id=None,
                collection=mine.collection,
                record_id=mine.record_id,
                base_revision=0,
                deleted=content is None,
                device_id=self._device_id,
                detected_at=now,
                own=True,
                state="open",
                content=content,
            )
        )

    def conflicts(self) -> None:
        """Take in versions that wait for a decision, and those about which somebody decided."""
        accepted = {conflict_id_of(each) for hashes in self._held.hashes.values() for each in hashes}
        for each in self._aside.conflicts.in_state("open", "resolved", "closed"):
            if self._store.conflicts.get(each.conflict_id) is not None or not (each.own or each.state == "open"):
                continue
            opened = each.state == "open" and each.conflict_id not in accepted
            # As one of this device: the server does not list it, which must not look as if another one had decided.
            state: Literal["open", "closed"] = "open" if opened else "closed"
            self._store.conflicts.put(replace(each, server_id=None, own=True, state=state))
            self.done.conflicts += opened
        waiting = [change for _, change in self._aside.outbox.waiting(100_000) if change.kind == "conflict"]
        self._store.outbox.add(change for change in waiting if self._store.outbox.get(change.payload_hash) is None)

    def earlier(self) -> None:
        """Take in texts that were replaced here before a server had them."""
        for text in self._aside.earlier.all():
            self._keep_earlier(text)

    def inbox(self) -> None:
        """Take in what waited for a decision, and decisions of which the server is still to hear."""
        present = {item.item_id: item for item in self._store.inbox.in_state("waiting")}
        for item in self._aside.inbox.in_state("waiting", "accepted", "refused"):
            if item.state == "waiting" and item.item_id not in self._store.inbox.ids():
                self._store.inbox.add((replace(item, detached=True),))
                self.done.inbox += 1
            elif item.state != "waiting" and item.item_id in present:
                self._store.inbox.decide(item.item_id, item.state, item.record_id)
                self.done.inbox += 1

    def media(self) -> list[str]:
        """Take in files of which the server is still to hear; return the ids of those whose bytes are needed."""
        waiting = self._aside.media.in_state("upload", "delete", "restore", "deleted")
        fresh = [each for each in waiting if not self._store.media.known(each.media_id)]
        self._store.media.put(replace(each, announced=False) if each.state == "upload" else each for each in fresh)
        sent = [each.media_id for each in fresh if each.state == "upload"]
        self.done.media += len(sent)
        return sent


def take_in(
    aside: LocalStore,
    store: LocalStore,
    held: Held,
    *,
    sealer: Sealer,
    device_id: str,
    clock: Callable[[], datetime],
    choose: Choose,
    name: str,
    bring: Callable[[str], None],
) -> TakenIn:
    """Take what ``aside`` holds into ``store``, all in one transaction; a store that was taken in before is left.

    Args:
        held: what the server's history holds.
        choose: whether the user wants a difference taken in.
        name: of the store that was set aside, by which it is known to be done.
        bring: has the sealed bytes of a file follow, by its id; called within the transaction, and does no harm twice.
    """
    with store.transaction():
        if store.history.merged(name):
            return TakenIn()
        taking = _Taking(aside, store, held, sealer, device_id, clock, choose)
        # Before the entries: one that names a file of which nothing is known asks the server to bring it back.
        for media_id in taking.media():
            bring(media_id)
        taking.records()
        taking.conflicts()
        taking.earlier()
        taking.inbox()
        store.history.note_merged(name)
    return taking.done
