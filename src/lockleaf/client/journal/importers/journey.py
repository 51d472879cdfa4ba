"""Journey (journey.cloud): its ZIP, one JSON file an entry with its photos beside it.

As other readers of such exports show it, in two forms. The older: ``id``, ``date_journal`` and ``date_modified``
(milliseconds since 1970), ``timezone``, ``text`` (HTML in later versions), ``tags``, ``lat``, ``lon``, ``address``,
``favourite``, ``sentiment``, ``weather`` (``{"degree_c", "description", "place"}``), and ``photos``, names of files.
The newer: a folder an entry, ``dateOfJournal`` and ``updatedAt`` as text, ``location``, ``type`` (markdown or html) and
``attachments``. What Journey calls a sentiment is a number, whose meanings its help gives: they become a mood. A
latitude or a temperature that is not set is a very large number. Of the newer form's ``location`` two spellings are
read (lat, lng and latitude, longitude); neither could be confirmed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath
from typing import Any

from lockleaf.client.errors import InvalidEntry
from lockleaf.client.journal.import_report import Skipped
from lockleaf.client.journal.importers.attaching import Attaching
from lockleaf.client.journal.importers.containers import Container, Member, Unreadable
from lockleaf.client.journal.importers.dates import INVALID_DATE, entry_date
from lockleaf.client.journal.importers.fields import (
    STARRED,
    heading,
    known_zone,
    listed_tags,
    parsed,
    place_name,
    short,
    text_of,
    with_tag,
)
from lockleaf.client.journal.importers.markup import markdown_of
from lockleaf.client.journal.importers.protocol import ImportOptions
from lockleaf.client.journal.importers.texts import MAX_TEXT_BYTES, letters
from lockleaf.client.records.entries import EntryDraft

__all__ = ["Journey"]

_MOODS = {0.25: "very dissatisfied", 0.75: "dissatisfied", 1.0: "neutral", 1.25: "satisfied", 1.75: "very satisfied"}
_HTML = re.compile(r"<(p|div|br|span|h[1-6]|ul|ol|b|i|strong|em|a|blockquote)\b[^<>]*>", re.IGNORECASE)
_HOTTEST = 100


class Journey:
    """Journey's ZIP."""

    name = "journey"
    title = "Journey"

    def recognises(self, source: Container) -> bool:
        """Tell whether a JSON file of the source is an entry of Journey."""
        return next(_entries(source), None) is not None

    def count(self, source: Container) -> int | None:
        """Return how many entries there are."""
        return sum(1 for _ in _entries(source))

    def read(self, source: Container, options: ImportOptions) -> Iterator[EntryDraft | Skipped]:
        """Yield the entries."""
        for member in _entries(source):
            try:
                yield _draft(source, member)
            except InvalidEntry as error:
                yield Skipped(member.name, error.detail or "not an entry")


def _entries(source: Container) -> Iterator[Member]:
    for member in source.members:
        if member.name.lower().endswith(".json") and member.name.count("/") <= 2:
            start = source.plain_start(member.name)
            if b'"date_journal"' in start or b'"dateOfJournal"' in start:
                yield member


def _draft(source: Container, member: Member) -> EntryDraft:
    try:
        fields = parsed(letters(source.read(member.name, MAX_TEXT_BYTES)))
    except (Unreadable, ValueError) as error:
        raise InvalidEntry(str(error)) from None
    notes: list[str] = []
    given = fields.get("date_journal", fields.get("dateOfJournal"))
    if isinstance(given, bool) or not isinstance(given, int | float | str):
        raise InvalidEntry(INVALID_DATE)
    # Milliseconds always: those of the years around 1970 are few, and would be taken for seconds.
    date, note = entry_date(given / 1000 if isinstance(given, int | float) else given)
    if isinstance(given, str) and note:
        notes.append(note)
    attaching = Attaching(source)
    text = text_of(fields, "text", notes) or ""
    if fields.get("type") == "html" or (fields.get("type") != "markdown" and _HTML.search(text)):
        text = markdown_of(text)
    listed = fields.get("photos") if isinstance(fields.get("photos"), list) else fields.get("attachments")
    shown = _attached(listed, member, source, attaching)
    title, body = heading(
        text_of(fields, "title", notes), "\n\n".join(part for part in (text.strip("\n"), shown) if part)
    )
    identity = fields.get("id")
    return EntryDraft(
        body=body,
        date=date,
        external_id=identity if isinstance(identity, str) and identity else member.name,
        provider=Journey.name,
        title=title,
        mood=_mood(fields.get("sentiment")),
        tags=with_tag(
            listed_tags(fields.get("tags"), notes), STARRED, wanted=fields.get("favourite") in (True, 1, "true")
        ),
        time_zone=known_zone(fields.get("timezone"), notes),
        weather=_weather(fields.get("weather"), notes),
        location=_location(fields, notes),
        place=member.name,
        notes=tuple(dict.fromkeys(notes)),
        files=attaching.files,
        absent=attaching.absent,
    )


def _attached(listed: Any, member: Member, source: Container, attaching: Attaching) -> str:
    """Attach the files of an entry, and return the links that show its photos below the text."""
    folder = PurePosixPath(member.name).parent
    links = []
    for each in listed if isinstance(listed, list) else ():
        if not isinstance(each, str) or not each:
            continue
        name = PurePosixPath(each).name
        found = source.get(f"{folder}/{name}".removeprefix("./")) or next(iter(source.called(name)), None)
        if found is None:
            attaching.miss(f"the file {name}: it is not in the archive")
        elif attaching.add(each, found):
            links.append(attaching.link(each))
    return "\n".join(links)


def _mood(value: Any) -> str | None:
    return _MOODS.get(float(value)) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _weather(value: Any, notes: list[str]) -> str | None:
    if not isinstance(value, dict):
        return None
    parts = [each] if isinstance(each := value.get("description"), str) and each else []
    celsius = value.get("degree_c")
    if isinstance(celsius, int | float) and not isinstance(celsius, bool) and abs(celsius) < _HOTTEST:
        parts.append(f"{round(celsius)} °C")
    return short(", ".join(parts), "weather", notes)


def _location(fields: Mapping[str, Any], notes: list[str]) -> str | None:
    place, weather = fields.get("location"), fields.get("weather")
    within = place if isinstance(place, dict) else {}
    names = [fields.get("address"), within.get("name"), weather.get("place") if isinstance(weather, dict) else None]
    latitude = fields.get("lat", within.get("lat", within.get("latitude")))
    longitude = fields.get("lon", within.get("lng", within.get("longitude")))
    return short(place_name(names, latitude, longitude), "location", notes)
