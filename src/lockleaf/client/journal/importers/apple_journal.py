"""Apple's Journal: its export, a ZIP or a folder with ``Entries`` (an HTML file each) and ``Resources``.

As other readers of such exports show it: an entry's page has its date in a ``div`` of class ``pageHeader``, in words of
the language of the phone (``Saturday 21 November 2026``, ``Saturday, November 21, 2026``), and its files in ``div``s of
class ``gridItem`` whose id is the name of the file in ``Resources`` without its ending. Where the words of the date are
of a language that is not read here, a date in the name of the page counts (``2026-11-21_Title.html``). Under which
class a title stands could not be confirmed. Places, workouts, music and states of mind are boxes of their own kinds,
whose words are left out: how they are written is not documented.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from itertools import islice
from pathlib import PurePosixPath

from lockleaf.client.errors import InvalidEntry
from lockleaf.client.journal.import_report import Skipped
from lockleaf.client.journal.importers.attaching import Attaching
from lockleaf.client.journal.importers.containers import Container, Member, Unreadable
from lockleaf.client.journal.importers.dates import date_in_name, entry_date
from lockleaf.client.journal.importers.fields import heading
from lockleaf.client.journal.importers.markup import markdown_of
from lockleaf.client.journal.importers.protocol import ImportOptions
from lockleaf.client.journal.importers.texts import MAX_TEXT_BYTES, letters
from lockleaf.client.records.entries import EntryDraft

__all__ = ["AppleJournal"]

_MONTHS = (
    *("january", "february", "march", "april", "may", "june"),
    *("july", "august", "september", "october", "november", "december"),
)
_WORDS = re.compile(r"(?:(\d{1,2})\.? ([a-z]+)|([a-z]+) (\d{1,2})),? (\d{4})", re.ASCII)
_ENTRY = re.compile(r"(?:^|/)Entries/[^/]+\.html?$", re.IGNORECASE)

_LOOKED_AT = 100


class AppleJournal:
    """The export of Apple's Journal."""

    name = "apple-journal"
    title = "Apple Journal"

    def recognises(self, source: Container) -> bool:
        """Tell whether there are pages of entries as Apple's Journal writes them."""
        pages = (member for member in source.members if _ENTRY.search(member.name))
        return any(b"pageHeader" in source.plain_start(page.name) for page in islice(pages, _LOOKED_AT))

    def count(self, source: Container) -> int | None:
        """Return how many pages there are."""
        return sum(1 for member in source.members if _ENTRY.search(member.name))

    def read(self, source: Container, options: ImportOptions) -> Iterator[EntryDraft | Skipped]:
        """Yield the entries."""
        for member in source.members:
            if _ENTRY.search(member.name):
                try:
                    yield _draft(source, member)
                except InvalidEntry as error:
                    yield Skipped(member.name, error.detail or "not an entry")


def _draft(source: Container, member: Member) -> EntryDraft:
    try:
        html = letters(source.read(member.name, MAX_TEXT_BYTES))
    except (Unreadable, ValueError) as error:
        raise InvalidEntry(str(error)) from None
    page = _Page()
    page.feed(html)
    page.close()
    date = _date(page.header, member)
    attaching = Attaching(source)
    folder = PurePosixPath(member.name).parent.parent / "Resources"
    links = []
    for identity in dict.fromkeys(page.items):
        found = [
            each for each in source.members if PurePosixPath(each.name).parent == folder and _stem(each) == identity
        ]
        if not found:
            attaching.miss(f"the file {identity}: it is not in the export")
        elif attaching.add(identity, found[0]):
            links.append(attaching.link(identity))
    title, body = heading(
        page.title.strip() or None, "\n\n".join(p for p in (markdown_of(page.body), "\n".join(links)) if p)
    )
    return EntryDraft(
        body=body,
        date=date,
        external_id=PurePosixPath(member.name).name,
        provider=AppleJournal.name,
        title=title,
        place=member.name,
        files=attaching.files,
        absent=attaching.absent,
    )


def _stem(member: Member) -> str:
    return PurePosixPath(member.name).stem


def _date(header: str, member: Member) -> str:
    found = _WORDS.search(header.lower())
    month = (found[2] or found[3]) if found is not None else ""
    if found is not None and month in _MONTHS:
        return entry_date(f"{found[5]}-{_MONTHS.index(month) + 1:02}-{int(found[1] or found[4]):02}")[0]
    named = date_in_name(PurePosixPath(member.name).stem)
    if named is None:
        raise InvalidEntry("its date is written in a way that is not read here, and its name has none")
    return named[0]


class _Page(HTMLParser):
    """Takes a page apart: its date, its title, the ids of its files, and the rest."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.header = ""
        self.title = ""
        self.items: list[str] = []
        self._body: list[str] = []
        self._within: list[str | None] = []
        """For each ``div`` that is open: what its words are, None for text."""

    @property
    def body(self) -> str:
        """The HTML of what is neither date nor title nor file."""
        return "".join(self._body)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Begin an element."""
        given = {name: value or "" for name, value in attrs}
        classes = given.get("class", "").split()
        if tag == "div":
            kind = "header" if "pageHeader" in classes else "title" if "title" in classes else None
            if "gridItem" in classes:
                kind = "item"
                if given.get("id"):
                    self.items.append(given["id"])
            self._within.append(kind or (self._within[-1] if self._within else None))
        if self._kind() is None:
            self._body.append(self.get_starttag_text() or "")

    def handle_endtag(self, tag: str) -> None:
        """End an element."""
        if self._kind() is None:
            self._body.append(f"</{tag}>")
        if tag == "div" and self._within:
            self._within.pop()

    def handle_data(self, data: str) -> None:
        """Take words where they belong."""
        kind = self._kind()
        if kind == "header":
            self.header += data
        elif kind == "title":
            self.title += data
        elif kind is None:
            self._body.append(data.replace("&", "&amp;").replace("<", "&lt;"))

    def _kind(self) -> str | None:
        return self._within[-1] if self._within else None
