"""What the shell completes: names of profiles and ids of entries. Completion says nothing where it knows nothing."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from lockleaf import client as sdk
from lockleaf.cli.configuration import configuration
from lockleaf.cli.rendering import headline, shown_date
from lockleaf.cli.terminal import printable, shown_name
from lockleaf.lazy import late

if TYPE_CHECKING:
    import asyncio
else:
    asyncio = late("asyncio")

__all__ = ["complete_conflict", "complete_entry", "complete_item", "complete_media", "complete_profile"]

_MOST = 200


def _place(context: typer.Context) -> tuple[Path, str]:
    """Return home and profile as far as they are typed already."""
    home: Any = None
    profile: Any = None
    level: Any = context
    while level is not None:
        home = home or level.params.get("home")
        profile = profile or level.params.get("profile")
        level = level.parent
    settled = configuration()
    folder = home or (None if os.environ.get("LOCKLEAF_HOME") else settled.home) or sdk.default_home()
    return sdk.expanded(folder), profile or os.environ.get("LOCKLEAF_PROFILE") or settled.profile or "default"


def complete_profile(context: typer.Context, incomplete: str) -> list[str]:
    """Return the names of the profiles on this machine."""
    with suppress(Exception):
        return [name for name in sdk.profile_names(_place(context)[0]) if name.startswith(incomplete)]
    return []


def complete_entry(context: typer.Context, incomplete: str) -> list[tuple[str, str]]:
    """Return the ids of the newest entries, each with its date and title."""
    with suppress(Exception):
        return asyncio.run(_entries(context, incomplete))
    return []


def complete_conflict(context: typer.Context, incomplete: str) -> list[str]:
    """Return the ids of the open conflicts."""
    with suppress(Exception):
        return asyncio.run(_conflicts(context, incomplete))
    return []


def complete_item(context: typer.Context, incomplete: str) -> list[tuple[str, str]]:
    """Return the ids of the items in the inbox, each with its first words."""
    with suppress(Exception):
        return asyncio.run(_items(context, incomplete))
    return []


def complete_media(context: typer.Context, incomplete: str) -> list[tuple[str, str]]:
    """Return the ids of the attachments, each with its name."""
    with suppress(Exception):
        return asyncio.run(_media(context, incomplete))
    return []


async def _media(context: typer.Context, incomplete: str) -> list[tuple[str, str]]:
    home, profile = _place(context)
    async with await sdk.Client.open(home, profile) as client:
        listed = [each.attachment for each in await client.media.list()]
    fitting = [each for each in listed if each.media_id.startswith(incomplete)]
    return [(each.media_id, shown_name(each.name)[:40]) for each in fitting[:_MOST]]


async def _items(context: typer.Context, incomplete: str) -> list[tuple[str, str]]:
    home, profile = _place(context)
    async with await sdk.Client.open(home, profile) as client:
        items = await client.inbox.list()
    return [(item.id, printable(item.preview)[:40]) for item in items if item.id.startswith(incomplete)][:_MOST]


async def _entries(context: typer.Context, incomplete: str) -> list[tuple[str, str]]:
    home, profile = _place(context)
    async with await sdk.Client.open(home, profile) as client:
        entries = await client.journal.list(limit=_MOST, starting=incomplete)
    return [(entry.id, f"{shown_date(entry.date, entry.time_zone)} {headline(entry, 40)}") for entry in entries]


async def _conflicts(context: typer.Context, incomplete: str) -> list[str]:
    home, profile = _place(context)
    async with await sdk.Client.open(home, profile) as client:
        return [item.id for item in await client.journal.conflicts() if item.id.startswith(incomplete)]
