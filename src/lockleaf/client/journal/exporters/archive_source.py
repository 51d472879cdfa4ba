"""The entries of an archive as the source of an export: opened one by one, on nobody's word but that of their seals.

The lines of an archive are copied, sealed as they are, to a file without a name, in which each is found again: a ZIP
file can only be read from its start, and a journal is longer than memory should be.
"""

from __future__ import annotations

import asyncio
import json
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Literal, Self

from lockleaf.client.errors import IntegrityError, MediaDamaged, NotAnArchive
from lockleaf.client.journal.archive_file import ArchiveFile, media_file
from lockleaf.client.journal.exporters.sources import Kept, TagColor, Unavailable
from lockleaf.client.journal.revisions import Revision
from lockleaf.client.media.downloads import unsealed
from lockleaf.client.media.threads import Beat, in_thread
from lockleaf.client.records.attachments import Attachment
from lockleaf.client.records.entries import Entry
from lockleaf.client.records.foreign import foreign_content
from lockleaf.client.records.progress import Progress, ProgressCallback
from lockleaf.client.records.sealer import Sealer, is_envelope, writer_of
from lockleaf.client.records.tag_records import color_in
from lockleaf.client.records.views import Conflict, entry_of
from lockleaf.client.search.selection import Selection
from lockleaf.client.store.records import ENTRIES, TAGS, Document, StoredRecord
from lockleaf.crypto.errors import CryptoError
from lockleaf.crypto.history import meta, payload_hash
from lockleaf.crypto.keyring import Keyring
from lockleaf.wire.fields import decode_base64

__all__ = ["ArchiveSource"]

_BUFFER = 1024 * 1024
_ABSENT = "The archive does not have it."
_DAMAGED = "What the archive has of it is not what was attached."
_UNREADABLE = "It does not open with the account's keys."


@dataclass(frozen=True, slots=True)
class _Place:
    offset: int
    length: int


@dataclass(frozen=True, slots=True)
class _Opened:
    """A revision of an entry, opened; its entry is None for a deletion."""

    number: int
    entry: Entry | None
    device: str
    at: datetime
    parent: bytes
    digest: bytes


class ArchiveSource:
    """Gives the entries of an archive, within a ``with``.

    Args:
        archive: the file.
        keyring: of its account.

    Raises (when it is entered):
        NotAnArchive: its lines are damaged.
        DiskFull: there is no space for a copy of its lines.
    """

    def __init__(self, archive: ArchiveFile, keyring: Keyring) -> None:
        self._archive = archive
        self._keyring = keyring
        self._sealer = Sealer(archive.user_id)
        self._stack = ExitStack()
        self._records: dict[str, _Place] = {}
        self._earlier: dict[str, list[_Place]] = {}
        self._tags: list[_Place] = []
        self._unreadable: dict[str, str] = {}

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            self._spool: IO[bytes] = stack.enter_context(tempfile.TemporaryFile())
            for line, place in self._copied("records.jsonl"):
                if line.get("collection") == ENTRIES:
                    self._records[str(line.get("record_id"))] = place
                elif line.get("collection") == TAGS and not line.get("deleted"):
                    self._tags.append(place)
            for line, place in self._copied("revisions.jsonl"):
                if line.get("collection") == ENTRIES:
                    self._earlier.setdefault(str(line.get("record_id")), []).append(place)
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def _copied(self, name: str) -> Iterator[tuple[dict[str, Any], _Place]]:
        for line in self._archive.lines(name):
            offset = self._spool.seek(0, 2)
            self._spool.write(line)
            yield _parsed(line), _Place(offset, len(line))

    def _line(self, place: _Place) -> dict[str, Any]:
        self._spool.seek(place.offset)
        return _parsed(self._spool.read(place.length))

    # ---- entries ----

    def ids(self, wanted: Selection, *, deleted: bool) -> list[str]:
        """Return the ids of the entries that are wanted, oldest first by their local time."""
        found = []
        for entry_id in self._records:
            entry = self._entry(entry_id)
            if entry is not None and (deleted or not entry.deleted) and wanted.holds(entry):
                found.append((entry.local_time, entry_id))
        return [entry_id for _, entry_id in sorted(found)]

    def entries(self, ids: Sequence[str]) -> list[Entry]:
        """Return those of ``ids`` that are there, in this order."""
        return [entry for each in ids if (entry := self._entry(each)) is not None]

    def unreadable(self) -> dict[str, str]:
        """Return why entries could not be read, by their ids."""
        return dict(self._unreadable)

    def _entry(self, entry_id: str) -> Entry | None:
        opened = self._opened(self._line(self._records[entry_id]))
        if opened is None:
            self._unreadable[entry_id] = _UNREADABLE
            return None
        if opened.entry is not None:
            return opened.entry
        # A deletion has no text: the last one that is kept shows what was deleted.
        last = next((each.entry for each in reversed(self._history(entry_id)) if each.entry is not None), None)
        return None if last is None else replace(last, deleted=True, revision=opened.number)

    def _history(self, entry_id: str) -> list[_Opened]:
        """Return the earlier revisions of an entry that are kept and open, oldest first."""
        found = [opened for place in self._earlier.get(entry_id, []) if (opened := self._opened(self._line(place)))]
        return sorted(found, key=lambda each: each.number)

    def _opened(self, line: dict[str, Any]) -> _Opened | None:
        try:
            payload, parent = decode_base64(line["payload"]), decode_base64(line["parent"])
            content, device, written_at = self._written(line, payload, parent)
            entry = None
            if not line["deleted"]:
                document = Document(content, str(line.get("created_at") or written_at), written_at)
                record = StoredRecord(
                    ENTRIES,
                    line["record_id"],
                    revision=line["revision"],
                    base_revision=line["revision"],
                    doc=document,
                )
                entry = entry_of(record, conflict=False)
            at = datetime.fromisoformat(written_at)
            return _Opened(line["revision"], entry, device, at, parent, payload_hash(payload))
        except (IntegrityError, CryptoError, KeyError, TypeError, ValueError):
            return None

    def _written(self, line: dict[str, Any], payload: bytes, parent: bytes) -> tuple[dict[str, Any], str, str]:
        """Return what a revision holds, who wrote it and when.

        What another application sealed before the account had keys is given as it came, on the archive's word.
        """
        if self._keyring.first.begins_after is not None and not is_envelope(payload):
            return foreign_content(payload), str(line.get("device_id") or ""), str(line["updated_at"])
        content = self._content(line, payload, parent)
        return content, *writer_of(content)

    def _content(self, line: dict[str, Any], payload: bytes, parent: bytes) -> dict[str, Any]:
        labels = [decode_base64(each) for each in line.get("labels", ())]
        return self._sealer.open(
            self._keyring,
            collection=line["collection"],
            record_id=line["record_id"],
            revision=line["revision"],
            parent=parent,
            deleted=line["deleted"],
            meta=meta(labels, line.get("source"), line.get("occurred_at")),
            payload=payload,
        )

    # ---- what belongs to them ----

    def tags(self) -> list[TagColor]:
        """Return all tags by name."""
        found = []
        for place in self._tags:
            line = self._line(place)
            with suppress(IntegrityError, CryptoError, KeyError, TypeError, ValueError):
                content = self._content(line, decode_base64(line["payload"]), decode_base64(line["parent"]))
                found.append(TagColor(str(content["name"]), color_in(content)))
        return sorted(found, key=lambda tag: (tag.name.casefold(), tag.name))

    def conflicts(self) -> list[Conflict]:
        """Return what waited for a decision when the archive was made."""
        found = []
        for data in self._archive.lines("conflicts.jsonl"):
            line = _parsed(data)
            if line.get("collection") != ENTRIES or line.get("resolved_at") is not None:
                continue
            opened = self._opened({**line, "revision": int(line.get("base_revision") or 0) + 1})
            if opened is None:
                self._unreadable[str(line.get("record_id"))] = _UNREADABLE
                continue
            with suppress(KeyError, TypeError, ValueError):
                found.append(
                    Conflict(
                        str(line["id"]),
                        str(line["record_id"]),
                        opened.entry,
                        None,
                        opened.device,
                        datetime.fromisoformat(line["detected_at"]),
                        own=False,
                    )
                )
        return sorted(found, key=lambda each: each.detected_at)

    async def revisions(self, entry: Entry) -> Kept:
        """Return what an entry held before, as far as the archive has it."""
        return await asyncio.to_thread(self._kept, entry.id)

    def _kept(self, entry_id: str) -> Kept:
        current = self._opened(self._line(self._records[entry_id]))
        history = self._history(entry_id)
        verified: set[int] = set()
        # Each revision names the bytes of the one before it: as far as that goes, nothing was exchanged.
        parent, number = (b"", 0) if current is None else (current.parent, current.number)
        for each in reversed(history):
            if each.number != number - 1 or each.digest != parent:
                break
            verified.add(each.number)
            parent, number = each.parent, each.number
        return Kept(tuple(_revision(each, verified=each.number in verified) for each in history))

    async def copy(self, attachment: Attachment, file: IO[bytes], progress: ProgressCallback | None) -> None:
        """Write an attachment to ``file``, which is not to be used if this raises."""
        name = media_file(attachment.media_id)
        if not self._archive.has(name):
            raise Unavailable(_ABSENT)

        def moved(done: int) -> None:
            if progress is not None:
                progress(Progress("open", done, attachment.size))

        await in_thread(lambda beat: self._unseal(attachment, name, file, beat), moved)

    def _unseal(self, attachment: Attachment, name: str, file: IO[bytes], beat: Beat) -> None:
        try:
            with tempfile.NamedTemporaryFile() as sealed, self._archive.file(name) as packed:
                digest = sha256()
                while piece := packed.read(_BUFFER):
                    digest.update(piece)
                    sealed.write(piece)
                sealed.flush()
                if attachment.sealed_sha256 not in (None, digest.digest()):
                    raise Unavailable(_DAMAGED)
                unsealed(attachment, Path(sealed.name), self._keyring.identities, file, beat)
        except (MediaDamaged, NotAnArchive):
            raise Unavailable(_DAMAGED) from None


def _revision(opened: _Opened, *, verified: bool) -> Revision:
    event: Literal["created", "updated", "deleted"] = "created" if opened.number == 1 else "updated"
    if opened.entry is None:
        event = "deleted"
    return Revision(str(opened.number), event, opened.at, opened.device, opened.entry, verified)


def _parsed(line: bytes) -> dict[str, Any]:
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        raise NotAnArchive from None
    if not isinstance(value, dict):
        raise NotAnArchive
    return value
