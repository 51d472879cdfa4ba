"""Taking over entries from elsewhere, in portions, so that a run that was killed is simply run again.

What an entry is called is not taken for what it is. The same id and the same content is the same entry, here already.
The same id and other content is said: within one file both are kept, and what differs from the entry that is here is
offered as an edit. Each entry remembers, sealed in its map, a digest of what was imported, so that every device can
tell what changed since: the file, the entry, or both.

An entry with files is written when its files are sealed, all in one transaction: it is here whole or not at all.
"""

from __future__ import annotations

import hmac
import uuid
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace

from lockleaf.client.errors import EntryTooLarge
from lockleaf.client.journal.import_earlier import earlier_texts
from lockleaf.client.journal.import_files import SealedFiles, seal_files, with_files
from lockleaf.client.journal.import_plans import Item, Plan, judged, plan
from lockleaf.client.journal.import_report import ImportReport, Remark, RemarkKind, Skipped
from lockleaf.client.media.staging_folder import Staging, StagingFolder, staging
from lockleaf.client.media.threads import Beat
from lockleaf.client.records.attachments import descriptions
from lockleaf.client.records.edits import Edits
from lockleaf.client.records.entries import EntryDraft
from lockleaf.client.store import LocalStore
from lockleaf.client.store.records import ENTRIES, Document, StoredRecord
from lockleaf.crypto.encoding import lp

__all__ = ["Import", "imported_id", "portions"]

_IMPORT = b"lockleaf/1/import"
_PORTION = 1000
_FILES = 20
_SECOND = "content"
"""Stands, with a digest, for the provider of an entry whose own id belongs to another text."""
_ATTEMPTS = 5


def imported_id(index_key: bytes, provider: str, external_id: str) -> str:
    """Return the id of an imported entry: the same for the same thing on every device, and telling nothing.

    A UUIDv8 from HMAC-SHA-256(index key, "lockleaf/1/import" ‖ lp(provider) ‖ lp(external_id)) (PROTOCOL section 8).
    """
    digest = bytearray(hmac.digest(index_key, _IMPORT + lp(provider) + lp(external_id), "sha256")[:16])
    digest[6] = digest[6] & 0x0F | 0x80
    digest[8] = digest[8] & 0x3F | 0x80
    return str(uuid.UUID(bytes=bytes(digest)))


def portions(drafts: Iterable[EntryDraft | Skipped]) -> Iterator[tuple[EntryDraft | Skipped, ...]]:
    """Yield items in portions of up to a thousand, or twenty with files. What stands before an error comes first."""
    portion: list[EntryDraft | Skipped] = []
    having_files = 0
    try:
        for draft in drafts:
            portion.append(draft)
            having_files += isinstance(draft, EntryDraft) and bool(draft.files)
            if len(portion) == _PORTION or having_files == _FILES:
                yield tuple(portion)
                portion.clear()
                having_files = 0
    except Exception:
        if portion:
            yield tuple(portion)
        raise
    if portion:
        yield tuple(portion)


class Import:
    """One import into a store.

    Args:
        edits: by which entries are changed that are here.
        time: gives the present time as RFC 3339 text.
        update: whether entries that are here become what the import says.
        folder: where files wait for their upload; None: those of entries are not imported, which is said.
        dry_run: nothing is written; the report says what would be.
    """

    def __init__(
        self,
        store: LocalStore,
        edits: Edits,
        *,
        time: Callable[[], str],
        update: bool = False,
        folder: StagingFolder | None = None,
        dry_run: bool = False,
    ) -> None:
        self._store = store
        self._edits = edits
        self._time = time
        self._update = update
        self._folder = folder
        self._dry_run = dry_run
        self._number = 0
        self._seen: dict[str, bytes] = {}
        """The entries that the import named so far, and the digest of what it said of each."""
        self._counts: Counter[str] = Counter()
        self._remarks: list[Remark] = []

    @property
    def done(self) -> int:
        """How many items were gone through."""
        return self._number

    def report(self) -> ImportReport:
        """Return what was done so far."""
        counts = self._counts
        return ImportReport(
            counts["added"],
            counts["present"],
            counts["updated"],
            tuple(self._remarks),
            files=counts["files"],
            dry_run=self._dry_run,
        )

    def take(self, portion: Sequence[EntryDraft | Skipped], beat: Beat = lambda _: None) -> None:
        """Keep a portion: an entry with files in a transaction of its own, all others together.

        What cannot be kept is said, and the rest is kept.

        Args:
            beat: called often while files are read; it raises where the import is to end.

        Raises:
            DiskFull, StoreLocked, StoreDamaged: the local store refused; nothing of what was under way is kept.
        """
        plain: list[Item] = []
        for each in portion:
            self._number += 1
            if isinstance(each, Skipped):
                self._remarks.append(Remark("skipped", each.place, each.reason))
                continue
            item = self._item(each)
            if not each.files:
                plain.append(item)
                continue
            self._take_plain(plain)
            plain.clear()
            self._take_with_files(item, beat)
        self._take_plain(plain)

    def _take_plain(self, items: Sequence[Item]) -> None:
        with self._store.transaction():
            present = self._present(items)
            new: dict[str, StoredRecord] = {}
            for item in items:
                named = item.named(present)
                self._apply(named, plan(named, present, self._seen, update=self._update), SealedFiles(), new)
            self._store.records.put_many(new.values())

    def _take_with_files(self, item: Item, beat: Beat) -> None:
        """Seal the files of an entry, and write it with them if nobody changed it in the meantime."""
        for attempt in range(_ATTEMPTS):
            present = self._present([item])
            named = item.named(present)
            planned = plan(named, present, self._seen, update=self._update)
            if self._folder is None or self._dry_run or not planned.files:
                refused = "" if self._folder is not None else "files are not imported here"
                sealed = SealedFiles(
                    refused=tuple(f"the file {each.name}: {refused}" for each in planned.files if refused)
                )
                if self._write(named, planned, sealed, last=True):
                    return
                continue
            with staging(self._folder) as begun:
                sealed = self._sealed(planned, begun, beat)
                if self._write(named, planned, sealed, last=attempt == _ATTEMPTS - 1):
                    return
                begun.discard()

    def _write(self, item: Item, planned: Plan, sealed: SealedFiles, *, last: bool) -> bool:
        """Write what was planned; False where somebody changed the entry since, unless it is the ``last`` attempt."""
        with self._store.transaction():
            present = self._present([item])
            again = plan(item.named(present), present, self._seen, update=self._update)
            if not last and (again.kind, again.entry_id, again.files) != (
                planned.kind,
                planned.entry_id,
                planned.files,
            ):
                return False
            new: dict[str, StoredRecord] = {}
            self._apply(item.named(present), again, sealed, new)
            self._store.records.put_many(new.values())
        return True

    def _sealed(self, planned: Plan, begun: Staging, beat: Beat) -> SealedFiles:
        had = len(descriptions(planned.content or {}))
        key = self._store.keyring.newest
        return seal_files(
            planned.files, begun, entry_id=planned.entry_id, had=had, key=key, now=self._time(), beat=beat
        )

    def _present(self, items: Iterable[Item]) -> dict[str, StoredRecord]:
        ids = {entry_id for each in items for entry_id in (*each.entry_ids, *each.second_ids)}
        found = self._store.records.get_many((ENTRIES, entry_id) for entry_id in ids)
        return {record_id: record for (_, record_id), record in found.items()}

    # ---- one item ----

    def _item(self, draft: EntryDraft) -> Item:
        item = judged(draft, draft.place or f"item {self._number}")
        exported = draft.exported
        name = exported.entry_id if exported is not None else f"{draft.provider}\0{draft.external_id}"
        return replace(
            item,
            entry_ids=(name,) if exported is not None else self._ids(draft.provider, draft.external_id),
            second_ids=self._ids(_SECOND, f"{name}\0{item.digest.hex()}"),
        )

    def _ids(self, provider: str, external_id: str) -> tuple[str, ...]:
        keyring = self._store.keyring
        older = (entry.index_key for entry in keyring.entries if entry.index_key != keyring.index_key)
        return tuple(imported_id(key, provider, external_id) for key in (*older, keyring.index_key))

    def _apply(self, item: Item, planned: Plan, sealed: SealedFiles, new: dict[str, StoredRecord]) -> None:
        """Do what was planned, within a transaction; new entries go into ``new``."""
        entry_id = planned.entry_id
        if planned.kind == "skip":
            self._remark("skipped", item, planned.reason)
            return
        if planned.kind == "repeats":
            self._counts["present"] += 1
            self._remark("repeats", item, planned.reason, entry_id)
            return
        if planned.kind == "differs":
            self._seen[entry_id] = item.digest
            self._remark("differs", item, planned.reason, entry_id)
            return
        try:
            if planned.kind in ("add", "second"):
                self._add(item, planned, sealed, new)
            elif planned.kind == "change":
                self._change(planned, sealed)
            else:
                self._counts["present"] += 1
        except EntryTooLarge:
            self._remark("skipped", item, "the entry is longer than 4,032 KiB")
            return
        self._seen[entry_id] = item.digest
        self._counts["files"] += len(planned.files if self._dry_run else sealed.drafts)
        if planned.kind == "second":
            self._remark("second", item, planned.reason, entry_id)
        if planned.kind != "present":
            for note in (*item.draft.notes, *sealed.notes):
                self._remark("changed", item, note, entry_id)
        for reason in (*sealed.refused, *item.draft.absent):
            self._remark("skipped", item, reason, entry_id)

    def _add(self, item: Item, planned: Plan, sealed: SealedFiles, new: dict[str, StoredRecord]) -> None:
        assert planned.content is not None
        now, exported = self._time(), item.draft.exported
        created = (exported.created_at if exported is not None else None) or now
        updated = (exported.updated_at if exported is not None else None) or now
        document = Document(with_files(planned.content, sealed), created_at=created, updated_at=updated)
        self._counts["added"] += 1
        if not self._dry_run:
            self._store.media.put(row for draft in sealed.drafts for row in draft.rows)
            for text in earlier_texts(item.draft, planned.entry_id, now=now):
                self._store.earlier.add(text)
            new[planned.entry_id] = StoredRecord(
                ENTRIES, planned.entry_id, pending=True, generation=1, deleted=item.deleted, doc=document
            )
        without = len(exported.media_ids) - len(item.draft.files) if exported is not None else 0
        if without > 0:
            files = f"{without} attachment{'' if without == 1 else 's'}"
            self._remark("skipped", item, f"{files} of it: the bytes are not in the file", planned.entry_id)

    def _change(self, planned: Plan, sealed: SealedFiles) -> None:
        assert planned.record is not None
        content = None if planned.content is None else with_files(planned.content, sealed)
        if planned.record.doc is not None and planned.record.doc.content == content and not self._dry_run:
            self._counts["present"] += 1  # of its new files none could be read
            return
        self._counts["updated"] += 1
        if not self._dry_run:
            # Before the entry names them: what it names without a row is asked of the server.
            self._store.media.put(row for draft in sealed.drafts for row in draft.rows)
            self._edits.keep(planned.record, content)

    def _remark(
        self,
        kind: RemarkKind,
        item: Item,
        reason: str,
        entry_id: str | None = None,
    ) -> None:
        self._remarks.append(Remark(kind, item.place, reason, entry_id))
