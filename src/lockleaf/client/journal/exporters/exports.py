"""Exports of the journal on this device, as the SDK offers them."""

from __future__ import annotations

import asyncio
from abc import abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from lockleaf.client.device.device import Device
from lockleaf.client.records.progress import ProgressCallback
from lockleaf.client.search.selection import Selection
from lockleaf.lazy import late
from lockleaf.paths import StrPath

if TYPE_CHECKING:
    from lockleaf.client.journal import export_notes
    from lockleaf.client.journal.exporters import destinations, exporting, sources
    from lockleaf.client.media.media import Media
else:
    # Every client has this part, and few export.
    export_notes = late("lockleaf.client.journal.export_notes")
    destinations = late("lockleaf.client.journal.exporters.destinations")
    exporting = late("lockleaf.client.journal.exporters.exporting")
    sources = late("lockleaf.client.journal.exporters.sources")

__all__ = ["AgeIdentity", "Exports"]


@dataclass(frozen=True, slots=True)
class AgeIdentity:
    """A key pair of the account in age's text form, such as ``age -i`` takes.

    Attributes:
        secret: ``AGE-SECRET-KEY-1...``.
        recipient: ``age1...``.
        created_at: RFC 3339.
    """

    secret: str = field(repr=False)
    recipient: str
    created_at: str


class Exports:
    """The part of `Client` that takes the journal out in plain text."""

    _device: Device

    @property
    @abstractmethod
    def media(self) -> Media:
        """Files attached to entries."""

    async def export(
        self,
        path: StrPath,
        *,
        form: destinations.ExportFormat = "markdown",
        since: date | str | None = None,
        until: date | str | None = None,
        tag: str | None = None,
        mood: str | None = None,
        source: str | None = None,
        entry_ids: Iterable[str] | None = None,
        revisions: bool = False,
        include_deleted: bool = False,
        force: bool = False,
        note: bool = False,
        progress: ProgressCallback | None = None,
    ) -> exporting.ExportReport:
        """Write the journal of this device in plain text, which `Journal.import_entries` takes back as it was.

        It needs no server. Attachments, and earlier revisions, that are not on this device are fetched; the report
        names what could not be had. Exported again, a folder has new bytes only where something changed, and what is
        gone from the journal is taken away. A file that no export made, or that was edited since, stays as it is.

        Args:
            path: a folder; or a ZIP file, by its name, written whole or not at all.
            form: ``markdown`` (a file an entry, and one JSON of everything) or ``json``.
            since, until, tag, mood, source: only these entries, as for `Journal.list`.
            entry_ids: of these alone the ones with such an id, which a search may have found.
            revisions: earlier states of entries, too.
            include_deleted: deleted entries, too.
            force: replace a ZIP file that is there; in a folder, go on with another export, and replace edited files.
            note: have the history of each entry say on all devices that it was exported. The next `Client.sync` carries
                that, sealed, and the server sees that a setting was changed.
            progress: told of the stages ``export`` in entries, ``fetch`` and ``open`` in bytes.

        Raises:
            NotLoggedIn: there is no account here.
            OtherExport, ExportRunning, NotAnExportFolder: each as its name says.
            FileExistsError, FileNotFoundError: a ZIP file is there, or its folder is not.
            InvalidEntry: a day is invalid.
            DiskFull, ReadOnlyFolder, LocalStoreError: this device refused. Nothing half is under a name, and the next
                export goes on from here.
        """
        opened = self._device.opened
        report = await destinations.export_to(
            Path(path),
            sources.JournalSource(opened.store, self.media, lambda: self._device.session, self._device.clock),
            Selection.of(since=since, until=until, tag=tag, mood=mood, source=source, ids=entry_ids),
            user_id=str(opened.profile.user_id),
            form=form,
            revisions=revisions,
            deleted=include_deleted,
            force=force,
            progress=progress,
        )
        if note:
            await asyncio.to_thread(
                export_notes.note_export,
                opened.store,
                report.entry_ids,
                form=form,
                device_id=opened.profile.device_id,
                now=self._device.now(),
            )
        return report

    def age_identities(self) -> tuple[AgeIdentity, ...]:
        """Return the secret keys that open the account's attached files, the present one first.

        Raises:
            NotLoggedIn: there is no account here.
            JournalLocked, KeychainUnavailable, LocalStoreError: as for `journal`.
        """
        entries = reversed(self._device.opened.keyring.entries)
        return tuple(AgeIdentity(each.identity, each.recipient, each.created_at) for each in entries)
