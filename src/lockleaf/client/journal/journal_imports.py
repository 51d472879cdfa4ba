"""Importing into a journal: entries that somebody gives, or a journal of another program, wherever it lies."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from lockleaf.client.media.staging_folder import StagingFolder
from lockleaf.client.media.threads import in_thread
from lockleaf.client.records.edits import Edits
from lockleaf.client.records.entries import EntryDraft
from lockleaf.client.records.progress import Progress, ProgressCallback
from lockleaf.client.search.keeping_up import KeepingUp
from lockleaf.client.store import LocalStore
from lockleaf.lazy import late
from lockleaf.paths import StrPath

if TYPE_CHECKING:
    from lockleaf.client.journal import import_report, imports
    from lockleaf.client.journal.importers import archives, protocol, registry
    from lockleaf.client.journal.importers.containers import Container
else:
    # Every journal has this part, and few import.
    import_report = late("lockleaf.client.journal.import_report")
    imports = late("lockleaf.client.journal.imports")
    archives = late("lockleaf.client.journal.importers.archives")
    protocol = late("lockleaf.client.journal.importers.protocol")
    registry = late("lockleaf.client.journal.importers.registry")

__all__ = ["JournalImports"]


class JournalImports:
    """What a journal takes in from elsewhere.

    Args:
        edits: by which entries are changed.
        media: the folder where attachments wait for their upload; without one, none are imported.
    """

    def __init__(self, store: LocalStore, edits: Edits, media: Path | None) -> None:
        self.__store = store
        self.__edits = edits
        self.__folder = None if media is None else StagingFolder(media)

    async def import_entries(
        self,
        drafts: Iterable[EntryDraft | import_report.Skipped],
        progress: ProgressCallback | None = None,
        *,
        total: int | None = None,
        update: bool = False,
        dry_run: bool = False,
    ) -> import_report.ImportReport:
        """Add entries from elsewhere. What was imported before, by this device or another, is left as it is now.

        Entries are kept in portions, one with files whole or not at all; an import that was killed is run again and
        goes on where it was. One that cannot be kept is skipped, and the report says which and why.

        Args:
            drafts: read as the import goes on; where reading them fails, what came before is kept.
            total: how many there are, for the progress alone.
            update: make entries that are here what the drafts say. One that was edited here too is merged, or what is
                imported comes as a second entry: no text is overwritten that the draft's writer had not seen.
            dry_run: write nothing, and report what would be done. Files are not read.

        Raises:
            DiskFull, StoreLocked, StoreDamaged: the local store refused; portions before are kept.
        """
        waiting = imports.portions(drafts)
        running = imports.Import(
            self.__store,
            self.__edits,
            time=self.__edits.time,
            update=update,
            folder=self.__folder,
            dry_run=dry_run,
        )
        keeping_up = await asyncio.to_thread(KeepingUp, self.__store)
        try:
            while portion := await asyncio.to_thread(next, waiting, ()):
                items = portion
                await in_thread(lambda beat, items=items: running.take(items, beat))  # type: ignore[misc]
                if progress is not None:
                    progress(Progress("import", running.done, total))
                await asyncio.to_thread(keeping_up.go_on)
            await keeping_up.finish(progress)
        finally:
            keeping_up.close()
        return running.report()

    async def import_from(
        self,
        path: StrPath,
        progress: ProgressCallback | None = None,
        *,
        importer: str | None = None,
        options: protocol.ImportOptions | None = None,
        update: bool = False,
        dry_run: bool = False,
    ) -> import_report.ImportReport:
        """Import the journal of another program: a file, an archive or a folder; see `import_entries`.

        Args:
            importer: the name of the format; what the content shows, if absent.
            options: what is to be known of the source beside its place.

        Raises:
            ImportRefused: it is no journal that is known here, is damaged, or is a trap. Nothing was imported.
            DiskFull, StoreLocked, StoreDamaged: the local store refused; what came before is kept.
        """
        chosen = options or protocol.ImportOptions()
        source = await asyncio.to_thread(archives.opened_container, Path(path))
        try:
            reader = await asyncio.to_thread(registry.importer_for, source, importer)
            total = await asyncio.to_thread(reader.count, source) if progress is not None else None
            report = await self.import_entries(
                _items(reader, source, chosen), progress, total=total, update=update, dry_run=dry_run
            )
        finally:
            source.close()
        return replace(report, importer=reader.name)


def _items(
    reader: protocol.Importer, source: Container, options: protocol.ImportOptions
) -> Iterable[EntryDraft | import_report.Skipped]:
    yield from reader.read(source, options)
    yield from source.refused
