"""The archive that a server makes of an account (``lockleaf archive``): what is sealed in it is opened here.

Its keys are those of the account that it was made of: a password opens them, as it was when the archive was made. Each
entry keeps its id, so that an archive comes back into its own account without a second of anything.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Iterator
from functools import partial
from typing import IO

from lockleaf.client.errors import ImportRefused
from lockleaf.client.journal.archive_file import ArchiveFile
from lockleaf.client.journal.exporters.archive_source import ArchiveSource
from lockleaf.client.journal.exporters.sources import Unavailable
from lockleaf.client.journal.import_report import Skipped
from lockleaf.client.journal.importers.containers import Container, Unreadable
from lockleaf.client.journal.importers.protocol import ImportOptions
from lockleaf.client.journal.importers.texts import distinct_name
from lockleaf.client.records.attachments import Attachment
from lockleaf.client.records.entries import Entry, EntryDraft, Exported, IncomingFile
from lockleaf.client.search.selection import Selection

__all__ = ["ServerArchive"]

_MANIFEST = "manifest.json"
_PORTION = 200


class ServerArchive:
    """An archive of an account, as a server holds it."""

    name = "lockleaf-archive"
    title = "Lockleaf's archive"

    def recognises(self, source: Container) -> bool:
        """Tell whether it has the manifest of an archive."""
        return source.get(_MANIFEST) is not None and b'"lockleaf-archive"' in source.plain_start(_MANIFEST)

    def count(self, source: Container) -> int | None:
        """Return nothing: tags and tombstones stand among the entries."""
        return None

    def read(self, source: Container, options: ImportOptions) -> Iterator[EntryDraft | Skipped]:
        """Yield the entries, oldest first, deleted ones included.

        Raises:
            ImportRefused: there is no password to open it with.
            NotAnArchive, ArchiveWithoutKeys, WrongPassword: each as its name says.
        """
        archive = source.held.enter_context(ArchiveFile(source.path))
        if options.password is None:
            raise ImportRefused("It is an archive of ciphertext: the password of its account opens it.")
        keyring = archive.keyring_by_password(options.password)
        opened = source.held.enter_context(ArchiveSource(archive, keyring))
        ids = opened.ids(Selection.of(), deleted=True)
        for start in range(0, len(ids), _PORTION):
            for entry in opened.entries(ids[start : start + _PORTION]):
                yield _draft(entry, opened)
        for entry_id, reason in opened.unreadable().items():
            yield Skipped(f"entry {entry_id}", reason.rstrip("."))


def _draft(entry: Entry, opened: ArchiveSource) -> EntryDraft:
    taken: set[str] = set()
    files = tuple(
        IncomingFile(
            name=distinct_name(each.name, taken),
            key=each.media_id,
            size=each.size,
            open=partial(_opened, each, opened),
            media_type=each.media_type,
            media_id=each.media_id,
        )
        for each in entry.attachments
    )
    return EntryDraft(
        body=entry.body,
        date=entry.date,
        external_id=entry.id,
        provider=ServerArchive.name,
        title=entry.title,
        mood=entry.mood,
        tags=entry.tags,
        time_zone=entry.time_zone,
        weather=entry.weather,
        location=entry.location,
        metrics=entry.metrics,
        source=entry.source,
        exported=Exported(
            entry_id=entry.id,
            revision=entry.revision,
            deleted=entry.deleted,
            created_at=entry.created_at.isoformat(),
            updated_at=entry.updated_at.isoformat(),
            media_ids=tuple(each.media_id for each in entry.attachments),
        ),
        place=f"entry {entry.id}",
        foreign=entry.foreign,
        files=files,
    )


def _opened(attachment: Attachment, opened: ArchiveSource) -> IO[bytes]:
    """Return the plain bytes of an attachment, in a file without a name."""
    file = tempfile.TemporaryFile()  # noqa: SIM115  (closed by whoever reads it)
    try:
        # In a thread of its own, where no event loop runs.
        asyncio.run(opened.copy(attachment, file, None))
        file.seek(0)
    except Unavailable as error:
        file.close()
        raise Unreadable(str(error).rstrip(".")) from None
    except BaseException:
        file.close()
        raise
    return file
