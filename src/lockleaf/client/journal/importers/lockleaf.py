"""What `Client.export` wrote: a folder or ZIP of Markdown, ``journal.json``, and, within Day One's form, the same.

Entries keep their ids, so that an export comes back into its own account without a second of anything. Where there are
Markdown files they are read, since somebody may have edited one; ``journal.json`` says the same. Texts are to the
letter. Earlier revisions come along with entries that are new here, and so do versions that waited for a decision: as
texts that stood before, since nobody knows what was decided after the export.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from typing import Any
from urllib.parse import quote
from uuid import UUID

import yaml

from lockleaf.client.errors import InvalidEntry
from lockleaf.client.journal.exporters.front_matter import split
from lockleaf.client.journal.exporters.json_file import FILE, FORMAT
from lockleaf.client.journal.exporters.markdown import ENTRIES, REVISIONS
from lockleaf.client.journal.exporters.text_links import target_of
from lockleaf.client.journal.import_report import Skipped
from lockleaf.client.journal.importers.arrays import read_array
from lockleaf.client.journal.importers.containers import Container, Member, Unreadable
from lockleaf.client.journal.importers.fields import parsed, text_of
from lockleaf.client.journal.importers.lockleaf_fields import foreign_of, maps_of, time_of, words_of
from lockleaf.client.journal.importers.protocol import ImportOptions
from lockleaf.client.journal.importers.reading import Piece
from lockleaf.client.journal.importers.texts import MAX_TEXT_BYTES
from lockleaf.client.records.entries import EarlierDraft, EntryDraft, Exported, IncomingFile

__all__ = ["LockleafExport", "exported_draft"]

_NAME = "lockleaf"
_BEGIN = re.compile(rb'\s*\{\s*"format"\s*:\s*"' + FORMAT.encode() + rb'"')
_FENCE = re.compile(r"^---[ \t]*$", re.MULTILINE)


class LockleafExport:
    """An export of Lockleaf."""

    name = _NAME
    title = "Lockleaf's export"

    def recognises(self, source: Container) -> bool:
        """Tell whether there is a ``journal.json`` of an export."""
        return _journal(source) is not None

    def count(self, source: Container) -> int | None:
        """Return how many entries there are."""
        journal = _journal(source)
        if journal is None:
            return 0
        files = _markdown_files(source, _folder(journal))
        if files:
            return len(files)
        with source.reading(journal.name) as file:
            return sum(1 for _ in read_array(file, "entries"))

    def read(self, source: Container, options: ImportOptions) -> Iterator[EntryDraft | Skipped]:
        """Yield the entries, oldest first."""
        journal = _journal(source)
        if journal is None:
            yield Skipped(source.label, "no journal.json of an export is in it")
            return
        waiting = _waiting(source, journal)
        for draft in _entries(source, journal):
            if isinstance(draft, EntryDraft) and draft.exported is not None:
                yield replace(draft, earlier=(*draft.earlier, *waiting.get(draft.exported.entry_id, ())))
            else:
                yield draft


def _entries(source: Container, journal: Member) -> Iterator[EntryDraft | Skipped]:
    folder = _folder(journal)
    files = _markdown_files(source, folder)
    for member in files:
        try:
            yield _from_markdown(source, folder, member)
        except InvalidEntry as error:
            yield Skipped(member.name, error.detail or "not an entry")
    if not files:
        yield from _from_json(source, folder, journal)


def _waiting(source: Container, journal: Member) -> dict[str, list[EarlierDraft]]:
    """Return the versions that waited for a decision, by the id of their entry."""
    found: dict[str, list[EarlierDraft]] = {}
    with suppress(Unreadable), source.reading(journal.name) as file:
        for piece in read_array(file, "conflicts", farthest=None):
            with suppress(InvalidEntry):
                conflict = parsed(piece.text)
                version = conflict.get("version")
                if isinstance(version, dict):
                    text = text_of(version, "body", []) or ""
                    told = EarlierDraft(until=time_of(conflict.get("detected_at")), body=text, **words_of(version))
                    found.setdefault(str(conflict.get("entry_id")), []).append(told)
    return found


def _journal(source: Container) -> Member | None:
    members = source.members
    for member in members:
        is_there = posixpath.basename(member.name) == FILE and member.name.count("/") <= 1
        if (is_there or len(members) == 1) and _BEGIN.match(source.start(member.name, 1024)):
            return member
    return None


def _folder(journal: Member) -> str:
    return posixpath.dirname(journal.name)


def _markdown_files(source: Container, folder: str) -> list[Member]:
    begin = posixpath.join(folder, ENTRIES) + "/"
    return [each for each in source.members if each.name.startswith(begin) and each.name.endswith(".md")]


# ---- JSON ----


def _from_json(source: Container, folder: str, journal: Member) -> Iterator[EntryDraft | Skipped]:
    try:
        with source.reading(journal.name) as file:
            for piece in read_array(file, "entries"):
                place = f"{journal.name}, entry {piece.line}"
                try:
                    yield _from_piece(source, folder, piece, place)
                except InvalidEntry as error:
                    yield Skipped(place, error.detail or "not an entry")
    except Unreadable as error:
        yield Skipped(journal.name, str(error))


def _from_piece(source: Container, folder: str, piece: Piece, place: str) -> EntryDraft:
    if piece.reason is not None:
        raise InvalidEntry(piece.reason)
    return exported_draft(source, folder, parsed(piece.text), place)


def exported_draft(source: Container, folder: str, fields: Mapping[str, Any], place: str) -> EntryDraft:
    """Return an entry as the JSON of an export has it.

    Args:
        folder: in which the paths of its attachments begin.

    Raises:
        InvalidEntry: it is not an entry.
    """
    found = _found(source, folder, maps_of(fields, "attachments"))
    revisions = [each for each in maps_of(fields, "revisions") if isinstance(each.get("entry"), dict)]
    earlier = _in_turn([(each, each["entry"]) for each in revisions], fields)
    return _draft(fields, text_of(fields, "body", []) or "", place, found, earlier)


# ---- Markdown ----


def _from_markdown(source: Container, folder: str, member: Member) -> EntryDraft:
    fields, rest = _front(source, member)
    listed = maps_of(fields, "attachments")
    beside = posixpath.dirname(member.name)
    ways = [each for each in listed if isinstance(each.get("file"), str)]
    body = split(rest, linked=any(each.get("in_text") != "true" for each in ways))
    for each in ways:
        if each.get("in_text") == "true":
            body = body.replace(f"]({quote(each['file'])})", f"]({target_of(str(each.get('name')))})")
    name = posixpath.relpath(member.name.removesuffix(".md"), posixpath.join(folder, ENTRIES))
    begin = posixpath.join(folder, REVISIONS, name) + "/"
    revisions = [each for each in source.members if each.name.startswith(begin) and each.name.endswith(".md")]
    earlier = _in_turn([_revision(source, each) for each in revisions], fields)
    return _draft(fields, body, member.name, _found(source, beside, listed), earlier)


def _front(source: Container, member: Member) -> tuple[dict[str, Any], str]:
    """Return the front matter of a file, all of its values as text, and what stands behind it."""
    try:
        text = source.read(member.name, MAX_TEXT_BYTES).decode().removeprefix("\ufeff")
    except (Unreadable, UnicodeDecodeError) as error:
        raise InvalidEntry(str(error) if isinstance(error, Unreadable) else "not UTF-8 text") from None
    if text.startswith("---\r\n"):
        # Somebody's editor, or version control, has changed every line end: those of the text among them.
        text = text.replace("\r\n", "\n")
    if not text.startswith("---\n") or (end := _FENCE.search(text, 4)) is None:
        raise InvalidEntry("it has no front matter")
    try:
        fields = yaml.load(text[4 : end.start()], Loader=yaml.BaseLoader)  # noqa: S506  (every value as text)
    except (yaml.YAMLError, ValueError, RecursionError):
        raise InvalidEntry("its front matter is not YAML") from None
    if not isinstance(fields, dict) or "lockleaf" not in fields:
        raise InvalidEntry("no export made it: import it by itself, with --format markdown")
    return {str(name): value for name, value in fields.items()}, text[end.end() :].removeprefix("\n")


def _revision(source: Container, member: Member) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return what a file says of a revision, and the fields of the entry as it was."""
    fields, rest = _front(source, member)
    return fields, {**fields, "body": split(rest, linked=False)}


# ---- both ----


@dataclass(frozen=True, slots=True)
class _Found:
    """The files of an entry, and what is said of those that are not there."""

    files: tuple[IncomingFile, ...]
    absent: tuple[str, ...]


def _found(source: Container, folder: str, listed: list[dict[str, Any]]) -> _Found:
    files, absent = [], []
    for each in listed:
        name, path, media_id = (each.get(field) for field in ("name", "file", "media_id"))
        if not isinstance(name, str) or not isinstance(media_id, str):
            raise InvalidEntry("an attachment has no name or no id")
        member = source.get(posixpath.normpath(posixpath.join(folder, path))) if isinstance(path, str) else None
        if member is None:
            absent.append(f"the file {name}: it is not in the export")
            continue
        kind = each.get("media_type")
        files.append(
            IncomingFile(
                name,
                media_id,
                member.size,
                partial(source.open, member.name),
                media_type=kind if isinstance(kind, str) else None,
                media_id=media_id,
            )
        )
    return _Found(tuple(files), tuple(absent))


def _draft(
    fields: Mapping[str, Any], body: str, place: str, found: _Found, earlier: tuple[EarlierDraft, ...]
) -> EntryDraft:
    try:
        entry_id = str(UUID(fields["id"]))
    except (KeyError, TypeError, ValueError, AttributeError):
        raise InvalidEntry("it has no id") from None
    exported = Exported(
        entry_id=entry_id,
        deleted=fields.get("deleted") in (True, "true"),
        created_at=time_of(fields.get("created_at")),
        updated_at=time_of(fields.get("updated_at")),
    )
    return EntryDraft(
        body=body,
        external_id=f"id\0{entry_id}",
        provider=_NAME,
        exported=exported,
        place=place,
        files=found.files,
        absent=found.absent,
        foreign=foreign_of(fields),
        earlier=earlier,
        **words_of(fields),
    )


def _in_turn(
    revisions: list[tuple[dict[str, Any], dict[str, Any]]], entry: Mapping[str, Any]
) -> tuple[EarlierDraft, ...]:
    """Return earlier texts, each with the time at which the next one took its place.

    Args:
        revisions: what is said of each, and its fields; oldest first.
        entry: the fields of the entry as it is.
    """
    times = [*(about.get("at") for about, _ in revisions[1:]), entry.get("updated_at")]
    return tuple(
        EarlierDraft(
            # What was replaced on a device bears the time of that already.
            until=time_of(about.get("at") if about.get("event") == "replaced" else following),
            body=text_of(fields, "body", []) or "",
            **words_of(fields),
        )
        for (about, fields), following in zip(revisions, times, strict=False)
    )
