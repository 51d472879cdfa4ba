"""Google Keep: what Takeout gives, a ZIP or a folder with ``Takeout/Keep/``, one JSON file a note.

As published exports and other readers of them show it: title, textContent or listContent (``[{"text", "isChecked"}]``),
createdTimestampUsec and userEditedTimestampUsec (microseconds since 1970), labels (``[{"name"}]``), attachments
(``[{"filePath", "mimetype"}]``), annotations (links), isPinned, isArchived, isTrashed, color. Older exports have no
createdTimestampUsec: then the last edit dates the note. A file's path often has another ending than the file in the
archive (``.jpeg`` for ``.jpg``). The HTML file beside each JSON file says the same and is left out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import PurePosixPath
from typing import Any

from lockleaf.client.errors import InvalidEntry
from lockleaf.client.journal.import_report import Skipped
from lockleaf.client.journal.importers.attaching import Attaching
from lockleaf.client.journal.importers.containers import Container, Member, Unreadable
from lockleaf.client.journal.importers.dates import INVALID_DATE
from lockleaf.client.journal.importers.fields import heading, parsed, text_of, whole, with_tag
from lockleaf.client.journal.importers.protocol import ImportOptions
from lockleaf.client.journal.importers.texts import MAX_TEXT_BYTES, letters
from lockleaf.client.records.entries import EntryDraft

__all__ = ["Keep"]

_MARKS = (b'"userEditedTimestampUsec"', b'"createdTimestampUsec"')
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Keep:
    """Google Keep's notes out of Takeout."""

    name = "google-keep"
    title = "Google Keep"

    def recognises(self, source: Container) -> bool:
        """Tell whether a JSON file of the source is a note of Keep."""
        return next(_notes(source), None) is not None

    def count(self, source: Container) -> int | None:
        """Return how many notes there are."""
        return sum(1 for _ in _notes(source))

    def read(self, source: Container, options: ImportOptions) -> Iterator[EntryDraft | Skipped]:
        """Yield the notes."""
        for member in _notes(source):
            try:
                yield _draft(source, member)
            except InvalidEntry as error:
                yield Skipped(member.name, error.detail or "not a note")


def _notes(source: Container) -> Iterator[Member]:
    for member in source.members:
        if member.name.lower().endswith(".json"):
            start = source.plain_start(member.name)
            in_folder = "/keep/" in f"/{member.name.lower()}"
            if any(mark in start for mark in _MARKS) or (in_folder and start.lstrip().startswith(b"{")):
                yield member


def _draft(source: Container, member: Member) -> EntryDraft:
    try:
        fields = parsed(letters(source.read(member.name, MAX_TEXT_BYTES)))
    except (Unreadable, ValueError) as error:
        raise InvalidEntry(str(error)) from None
    if fields.get("isTrashed") is True:
        raise InvalidEntry("it is in the trash")
    notes: list[str] = []
    date = _moment(fields, notes)
    attaching = Attaching(source)
    parts = [text_of(fields, "textContent", notes) or _list(fields.get("listContent")), *_links(fields)]
    parts += _attached(fields, member, source, attaching)
    title, body = heading(text_of(fields, "title", notes), whole("\n\n".join(part for part in parts if part), notes))
    labels = fields.get("labels")
    tags = tuple(
        whole(each["name"], notes)
        for each in (labels if isinstance(labels, list) else ())
        if isinstance(each, dict) and isinstance(each.get("name"), str)
    )
    return EntryDraft(
        body=body.strip("\n"),
        date=date,
        external_id=f"{date}\0{PurePosixPath(member.name).name}",
        provider=Keep.name,
        title=title,
        tags=with_tag(tags, "pinned", wanted=fields.get("isPinned")),
        place=member.name,
        notes=tuple(dict.fromkeys(notes)),
        files=attaching.files,
        absent=attaching.absent,
    )


def _moment(fields: Mapping[str, Any], notes: list[str]) -> str:
    for name in ("createdTimestampUsec", "userEditedTimestampUsec"):
        value = fields.get(name)
        try:
            microseconds = int(value) if isinstance(value, int | str) and not isinstance(value, bool) else 0
            if microseconds:
                if name != "createdTimestampUsec":
                    notes.append("it does not say when it was made, and has the time of its last edit")
                return (_EPOCH + timedelta(microseconds=microseconds)).isoformat().replace("+00:00", "Z")
        except (ValueError, OverflowError):
            continue
    raise InvalidEntry(INVALID_DATE)


def _list(value: Any) -> str:
    lines = []
    for each in value if isinstance(value, list) else ():
        if isinstance(each, dict) and isinstance(each.get("text"), str):
            lines.append(f"- [{'x' if each.get('isChecked') is True else ' '}] {each['text']}")
    return "\n".join(lines)


def _links(fields: Mapping[str, Any]) -> list[str]:
    """Return the web pages that Keep shows below a note, where its text does not name them."""
    text, listed = fields.get("textContent"), fields.get("annotations")
    links = []
    for each in listed if isinstance(listed, list) else ():
        url = each.get("url") if isinstance(each, dict) else None
        if isinstance(url, str) and url and (not isinstance(text, str) or url not in text):
            links.append(f"<{url}>")
    return links


def _attached(fields: Mapping[str, Any], member: Member, source: Container, attaching: Attaching) -> list[str]:
    listed = fields.get("attachments")
    folder = PurePosixPath(member.name).parent
    links = []
    for each in listed if isinstance(listed, list) else ():
        path = each.get("filePath") if isinstance(each, dict) else None
        if not isinstance(path, str) or not path:
            continue
        stem = PurePosixPath(path).stem
        names = [path, *(f"{stem}{suffix}" for suffix in (".jpg", ".jpeg", ".png", ".gif", ".3gp", ".amr", ".m4a"))]
        found = next((file for name in names if (file := source.get(f"{folder}/{name}".removeprefix("./")))), None)
        if found is None:
            attaching.miss(f"the file {PurePosixPath(path).name}: it is not in the archive")
        elif attaching.add(path, found):
            links.append(attaching.link(path, shown=str(each.get("mimetype", "image/")).startswith("image/")))
    return links
