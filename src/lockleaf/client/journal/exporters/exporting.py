"""An export from its first entry to its last: entries in portions, so that no more of them are in memory at a time."""

from __future__ import annotations

import asyncio
import shutil
import sys
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from hashlib import md5, sha256
from typing import IO, Literal

from lockleaf.client.journal.exporters.formats import MD5, Add, ExportedEntry, ExportedFile, Extras, Format
from lockleaf.client.journal.exporters.names import FileNames
from lockleaf.client.journal.exporters.sources import ExportSource, Kept, Unavailable
from lockleaf.client.journal.exporters.targets import Left, Target
from lockleaf.client.records.attachments import Attachment
from lockleaf.client.records.entries import Entry
from lockleaf.client.records.progress import Progress, ProgressCallback
from lockleaf.client.search.selection import Selection

__all__ = ["ExportReport", "MissingPart", "export_entries"]

_PORTION = 100
_BUFFER = 1024 * 1024


@dataclass(frozen=True, slots=True)
class MissingPart:
    """What belongs to an entry and is not in the export.

    Attributes:
        kind: an ``attachment``, earlier ``revisions``, or the whole ``entry``.
        name, media_id: of the attachment.
        reason: why, in a sentence.
    """

    entry_id: str
    kind: Literal["attachment", "revisions", "entry"]
    reason: str
    name: str | None = None
    media_id: str | None = None


@dataclass(frozen=True, slots=True)
class ExportReport:
    """What an export did.

    Attributes:
        entries, attachments, revisions: how many are in it.
        written: files that are new or changed; ``unchanged``: those that were there already; ``removed``: files of an
            earlier export that are not part of this one.
        conflicts: versions of entries that wait for a decision. The JSON has them, other formats do not.
        missing: what could not be had.
        entry_ids: of the entries that are in it.
        left: files of somebody else, or changed by somebody else, that stand where the export has its own.
    """

    entries: int = 0
    attachments: int = 0
    revisions: int = 0
    written: int = 0
    unchanged: int = 0
    removed: int = 0
    conflicts: int = 0
    missing: tuple[MissingPart, ...] = field(default=(), hash=False)
    left: tuple[Left, ...] = field(default=(), hash=False)
    entry_ids: tuple[str, ...] = field(default=(), hash=False, repr=False, compare=False)

    @property
    def is_complete(self) -> bool:
        """Whether the export is all that was asked for."""
        return not self.missing and not self.left


async def export_entries(
    source: ExportSource,
    target: Target,
    form: Format,
    wanted: Selection,
    *,
    revisions: bool,
    deleted: bool,
    progress: ProgressCallback | None,
) -> ExportReport:
    """Export the entries that are wanted.

    Args:
        target: entered already; finished when this returns.
        revisions: earlier states of entries, too.
        deleted: deleted entries, too.
        progress: told of the stage ``export`` in entries, and of ``fetch`` and ``open`` in bytes of one file.

    Raises:
        DiskFull, ReadOnlyFolder, LocalStoreError: this device refused; nothing half is under a name.
    """
    ids = await asyncio.to_thread(lambda: source.ids(wanted, deleted=deleted))
    conflicts = await asyncio.to_thread(source.conflicts)
    extras = Extras(await asyncio.to_thread(source.tags), conflicts)
    run = _Run(source, target, form, revisions=revisions and form.carries_revisions, progress=progress)
    # Entered and left in a thread: what ends with it is written to the disk then.
    stack = ExitStack()
    add = await asyncio.to_thread(stack.enter_context, form.writing(target, extras))
    try:
        await run.take(ids, add)
    except BaseException:
        stack.__exit__(*sys.exc_info())
        raise
    run.missing += [MissingPart(entry_id, "entry", reason) for entry_id, reason in sorted(source.unreadable().items())]
    await asyncio.to_thread(stack.close)
    placed = await asyncio.to_thread(target.finish)
    return ExportReport(
        run.entries,
        run.attachments,
        run.revisions,
        placed.written,
        placed.unchanged,
        placed.removed,
        len(conflicts),
        tuple(run.missing),
        placed.left,
        tuple(run.entry_ids),
    )


class _Run:
    """One export at work."""

    def __init__(
        self, source: ExportSource, target: Target, form: Format, *, revisions: bool, progress: ProgressCallback | None
    ) -> None:
        self._source = source
        self._target = target
        self._form = form
        self._with_revisions = revisions
        self._progress = progress
        self._names = FileNames()
        self.entries = self.attachments = self.revisions = 0
        self.missing: list[MissingPart] = []
        self.entry_ids: list[str] = []

    async def take(self, ids: list[str], add: Add) -> None:
        """Export the entries of ``ids``."""
        for portion in _portions(ids):
            entries = await asyncio.to_thread(self._source.entries, portion)
            taken = [await self._whole(entry) for entry in entries]
            await asyncio.to_thread(_add_all, add, taken)
            self.entries += len(taken)
            self.entry_ids += [each.entry.id for each in taken]
            if self._progress is not None:
                self._progress(Progress("export", self.entries, len(ids)))

    async def _whole(self, entry: Entry) -> ExportedEntry:
        stem = self._names.stem(entry)
        files = []
        if entry.attachments:
            paths = self._form.paths(entry, stem)
            for attachment, path in zip(entry.attachments, paths, strict=True):
                files.append(ExportedFile(attachment, await self._placed(attachment, path)))
        kept = await self._source.revisions(entry) if self._with_revisions else Kept()
        if kept.missing is not None:
            self.missing.append(MissingPart(entry.id, "revisions", kept.missing))
        self.revisions += len(kept.revisions)
        return ExportedEntry(entry, stem, tuple(files), kept.revisions, kept.missing is not None)

    async def _placed(self, attachment: Attachment, path: str) -> str | None:
        try:
            if MD5 in path:
                path = await self._placed_by_content(attachment, path)
            elif not await asyncio.to_thread(self._target.has, path, attachment.sha256):
                with self._target.file(path, packed=False) as file:
                    await self._source.copy(attachment, file, self._progress)
        except Unavailable as error:
            self.missing.append(
                MissingPart(attachment.entry_id, "attachment", str(error), attachment.name, attachment.media_id)
            )
            return None
        self.attachments += 1
        return path

    async def _placed_by_content(self, attachment: Attachment, path: str) -> str:
        with self._target.unnamed() as waiting:
            await self._source.copy(attachment, waiting, self._progress)
            return await asyncio.to_thread(_place_by_content, self._target, waiting, path)


def _place_by_content(target: Target, waiting: IO[bytes], path: str) -> str:
    """Place a file whose name follows from its bytes; return its path."""
    digest, name = sha256(), md5(usedforsecurity=False)
    waiting.seek(0)
    while piece := waiting.read(_BUFFER):
        digest.update(piece)
        name.update(piece)
    path = path.replace(MD5, name.hexdigest())
    if not target.has(path, digest.digest()):
        waiting.seek(0)
        with target.file(path, packed=False) as file:
            shutil.copyfileobj(waiting, file, _BUFFER)
    return path


def _add_all(add: Add, entries: Iterable[ExportedEntry]) -> None:
    for each in entries:
        add(each)


def _portions(ids: list[str]) -> Iterator[list[str]]:
    for start in range(0, len(ids), _PORTION):
        yield ids[start : start + _PORTION]
