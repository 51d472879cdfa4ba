"""``/media``: encrypted files. Their bytes go between clients and the store, by requests that are signed here."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Query, Request

from lockleaf.server.features.media import names, service, uploads
from lockleaf.server.features.media.errors import (
    MediaDeleted,
    MediaIdTaken,
    MediaNotFound,
    PartUnknown,
    UploadDamaged,
    UploadIncomplete,
)
from lockleaf.server.features.media.repository import Which
from lockleaf.server.features.media.signing import Signer
from lockleaf.server.identity.callers import caller
from lockleaf.server.identity.custody.custodian import Custodian
from lockleaf.server.identity.errors import OF_CALLERS
from lockleaf.server.identity.principal import Principal
from lockleaf.server.platform.blobs.errors import StoreUnavailable
from lockleaf.server.platform.blobs.protocol import ObjectStore
from lockleaf.server.platform.blobs.removals import Removals
from lockleaf.server.platform.clock import Clock
from lockleaf.server.platform.cursors import InvalidCursor
from lockleaf.server.platform.db.engine import Database
from lockleaf.server.platform.errors import InvalidRequest
from lockleaf.server.platform.http.bodies import Parsed
from lockleaf.server.platform.http.dependencies import PartsOf, parts_of
from lockleaf.server.platform.http.openapi import problems
from lockleaf.server.platform.http.paging import Paged
from lockleaf.server.platform.http.routing import Router
from lockleaf.server.platform.settings import Settings
from lockleaf.server.records.quota import Quota, QuotaExceeded
from lockleaf.wire.media import (
    Media,
    MediaDeclaration,
    MediaDeclared,
    MediaDownload,
    MediaList,
    MediaParts,
    MediaPartsWanted,
)

__all__ = ["router"]

router = Router(prefix="/media", tags=["media"])


Reader = Annotated[Principal, Depends(caller("media", write=False, tier="full_sync"))]
Writer = Annotated[Principal, Depends(caller("media", write=True, tier="full_sync"))]
Deleted = Annotated[
    Which, Query(description="`false`: those that are not deleted; `true`: those that are, until purged; `all`: both.")
]
Permanent = Annotated[bool, Query(description="Another name of `for_good`.")]
ForGood = Annotated[bool, Query(description="At once and with its bytes; it cannot be restored, and frees its quota.")]


async def signer(request: Request) -> Signer:
    """Give a route what has requests signed, with addresses that are whole."""
    parts = parts_of(request)
    settings = parts[Settings]
    return Signer(settings, parts[ObjectStore], settings.blobs.public_url or str(request.base_url))


Signing = Annotated[Signer, Depends(signer)]


@router.post(
    "/upload",
    summary="Declare a file",
    status_code=201,
    response_model_exclude_none=True,
    responses=problems(*OF_CALLERS, MediaIdTaken, MediaDeleted, QuotaExceeded, StoreUnavailable),
)
async def upload(
    principal: Writer,
    body: Annotated[MediaDeclaration, Depends(Parsed(MediaDeclaration))],
    parts: PartsOf,
    signing: Signing,
) -> MediaDeclared:
    """Reserve the quota for a file, and give the requests that upload it: one, or the first 100 of many.

    The same declaration again gives fresh requests.
    """
    return await uploads.declare(
        parts[Clock],
        parts[Database],
        parts[Quota],
        parts[Settings],
        parts[Custodian],
        parts[ObjectStore],
        principal,
        body,
        signing,
    )


@router.post(
    "/{media_id}/parts",
    summary="Get requests for parts",
    response_model_exclude_none=True,
    responses=problems(*OF_CALLERS, MediaNotFound, MediaDeleted, PartUnknown, StoreUnavailable),
)
async def parts(
    principal: Writer,
    media_id: UUID,
    body: Annotated[MediaPartsWanted, Depends(Parsed(MediaPartsWanted, optional=True))],
    parts: PartsOf,
    signing: Signing,
) -> MediaParts:
    """Give the requests that upload parts, and the numbers of those that the store has."""
    return await uploads.more_parts(
        parts[Clock], parts[Database], parts[ObjectStore], parts[Removals], principal.user_id, media_id, body, signing
    )


@router.post(
    "/{media_id}/complete",
    summary="Complete an upload",
    response_model_exclude_none=True,
    responses=problems(*OF_CALLERS, MediaNotFound, UploadIncomplete, UploadDamaged, StoreUnavailable),
)
async def complete(principal: Writer, media_id: UUID, parts: PartsOf) -> Media:
    """Compare what the store has with what was declared; if it is the same, the file exists."""
    return await names.shown(
        parts[Clock],
        parts[Database],
        parts[Custodian],
        principal,
        await uploads.complete(
            parts[Clock], parts[Database], parts[ObjectStore], parts[Removals], principal.user_id, media_id
        ),
    )


@router.get(
    "",
    summary="List files",
    response_model_exclude_none=True,
    responses=problems(*OF_CALLERS, InvalidRequest, InvalidCursor),
)
async def list_all(
    principal: Reader,
    parts: PartsOf,
    paging: Paged,
    entry_id: Annotated[UUID | None, Query(description="Those of one entry.")] = None,
    deleted: Deleted = "false",
) -> MediaList:
    """Give what was declared of each file, latest first; unfinished uploads too, by their `state`."""
    return await service.list_all(
        parts[Clock],
        parts[Database],
        parts[Custodian],
        principal,
        paging,
        which=deleted,
        entry_id=entry_id,
    )


@router.get(
    "/{media_id}",
    summary="Read a file",
    response_model_exclude_none=True,
    responses=problems(*OF_CALLERS, MediaNotFound),
)
async def get(principal: Reader, media_id: UUID, parts: PartsOf) -> Media:
    """Give what was declared of a file; of a deleted one too, with `deleted_at`."""
    return await names.shown(
        parts[Clock],
        parts[Database],
        parts[Custodian],
        principal,
        await service.get(parts[Database], principal.user_id, media_id),
    )


@router.get(
    "/{media_id}/download",
    summary="Get the request that downloads a file",
    responses=problems(*OF_CALLERS, MediaNotFound, MediaDeleted, UploadIncomplete, StoreUnavailable),
)
async def download(principal: Reader, media_id: UUID, parts: PartsOf, signing: Signing) -> MediaDownload:
    """Give a request to the store that fetches the file, good for some minutes; complete an upload that is whole."""
    return await service.download(
        await uploads.whole(
            parts[Clock], parts[Database], parts[ObjectStore], parts[Removals], principal.user_id, media_id
        ),
        signing,
    )


@router.delete("/{media_id}", summary="Delete a file", status_code=204, responses=problems(*OF_CALLERS, MediaNotFound))
async def delete(
    principal: Writer, media_id: UUID, parts: PartsOf, for_good: ForGood = False, permanent: Permanent = False
) -> None:
    """Delete a file; it can be restored for 30 days. An upload that is not complete is given up."""
    await service.delete(
        parts[Clock], parts[Database], parts[Removals], principal.user_id, media_id, for_good=for_good or permanent
    )


@router.post(
    "/{media_id}/restore",
    summary="Restore a file",
    response_model_exclude_none=True,
    responses=problems(*OF_CALLERS, MediaNotFound),
)
async def restore(principal: Writer, media_id: UUID, parts: PartsOf) -> Media:
    """Bring a deleted file back, until it is purged."""
    return await names.shown(
        parts[Clock],
        parts[Database],
        parts[Custodian],
        principal,
        await service.restore(parts[Database], principal.user_id, media_id),
    )
