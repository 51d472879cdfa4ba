"""Entries: found, read, written, edited, deleted and brought back."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any

from lockleaf import client as sdk
from lockleaf.app.desk import Desk
from lockleaf.app.finding import find
from lockleaf.app.models.entries import (
    Based,
    Changes,
    EntryView,
    Find,
    FoundEntries,
    Render,
    Rendered,
    Restore,
    Write,
)
from lockleaf.app.problems import Refused
from lockleaf.app.rendering import render
from lockleaf.app.routing import Call, Endpoints
from lockleaf.app.views import addresses, entry_view

__all__ = ["endpoints"]

endpoints = Endpoints()
_SOURCE = "app"


@endpoints.add("POST", "/entries/find")
async def find_entries(call: Call[Find]) -> FoundEntries:
    """Find entries: by words, filters and days, newest first; what words find, best first."""
    if not call.body.query.strip():
        return await find(call.desk, call.body)
    # One after another: two searches at once slow each other down, and one typed on while the first was at work.
    async with call.desk.searching:
        if await call.request.is_disconnected():
            return FoundEntries(entries=(), next_cursor=None, total=0)
        return await find(call.desk, call.body)


@endpoints.add("POST", "/entries", status=201)
async def write_entry(call: Call[Write]) -> EntryView:
    """Write an entry, and end its draft."""
    new = call.body
    fields = new.model_dump(exclude={"id", "draft", "entry_date", "tags"})
    written = await call.desk.journal.write(
        **fields, tags=new.tags, date=new.entry_date, entry_id=new.id, source=_SOURCE
    )
    await _end_draft(call.desk, new.draft)
    await call.desk.written()
    return entry_view(written)


@endpoints.add("GET", "/entries/{entry_id}")
async def get_entry(call: Call[None]) -> EntryView:
    """Return one entry, deleted or not."""
    return entry_view(await call.desk.journal.get(call.path["entry_id"]))


@endpoints.add("PUT", "/entries/{entry_id}")
async def edit_entry(call: Call[Changes]) -> EntryView:
    """Change fields of an entry, merged with what others changed meanwhile, and end its draft."""
    given = call.body.model_dump(exclude_unset=True, exclude={"base", "draft"})
    if "entry_date" in given:
        given["date"] = given.pop("entry_date")
    for name in ("body", "date", "tags", "metrics"):
        if name in given and given[name] is None:
            raise Refused(422, "invalid", f"Invalid: {name}.")
    try:
        changed = await call.desk.journal.edit(call.path["entry_id"], base=call.body.base, **given)
    except sdk.EditConflict:
        # What was typed is safe in the conflict.
        await _end_draft(call.desk, call.body.draft)
        await call.desk.written()
        raise
    await _end_draft(call.desk, call.body.draft)
    await call.desk.written()
    return entry_view(changed)


@endpoints.add("POST", "/entries/{entry_id}/delete")
async def delete_entry(call: Call[Based]) -> EntryView:
    """Delete an entry; it can be brought back."""
    deleted = await call.desk.journal.delete(call.path["entry_id"], base=call.body.base)
    await call.desk.written()
    return entry_view(deleted)


@endpoints.add("POST", "/entries/{entry_id}/restore")
async def restore_entry(call: Call[Restore]) -> EntryView:
    """Bring a deleted entry back, or the words of an earlier revision."""
    revision: Any = None
    if call.body.revision is not None:
        revision = await call.desk.client.revision(call.path["entry_id"], call.body.revision)
    restored = await call.desk.journal.restore(call.path["entry_id"], base=call.body.base, revision=revision)
    await call.desk.written()
    return entry_view(restored)


@endpoints.add("POST", "/render")
async def render_text(call: Call[Render]) -> Rendered:
    """Return Markdown as HTML, made safe."""
    names: dict[str, str] = {}
    if call.body.entry_id is not None:
        with suppress(sdk.EntryNotFound):
            entry = await call.desk.journal.get(call.body.entry_id)
            names = addresses(entry)
    return Rendered(html=await asyncio.to_thread(render, call.body.body, names))


async def _end_draft(desk: Desk, key: str | None) -> None:
    if key is None:
        return
    async with desk.drafting:
        with suppress(sdk.DraftNotFound):
            drafts = desk.client.drafts
            await asyncio.to_thread(lambda: drafts.end(drafts.find(key)))
