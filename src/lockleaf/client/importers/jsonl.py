"""JSON Lines: one object a line with ``date`` and ``text`` (or ``body``), and optionally id, title, mood, tags,
and metrics, an object of numbers by name."""

from __future__ import annotations

import gzip
import json
import zlib
from collections import Counter
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any, BinaryIO, cast

from lockleaf.client.entries import EntryDraft, InvalidEntry, date_text, draft_content
from lockleaf.client.errors import EntryTooLarge, MalformedImport
from lockleaf.client.metrics.readings import changed_metrics

__all__ = ["MAX_LINE_BYTES", "PROVIDER", "read_jsonl"]

PROVIDER = "jsonl"
MAX_LINE_BYTES = 8 * 1024 * 1024
"""A longer line is no entry: the text of one is at most 960 KiB, at most six times as long as JSON escapes."""

_GZIP = b"\x1f\x8b"


def read_jsonl(path: Path) -> Iterator[EntryDraft]:
    """Yield the entries of a JSON Lines file, plain or gzip, one at a time. Empty lines are passed over.

    An entry is named by its ``id`` if it has one, otherwise by its date, its place among the entries of that date, and
    its text: so the same file, read again, gives the same entries.

    Raises:
        MalformedImport: a line is too long or no entry, or the file ends within its compression; names the line.
        OSError: the file cannot be read.
    """
    of_date: Counter[str] = Counter()
    with path.open("rb") as raw:
        packed = raw.peek(2)[:2] == _GZIP
        with cast(BinaryIO, gzip.GzipFile(fileobj=raw)) if packed else raw as file:
            for number, line in _lines(file):
                if line.strip():
                    yield _draft(number, line, of_date)


def _lines(file: BinaryIO) -> Iterator[tuple[int, bytes]]:
    number = 0
    while True:
        number += 1
        try:
            line = file.readline(MAX_LINE_BYTES + 1)
        except (EOFError, zlib.error, gzip.BadGzipFile):
            raise MalformedImport(number, "the compressed file is damaged") from None
        if not line:
            return
        if len(line) > MAX_LINE_BYTES:
            raise MalformedImport(number, "longer than 8 MiB")
        yield number, line.removeprefix(b"\xef\xbb\xbf") if number == 1 else line


def _draft(number: int, line: bytes, of_date: Counter[str]) -> EntryDraft:
    try:
        fields = json.loads(line)
    except (ValueError, RecursionError):
        raise MalformedImport(number, "not JSON") from None
    if not isinstance(fields, dict):
        raise MalformedImport(number, "not a JSON object")
    body = _text(number, fields, "text")
    if body is None:
        body = _text(number, fields, "body")
    if body is None:
        raise MalformedImport(number, "it has neither text nor body")
    entered = _text(number, fields, "date")
    if entered is None:
        raise MalformedImport(number, "it has no date")
    tags = fields.get("tags")
    if tags is not None and not (isinstance(tags, list) and all(isinstance(tag, str) for tag in tags)):
        raise MalformedImport(number, "tags is no list of texts")
    numbers = fields.get("metrics") or {}
    if not isinstance(numbers, dict):
        raise MalformedImport(number, "metrics is no object")
    title, mood = _text(number, fields, "title"), _text(number, fields, "mood")
    try:
        date = date_text(entered)
        # Whatever could not be kept is refused here, where its line is known.
        metrics = changed_metrics({}, numbers)
        draft_content(body=body, date=date, title=title, mood=mood, tags=tags or (), source=PROVIDER, metrics=metrics)
    except InvalidEntry as error:
        raise MalformedImport(number, error.detail) from None
    except EntryTooLarge:
        raise MalformedImport(number, "the entry is longer than 960 KiB") from None
    external_id = _external_id(number, fields)
    if external_id is None:
        of_date[date] += 1
        external_id = f"{date}\0{of_date[date]}\0{sha256(body.encode()).hexdigest()}"
    return EntryDraft(
        body=body,
        date=date,
        external_id=external_id,
        provider=PROVIDER,
        title=title,
        mood=mood,
        tags=tuple(tags or ()),
        metrics=metrics or {},
    )


def _external_id(number: int, fields: dict[str, Any]) -> str | None:
    value = fields.get("id")
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, str | int) or value == "":
        raise MalformedImport(number, "id is neither text nor a whole number")
    return f"id\0{value}"


def _text(number: int, fields: dict[str, Any], name: str) -> str | None:
    value = fields.get(name)
    if value is not None and not isinstance(value, str):
        raise MalformedImport(number, f"{name} is no text")
    return value
