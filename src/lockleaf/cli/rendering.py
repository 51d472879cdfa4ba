"""Entries and conflicts as JSON and as a person reads them."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterable, Iterator
from typing import Any

from lockleaf import client as sdk
from lockleaf.cli import screen
from lockleaf.cli.dates import shown_date
from lockleaf.cli.terminal import printable

__all__ = [
    "conflict_json",
    "diff_of",
    "entries_table",
    "entry_json",
    "entry_view",
    "headline",
    "printable",
    "revision_json",
    "revisions_table",
    "short_id",
    "shown_date",
    "surroundings",
]


def short_id(entry_id: str) -> str:
    """Return the beginning of an id that a person types."""
    return entry_id[:8]


def headline(entry: sdk.Entry, width: int = 60) -> str:
    """Return the title of an entry, or its first words, in at most ``width`` characters."""
    words = printable(entry.title or entry.body or (_FOREIGN if entry.foreign is not None else "")).split()
    text = ""
    for word in words:
        if len(text) + 1 + len(word) > width:
            return (text or word[: width - 1]) + "…"
        text = f"{text} {word}".strip()
    return text


def entry_json(entry: sdk.Entry) -> dict[str, Any]:
    """Return an entry as ``--json`` writes it: what it is, and how it stands with it on this device."""

    return sdk.entry_document(entry) | {
        "foreign": None if entry.foreign is None else dict(entry.foreign),
        "revision": entry.revision,
        "version": entry.version,
        "pending": entry.pending,
        "conflict": entry.conflict,
        "rejected": entry.rejected,
    }


def conflict_json(conflict: sdk.Conflict) -> dict[str, Any]:
    """Return a conflict as ``--json`` writes it; a version that is a deletion is null."""
    return {
        "id": conflict.id,
        "first_id": conflict.first_id,
        "entry_id": conflict.entry_id,
        "detected_at": conflict.detected_at.isoformat(),
        "device_id": conflict.device_id,
        "own": conflict.own,
        "authentic": conflict.authentic,
        "local": entry_json(conflict.local) if conflict.local else None,
        "remote": entry_json(conflict.remote) if conflict.remote and not conflict.remote.deleted else None,
    }


def revision_json(revision: sdk.Revision) -> dict[str, Any]:
    """Return a revision as ``--json`` writes it; what is not kept any more is null."""

    return sdk.revision_document(revision) | {
        "entry": entry_json(revision.entry) if revision.entry is not None else None
    }


def marks(entry: sdk.Entry) -> str:
    """Return what there is to know about the state of an entry, in few characters."""
    known = (
        (entry.deleted, "deleted"),
        (entry.conflict, "conflict"),
        (bool(entry.rejected), "refused"),
        (entry.pending and not entry.rejected, "not synced"),
    )
    return ", ".join(word for holds, word in known if holds)


def entries_table(entries: Iterable[sdk.Entry], width: int) -> screen.RenderableType:
    """Return a table of entries: id, date, title or first words, mood, tags, state.

    Args:
        entries: in the order in which they are shown.
        width: of the terminal, in cells. What identifies an entry is never cut off; its words are.
    """

    def cell(text: str, limit: int, style: str = "") -> screen.Text:
        # Text, not str: brackets in what somebody wrote are no markup.
        made = screen.Text(text, style=style, no_wrap=True)
        made.truncate(limit, overflow="ellipsis")
        return made

    shown = list(entries)
    dates = [shown_date(entry.date, entry.time_zone) for entry in shown]
    states = [marks(entry) for entry in shown]
    whole = 8 + sum(max((len(text) for text in column), default=0) for column in (dates, states))
    room = width - whole - _BORDERS
    # On a narrow terminal the words matter more than mood and tags.
    detailed = room >= _ROOM_FOR_DETAILS
    moods = [cell(printable(entry.mood or ""), min(12, max(4, room // 5))) for entry in shown]
    tags = [cell(printable(", ".join(entry.tags)), min(20, max(4, room // 3))) for entry in shown]
    if detailed:
        room -= sum(max((4, *(text.cell_len for text in column))) for column in (moods, tags))
    names = ("id", "date", "entry", *(("mood", "tags") if detailed else ()), "")
    table = screen.Table(*names, box=screen.box.SIMPLE_HEAD, pad_edge=False, header_style="bold")
    for entry, date, mood, tag, state in zip(shown, dates, moods, tags, states, strict=True):
        table.add_row(
            cell(short_id(entry.id), 8, "dim"),
            cell(date, 25),
            cell(headline(entry, 200), max(room, 5), "bold" if entry.title else ""),
            *((mood, tag) if detailed else ()),
            cell(state, 40, "yellow"),
        )
    return table


def revisions_table(revisions: Iterable[sdk.Revision], width: int) -> screen.RenderableType:
    """Return a table of revisions: number, time, what happened, first words.

    Args:
        revisions: in the order in which they are shown.
        width: of the terminal, in cells.
    """

    table = screen.Table(
        "revision", "at", "what", "entry", "", box=screen.box.SIMPLE_HEAD, pad_edge=False, header_style="bold"
    )
    for each in revisions:
        words = headline(each.entry, max(width - 60, 20)) if each.entry is not None else ""
        when = each.at.astimezone().isoformat(sep=" ", timespec="minutes")[:16]
        state = "" if each.verified or each.entry is None else "not verified"
        table.add_row(
            each.number, when, each.event, screen.Text(words, no_wrap=True), screen.Text(state, style="yellow")
        )
    return table


_BORDERS = 18
"""Cells that stand between and around the columns."""
_ROOM_FOR_DETAILS = 18
"""Cells that words, mood and tags need together."""


def entry_view(entry: sdk.Entry) -> screen.RenderableType:
    """Return one entry to be read."""

    facts = [
        shown_date(entry.date, entry.time_zone),
        *(f"{name}: {printable(words)}" for name, words in surroundings(entry)),
        *([f"tags: {printable(', '.join(entry.tags))}"] if entry.tags else []),
        *(f"{name}: {value:g}" for name, value in entry.metrics.items()),
        *([marks(entry)] if marks(entry) else []),
        short_id(entry.id),
    ]
    head = [screen.Text(printable(entry.title), style="bold")] if entry.title else []
    text = [printable(entry.body)] if entry.body or entry.foreign is None else []
    return screen.Group(
        *head,
        screen.Text(" · ".join(facts), style="dim"),
        screen.Text(),
        *map(screen.Text, (*text, *_foreign_lines(entry))),
    )


_FOREIGN = "(sealed by another application)"
_WIDEST_FIELD = 60


def _foreign_lines(entry: sdk.Entry) -> Iterator[str]:
    """Yield what there is to say of an entry that another application sealed, and the beginning of each field."""
    if entry.foreign is None:
        return
    yield "Sealed by another application, before this account had keys of its own. Only that application can open it."
    yield "It is kept as it came: --json and lockleaf export give its fields whole."
    for name, value in entry.foreign.items():
        words = printable(value if isinstance(value, str) else json.dumps(value))
        shown = words if len(words) <= _WIDEST_FIELD else f"{words[: _WIDEST_FIELD - 1]}…"
        yield f"  {printable(name)}: {' '.join(shown.split())}"


def surroundings(entry: sdk.Entry | sdk.InboxItem) -> Iterator[tuple[str, str]]:
    """Yield what a writer said of the mood, the weather and the location, by name."""
    told = (("mood", entry.mood), ("weather", entry.weather), ("location", entry.location))
    return ((name, words) for name, words in told if words)


def version_lines(entry: sdk.Entry | None) -> list[str]:
    """Return a version of an entry as lines to compare; a deletion has none."""
    if entry is None or entry.deleted:
        return []
    fields = [
        f"date: {entry.date}",
        *([f"title: {entry.title}"] if entry.title else []),
        *(f"{name}: {words}" for name, words in surroundings(entry)),
        *([f"tags: {', '.join(entry.tags)}"] if entry.tags else []),
        *(f"{name}: {value:g}" for name, value in entry.metrics.items()),
        "",
    ]
    return [*fields, *entry.body.splitlines()]


def diff_of(conflict: sdk.Conflict) -> str:
    """Return the unified diff from the remote version to the local one."""
    return "\n".join(
        difflib.unified_diff(
            version_lines(conflict.remote), version_lines(conflict.local), "remote", "local", lineterm="", n=3
        )
    )
