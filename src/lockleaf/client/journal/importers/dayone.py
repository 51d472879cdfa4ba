"""Day One: its JSON export, a ZIP with one JSON file a journal and folders of photos, videos, sounds and PDFs.

As Day One's help and exports that people published show it: ``{"metadata": {"version"}, "entries": [...]}``; an entry
has uuid, creationDate (UTC), timeZone, text (Markdown), tags, starred, isPinned, isAllDay, location, weather, and lists
photos, videos, audios and pdfAttachments whose files are called by their MD5. The text points at them by
``dayone-moment://ID``, ``dayone-moment:/audio/ID``, ``/video/`` and ``/pdfAttachment/``. The text of an entry that
has ``richText`` alone, as some have that were never opened in a newer version, is put together from that. What a file
was called before it was imported (``filename``) is not in every export.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from hashlib import sha256
from pathlib import PurePosixPath
from typing import Any
from zoneinfo import ZoneInfo

from lockleaf.client.errors import InvalidEntry
from lockleaf.client.journal.import_report import Skipped
from lockleaf.client.journal.importers.arrays import read_array
from lockleaf.client.journal.importers.attaching import Attaching
from lockleaf.client.journal.importers.containers import Container, Member, Unreadable
from lockleaf.client.journal.importers.dates import entry_date
from lockleaf.client.journal.importers.fields import (
    STARRED,
    known_zone,
    listed_tags,
    parsed,
    place_name,
    short,
    text_of,
    whole,
    with_tag,
)
from lockleaf.client.journal.importers.lockleaf import exported_draft
from lockleaf.client.journal.importers.protocol import ImportOptions
from lockleaf.client.journal.importers.reading import Piece
from lockleaf.client.records.entries import EntryDraft

__all__ = ["DayOne"]

_KINDS = {"photos": "photos", "videos": "videos", "audios": "audios", "pdfAttachments": "pdfs"}
"""The lists of an entry, and the folder in which their files lie."""
_MOMENT = re.compile(
    r"!?\[(?P<alt>(?:[^\[\]\\]|\\.)*)\]\(\s*<?dayone-moment:/{1,2}"
    r"(?:(?:photo|video|audio|pdfAttachment)/)?(?P<id>[0-9A-Za-z-]+)>?\s*\)"
)
_DEFAULT = "Journal"
"""What Day One calls the journal of those who have one."""


class DayOne:
    """Day One's JSON export."""

    name = "dayone"
    title = "Day One"

    def recognises(self, source: Container) -> bool:
        """Tell whether a JSON file of the source has Day One's entries."""
        return any(True for _ in _journals(source))

    def count(self, source: Container) -> int | None:
        """Return how many entries all journals have."""
        total = 0
        for journal in _journals(source):
            with source.reading(journal.name) as file:
                total += sum(1 for _ in read_array(file, "entries"))
        return total

    def read(self, source: Container, options: ImportOptions) -> Iterator[EntryDraft | Skipped]:
        """Yield the entries of every journal."""
        journals = list(_journals(source))
        if not journals:
            yield Skipped(source.label, "no JSON file of a journal is in it")
        for journal in journals:
            yield from _Journal(source, journal).entries()


def _journals(source: Container) -> Iterator[Member]:
    for member in source.members:
        if member.name.lower().endswith(".json") and member.name.count("/") <= 1:
            start = source.plain_start(member.name)
            if b'"entries"' in start and (b'"metadata"' in start or b'"creationDate"' in start):
                yield member


class _Journal:
    """One journal of an export."""

    def __init__(self, source: Container, member: Member) -> None:
        self._source = source
        self._member = member
        self._folder = member.name.rpartition("/")[0]
        self._stem = PurePosixPath(member.name).stem
        self._files: dict[tuple[str, str], Member] = {}
        for each in source.members:
            path = PurePosixPath(each.name)
            self._files[path.parent.as_posix().casefold(), path.stem.casefold()] = each
        self._borrowed: dict[str, tuple[str, dict[str, Any]]] | None = None

    def entries(self) -> Iterator[EntryDraft | Skipped]:
        """Yield its entries, and what cannot be read."""
        try:
            for piece in self._pieces():
                place = f"{self._member.name}, entry {piece.line}"
                try:
                    yield self._draft(place, piece)
                except InvalidEntry as error:
                    yield Skipped(place, error.detail or "not an entry")
        except Unreadable as error:
            yield Skipped(self._member.name, str(error))

    def _pieces(self) -> Iterator[Piece]:
        with self._source.reading(self._member.name) as file:
            yield from read_array(file, "entries")

    def _draft(self, place: str, piece: Piece) -> EntryDraft:
        if piece.reason is not None:
            raise InvalidEntry(piece.reason)
        fields = parsed(piece.text)
        if isinstance(own := fields.get("lockleaf"), dict):
            return exported_draft(self._source, self._folder, own, place)
        notes: list[str] = []
        date, zone = _date(fields, notes)
        attaching = Attaching(self._source)
        text = text_of(fields, "text", notes)
        body = self._with_files(_rich(fields) if text is None else text, fields, attaching)
        tags = listed_tags(fields.get("tags"), notes)
        tags = with_tag(tags, STARRED, wanted=fields.get("starred"))
        tags = with_tag(tags, "pinned", wanted=fields.get("isPinned"))
        tags = with_tag(tags, whole(self._stem, notes), wanted=self._stem != _DEFAULT)
        identity = fields.get("uuid")
        return EntryDraft(
            body=body,
            date=date,
            external_id=identity
            if isinstance(identity, str) and identity
            else f"{date}\0{sha256(body.encode()).hexdigest()}",
            provider=DayOne.name,
            tags=tags,
            time_zone=zone,
            weather=_weather(fields.get("weather"), notes),
            location=_location(fields.get("location"), notes),
            place=place,
            notes=tuple(dict.fromkeys(notes)),
            files=attaching.files,
            absent=attaching.absent,
        )

    def _with_files(self, text: str, fields: Mapping[str, Any], attaching: Attaching) -> str:
        """Return the text with links to the attachments; those that it does not name are attached too."""
        listed = _moments(fields)
        known = {identity: each for identity, each in listed.items() if self._attach(identity, each, attaching)}

        def link(found: re.Match[str]) -> str:
            identity = found["id"].upper()
            moment = listed.get(identity) or self._elsewhere(identity)
            if moment is None:
                attaching.miss("something that the text names, of which nothing else is known")
                return found[0]
            if identity not in known and identity not in listed and self._attach(identity, moment, attaching):
                known[identity] = moment
            if identity not in known:
                return found[0]
            return attaching.link(identity, found["alt"], shown=moment[0] == "photos")

        return _MOMENT.sub(link, text)

    def _attach(self, identity: str, moment: tuple[str, dict[str, Any]], attaching: Attaching) -> bool:
        kind, fields = moment
        folder = f"{self._folder}/{_KINDS[kind]}".strip("/").casefold()
        stems = [str(fields.get(name) or "").casefold() for name in ("md5", "identifier")]
        member = next((self._files[folder, stem] for stem in stems if (folder, stem) in self._files), None)
        given = fields.get("filename")
        name = given if isinstance(given, str) and given.strip() else None
        if member is None:
            called = name or f"{fields.get('md5') or identity}.{fields.get('type') or fields.get('format') or kind}"
            attaching.miss(f"the file {called}: it is not in the archive")
            return False
        return attaching.add(identity, member, name)

    def _elsewhere(self, identity: str) -> tuple[str, dict[str, Any]] | None:
        """Return a moment that another entry lists: a photo that was copied is named in both, and listed in one."""
        if self._borrowed is None:
            self._borrowed = {}
            for piece in self._pieces():
                if piece.reason is None:
                    try:
                        self._borrowed |= _moments(parsed(piece.text))
                    except InvalidEntry:
                        continue
        return self._borrowed.get(identity)


def _moments(fields: Mapping[str, Any]) -> dict[str, tuple[str, dict[str, Any]]]:
    """Return what an entry lists, by its id: of which kind it is, and what is said of it."""
    found: dict[str, tuple[str, dict[str, Any]]] = {}
    for kind in _KINDS:
        listed = fields.get(kind)
        for each in listed if isinstance(listed, list) else ():
            if isinstance(each, dict) and isinstance(each.get("identifier"), str):
                found[each["identifier"].upper()] = (kind, each)
    return found


def _date(fields: Mapping[str, Any], notes: list[str]) -> tuple[str, str | None]:
    date, note = entry_date(fields.get("creationDate"))
    notes += [note] if note else []
    zone = known_zone(fields.get("timeZone"), notes)
    if fields.get("isAllDay") is True and len(date) > 10:
        # A day is the day where it was written.
        moment = datetime.fromisoformat(date)
        date = (moment.astimezone(ZoneInfo(zone)) if zone and moment.tzinfo else moment).date().isoformat()
    return date, zone


def _rich(fields: Mapping[str, Any]) -> str:
    """Return the words of rich text, with links to what is embedded in it."""
    given = fields.get("richText")
    try:
        content = json.loads(given)["contents"] if isinstance(given, str) else []
        parts = []
        for part in content:
            parts.append(part.get("text") or "")
            parts += [f"![](dayone-moment://{each['identifier']})\n" for each in part.get("embeddedObjects") or ()]
        return "".join(parts)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise InvalidEntry("it has no text that can be read") from None


def _location(value: Any, notes: list[str]) -> str | None:
    if not isinstance(value, dict):
        return None
    names = [value.get(name) for name in ("userLabel", "placeName", "localityName", "administrativeArea", "country")]
    return short(place_name(names, value.get("latitude"), value.get("longitude")), "location", notes)


def _weather(value: Any, notes: list[str]) -> str | None:
    if not isinstance(value, dict):
        return None
    parts = [each] if isinstance(each := value.get("conditionsDescription"), str) and each else []
    celsius = value.get("temperatureCelsius")
    if isinstance(celsius, int | float) and not isinstance(celsius, bool):
        parts.append(f"{round(celsius)} °C")
    return short(", ".join(parts), "weather", notes)
