"""A folder, or a ZIP, of Markdown or text files: one file is one entry.

Front matter is read as Jekyll, Hugo, Obsidian and Joplin write it: YAML between lines of three dashes, every value as
the text that it is. Obsidian's daily notes have their date in the name, ``![[photo.jpg]]`` for files, found from
anywhere in the vault, and tags as ``#tag`` in the text, as its help describes them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import PurePosixPath
from typing import Any

import yaml
from frontmatter.default_handlers import YAMLHandler

from lockleaf.client.errors import InvalidEntry
from lockleaf.client.journal.import_report import Skipped
from lockleaf.client.journal.importers.attaching import Attaching
from lockleaf.client.journal.importers.containers import Container, Member, Unreadable
from lockleaf.client.journal.importers.dates import date_in_name, loose_date, zone_of
from lockleaf.client.journal.importers.fields import STARRED, heading, known_zone, listed_tags, short, with_tag
from lockleaf.client.journal.importers.protocol import ImportOptions
from lockleaf.client.journal.importers.texts import MAX_TEXT_BYTES, letters, link_target
from lockleaf.client.records.entries import EntryDraft

__all__ = ["Markdown", "split_front_matter"]

_MARKDOWN = (".md", ".markdown", ".mdown", ".mkd")
_TEXT = (".txt", ".text")
_DATES = ("date", "created", "created_at", "creation_date", "datetime", "day", "published")
_TAGS = ("tags", "tag", "keywords", "categories")
_STARS = ("starred", "star", "favorite", "favourite")

# None of these may look far ahead from every place: a text of megabytes made of their beginnings would take for ever.
_CODE = re.compile(r"(^|\n)(```|~~~).*?(\n\2|$)|`[^`\n]*`", re.DOTALL)
_TAG = re.compile(r"(?<!\S)#(?=[\w/-]*[^\W\d_])([\w/-]*\w)")
_EMBED = re.compile(r"!\[\[(?P<target>[^\[\]|#\n]+)(?:#[^\[\]|\n]*)?(?:\|(?P<alt>[^\[\]\n]*))?\]\]")
_LINK = re.compile(
    r"(?P<mark>!?)\[(?P<alt>(?:[^\[\]\\\n]|\\.)*)\]\((?P<target><[^<>\n]+>|[^()\s]+(?:\([^()\s]*\)[^()\s]*)*)"
    r"(?:\s+[\"'][^\n\"']{0,300}[\"'])?\)"
)
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:|//|#")
_DIGITS = re.compile(r"\d+(x\d+)?", re.ASCII)


class Markdown:
    """Markdown or text files."""

    name = "markdown"
    title = "Markdown"

    def recognises(self, source: Container) -> bool:
        """Tell whether there is a file of Markdown, or a folder with text files."""
        if any(_is_text(member, _MARKDOWN) for member in source.members):
            return True
        return len(source.members) > 1 and any(_is_text(member, _TEXT) for member in source.members)

    def count(self, source: Container) -> int | None:
        """Return how many files of text there are."""
        return sum(1 for member in source.members if _is_text(member, _MARKDOWN + _TEXT))

    def read(self, source: Container, options: ImportOptions) -> Iterator[EntryDraft | Skipped]:
        """Yield an entry for each file of text, and behind them the files that no entry has."""
        named: set[str] = set()
        for member in source.members:
            if not _is_text(member, _MARKDOWN + _TEXT):
                continue
            try:
                yield _draft(source, member, options, named)
            except InvalidEntry as error:
                yield Skipped(member.name, error.detail or "not an entry")
        for member in source.members:
            if not _is_text(member, _MARKDOWN + _TEXT) and member.name not in named:
                yield Skipped(member.name, "no entry names it")


def split_front_matter(text: str) -> tuple[dict[str, Any], str]:
    """Return front matter with all values as text, and what stands behind it; none where there is none.

    Raises:
        InvalidEntry: there is some, and it is damaged.
    """
    handler = YAMLHandler()
    if not text.startswith("---") or not handler.detect(text):
        return {}, text
    try:
        front, body = handler.split(text)
    except ValueError:
        return {}, text  # a line of dashes, and no second one
    try:
        # Every value as text: a date keeps its letters, and a tag that is called no is none of yes and no.
        fields = handler.load(front, Loader=yaml.BaseLoader)
    except (yaml.YAMLError, ValueError, RecursionError):
        raise InvalidEntry("its front matter is not YAML") from None
    if fields is None or fields == "":
        return {}, body
    if not isinstance(fields, dict):
        return {}, text
    return {str(name).strip().lower(): value for name, value in fields.items()}, body


def _is_text(member: Member, suffixes: tuple[str, ...]) -> bool:
    return member.name.lower().endswith(suffixes)


def _draft(source: Container, member: Member, options: ImportOptions, named: set[str]) -> EntryDraft:
    try:
        text = letters(source.read(member.name, MAX_TEXT_BYTES), options.encoding)
    except (Unreadable, ValueError) as error:
        raise InvalidEntry(str(error)) from None
    is_markdown = _is_text(member, _MARKDOWN)
    fields, text = split_front_matter(text) if is_markdown else ({}, text)
    notes: list[str] = []
    path = PurePosixPath(member.name)
    date, rest = _date(fields, path, member, options, notes)
    tags = tuple(tag for name in _TAGS for tag in _tags(fields.get(name), notes))
    attaching = Attaching(source)
    if is_markdown:
        tags += tuple(found[1] for found in _TAG.finditer(_CODE.sub(" ", text)))
        text = _with_files(text, path.parent, source, attaching, named)
    tags = with_tag(tags, STARRED, wanted=any(_is_true(fields.get(name)) for name in _STARS))
    title, body = heading(_line(fields.get("title")) or rest, text.strip("\n"))
    zone = known_zone(fields.get("time_zone") or fields.get("timezone"), notes)
    identity = next((value for name in ("id", "uuid") if (value := _line(fields.get(name)))), None)
    return EntryDraft(
        body=body,
        date=date,
        external_id=f"id\0{identity}" if identity else member.name,
        provider=Markdown.name,
        title=title,
        mood=short(_line(fields.get("mood")), "mood", notes),
        weather=short(_line(fields.get("weather")), "weather", notes),
        location=short(_line(fields.get("location")), "location", notes),
        tags=tags,
        time_zone=zone or zone_of(date, options.time_zone),
        place=member.name,
        notes=tuple(dict.fromkeys(notes)),
        files=attaching.files,
        absent=attaching.absent,
    )


def _date(
    fields: Mapping[str, Any], path: PurePosixPath, member: Member, options: ImportOptions, notes: list[str]
) -> tuple[str, str]:
    """Return the date of a file, and what of its name is a title."""
    given = next((value for name in _DATES if (value := _line(fields.get(name)))), None)
    in_name = date_in_name(str(path.with_suffix(""))) if given is None else None
    if given is not None:
        date, note = loose_date(given)
        notes += [note] if note else []
        try:
            found = date_in_name(str(path.with_suffix("")))
        except InvalidEntry:
            found = None
        return date, path.stem if found is None else found[1]
    if in_name is not None:
        return in_name
    if options.file_dates and isinstance(member.modified, datetime):
        notes.append("its date is that of the file's last change")
        return member.modified.isoformat(), path.stem
    raise InvalidEntry("no date in its front matter or its name: --file-dates takes that of the file's last change")


def _line(value: Any) -> str | None:
    return text if isinstance(value, str) and (text := value.strip()) else None


def _is_true(value: Any) -> bool:
    return isinstance(value, str) and value.strip().lower() in {"true", "yes", "1", "on"}


def _tags(value: Any, notes: list[str]) -> tuple[str, ...]:
    if isinstance(value, str) and "," not in value and "#" in value:
        value = value.split()
    return listed_tags(value or None, notes)


def _with_files(text: str, folder: PurePosixPath, source: Container, attaching: Attaching, named: set[str]) -> str:
    """Return the text with links to the attachments in place of those to files."""

    def attached(target: str) -> Member | None:
        member = _found(target, folder, source)
        if member is None or _is_text(member, _MARKDOWN):
            return None
        named.add(member.name)
        return member if attaching.add(member.name, member) else None

    def embed(found: re.Match[str]) -> str:
        target, alt = found["target"].strip(), (found["alt"] or "").strip()
        member = attached(target)
        if member is None:
            _miss(target, attaching)
            return found[0]
        return attaching.link(member.name, "" if _DIGITS.fullmatch(alt) else alt)

    def link(found: re.Match[str]) -> str:
        target = link_target(found["target"])
        if _SCHEME.match(found["target"]) or not target:
            return found[0]
        member = attached(target)
        if member is None:
            if found["mark"]:
                _miss(target, attaching)
            return found[0]
        return attaching.link(member.name, found["alt"], shown=bool(found["mark"]))

    kept, at = [], 0
    for code in _CODE.finditer(text):
        kept += [_LINK.sub(link, _EMBED.sub(embed, text[at : code.start()])), code[0]]
        at = code.end()
    return "".join([*kept, _LINK.sub(link, _EMBED.sub(embed, text[at:]))])


def _miss(target: str, attaching: Attaching) -> None:
    suffix = PurePosixPath(target).suffix.lower()
    if suffix and suffix not in _MARKDOWN:
        attaching.miss(f"the file {PurePosixPath(target).name}: it is not in the folder")


def _found(target: str, folder: PurePosixPath, source: Container) -> Member | None:
    """Return the file that a link means: beside the entry, from the top, or alone in having its name anywhere."""
    if target.startswith("/"):
        return source.get(target.lstrip("/"))
    parts: list[str] = []
    for part in (folder / target).parts:
        if part == "..":
            if not parts:
                return None
            parts.pop()
        elif part != ".":
            parts.append(part)
    beside = source.get("/".join(parts)) or source.get(target)
    if beside is not None:
        return beside
    last = PurePosixPath(target).name
    return next(iter(source.called(last)), None) if last else None
