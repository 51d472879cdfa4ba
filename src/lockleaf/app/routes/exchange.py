"""What comes in from elsewhere and what goes out: archives of other journals, exports, the inbox."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import IO
from urllib.parse import unquote

from starlette.background import BackgroundTask
from starlette.responses import Response, StreamingResponse

from lockleaf import client as sdk
from lockleaf.app.desk import Desk
from lockleaf.app.finding import ids_of
from lockleaf.app.models.entries import EntryView
from lockleaf.app.models.exchange import Export, Imported, ImportRemark, Inbox, InboxItem
from lockleaf.app.problems import Refused
from lockleaf.app.rendering import render
from lockleaf.app.routing import Call, Endpoints
from lockleaf.app.scratch import scratch_folder
from lockleaf.app.views import entry_view, web_address

__all__ = ["endpoints"]

endpoints = Endpoints()
_PIECE = 256 * 1024
_MOST_REMARKS = 200
_ENDINGS = frozenset({".zip", ".tar", ".gz", ".tgz", ".json", ".jsonl", ".md", ".txt", ".csv", ".xml", ".html", ".jex"})


@endpoints.add("POST", "/import")
async def import_archive(call: Call[None]) -> Imported:
    """Import the journal of another program: the file is the body. With the header X-Dry-Run: 1 nothing is written."""
    desk, headers = call.desk, call.request.headers
    ending = Path(unquote(headers.get("x-file-name", ""))).suffix.lower()
    dry_run = headers.get("x-dry-run") == "1"
    length = headers.get("content-length", "")
    with scratch_folder(int(length) if length.isdigit() else 1 << 30, _folder(desk)) as folder:
        path = folder / f"archive{ending if ending in _ENDINGS else ''}"
        with path.open("xb") as file:
            async for piece in call.request.stream():
                await asyncio.to_thread(file.write, piece)
        report = await desk.journal.import_from(path, dry_run=dry_run)
    if not dry_run:
        await desk.written()
    return Imported(
        added=report.added,
        present=report.present,
        updated=report.updated,
        files=report.files,
        importer=report.importer,
        dry_run=report.dry_run,
        complete=report.is_complete,
        remarks=tuple(
            ImportRemark(kind=each.kind, place=each.place, reason=each.reason, entry_id=each.entry_id)
            for each in report.remarks[:_MOST_REMARKS]
        ),
        more_remarks=max(0, len(report.remarks) - _MOST_REMARKS),
    )


@endpoints.add("POST", "/export")
async def export_entries(call: Call[Export]) -> Response:
    """Return what is asked for as a ZIP file in plain text, to be saved where its user wants it."""
    wanted = call.body
    async with AsyncExitStack() as stack:
        folder = stack.enter_context(scratch_folder(1 << 28, _folder(call.desk)))
        path = folder / "journal.zip"
        report = await call.desk.client.export(
            path,
            form=wanted.format,
            entry_ids=await ids_of(call.desk, wanted),
            revisions=wanted.revisions,
        )
        file = stack.enter_context(await asyncio.to_thread(path.open, "rb"))
        size = path.stat().st_size
        kept = stack.pop_all()
    headers = {
        "Content-Disposition": 'attachment; filename="journal.zip"',
        "Content-Length": str(size),
        "X-Entries": str(report.entries),
        "X-Missing": str(len(report.missing)),
    }
    return StreamingResponse(
        _pieces(file, kept), headers=headers, media_type="application/zip", background=BackgroundTask(kept.aclose)
    )


async def _pieces(file: IO[bytes], kept: AsyncExitStack) -> AsyncIterator[bytes]:
    try:
        while piece := await asyncio.to_thread(file.read, _PIECE):
            yield piece
    finally:
        await kept.aclose()


@endpoints.add("GET", "/inbox")
async def list_inbox(call: Call[None]) -> Inbox:
    """Return what arrived for the account and waits for a decision."""
    return await _inbox(call.desk)


@endpoints.add("POST", "/inbox/{item_id}/accept")
async def accept_item(call: Call[None]) -> EntryView:
    """Make an item an entry."""
    entry = await call.desk.client.inbox.accept(call.path["item_id"])
    await call.desk.written()
    return entry_view(entry)


@endpoints.add("POST", "/inbox/{item_id}/refuse")
async def refuse_item(call: Call[None]) -> Inbox:
    """Make nothing of an item."""
    await call.desk.client.inbox.refuse(call.path["item_id"])
    await call.desk.written()
    return await _inbox(call.desk)


async def _inbox(desk: Desk) -> Inbox:
    return Inbox(items=tuple(map(_item, await desk.client.inbox.list())))


def _item(item: sdk.InboxItem) -> InboxItem:
    return InboxItem(
        id=item.id,
        provider=item.provider,
        received_at=item.received_at,
        readable=item.readable,
        title=item.title,
        body=item.body,
        html=render(item.body),
        link=web_address(item.link),
        files=item.files,
    )


def _folder(desk: Desk) -> Path:
    if desk.folder is None:
        raise Refused(500, "no_folder", "There is no folder for archives on their way.")
    return desk.folder
