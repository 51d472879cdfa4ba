"""Files of entries: sealed as they come in, opened as they go out, and never a program to the browser."""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import PurePath
from typing import IO, cast
from urllib.parse import quote, unquote

from starlette.responses import Response, StreamingResponse

from lockleaf import client as sdk
from lockleaf.app.desk import Desk
from lockleaf.app.models.attachments import Attached
from lockleaf.app.problems import Refused
from lockleaf.app.routing import Call, Endpoints
from lockleaf.app.views import SHOWN, attachment_view

__all__ = ["endpoints"]

endpoints = Endpoints()
_SANDBOX = "sandbox; default-src 'none'; frame-ancestors 'none'"
_PIECE = 256 * 1024
_WAITING = 8


@endpoints.add("POST", "/entries/{entry_id}/attachments", status=201)
async def attach_file(call: Call[None]) -> Attached:
    """Attach a file: its bytes are the body, its name stands in the header X-File-Name, percent-encoded."""
    entry = await call.desk.journal.get(call.path["entry_id"])
    try:
        name = unquote(call.request.headers.get("x-file-name", ""), errors="strict")
    except UnicodeDecodeError:
        raise Refused(422, "invalid", "Invalid: X-File-Name.") from None
    kind = call.request.headers.get("content-type", "").partition(";")[0].strip()
    attachment = await call.desk.client.media.attach_stream(
        entry.id,
        call.request.stream(),
        name=_unused(name, {each.name for each in entry.attachments}),
        media_type=None if kind in ("", "application/octet-stream") else kind,
    )
    return await _attached(call.desk, attachment)


@endpoints.add("DELETE", "/entries/{entry_id}/attachments/{attachment_id}")
async def remove_attachment(call: Call[None]) -> Attached:
    """Take a file off its entry; it can be brought back for 30 days."""
    found = await _found(call)
    return await _attached(call.desk, await call.desk.client.media.delete(found.media_id))


@endpoints.add("GET", "/entries/{entry_id}/attachments/{attachment_id}")
async def get_attachment(call: Call[None]) -> Response:
    """Return a file; a picture is shown, anything else is saved."""
    found = await _found(call)
    return await _sent(call.desk, found, found.media_type, found.name)


@endpoints.add("GET", "/entries/{entry_id}/attachments/{attachment_id}/thumbnail")
async def get_thumbnail(call: Call[None]) -> Response:
    """Return a small picture of a picture."""
    found = await _found(call)
    if found.thumbnail is None:
        raise Refused(404, "no_thumbnail", "There is no small picture of this file.")
    small = found.thumbnail
    shelf = await call.desk.shelf()
    picture = shelf.pictures.get(small.media_id)
    if picture is None:
        taken = io.BytesIO()
        await call.desk.client.media.copy(small, taken)
        picture = shelf.pictures[small.media_id] = taken.getvalue()
    return Response(picture, headers=_headers(small.media_type, found.name), media_type=_shown_as(small.media_type))


async def _found(call: Call[None]) -> sdk.Attachment:
    entry = await call.desk.journal.get(call.path["entry_id"])
    for each in entry.attachments:
        if each.media_id == call.path["attachment_id"]:
            return each
    raise sdk.AttachmentNotFound


async def _attached(desk: Desk, attachment: sdk.Attachment) -> Attached:
    await desk.written()
    entry = await desk.journal.get(attachment.entry_id)
    return Attached(**attachment_view(attachment).model_dump(), entry_id=entry.id, version=entry.version)


def _unused(name: str, used: set[str]) -> str:
    """Return a name that no other file of the entry has: its text names its files by their names."""
    path = PurePath(name)
    tried, number = name, 2
    while tried in used:
        tried, number = f"{path.stem} {number}{path.suffix}", number + 1
    return tried


def _shown_as(media_type: str) -> str:
    return media_type if media_type in SHOWN else "application/octet-stream"


def _headers(media_type: str, name: str) -> dict[str, str]:
    how = "inline" if media_type in SHOWN else "attachment"
    return {
        "Content-Disposition": f"{how}; filename*=UTF-8''{quote(name, safe='')}",
        "Content-Security-Policy": _SANDBOX,
        "Cache-Control": "no-store",
    }


class _Passing(io.RawIOBase):
    """Hands on what a thread writes to whoever reads it in the event loop, a few pieces ahead."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__()
        self._loop = loop
        self.pieces: asyncio.Queue[bytes] = asyncio.Queue(_WAITING)
        self.abandoned = False

    def write(self, data: object) -> int:
        """Take bytes, and wait until there is space for them."""
        piece = bytes(memoryview(data))  # type: ignore[arg-type]
        for at in range(0, len(piece), _PIECE):
            if self.abandoned:
                raise BrokenPipeError
            asyncio.run_coroutine_threadsafe(self.pieces.put(piece[at : at + _PIECE]), self._loop).result()
        return len(piece)


async def _sent(desk: Desk, found: sdk.Attachment, media_type: str, name: str) -> Response:
    """Return a file as it is opened. Nothing is sent before all of it was found to be right."""
    passing = _Passing(asyncio.get_running_loop())
    copying = asyncio.create_task(desk.client.media.copy(found, cast(IO[bytes], passing)))
    first = asyncio.create_task(passing.pieces.get())
    await asyncio.wait((copying, first), return_when=asyncio.FIRST_COMPLETED)
    if copying.done() and copying.exception() is not None:
        first.cancel()
        raise copying.exception() or AssertionError

    async def pieces() -> AsyncIterator[bytes]:
        waiting = first
        try:
            while True:
                await asyncio.wait((copying, waiting), return_when=asyncio.FIRST_COMPLETED)
                if not waiting.done() and passing.pieces.empty():
                    return  # the copy has ended, and everything that it wrote was handed on
                yield await waiting
                waiting = asyncio.create_task(passing.pieces.get())
        finally:
            passing.abandoned = True
            waiting.cancel()
            while not passing.pieces.empty():
                passing.pieces.get_nowait()
            with suppress(BrokenPipeError, sdk.LockleafError):
                await copying

    headers = {**_headers(media_type, name), "Content-Length": str(found.size)}
    return StreamingResponse(pieces(), headers=headers, media_type=_shown_as(media_type))
