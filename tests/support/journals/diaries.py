"""What programs for diaries export: jrnl, Journey, Diarium, Apple's Journal; and tables."""

from __future__ import annotations

import csv
import html
import json
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

__all__ = [
    "apple_page",
    "diarium_entry",
    "journey_entry",
    "jrnl_entry",
    "paragraphs",
    "write_apple_journal",
    "write_csv",
    "write_diarium",
    "write_journey",
    "write_jrnl_json",
    "write_jrnl_text",
]


def paragraphs(text: str) -> str:
    """A text as HTML has it: a paragraph for each that an empty line parts."""
    return "".join(f"<p>{html.escape(each, quote=False)}</p>" for each in text.split("\n\n"))


def jrnl_entry(date: str, text: str, *, starred: bool = False, time: str = "09:00") -> dict[str, Any]:
    """An entry as jrnl has it: its title is the first line."""
    title, _, body = text.partition("\n")
    return {"title": title, "body": body, "date": date, "time": time, "tags": [], "starred": starred}


def write_jrnl_text(path: Path, entries: Iterable[Mapping[str, Any]]) -> Path:
    """Write jrnl's own file."""
    written = []
    for each in entries:
        star = " *" if each["starred"] else ""
        body = str(each["body"]).rstrip("\n ")
        written.append(f"[{each['date']} {each['time']}] {each['title']}{star}{chr(10) if body else ''}{body}\n")
    path.write_text("\n".join(written), encoding="utf-8")
    return path


def write_jrnl_json(path: Path, entries: Sequence[Mapping[str, Any]], tags: Mapping[str, int] | None = None) -> Path:
    """Write what ``jrnl --format json`` does."""
    path.write_text(json.dumps({"tags": tags or {}, "entries": list(entries)}, indent=2), encoding="utf-8")
    return path


def journey_entry(identity: str, text: str, milliseconds: int, **fields: Any) -> dict[str, Any]:
    """An entry as Journey's ZIP has it."""
    return {
        "id": identity,
        "date_modified": milliseconds + 1000,
        "date_journal": milliseconds,
        "timezone": "Europe/Belgrade",
        "text": text,
        "preview_text": text[:20],
        "tags": [],
        "lat": 1.7976931348623157e308,
        "lon": 1.7976931348623157e308,
        "address": "",
        "sentiment": 0,
        "favourite": False,
        "photos": [],
        "weather": {"degree_c": 1.7976931348623157e308, "description": "", "icon": "", "place": ""},
        **fields,
    }


def write_journey(path: Path, entries: Iterable[Mapping[str, Any]], files: Mapping[str, bytes] | None = None) -> Path:
    """Write Journey's ZIP."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for each in entries:
            archive.writestr(f"{each['id']}.json", json.dumps(each))
        for name, data in (files or {}).items():
            archive.writestr(name, data)
    return path


def diarium_entry(date: str, text: str, heading: str = "", **fields: Any) -> dict[str, Any]:
    """An entry as Diarium's JSON has it."""
    return {"date": date, "heading": heading, "html": paragraphs(text), "rating": 0, "tags": [], "people": [], **fields}


def write_diarium(path: Path, entries: Sequence[Mapping[str, Any]], files: Mapping[str, bytes] | None = None) -> Path:
    """Write Diarium's ZIP."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("Diarium.json", json.dumps(list(entries)))
        for name, data in (files or {}).items():
            archive.writestr(f"media/{name}", data)
    return path


def apple_page(header: str, text: str, title: str = "", files: Iterable[str] = ()) -> str:
    """A page of Apple's Journal."""
    items = "".join(
        f'<div class="gridItem assetType_photo" id="{each}"><img src="../Resources/{each}.jpg"></div>' for each in files
    )
    named = f'<div class="title">{html.escape(title)}</div>' if title else ""
    return (
        "<!DOCTYPE html><html><head><title>Entry</title><style>span.s1 {font-weight: bold;}</style></head><body>"
        f'<div class="pageHeader">{header}</div><div class="assetGrid">{items}</div>{named}'
        f'<div class="bodyText">{paragraphs(text)}</div></body></html>'
    )


def write_apple_journal(path: Path, pages: Mapping[str, str], files: Mapping[str, bytes] | None = None) -> Path:
    """Write the export of Apple's Journal."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("AppleJournalEntries/index.html", "<html></html>")
        for name, page in pages.items():
            archive.writestr(f"AppleJournalEntries/Entries/{name}.html", page)
        for name, data in (files or {}).items():
            archive.writestr(f"AppleJournalEntries/Resources/{name}", data)
    return path


def write_csv(path: Path, names: Sequence[str], rows: Iterable[Sequence[str]], separator: str = ",") -> Path:
    """Write a table."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, delimiter=separator)
        writer.writerow(names)
        writer.writerows(rows)
    return path
