"""The files of imported entries: sealed one after the other as streams, each known again by a second import."""

from __future__ import annotations

import tarfile
import zipfile
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from lockleaf.client.errors import FileChanged
from lockleaf.client.journal.importers.containers import Unreadable
from lockleaf.client.media.file_names import OCTETS, clean_name, guessed_type
from lockleaf.client.media.preparation import PreparedAttachment, drafted_from
from lockleaf.client.media.signatures import ENOUGH, type_by_content
from lockleaf.client.media.staging import MAX_BYTES
from lockleaf.client.media.staging_folder import Staging
from lockleaf.client.media.threads import Beat
from lockleaf.client.records.attachments import described, descriptions, with_attachments
from lockleaf.client.records.entries import IncomingFile
from lockleaf.crypto.keyring import KeyEntry
from lockleaf.wire.content import MAX_ATTACHMENTS

__all__ = ["REMEMBERED_FILES", "SealedFiles", "seal_files", "unknown_files", "with_files"]

REMEMBERED_FILES = "imported_files"
"""The field of an entry's map that holds, of each file that was imported with it, a digest of what names it there."""

_KEY = 12
_NAMES = {"image/jpeg": {"image/jpeg", "image/jpg", "image/pjpeg"}, "image/heic": {"image/heic", "image/heif"}}


@dataclass(frozen=True, slots=True)
class SealedFiles:
    """The files of one entry, sealed.

    Attributes:
        drafts: the attachments, each with what is needed to send it.
        keys: digests of what names them.
        refused: of those that could not be taken, which and why.
        notes: what is to be said of those that were taken.
    """

    drafts: tuple[PreparedAttachment, ...] = ()
    keys: tuple[bytes, ...] = ()
    refused: tuple[str, ...] = ()
    notes: tuple[str, ...] = field(default=())


def _digest(file: IncomingFile) -> bytes:
    return sha256(file.key.encode("utf-8", "surrogatepass")).digest()[:_KEY]


def unknown_files(files: Iterable[IncomingFile], content: Mapping[str, Any]) -> tuple[IncomingFile, ...]:
    """Return those of ``files`` that an entry's map neither has nor remembers to have been imported."""
    remembered = content.get(REMEMBERED_FILES)
    keys = set(remembered) if isinstance(remembered, list) else set()
    named = {each["media_id"] for each in descriptions(content)}
    return tuple(file for file in files if _digest(file) not in keys and file.media_id not in named)


def with_files(content: Mapping[str, Any], sealed: SealedFiles) -> dict[str, Any]:
    """Return an entry's map with files, which it remembers."""
    if not sealed.drafts:
        return dict(content)
    remembered = content.get(REMEMBERED_FILES)
    keys = [*(remembered if isinstance(remembered, list) else []), *sealed.keys]
    made = with_attachments(content, [described(draft.attachment) for draft in sealed.drafts])
    return made | {REMEMBERED_FILES: keys}


def seal_files(
    files: Iterable[IncomingFile], begun: Staging, *, entry_id: str, had: int, key: KeyEntry, now: str, beat: Beat
) -> SealedFiles:
    """Seal the files of an entry; one that cannot be read costs itself. Blocks.

    Args:
        had: how many files the entry has already.

    Raises:
        DiskFull: there is no space for them.
    """
    drafts: list[PreparedAttachment] = []
    keys: list[bytes] = []
    refused: list[str] = []
    notes: list[str] = []
    for file in files:
        reason = _objection(file, had + len(drafts))
        if reason is None:
            before = len(begun.files)
            try:
                drafts.append(_sealed(file, begun, notes, entry_id=entry_id, key=key, now=now, beat=beat))
                keys.append(_digest(file))
                continue
            except FileChanged:
                reason = "it has other bytes than its place says"
            except (zipfile.BadZipFile, zlib.error, EOFError, tarfile.TarError):
                reason = "it is damaged"
            except Unreadable as error:
                reason = str(error)
            except OSError as error:
                reason = f"it cannot be read: {error.strerror}"
            begun.discard(before)
        refused.append(f"the file {file.name}: {reason}")
    return SealedFiles(tuple(drafts), tuple(keys), tuple(refused), tuple(notes))


def _objection(file: IncomingFile, had: int) -> str | None:
    if had >= MAX_ATTACHMENTS:
        return f"an entry has at most {MAX_ATTACHMENTS} attachments"
    if file.size > MAX_BYTES:
        return "an attachment has at most 5 GB"
    return "it is empty" if file.size == 0 else None


def _sealed(
    file: IncomingFile, begun: Staging, notes: list[str], *, entry_id: str, key: KeyEntry, now: str, beat: Beat
) -> PreparedAttachment:
    name = clean_name(file.name)
    with file.open() as plain:
        found = type_by_content(plain.read(ENOUGH))
        plain.seek(0)
        by_name = guessed_type(name)
        if found is not None and by_name not in (OCTETS, *_NAMES.get(found, {found})) and _differ(found, by_name):
            notes.append(f"the file {name} is {found}, whatever its name says")
        return drafted_from(
            plain,
            file.size,
            begun,
            entry_id=entry_id,
            name=name,
            media_type=file.media_type or found or by_name,
            key=key,
            now=now,
            beat=beat,
        )


def _differ(found: str, by_name: str) -> bool:
    """Tell whether two types are of different kinds: containers of sound and film go by many names."""
    kinds = {found.partition("/")[0], by_name.partition("/")[0]}
    return kinds == {"image"} or not kinds <= {"audio", "video"}
