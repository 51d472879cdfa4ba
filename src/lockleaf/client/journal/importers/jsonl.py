"""JSON Lines and its relatives: objects with ``date`` and ``text`` (or ``body``), and optionally id, title, mood, tags,
time_zone, source, and metrics, an object of numbers by name. What Lockleaf writes with ``--json`` is among them."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import UUID

from lockleaf.client.errors import InvalidEntry
from lockleaf.client.journal.import_report import Skipped
from lockleaf.client.journal.importers.containers import Container
from lockleaf.client.journal.importers.dates import entry_date
from lockleaf.client.journal.importers.fields import objects_in, parsed, text_of, whole
from lockleaf.client.journal.importers.protocol import ImportOptions
from lockleaf.client.journal.importers.reading import Piece, pieces_of
from lockleaf.client.records.entries import EntryDraft, Exported
from lockleaf.client.records.foreign import foreign_fields
from lockleaf.paths import StrPath

__all__ = ["PROVIDER", "JsonLines", "read_jsonl"]

PROVIDER = "jsonl"

_BODY = ("text", "body", "content")
_OWN = frozenset({"id", "date", "body", "revision", "deleted", "created_at", "updated_at", "attachments"})
"""What every entry has that this program wrote as JSON."""
_CHUNK = 1024 * 1024
_GZIP = b"\x1f\x8b"


class JsonLines:
    """JSON Lines and its relatives."""

    name = PROVIDER
    title = "JSON Lines"

    def recognises(self, source: Container) -> bool:
        """Tell whether a source is a single file that begins as JSON does, once it is unpacked."""
        if len(source.members) != 1:
            return False
        name = source.members[0].name
        start = source.plain_start(name)
        if source.start(name, 2) == _GZIP:
            try:
                start = zlib.decompressobj(wbits=31).decompress(source.start(name), 1024)
            except zlib.error:
                return False
        return start.lstrip(b"\xef\xbb\xbf\xff\xfe\0 \t\r\n")[:1] in (b"{", b"[")

    def count(self, source: Container) -> int | None:
        """Return how many lines there are."""
        lines = 0
        with source.reading(source.members[0].name) as raw:
            packed = raw.read(2) == _GZIP
            raw.seek(0)
            try:
                with gzip.GzipFile(fileobj=raw) if packed else raw as content:
                    while chunk := content.read(_CHUNK):
                        lines += chunk.count(b"\n")
            except (OSError, EOFError, zlib.error):
                return None
        return lines

    def read(self, source: Container, options: ImportOptions) -> Iterator[EntryDraft | Skipped]:
        """Yield the entries of the file, and in their places what cannot be read, by its line."""
        with source.reading(source.members[0].name) as file:
            yield from _drafts(pieces_of(file))


def read_jsonl(path: StrPath) -> Iterator[EntryDraft | Skipped]:
    """Yield the entries of a file, and in their places what cannot be read, with its line and the reason.

    The file is JSON Lines, an array or objects one behind the other, plain or gzip, in UTF-8 or UTF-16. An entry is
    named by its ``id`` if it has one, otherwise by its date and its text: where it stands in the file does not matter.

    Raises:
        OSError: the file cannot be read.
    """
    with Path(path).open("rb") as file:
        yield from _drafts(pieces_of(file))


def _drafts(pieces: Iterator[Piece]) -> Iterator[EntryDraft | Skipped]:
    for piece in pieces:
        place = f"line {piece.line}"
        try:
            yield _draft(place, piece)
        except InvalidEntry as error:
            yield Skipped(place, error.detail or "not an entry")


def _draft(place: str, piece: Piece) -> EntryDraft:
    if piece.reason is not None:
        raise InvalidEntry(piece.reason)
    fields = parsed(piece.text.strip().removesuffix(","))
    notes: list[str] = []
    exported = _exported(fields)
    if exported is not None and isinstance(fields["date"], str):
        # As it stands: what is here already needs no other form, and whether it is a date is asked before it is kept.
        date = fields["date"]
    else:
        date, note = entry_date(fields.get("date"))
        notes += [note] if note else []
    body = next((name for name in _BODY if fields.get(name) is not None), None)
    if body is None:
        raise InvalidEntry("it has neither text nor body")
    if sum(fields.get(name) is not None for name in _BODY) > 1:
        raise InvalidEntry("it has its text twice, as text and as body")
    text = text_of(fields, body, notes) or ""
    return EntryDraft(
        body=text,
        date=date,
        external_id=_external_id(fields) or f"{date}\0{sha256(text.encode()).hexdigest()}",
        provider=PROVIDER,
        title=text_of(fields, "title", notes),
        mood=text_of(fields, "mood", notes),
        weather=text_of(fields, "weather", notes),
        location=text_of(fields, "location", notes),
        tags=_tags(fields, notes),
        time_zone=text_of(fields, "time_zone", notes),
        metrics=_metrics(fields),
        source=text_of(fields, "source", notes),
        foreign=None if exported is None else foreign_fields(fields),
        exported=exported,
        place=place,
        notes=tuple(dict.fromkeys(notes)),
    )


def _tags(fields: dict[str, Any], notes: list[str]) -> tuple[str, ...]:
    tags = fields.get("tags")
    if tags is None:
        return ()
    return tuple(whole(tag, notes) for tag in objects_in(tags, str, "tags"))


def _metrics(fields: dict[str, Any]) -> dict[str, float]:
    metrics = fields.get("metrics")
    if metrics is None:
        return {}
    if not isinstance(metrics, dict):
        raise InvalidEntry("metrics is not an object")
    return {name: value for name, value in metrics.items() if value is not None}


def _external_id(fields: dict[str, Any]) -> str | None:
    value = fields.get("id")
    if value is None or value == "":
        return None
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise InvalidEntry("id is neither text nor a whole number")
    return f"id\0{whole(str(value), [])}"


def _exported(fields: dict[str, Any]) -> Exported | None:
    """Return what an entry is that this program wrote as JSON, None for one from elsewhere."""
    if not fields.keys() >= _OWN:
        return None
    try:
        entry_id = str(UUID(fields["id"]))
    except (ValueError, TypeError, AttributeError):
        return None
    attachments = fields["attachments"] if isinstance(fields["attachments"], list) else []
    return Exported(
        entry_id=entry_id,
        revision=_revision(fields["revision"]),
        deleted=fields["deleted"] is True,
        created_at=_time(fields["created_at"]),
        updated_at=_time(fields["updated_at"]),
        media_ids=tuple(str(each.get("media_id")) for each in attachments if isinstance(each, dict)),
    )


def _time(value: Any) -> str | None:
    try:
        return value if datetime.fromisoformat(value).tzinfo is not None else None
    except (ValueError, TypeError):
        return None


def _revision(value: Any) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) else 0
