"""jrnl: its text file, and what ``jrnl --format json`` writes.

As jrnl's own source has it: in the file an entry begins at a line ``[2026-11-21 18:30] Title``, a star behind the title
marks it, and all that follows is its text; the time format in brackets is a setting. In JSON: ``{"tags": {...},
"entries": [{"title", "body", "date", "time", "tags", "starred"}]}``. Times have no zone. Tags are ``@words`` in the
text, in small letters in JSON; other signs for them are a setting, of which a file says nothing. The older text form
without brackets (jrnl 1) is read if its times are ``2026-11-21 18:30``.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from hashlib import sha256
from typing import BinaryIO

from lockleaf.client.errors import InvalidEntry
from lockleaf.client.journal.import_report import Skipped
from lockleaf.client.journal.importers.arrays import read_array
from lockleaf.client.journal.importers.containers import Container
from lockleaf.client.journal.importers.dates import loose_date, zone_of
from lockleaf.client.journal.importers.fields import STARRED, heading, listed_tags, parsed, text_of, with_tag
from lockleaf.client.journal.importers.protocol import ImportOptions
from lockleaf.client.journal.importers.reading import TextSource
from lockleaf.client.journal.importers.texts import MAX_TEXT_BYTES
from lockleaf.client.records.entries import EntryDraft

__all__ = ["Jrnl"]

_HEAD = re.compile(r"\[(?P<date>\d{4}[-/.]\d{1,2}[-/.]\d{1,2}[^\]\n]{0,30})\] ?(?P<title>[^\n]*)", re.ASCII)
_OLD_HEAD = re.compile(r"(?P<date>\d{4}-\d{2}-\d{2} \d{2}:\d{2}) (?P<title>[^\n]*)", re.ASCII)
_TAG = re.compile(r"(?<!\S)@([-+*#/\w]*\w)")
_LONGEST_TITLE = 200
"""A first line that is longer is no title: it is where somebody began to write."""


class Jrnl:
    """jrnl's text file, and its JSON."""

    name = "jrnl"
    title = "jrnl"

    def recognises(self, source: Container) -> bool:
        """Tell whether a single file begins as jrnl's do."""
        if len(source.members) != 1:
            return False
        return self._is_json(source) or self._heading(source) is not None

    def count(self, source: Container) -> int | None:
        """Return how many entries there are."""
        with source.reading(source.members[0].name) as file:
            if self._is_json(source):
                return sum(1 for _ in read_array(file, "entries"))
            head = self._heading(source) or _HEAD
            return sum(1 for line in _lines(file) if head.match(line))

    def read(self, source: Container, options: ImportOptions) -> Iterator[EntryDraft | Skipped]:
        """Yield the entries of the file."""
        with source.reading(source.members[0].name) as file:
            if self._is_json(source):
                yield from _from_json(file, options)
            else:
                yield from _from_text(file, self._heading(source) or _HEAD, options)

    def _is_json(self, source: Container) -> bool:
        start = source.plain_start(source.members[0].name).lstrip()
        is_object = start.startswith(b"{") and b'"entries"' in start
        return is_object and b'"metadata"' not in start and (b'"tags"' in start or b'"time"' in start)

    def _heading(self, source: Container) -> re.Pattern[str] | None:
        start = source.plain_start(source.members[0].name, 4096).lstrip().decode("ascii", "replace")
        return next((head for head in (_HEAD, _OLD_HEAD) if head.match(start)), None)


def _from_json(file: BinaryIO, options: ImportOptions) -> Iterator[EntryDraft | Skipped]:
    for piece in read_array(file, "entries"):
        place = f"entry {piece.line}"
        try:
            if piece.reason is not None:
                raise InvalidEntry(piece.reason)
            fields = parsed(piece.text)
            notes: list[str] = []
            time = fields.get("time")
            date, note = loose_date(f"{fields.get('date')} {time}" if time else str(fields.get("date")))
            notes += [note] if note else []
            title, body = heading(text_of(fields, "title", notes), text_of(fields, "body", notes) or "")
            tags = tuple(tag.lstrip("@#") for tag in listed_tags(fields.get("tags"), notes))
            identity = fields.get("uuid")
            yield _draft(
                place,
                date.replace(" ", "T"),
                title,
                body.strip("\n"),
                with_tag(tags, STARRED, wanted=fields.get("starred")),
                options,
                identity if isinstance(identity, str) else None,
                notes,
            )
        except InvalidEntry as error:
            yield Skipped(place, error.detail or "not an entry")


def _lines(file: BinaryIO) -> Iterator[str]:
    """Yield the lines of a text; one that is longer than an entry could be comes in pieces."""
    source = TextSource(file)
    decoder = codecs.getincrementaldecoder("utf-8")(errors="surrogateescape")
    rest = ""
    for chunk in source.chunks():
        *whole, rest = (rest + decoder.decode(chunk)).split("\n")
        yield from whole
        if len(rest) > MAX_TEXT_BYTES:
            yield rest
            rest = ""
    if rest:
        yield rest


def _from_text(file: BinaryIO, head: re.Pattern[str], options: ImportOptions) -> Iterator[EntryDraft | Skipped]:
    number, begun, size = 0, 0, 0
    found: re.Match[str] | None = None
    lines: list[str] = []

    def entry() -> EntryDraft | Skipped | None:
        if found is None:
            return Skipped("line 1", "text before the first entry") if any(line.strip() for line in lines) else None
        place = f"line {begun}"
        if size > MAX_TEXT_BYTES:
            return Skipped(place, "longer than 32 MiB")
        try:
            return _parsed(place, found, lines, options)
        except InvalidEntry as error:
            return Skipped(place, error.detail or "not an entry")

    for line in _lines(file):
        number += 1
        following = head.match(line) if len(line) < MAX_TEXT_BYTES else None
        if following is not None:
            if (whole := entry()) is not None:
                yield whole
            begun, found, lines, size = number, following, [], len(line)
            continue
        size += len(line) + 1
        if size <= MAX_TEXT_BYTES:
            lines.append(line)
    if (whole := entry()) is not None:
        yield whole


def _parsed(place: str, found: re.Match[str], lines: list[str], options: ImportOptions) -> EntryDraft:
    text = "\n".join([found["title"], *lines])
    if any("\udc80" <= sign <= "\udcff" for sign in text) if not text.isascii() else False:
        if options.encoding is None:
            raise InvalidEntry("not UTF-8 text: --encoding says what it is, such as latin-1")
        try:
            text = text.encode("utf-8", "surrogateescape").decode(options.encoding)
        except (LookupError, UnicodeDecodeError):
            raise InvalidEntry(f"not text in {options.encoding}") from None
    date, note = loose_date(found["date"])
    title, _, body = text.partition("\n")
    title = title.strip()
    starred = title.endswith("*") and not title.endswith("**")
    if starred:
        title = title[:-1].rstrip()
    tags = tuple(dict.fromkeys(tag.lower() for tag in _TAG.findall(text)))
    body = body.rstrip()
    if not body.strip() or len(title) > _LONGEST_TITLE:
        title, body = "", f"{title}\n{body}".rstrip()
    notes = [note] if note else []
    return _draft(
        place,
        date.replace(" ", "T"),
        title or None,
        body.strip("\n"),
        with_tag(tags, STARRED, wanted=starred),
        options,
        None,
        notes,
    )


def _draft(
    place: str,
    date: str,
    title: str | None,
    body: str,
    tags: tuple[str, ...],
    options: ImportOptions,
    identity: str | None,
    notes: list[str],
) -> EntryDraft:
    said = sha256(f"{title or ''}\n{body}".encode()).hexdigest()
    return EntryDraft(
        body=body,
        date=date,
        external_id=identity or f"{date}\0{said}",
        provider=Jrnl.name,
        title=title,
        tags=tags,
        time_zone=zone_of(date, options.time_zone),
        place=place,
        notes=tuple(dict.fromkeys(notes)),
    )
