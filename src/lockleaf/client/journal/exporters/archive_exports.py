"""Exporting an archive that a server made: nothing but the file, and the password or a recovery code, is needed."""

from __future__ import annotations

import asyncio
from datetime import date
from pathlib import Path

from lockleaf.client.journal.archive_file import ArchiveFile
from lockleaf.client.journal.exporters.archive_source import ArchiveSource
from lockleaf.client.journal.exporters.destinations import ExportFormat, export_to
from lockleaf.client.journal.exporters.exporting import ExportReport
from lockleaf.client.records.progress import ProgressCallback
from lockleaf.client.search.selection import Selection
from lockleaf.paths import StrPath

__all__ = ["export_archive"]


async def export_archive(
    archive: StrPath,
    path: StrPath,
    *,
    password: str | None = None,
    recovery_code: str | None = None,
    form: ExportFormat = "markdown",
    since: date | str | None = None,
    until: date | str | None = None,
    tag: str | None = None,
    mood: str | None = None,
    source: str | None = None,
    revisions: bool = False,
    include_deleted: bool = False,
    force: bool = False,
    progress: ProgressCallback | None = None,
    allow_test_parameters: bool = False,
) -> ExportReport:
    """Write the journal in an archive in plain text, as `Client.export` does; no server and no profile are needed.

    Each entry opens by its seal alone. What does not is named in the report, and so are files that are not in it.

    Args:
        archive: the ZIP file that ``lockleaf archive`` saved.
        path: a folder, or a ZIP file by its name.
        password: that the account had when the archive was made.
        recovery_code: one that was good then, instead of the password.
        form, since, until, tag, mood, source, revisions, include_deleted, force, progress: as for `Client.export`.
        allow_test_parameters: key derivation may be far too cheap. For tests alone.

    Raises:
        NotAnArchive, ArchiveWithoutKeys, WrongPassword, ArchiveCodeUnknown: each as its name says.
        ValueError: neither a password nor a code is given.
        OtherExport, ExportRunning, NotAnExportFolder, FileExistsError, FileNotFoundError, InvalidEntry, DiskFull,
            ReadOnlyFolder: as for `Client.export`.
    """
    if password is None and recovery_code is None:
        raise ValueError("a password or a recovery code opens an archive")
    wanted = Selection.of(since=since, until=until, tag=tag, mood=mood, source=source)
    with await asyncio.to_thread(ArchiveFile, Path(archive)) as opened:
        if recovery_code is not None:
            keyring = await asyncio.to_thread(opened.keyring_by_code, recovery_code)
        else:
            keyring = await asyncio.to_thread(
                opened.keyring_by_password, password or "", allow_test_parameters=allow_test_parameters
            )
        entries = ArchiveSource(opened, keyring)
        await asyncio.to_thread(entries.__enter__)
        try:
            return await export_to(
                Path(path),
                entries,
                wanted,
                user_id=opened.user_id,
                form=form,
                revisions=revisions,
                deleted=include_deleted,
                force=force,
                progress=progress,
            )
        finally:
            entries.__exit__(None, None, None)
