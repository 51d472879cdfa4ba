"""``privacy seen``: what the server holds of an account and can see of it, beside what this device shows."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Annotated, Any

import typer

from lockleaf import client as sdk
from lockleaf.cli import screen
from lockleaf.cli.files import shown_size
from lockleaf.cli.run import Run
from lockleaf.cli.terminal import printable

__all__ = ["seen"]

_SIGHTS: tuple[tuple[sdk.Sight, str], ...] = (
    ("never", "It cannot read"),
    ("in_use", "It sees only while it answers you"),
    ("always", "It sees"),
    ("here", "Not at the server"),
)
_EXCERPT = 200


async def seen(
    run: Run,
    entries: Annotated[
        int, typer.Option("--entries", "-n", help="So many entries as the server stores them.", min=0, max=50)
    ] = 3,
) -> None:
    """Show what the server holds of you and can see of it, as it answers now, beside what you see yourself.

    With uce the server opens the entries and tags that are shown; lockleaf access lists it.
    """
    async with run.client() as client:
        if client.profile is not None and client.profile.is_local:
            if run.json:
                run.result({"server": None})
            else:
                run.line("This journal has no account: it is sealed on this device, and no server sees anything of it.")
            return
        view = await client.privacy.server_view(entries=entries)
    if run.json:
        run.result(_json(view))
        return
    for entry in view.entries:
        _show_entry(run, entry)
    for group in view.groups:
        _show_table(run, group.title, ((fact.what, _said(fact)) for fact in group.facts))
    for sight, title in _SIGHTS:
        said = [(each.what, each.how) for each in view.visibility if each.seen == sight]
        if said:
            _show_table(run, title, said)


def _show_entry(run: Run, stored: sdk.StoredEntry) -> None:
    entry = stored.entry
    text = " ".join(filter(None, (entry.title, entry.body)))
    rows = [
        ("you see", f"{entry.date[:16].replace('T', ' ')}  {_short(text)}"),
        ("it has", f"{stored.beginning.hex(' ')} …"),
        ("", f"{shown_size(stored.size)}, revision {stored.revision}, change {stored.seq} of the account"),
        ("", f"made {_time(stored.created_at)}, changed {_time(stored.updated_at)}, by {stored.device or 'a device'}"),
    ]
    if not stored.is_known:
        rows.append(("", "not the bytes that this device verified: sync, and look again"))
    for digest, kind, value in stored.labels:
        rows.append(("label", f"{digest.hex()}  ({'unknown here' if kind is None else f'{kind}: {value}'})"))
    for name, known in (("date", stored.occurred_at), ("source", stored.source)):
        if known is not None:
            rows.append((name, known))
    if stored.opened is not None:
        text = " ".join(filter(None, (stored.opened.title, stored.opened.body)))
        rows.append(("it reads", f"{_short(text)}  (within a request of your session)"))
    _show_table(run, f"Entry {entry.id[:8]}", rows)


def _show_table(run: Run, title: str, rows: Iterable[tuple[str, str]]) -> None:
    run.show(screen.Text(title, style="bold"))
    table = screen.Table.grid(padding=(0, 2))
    table.add_column(overflow="fold", max_width=36)
    table.add_column(overflow="fold")
    for what, value in rows:
        table.add_row(screen.Text(printable(what), style="dim"), screen.Text(printable(value)))
    run.show(screen.Padding(table, (0, 0, 1, 2)))


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _EXCERPT else f"{line[:_EXCERPT]} …"


def _said(fact: sdk.Fact) -> str:
    if fact.value is None:
        return "none"
    if isinstance(fact.value, datetime):
        return _time(fact.value)
    if isinstance(fact.value, int):
        return shown_size(fact.value) if fact.unit == "bytes" else f"{fact.value:,}"
    return fact.value


def _time(at: datetime) -> str:
    return at.astimezone().isoformat(sep=" ", timespec="minutes")[:16]


def _json(view: sdk.ServerView) -> dict[str, Any]:
    return {
        "server": view.server,
        "encryption_tier": view.custody,
        "privacy_tier": view.tier,
        "entries": [_entry_json(each) for each in view.entries],
        "facts": [
            {"section": group.title, "what": fact.what, "value": _plain(fact.value), "unit": fact.unit}
            for group in view.groups
            for fact in group.facts
        ],
        "visibility": [{"what": each.what, "seen": each.seen, "how": each.how} for each in view.visibility],
    }


def _entry_json(stored: sdk.StoredEntry) -> dict[str, Any]:
    return {
        "id": stored.entry.id,
        "title": stored.entry.title,
        "revision": stored.revision,
        "seq": stored.seq,
        "size": stored.size,
        "beginning": stored.beginning.hex(),
        "created_at": _plain(stored.created_at),
        "updated_at": _plain(stored.updated_at),
        "device": stored.device,
        "labels": [{"digest": digest.hex(), "kind": kind, "value": value} for digest, kind, value in stored.labels],
        "source": stored.source,
        "occurred_at": stored.occurred_at,
        "verified": stored.is_known,
        "opened": None if stored.opened is None else {"title": stored.opened.title, "body": stored.opened.body},
    }


def _plain(value: str | int | datetime | None) -> str | int | None:
    return value.isoformat() if isinstance(value, datetime) else value
