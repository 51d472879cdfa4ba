"""Diarium: its JSON export, a ZIP or a folder with one JSON file and the folder ``media``.

As other readers of such exports show it: an array of ``{"date", "heading", "html", "rating", "tags", "people",
"location": [latitude, longitude], "sun", "lunar", ...}``; the time is the clock's, without a zone, with up to seven
digits of a second. The files of an entry lie in a folder of ``media`` that is called by its day, or whose name begins
with its time. The name of the JSON file, further fields (weather, trackers), and how Diarium names those folders in
every version could not be confirmed; a folder of the day alone goes to the first entry of that day.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from hashlib import sha256
from pathlib import PurePosixPath
from typing import Any

from lockleaf.client.errors import InvalidEntry
from lockleaf.client.journal.import_report import Skipped
from lockleaf.client.journal.importers.arrays import read_array
from lockleaf.client.journal.importers.attaching import Attaching
from lockleaf.client.journal.importers.containers import Container, Member
from lockleaf.client.journal.importers.dates import INVALID_DATE, entry_date, zone_of
from lockleaf.client.journal.importers.fields import heading, listed_tags, parsed, place_name, short, text_of
from lockleaf.client.journal.importers.markup import markdown_of
from lockleaf.client.journal.importers.protocol import ImportOptions
from lockleaf.client.records.entries import EntryDraft

__all__ = ["Diarium"]

_FRACTION = re.compile(r"(\.\d{6})\d+", re.ASCII)
_FOLDER = re.compile(r"(?:^|/)media/(?P<name>[^/]+)/[^/]+$")


class Diarium:
    """Diarium's JSON export."""

    name = "diarium"
    title = "Diarium"

    def recognises(self, source: Container) -> bool:
        """Tell whether a JSON file of the source is Diarium's."""
        return _diary(source) is not None

    def count(self, source: Container) -> int | None:
        """Return how many entries there are."""
        diary = _diary(source)
        if diary is None:
            return None
        with source.reading(diary.name) as file:
            return sum(1 for _ in read_array(file, None))

    def read(self, source: Container, options: ImportOptions) -> Iterator[EntryDraft | Skipped]:
        """Yield the entries, and behind them the files that belong to none."""
        diary = _diary(source)
        if diary is None:
            yield Skipped(source.label, "no JSON file of Diarium is in it")
            return
        folders: dict[str, list[Member]] = {}
        for member in source.members:
            if (found := _FOLDER.search(member.name)) is not None:
                folders.setdefault(found["name"], []).append(member)
        with source.reading(diary.name) as file:
            for piece in read_array(file, None):
                place = f"entry {piece.line}"
                try:
                    if piece.reason is not None:
                        raise InvalidEntry(piece.reason)
                    yield _draft(place, parsed(piece.text), source, folders, options)
                except InvalidEntry as error:
                    yield Skipped(place, error.detail or "not an entry")
        for member in (each for left in folders.values() for each in left):
            yield Skipped(member.name, "no entry of its time is there")


def _diary(source: Container) -> Member | None:
    for member in source.members:
        if member.name.lower().endswith(".json") and member.name.count("/") <= 1:
            start = source.plain_start(member.name).lstrip()
            if start.startswith(b"[") and b'"date"' in start and (b'"html"' in start or b'"heading"' in start):
                return member
    return None


def _draft(
    place: str, fields: Mapping[str, Any], source: Container, folders: dict[str, list[Member]], options: ImportOptions
) -> EntryDraft:
    notes: list[str] = []
    given = fields.get("date")
    if not isinstance(given, str):
        raise InvalidEntry(INVALID_DATE)
    date, note = entry_date(_FRACTION.sub(r"\1", given.strip()))
    notes += [note] if note else []
    html = text_of(fields, "html", notes)
    text = markdown_of(html) if html is not None else (text_of(fields, "text", notes) or "")
    attaching = Attaching(source)
    links = []
    for member in _files(date, folders):
        if attaching.add(member.name, member):
            is_picture = PurePosixPath(member.name).suffix.lower() in (
                ".jpg",
                ".jpeg",
                ".png",
                ".gif",
                ".webp",
                ".heic",
            )
            links.append(attaching.link(member.name, shown=is_picture))
    title, body = heading(
        text_of(fields, "heading", notes), "\n\n".join(part for part in (text, "\n".join(links)) if part)
    )
    location = fields.get("location")
    pair = location if isinstance(location, list) and len(location) == 2 else (None, None)
    named = [location] if isinstance(location, str) else []
    tags = listed_tags(fields.get("tags"), notes) + listed_tags(fields.get("people"), notes)
    rating = fields.get("rating")
    stars = rating if isinstance(rating, int) and not isinstance(rating, bool) and 1 <= rating <= 5 else None
    return EntryDraft(
        body=body,
        date=date,
        external_id=date if len(date) > 10 else f"{date}\0{sha256(body.encode()).hexdigest()}",
        provider=Diarium.name,
        title=title,
        mood=f"{stars} of 5" if stars is not None else None,
        tags=tags,
        time_zone=zone_of(date, options.time_zone),
        weather=short(
            text_of(fields, "weather", notes) if isinstance(fields.get("weather"), str) else None, "weather", notes
        ),
        location=short(place_name(named, *pair), "location", notes),
        place=place,
        notes=tuple(dict.fromkeys(notes)),
        files=attaching.files,
        absent=attaching.absent,
    )


def _files(date: str, folders: dict[str, list[Member]]) -> list[Member]:
    """Return the files of the folder that is named for a time, which then belong to nobody else."""
    moment = datetime.fromisoformat(date)
    days = (moment.date().isoformat(), moment.date().isoformat().replace("-", ""))
    timed = tuple(f"{day}_{moment.strftime('%H%M%S')}" for day in days)
    found = next((name for name in sorted(folders) if name.startswith(timed)), None)
    found = found or next((day for day in days if day in folders), None)
    return [] if found is None else folders.pop(found)
