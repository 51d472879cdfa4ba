"""Day One's JSON export: ``Journal.json`` and folders of photos, videos, sounds and PDFs, by their MD5.

What Day One knows of an entry stands where it looks for it. Everything, as Lockleaf knows it, stands beside that under
``lockleaf``, which Day One passes over: so an import into Lockleaf gives the same entry, and no second one.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, time
from pathlib import PurePosixPath
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from lockleaf.client.journal.exporters.formats import MD5, Add, ExportedEntry, ExportedFile, Extras, own_paths
from lockleaf.client.journal.exporters.json_file import exported_document
from lockleaf.client.journal.exporters.targets import Target
from lockleaf.client.journal.exporters.text_links import TextLink, with_targets
from lockleaf.client.records.attachments import Attachment
from lockleaf.client.records.entries import Entry

__all__ = ["FILE", "DayOneFormat"]

FILE = "Journal.json"

_STARRED = "starred"
_NOON = time(12)
_KINDS = {"image": ("photos", "photos"), "video": ("videos", "videos"), "audio": ("audios", "audios")}
"""The list of an entry in which a file is named, and the folder in which it lies, by the kind of its media type."""
_PDF = ("pdfAttachments", "pdfs")
_TYPES = {"quicktime": "mov", "mpeg": "mp3", "x-m4a": "m4a", "mp4": "mp4", "svg+xml": "svg", "x-wav": "wav"}
_IN_TEXT = {"photos": "dayone-moment://", "videos": "dayone-moment:/video/", "audios": "dayone-moment:/audio/"}


class DayOneFormat:
    """What Day One imports, as a ZIP file or a folder."""

    name = "dayone"
    carries_revisions = True
    has_manifest = False

    def paths(self, entry: Entry, stem: str) -> list[str]:
        """Return where the attachments of an entry go; those that Day One does not know, to a folder of their own."""
        return [
            own if (kind := _kind(attachment)) is None else f"{kind[1]}/{MD5}.{_type(attachment)}"
            for own, attachment in zip(own_paths(entry, stem), entry.attachments, strict=True)
        ]

    @contextmanager
    def writing(self, target: Target, extras: Extras) -> Iterator[Add]:
        """Write the file as entries come."""
        del extras
        first = True
        with target.file(FILE) as file:
            file.write(b'{"metadata": {"version": "1.0"},\n"entries": [')

            def add(exported: ExportedEntry) -> None:
                nonlocal first
                line = json.dumps(_document(exported), ensure_ascii=False)
                file.write((("\n" if first else ",\n") + line).encode("utf-8", "replace"))
                first = False

            yield add
            file.write(b"\n]}\n")


def _document(exported: ExportedEntry) -> dict[str, Any]:
    entry = exported.entry
    document: dict[str, Any] = {
        "uuid": _identifier(entry.id),
        "creationDate": _instant(_moment(entry)),
        "modifiedDate": _instant(entry.updated_at),
        "timeZone": entry.time_zone or "GMT",
        "isAllDay": len(entry.date) == len("2026-11-21"),
        "starred": _STARRED in entry.tags,
        "isPinned": False,
        "text": _text(exported),
        "tags": [tag for tag in entry.tags if tag != _STARRED],
    }
    if entry.location:
        document["location"] = {"placeName": entry.location}
    if entry.weather:
        document["weather"] = {"conditionsDescription": entry.weather}
    for number, file in enumerate(exported.files):
        kind = _kind(file.attachment)
        if kind is not None and file.path is not None:
            document.setdefault(kind[0], []).append(_moment_of(file, number))
    return document | {"lockleaf": exported_document(exported)}


def _moment_of(file: ExportedFile, number: int) -> dict[str, Any]:
    attachment = file.attachment
    kind = _type(attachment)
    return {
        "identifier": _identifier(attachment.media_id),
        "md5": PurePosixPath(file.path or "").stem,
        "type": kind,
        "format": kind,
        "orderInEntry": number,
        "fileSize": attachment.size,
        "filename": attachment.name,
    }


def _text(exported: ExportedEntry) -> str:
    """Return title and text as Day One has them, each file in its place or behind the text."""
    entry = exported.entry
    files = {file.attachment.name: file for file in reversed(exported.files) if file.path is not None}
    named: set[str] = set()

    def target(link: TextLink) -> str | None:
        file = files.get(link.name)
        if file is None or (way := _way(file)) is None:
            return None
        named.add(file.attachment.media_id)
        return way

    body = with_targets(entry.body, target)
    rest = [way for file in exported.files if file.attachment.media_id not in named and (way := _way(file)) is not None]
    head = f"# {entry.title}\n\n" if entry.title else ""
    return head + body + "".join(f"\n\n![]({way})" for way in rest)


def _way(file: ExportedFile) -> str | None:
    kind = _kind(file.attachment)
    if kind is None or file.path is None:
        return None
    return _IN_TEXT.get(kind[0], "dayone-moment:/pdfAttachment/") + _identifier(file.attachment.media_id)


def _kind(attachment: Attachment) -> tuple[str, str] | None:
    if attachment.media_type == "application/pdf":
        return _PDF
    return _KINDS.get(attachment.media_type.partition("/")[0])


def _type(attachment: Attachment) -> str:
    subtype = attachment.media_type.partition("/")[2]
    known = _TYPES.get(subtype, subtype)
    return known if known.isalnum() and known.isascii() else "bin"


def _identifier(given: str) -> str:
    return UUID(given).hex.upper()


def _moment(entry: Entry) -> datetime:
    """Return when an entry is of: of a day noon there, which is that day to every reader of its zone."""
    shown = entry.local_time
    if len(entry.date) == len("2026-11-21"):
        shown = datetime.combine(entry.day, _NOON)
    else:
        given = datetime.fromisoformat(entry.date)
        if given.tzinfo is not None:
            return given
    return shown.replace(tzinfo=ZoneInfo(entry.time_zone) if entry.time_zone else UTC)


def _instant(moment: datetime) -> str:
    try:
        moment = moment.astimezone(UTC)
    except OverflowError:
        moment = moment.replace(tzinfo=UTC)  # at the ends of the calendar
    return moment.replace(microsecond=0).isoformat().replace("+00:00", "Z")
