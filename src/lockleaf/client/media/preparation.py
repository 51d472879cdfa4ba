"""Making an attachment of a file: sealed and measured, with a small picture if it is an image."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import IO

from lockleaf.client.media.staging import Sealed, Source, sealed_from
from lockleaf.client.media.staging_folder import StagedFile, Staging, StagingFolder, staging
from lockleaf.client.media.threads import Beat
from lockleaf.client.media.thumbnails import MEDIA_TYPE, thumbnail
from lockleaf.client.profile.private_files import full_disk_by_name
from lockleaf.client.records.attachments import Attachment, MediaObject, described
from lockleaf.client.store.media_queue import QueuedObject
from lockleaf.crypto.identity import seal_to
from lockleaf.crypto.keyring import KeyEntry

__all__ = ["PreparedAttachment", "drafted", "drafted_from"]


@dataclass
class PreparedAttachment:
    """What was made of a file: the attachment, and the rows and sealed files by which it is sent."""

    attachment: Attachment
    rows: tuple[QueuedObject, ...]


def drafted(
    path: Path,
    *,
    entry_id: str,
    name: str,
    media_type: str,
    key: KeyEntry,
    folder: StagingFolder,
    now: str,
    beat: Beat,
    keep: Callable[[PreparedAttachment], Attachment],
) -> Attachment:
    """Seal a file, and have ``keep`` enter it; whatever fails, ``keep`` included, leaves nothing behind. Blocks.

    Args:
        key: the account's newest master key, to whose age recipient it is sealed.
        now: the present time, RFC 3339.
        keep: writes entry and rows in one transaction.

    Raises:
        NoSuchFile, AttachmentTooLarge, FileChanged, DiskFull: each as its name says.
    """
    with staging(folder) as begun, Source(path) as source:
        draft = drafted_from(
            source.file, source.size, begun, entry_id=entry_id, name=name, media_type=media_type, key=key, now=now,
            beat=beat,
        )  # fmt: skip
        # The picture was made from the file as well, so it has to be the same to the end.
        source.check_unchanged()
        return keep(draft)


def drafted_from(
    plain: IO[bytes],
    size: int,
    begun: Staging,
    *,
    entry_id: str,
    name: str,
    media_type: str,
    key: KeyEntry,
    now: str,
    beat: Beat,
) -> PreparedAttachment:
    """Seal the ``size`` bytes of an open file that can go back to its beginning. Blocks.

    Args:
        begun: the sealed files that are gone unless its ``with`` ends well.

    Raises:
        FileChanged: there are more bytes, or fewer.
        DiskFull: there is no space for the sealed file.
    """
    media_id = str(uuid.uuid4())
    whole = sealed_from(plain, size, begun.begin(media_id), key.recipient, beat)
    small = _thumbnail(plain, begun, key) if media_type.startswith("image/") else None
    attachment = Attachment(
        media_id, media_type, whole.size, whole.sha256, whole.sealed_size, whole.sealed_sha256,
        key.recipient, name=name, entry_id=entry_id, thumbnail=small,
    )  # fmt: skip
    rows = [_row(attachment, entry_id, now, whole.parts)]
    if small is not None:
        rows.append(_row(small, entry_id, now))
    return PreparedAttachment(attachment, tuple(rows))


def _thumbnail(plain: IO[bytes], begun: Staging, key: KeyEntry) -> MediaObject | None:
    plain.seek(0)
    picture = thumbnail(plain)
    if picture is None:
        return None
    media_id = str(uuid.uuid4())
    whole = _sealed_bytes(picture, begun.begin(media_id), key.recipient)
    return MediaObject(
        media_id, MEDIA_TYPE, whole.size, whole.sha256, whole.sealed_size, whole.sealed_sha256, key.recipient
    )


def _sealed_bytes(data: bytes, staged: StagedFile, recipient: str) -> Sealed:
    closed = seal_to(recipient, data)
    with full_disk_by_name():
        staged.file.write(closed)
        staged.settle()
    return Sealed(len(data), sha256(data).digest(), len(closed), sha256(closed).digest(), ())


def _row(media_object: MediaObject, entry_id: str, now: str, parts: tuple[tuple[int, bytes], ...] = ()) -> QueuedObject:
    assert media_object.sealed_size is not None
    assert media_object.sealed_sha256 is not None
    return QueuedObject(
        media_object.media_id,
        entry_id,
        "upload",
        now,
        media_object.media_type,
        media_object.sealed_size,
        media_object.sealed_sha256,
        parts,
        described(media_object) if isinstance(media_object, Attachment) else None,
        recipient=media_object.recipient,
    )
