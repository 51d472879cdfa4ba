"""Sealing attachments anew under the newest key: fetched, opened and sealed as a stream, and sent under new ids.

In this order nothing can be lost: an entry names the new file only once the server has it, and the old one is deleted
only once the server has that entry. What remains is told by the recipients in the entries, so it goes on after a crash.
"""

from __future__ import annotations

import os
import threading
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from lockleaf.client.media.downloads import unsealed
from lockleaf.client.media.local_attachments import LocalAttachments
from lockleaf.client.media.staging import Sealed, sealed_from
from lockleaf.client.media.staging_folder import StagedFile, StagingFolder, staging
from lockleaf.client.media.threads import Beat
from lockleaf.client.records.attachments import Attachment, MediaObject, attachments_of, media_of, sealed_anew
from lockleaf.client.records.edits import Edits
from lockleaf.client.store import LocalStore
from lockleaf.client.store.media_queue import QueuedObject
from lockleaf.client.store.records import ENTRIES

__all__ = ["MediaResealing", "sealed_again", "take_place", "to_seal_anew"]

_BUFFER = 1024 * 1024


def to_seal_anew(store: LocalStore, book: LocalAttachments) -> list[tuple[Attachment, MediaObject]]:
    """Return the media, each with its attachment, that a retired key may open, without those that take their place."""
    newest = store.keyring.newest.recipient
    if len(store.keyring) == 1:
        return []
    coming = {row.replaces for row in store.media.in_state("upload")}
    return [
        (owner, media_object)
        for owner, media_object in book.media()
        if media_object.recipient != newest and media_object.media_id not in coming
    ]


@dataclass
class MediaResealing:
    """Seals one object after the other; blocks.

    Args:
        store, folder: where what is sealed waits for its upload.
        now: the present time, RFC 3339.
    """

    store: LocalStore
    folder: StagingFolder
    now: str

    def seal(self, owner: Attachment, media_object: MediaObject, sealed: Path, beat: Beat) -> None:
        """Seal the file in ``sealed`` to the newest key, to wait for its upload. Its plain bytes touch no disk.

        Raises:
            MediaDamaged: it is not what was attached.
            DiskFull: there is no space for it.
        """
        key, media_id = self.store.keyring.newest, str(uuid.uuid4())
        with staging(self.folder) as begun:
            made = sealed_again(
                media_object, sealed, self.store.keyring.identities, begun.begin(media_id), key.recipient, beat
            )
            row = QueuedObject(
                media_id,
                owner.entry_id,
                "upload",
                self.now,
                media_object.media_type,
                made.sealed_size,
                made.sealed_sha256,
                made.parts,
                recipient=key.recipient,
                replaces=media_object.media_id,
            )
            self.store.media.put([row])


def take_place(store: LocalStore, edits: Edits, made: QueuedObject) -> list[str]:
    """Let an object that the server has now take its place in its entry; to be called within a transaction.

    Returns:
        The ids of media of which nobody need hear any more.
    """
    record = store.records.get(ENTRIES, made.entry_id)
    content = None if record is None or record.deleted or record.doc is None else record.doc.content
    former = {
        media_object.media_id: media_object
        for _, media_object in media_of(attachments_of(made.entry_id, content or {}))
    }
    assert made.replaces is not None
    if record is None or content is None or made.replaces not in former:
        # Somebody took it off meanwhile, so its successor goes as well.
        store.media.put([replace(made, state="delete", announced=True, for_good=True)])
        return []
    old = former[made.replaces]
    media_object = MediaObject(
        made.media_id, old.media_type, old.size, old.sha256, made.sealed_size, made.sealed_sha256, made.recipient
    )
    edits.keep(record, sealed_anew(content, old.media_id, media_object))
    row = store.media.get(old.media_id)
    assert row is not None, "an edit leaves a row of what its entry names no more"
    if not row.announced:
        store.media.settle(row, None, row.changed_at)
        return [old.media_id]
    store.media.put([replace(row, state="delete", attachment=None, for_good=True, after_entry=True)])
    return []


def sealed_again(
    media_object: MediaObject, source: Path, identities: Sequence[str], staged: StagedFile, recipient: str, beat: Beat
) -> Sealed:
    """Open a sealed file and seal what is in it again, as one stream through a pipe.

    Raises:
        MediaDamaged: it is not what was attached.
        DiskFull: there is no space for it.
    """
    failed: list[BaseException] = []
    reading, writing = os.pipe()

    def open_it() -> None:
        try:
            with os.fdopen(writing, "wb", buffering=_BUFFER) as plain:
                unsealed(media_object, source, identities, plain, lambda _: None)
        except BaseException as error:
            failed.append(error)

    opening = threading.Thread(target=open_it)
    opening.start()
    try:
        with os.fdopen(reading, "rb", buffering=_BUFFER) as plain:
            made = sealed_from(plain, media_object.size, staged, recipient, beat)
    except BaseException as error:
        opening.join()
        # Where opening failed the stream ended early; where sealing did, opening has found nobody who reads.
        if failed and not isinstance(failed[0], BrokenPipeError):
            raise failed[0] from error
        raise
    opening.join()
    if failed:
        raise failed[0]
    return made
