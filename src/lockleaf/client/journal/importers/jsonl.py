"""JSON Lines and its relatives: objects with ``date`` and ``text`` (or ``body``), and optionally id, title, mood, tags,
time_zone, source, and metrics, an object of numbers by name. What Lockleaf writes with ``--json`` is among them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import UUID

from lockleaf.client.journal.import_report import Skipped
from lockleaf.client.journal.importers.dates import entry_date
from lockleaf.client.journal.importers.reading import Piece, read_pieces
from lockleaf.client.records.entries import EntryDraft, Exported, InvalidEntry

__all__ = ["PROVIDER", "read_jsonl"]

PROVIDER = "jsonl"

_BODY = ("text", "body", "content")
_OWN = frozenset({"id", "date", "body", "revision", "deleted", "created_at", "updated_at", "attachments"})
"""What every entry has that this program wrote as JSON."""
_SURROGATES = re.compile("[\ud800-\udfff]")


def read_jsonl(path: Path) -> Iterator[EntryDraft | Skipped]:
    """Yield the entries of a file, and in their places what cannot be read, with its line and the reason.

    The file is JSON Lines, an array or objects one behind the other, plain or gzip, in UTF-8 or UTF-16. An entry is
    named by its ``id`` if it has one, otherwise by its date and its text: where it stands in the file does not matter.

    Raises:
        OSError: the file cannot be read.
    """
    for piece in read_pieces(path):
        place = f"line {piece.line}"
        try:
            yield _draft(place, piece)
        except InvalidEntry as error:
            yield Skipped(place, error.detail or "not an entry")


def _draft(place: str, piece: Piece) -> EntryDraft:
    if piece.reason is not None:
        raise InvalidEntry(piece.reason)
    fields = _parsed(piece.text)
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
    text = _text(fields, body, notes) or ""
    return EntryDraft(
        body=text,
        date=date,
        external_id=_external_id(fields) or f"{date}\0{sha256(text.encode()).hexdigest()}",
        provider=PROVIDER,
        title=_text(fields, "title", notes),
        mood=_text(fields, "mood", notes),
        weather=_text(fields, "weather", notes),
        location=_text(fields, "location", notes),
        tags=_tags(fields, notes),
        time_zone=_text(fields, "time_zone", notes),
        metrics=_metrics(fields),
        source=_text(fields, "source", notes),
        exported=exported,
        place=place,
        notes=tuple(dict.fromkeys(notes)),
    )


def _parsed(text: str) -> dict[str, Any]:
    text = text.strip().removesuffix(",")
    try:
        fields = json.loads(text, object_pairs_hook=_once, strict=False)
    except (ValueError, RecursionError):
        raise InvalidEntry("not JSON") from None
    if not isinstance(fields, dict):
        raise InvalidEntry("not a JSON object")
    return fields


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return an object, if no name stands in it twice with two values: one of them would be lost."""
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found and found[name] != value:
            raise InvalidEntry("a name stands in it twice, with two values")
        found[name] = value
    return found


def _text(fields: dict[str, Any], name: str, notes: list[str]) -> str | None:
    value = fields.get(name)
    if value is None:
        return None
    if not isinstance(value, str):
        raise InvalidEntry(f"{name} is not text")
    return _whole(value, notes)


def _whole(text: str, notes: list[str]) -> str:
    """Return text with U+FFFD for each half of a character, such as an emoji that was cut in two."""
    changed = _SURROGATES.sub("\ufffd", text)
    if changed != text:
        notes.append("half a character, as of an emoji cut in two, became U+FFFD")
    return changed


def _tags(fields: dict[str, Any], notes: list[str]) -> tuple[str, ...]:
    tags = fields.get("tags")
    if tags is None:
        return ()
    if not isinstance(tags, list) or not all(isinstance(tag, str) for tag in tags):
        raise InvalidEntry("tags is not a list of texts")
    return tuple(_whole(tag, notes) for tag in tags)


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
    return f"id\0{_SURROGATES.sub(chr(0xFFFD), str(value))}"


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
