"""``/objects``: where the bearer of a signed address puts bytes and fetches them, if the server is its own store.

No token is asked for: the address is the permission, for one object, one length and one digest, until it expires. These
routes are not in the OpenAPI document, since nobody builds such an address: ``/media`` hands it out whole.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from typing import Annotated, Any

from fastapi import Depends, Request, Response
from fastapi.responses import StreamingResponse
from starlette.requests import ClientDisconnect
from starlette.types import Receive, Scope, Send

from lockleaf.server.platform.blobs.errors import ObjectNotFound, SizeMismatch
from lockleaf.server.platform.blobs.file_store import FileStore
from lockleaf.server.platform.blobs.protocol import ObjectStore
from lockleaf.server.platform.blobs.ranges import wanted_range
from lockleaf.server.platform.blobs.signing import Grant
from lockleaf.server.platform.http.dependencies import PartsOf
from lockleaf.server.platform.http.errors import BodyTooLarge, LengthRequired, RangeNotSatisfiable, RouteNotFound
from lockleaf.server.platform.http.problems import problem_response
from lockleaf.server.platform.http.routing import Router, takes

__all__ = ["router"]

LARGEST_OBJECT = 5 * 1024**3
"""What was signed is the limit of each, and the routes hold to it."""

router = Router(prefix="/objects", include_in_schema=False)


def _file_store(parts: PartsOf) -> FileStore:
    """Return the server's own store, if it is one."""
    store = parts[ObjectStore]
    if not isinstance(store, FileStore):
        raise RouteNotFound
    return store


class _ObjectResponse(StreamingResponse):
    """Bytes of an object. Its file is closed with the answer, even with one that its bearer gives up half-way."""

    def __init__(self, content: AsyncGenerator[bytes, None], **told: Any) -> None:
        super().__init__(content, **told)
        self._content = content

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            await self._content.aclose()


Store = Annotated[FileStore, Depends(_file_store)]


@router.put("/{key}", status_code=204)
@takes(lambda settings: LARGEST_OBJECT)
async def put_object(request: Request, store: Store, key: str) -> Response:
    """Keep an object."""
    return await _receive(request, store, store.urls.verify("PUT", key, "", "", request.scope["query_string"]))


@router.put("/{key}/parts/{upload}/{number}", status_code=204)
@takes(lambda settings: LARGEST_OBJECT)
async def put_part(request: Request, store: Store, key: str, upload: str, number: str) -> Response:
    """Keep a part of an object."""
    return await _receive(request, store, store.urls.verify("PUT", key, upload, number, request.scope["query_string"]))


@router.get("/{key}")
async def get_object(request: Request, store: Store, key: str) -> Response:
    """Give an object, or a range of it."""
    grant = store.urls.verify("GET", key, "", "", request.scope["query_string"])
    opened = await store.open(grant.key)
    if opened is None:
        raise ObjectNotFound
    headers = {
        "Accept-Ranges": "bytes",
        "ETag": opened.etag,
        # Sealed bytes of somebody's choice: nothing that a browser should show, guess at or keep.
        "Content-Disposition": "attachment",
        "Cache-Control": "private, no-store",
    }
    asked = request.headers.get("range")
    if request.headers.get("if-range", opened.etag) != opened.etag:
        asked = None
    try:
        wanted = wanted_range(asked, opened.size)
    except RangeNotSatisfiable as error:
        refusal = problem_response(error, request.scope)
        refusal.headers["Content-Range"] = f"bytes */{opened.size}"
        return refusal
    first, end = wanted or (0, opened.size)
    if wanted is not None:
        headers["Content-Range"] = f"bytes {first}-{end - 1}/{opened.size}"
    return _ObjectResponse(
        store.read(opened, first, end),
        status_code=200 if wanted is None else 206,
        media_type="application/octet-stream",
        headers={**headers, "Content-Length": str(end - first)},
    )


async def _receive(request: Request, store: FileStore, grant: Grant) -> Response:
    declared = request.headers.get("content-length")
    # What is refused is refused before a byte of it is read.
    if declared is None or not (declared.isascii() and declared.isdigit()):
        raise LengthRequired
    if int(declared) > grant.size:
        raise BodyTooLarge(limit_bytes=grant.size)
    if int(declared) < grant.size:
        raise SizeMismatch
    await store.require_upload(grant)
    await store.receive(grant, _body(request))
    return Response(status_code=204)


async def _body(request: Request) -> AsyncIterator[bytes]:
    try:
        async for piece in request.stream():
            yield piece
    except ClientDisconnect:
        raise SizeMismatch from None  # nobody hears it, but the log says what happened
