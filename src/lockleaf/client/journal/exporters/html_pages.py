"""A page a year, to read and to print: no script, nothing from elsewhere, and no text that a browser would obey."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import date
from typing import IO
from urllib.parse import quote

from lockleaf.client.journal.exporters.formats import Add, ExportedEntry, ExportedFile, Extras, own_paths
from lockleaf.client.journal.exporters.targets import Target
from lockleaf.client.journal.exporters.text_links import TextLink, parts_of
from lockleaf.client.records.entries import Entry

__all__ = ["HtmlFormat"]

INDEX = "index.html"

_PICTURES = frozenset({"image/jpeg", "image/png", "image/gif", "image/webp", "image/avif"})
"""What every browser shows and none takes for a program."""
_NOT_IN_HTML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
_ESCAPED_MARK = re.compile(r"\\(.)")
_MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip
_STYLE = """
:root { color-scheme: light dark; }
body { margin: 0 auto; max-width: 42rem; padding: 2rem 1rem; font: 1.05rem/1.6 Georgia, "Times New Roman", serif; }
h1, h2, h3 { line-height: 1.25; font-weight: normal; }
h1 { font-size: 2rem; }
h2 { font-size: 1.1rem; margin: 3rem 0 0; break-after: avoid; }
h3 { font-size: 1.5rem; margin: .25rem 0 0; break-after: avoid; }
.facts { margin: .25rem 0 0; font-size: .85rem; opacity: .75; break-after: avoid; }
.text { margin: 1rem 0 0; white-space: pre-wrap; overflow-wrap: anywhere; orphans: 3; widows: 3; }
ul { padding-left: 1.25rem; }
img { max-width: 100%; max-height: 24cm; display: block; margin: 1rem 0; break-inside: avoid; }
@media print { body { max-width: none; padding: 0; font-size: 11pt; } nav { display: none; } a { color: inherit; } }
"""
_POLICY = "script-src 'none'; object-src 'none'; base-uri 'none'; form-action 'none'; frame-src 'none'"


class HtmlFormat:
    """``2026.html`` for each year, ``index.html``, and the attachments."""

    name = "html"
    carries_revisions = False
    has_manifest = True

    def paths(self, entry: Entry, stem: str) -> list[str]:
        """Return where the attachments of an entry go."""
        return own_paths(entry, stem)

    @contextmanager
    def writing(self, target: Target, extras: Extras) -> Iterator[Add]:
        """Write the page of each year as its entries come."""
        del extras
        years: dict[str, int] = {}
        with ExitStack() as page:
            file: IO[bytes] | None = None

            def add(exported: ExportedEntry) -> None:
                nonlocal file
                if exported.year not in years:
                    page.close()
                    file = page.enter_context(_page(target, f"{exported.year}.html", exported.year))
                    years[exported.year] = 0
                assert file is not None
                file.write(_article(exported).encode("utf-8", "replace"))
                years[exported.year] += 1

            yield add
        with _page(target, INDEX, "Journal") as index:
            rows = [f'<li><a href="{year}.html">{year}</a>: {count:,}</li>\n' for year, count in years.items()]
            index.write(f"<ul>\n{''.join(rows)}</ul>\n".encode())


@contextmanager
def _page(target: Target, path: str, title: str) -> Iterator[IO[bytes]]:
    back = "" if path == INDEX else f'<nav><a href="{INDEX}">All years</a></nav>\n'
    with target.file(path) as file:
        file.write(
            f'<!doctype html>\n<html lang="und">\n<head>\n<meta charset="utf-8">\n'
            f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
            f'<meta name="viewport" content="width=device-width, initial-scale=1">\n'
            f'<meta name="referrer" content="no-referrer">\n<title>{_escaped(title)}</title>\n'
            f"<style>{_STYLE}</style>\n</head>\n<body>\n{back}<h1>{_escaped(title)}</h1>\n".encode()
        )
        yield file
        file.write(b"</body>\n</html>\n")


def _article(exported: ExportedEntry) -> str:
    entry = exported.entry
    files = {file.attachment.name: file for file in reversed(exported.files)}
    shown: set[str] = set()
    text = "".join(_part(part, files, shown) for part in parts_of(entry.body))
    in_text = [files[name] for name in shown]
    rest = [file for file in exported.files if file not in in_text]
    pictures = "".join(_picture(file) for file in rest if _is_picture(file))
    others = "".join(f"<li>{_linked(file)}</li>\n" for file in rest if not _is_picture(file))
    facts = " · ".join(_escaped(fact) for fact in _facts(entry))
    return "".join(
        (
            f'<article id="{_escaped(exported.stem)}">\n<h2><time datetime="{entry.day.isoformat()}">',
            f"{_escaped(_heading(entry))}</time></h2>\n",
            f'<h3 dir="auto">{_escaped(entry.title)}</h3>\n' if entry.title else "",
            f'<p class="facts" dir="auto">{facts}</p>\n' if facts else "",
            f'<div class="text" dir="auto">{text}</div>\n',
            pictures,
            f"<ul>\n{others}</ul>\n" if others else "",
            "</article>\n",
        )
    )


def _heading(entry: Entry) -> str:
    day: date = entry.day
    shown = f"{day.day} {_MONTHS[day.month - 1]} {day.year}"
    return shown if len(entry.date) == len("2026-11-21") else f"{shown}, {entry.local_time:%H:%M}"


def _facts(entry: Entry) -> Iterator[str]:
    yield from (words for words in (entry.mood, entry.weather, entry.location) if words)
    if entry.tags:
        yield ", ".join(entry.tags)
    yield from (f"{name}: {value:g}" for name, value in entry.metrics.items())
    if entry.foreign is not None:
        yield "sealed by another application"
    if entry.deleted:
        yield "deleted"


def _part(part: str | TextLink, files: dict[str, ExportedFile], shown: set[str]) -> str:
    if isinstance(part, str):
        return _escaped(part)
    file = files.get(part.name)
    if file is None or file.path is None:
        return _escaped(part.text)
    shown.add(part.name)
    words = _ESCAPED_MARK.sub(r"\1", part.alt)
    return _picture(file, words) if part.shown and _is_picture(file) else _linked(file, words)


def _is_picture(file: ExportedFile) -> bool:
    return file.path is not None and file.attachment.media_type in _PICTURES


def _picture(file: ExportedFile, words: str = "") -> str:
    address = _escaped(quote(file.path or ""))
    alt = _escaped(words or file.attachment.name)
    return f'<a href="{address}"><img src="{address}" alt="{alt}" loading="lazy"></a>\n'


def _linked(file: ExportedFile, words: str = "") -> str:
    said = f"<bdi>{_escaped(words or file.attachment.name)}</bdi>"
    return f"{said} (missing)" if file.path is None else f'<a href="{_escaped(quote(file.path))}">{said}</a>'


def _escaped(text: str) -> str:
    """Return text that stands for itself, between tags and in the quotes of an attribute."""
    return html.escape(_NOT_IN_HTML.sub("\ufffd", text), quote=True)
