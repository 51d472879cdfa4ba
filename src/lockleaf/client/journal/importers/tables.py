"""CSV: a table with names on top, one row an entry. Columns are recognised by their names, or named by options.

Separators are commas, semicolons, tabs or bars; quotes are as in RFC 4180, so a text may have several lines. Daylio's
export is such a table (``full_date``, ``time``, ``mood``, ``activities``, ``note_title``, ``note``).
"""

from __future__ import annotations

import codecs
import csv
from collections.abc import Iterator, Mapping
from hashlib import sha256
from typing import BinaryIO

from lockleaf.client.errors import InvalidEntry
from lockleaf.client.journal.import_report import Skipped
from lockleaf.client.journal.importers.containers import Container
from lockleaf.client.journal.importers.dates import loose_date, zone_of
from lockleaf.client.journal.importers.fields import STARRED, heading, known_zone, short, with_tag
from lockleaf.client.journal.importers.protocol import ImportOptions
from lockleaf.client.journal.importers.texts import MAX_TEXT_BYTES, letters
from lockleaf.client.records.entries import EntryDraft

__all__ = ["Tables"]

_NAMES = {
    "date": ("date", "full_date", "datetime", "date_time", "created", "created_at", "timestamp", "day", "occurred_at"),
    "time": ("time", "hour", "clock"),
    "text": ("text", "body", "content", "note", "notes", "entry", "journal", "diary", "description"),
    "title": ("title", "note_title", "subject", "heading", "headline"),
    "mood": ("mood", "feeling"),
    "weather": ("weather",),
    "location": ("location", "place", "address"),
    "tags": ("tags", "tag", "activities", "labels", "categories", "keywords"),
    "time_zone": ("time_zone", "timezone", "tz"),
    "starred": ("starred", "favorite", "favourite", "star"),
    "id": ("id", "uuid", "guid"),
}
_SEPARATORS = ",;\t|"
_START = 64 * 1024
_TRUE = frozenset({"true", "yes", "1", "x", "on"})


class Tables:
    """CSV files."""

    name = "csv"
    title = "CSV"

    def recognises(self, source: Container) -> bool:
        """Tell whether a single file has a line on top that names a column with dates, and one with texts."""
        if len(source.members) != 1:
            return False
        try:
            found = _columns(_names(source), {})
        except InvalidEntry:
            return False
        return "date" in found and ("text" in found or "title" in found)

    def count(self, source: Container) -> int | None:
        """Return nothing: a row can have several lines."""
        return None

    def read(self, source: Container, options: ImportOptions) -> Iterator[EntryDraft | Skipped]:
        """Yield the rows."""
        try:
            names = _names(source)
            columns = _columns(names, options.columns)
        except InvalidEntry as error:
            yield Skipped("line 1", error.detail or "not a table")
            return
        for field in ("date", "text"):
            if field not in columns and not (field == "text" and "title" in columns):
                yield Skipped("line 1", f"no column holds the {field}: --column {field}=NAME says which does")
                return
        with source.reading(source.members[0].name) as file:
            yield from _rows(file, len(names), columns, options, _separator(source))


def _start(source: Container) -> str:
    data = source.start(source.members[0].name, _START)
    for encoding in (None, "latin-1"):
        try:
            # The last line may end within a letter.
            return letters(data if len(data) < _START else data.rpartition(b"\n")[0], encoding)
        except ValueError:
            continue
    return ""


def _separator(source: Container) -> str:
    line = _start(source).lstrip("\n").partition("\n")[0]
    return max(_SEPARATORS, key=line.count)


def _names(source: Container) -> list[str]:
    lines = _start(source).lstrip("\n").split("\n")
    try:
        return next(csv.reader(lines, delimiter=_separator(source), strict=True), [])
    except csv.Error:
        raise InvalidEntry("the names of the columns cannot be read") from None


def _columns(names: list[str], chosen: Mapping[str, str]) -> dict[str, int]:
    """Return the number of the column that holds each field."""
    plain = [name.strip().lower().replace(" ", "_").replace("-", "_") for name in names]
    found: dict[str, int] = {}
    for field, known in _NAMES.items():
        number = next((plain.index(name) for name in known if name in plain), None)
        if number is not None:
            found[field] = number
    for field, name in chosen.items():
        if field not in _NAMES:
            raise InvalidEntry(f"there is no field {field}: there are {', '.join(_NAMES)}")
        if name not in names:
            raise InvalidEntry(f"there is no column {name}")
        found[field] = names.index(name)
    return found


def _rows(
    file: BinaryIO, width: int, columns: Mapping[str, int], options: ImportOptions, separator: str
) -> Iterator[EntryDraft | Skipped]:
    lines = _Lines(file, options.encoding)
    csv.field_size_limit(MAX_TEXT_BYTES)
    rows = csv.reader(lines, delimiter=separator, strict=True)
    begun, first = 1, True
    while True:
        try:
            row = next(rows)
        except StopIteration:
            break
        except csv.Error:
            yield Skipped(f"line {begun}", "its quotes do not close as they should, or it is longer than 32 MiB")
            begun = rows.line_num + 1
            continue
        place, begun = f"line {begun}", rows.line_num + 1
        if first or not any(cell.strip() for cell in row):
            first = False
            continue
        try:
            if len(row) > width:
                raise InvalidEntry("it has more columns than have names")
            yield _draft(place, row, columns, options)
        except InvalidEntry as error:
            yield Skipped(place, error.detail or "not an entry")
    if lines.undecoded:
        yield Skipped(f"line {begun}", "from here on it is not UTF-8 text: --encoding says what it is, such as latin-1")


class _Lines:
    """The lines of a file with their ends, as a reader of tables wants them."""

    def __init__(self, file: BinaryIO, encoding: str | None) -> None:
        self._file = file
        start = file.read(4)
        file.seek(0)
        wide = start[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
        self._decoder: codecs.IncrementalDecoder = codecs.getincrementaldecoder("utf-16" if wide else "utf-8-sig")()
        self._other = encoding
        self.undecoded = False

    def __iter__(self) -> Iterator[str]:
        rest, last = "", False
        while not last:
            data = self._file.read(64 * 1024)
            last = not data
            try:
                rest += self._decoder.decode(data, final=last)
            except UnicodeDecodeError:
                if self._other is None:
                    self.undecoded = True
                    return
                self._decoder = codecs.getincrementaldecoder(self._other)(errors="replace")
                rest += self._decoder.decode(data, final=last)
            *whole, rest = rest.split("\n")
            yield from (line.removesuffix("\r") + "\n" for line in whole)
            if len(rest) > MAX_TEXT_BYTES:
                yield rest
                rest = ""
        if rest:
            yield rest


def _draft(place: str, row: list[str], columns: Mapping[str, int], options: ImportOptions) -> EntryDraft:
    def cell(field: str) -> str:
        number = columns.get(field)
        return row[number].strip() if number is not None and number < len(row) else ""

    notes: list[str] = []
    date, note = loose_date(f"{cell('date')} {cell('time')}".strip() if len(cell("date")) <= 10 else cell("date"))
    notes += [note] if note else []
    title, body = heading(cell("title"), cell("text"))
    if not title and not body:
        raise InvalidEntry("it has no text")
    separator = "|" if "|" in cell("tags") else ";" if ";" in cell("tags") else ","
    tags = tuple(tag for each in cell("tags").split(separator) if (tag := each.strip().removeprefix("#")))
    identity = cell("id")
    said = sha256(f"{title or ''}\n{body}".encode("utf-8", "replace")).hexdigest()
    return EntryDraft(
        body=body,
        date=date,
        external_id=f"id\0{identity}" if identity else f"{date}\0{said}",
        provider=Tables.name,
        title=title,
        mood=short(cell("mood"), "mood", notes),
        weather=short(cell("weather"), "weather", notes),
        location=short(cell("location"), "location", notes),
        tags=with_tag(tags, STARRED, wanted=cell("starred").lower() in _TRUE),
        time_zone=known_zone(cell("time_zone"), notes) or zone_of(date, options.time_zone),
        place=place,
        notes=tuple(dict.fromkeys(notes)),
    )
