"""``/sync/backup``: what older clients back up, entry by entry."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Path, Query, Request, Response

from lockleaf.server.features.backups import service as backups
from lockleaf.server.features.backups.errors import BackupConflict, BackupNotFound
from lockleaf.server.identity.callers import caller, records_of
from lockleaf.server.identity.errors import OF_CALLERS
from lockleaf.server.identity.principal import Principal
from lockleaf.server.platform.cursors import InvalidCursor
from lockleaf.server.platform.db.engine import Database
from lockleaf.server.platform.errors import InvalidRequest
from lockleaf.server.platform.holdings import Holdings, delete_counted
from lockleaf.server.platform.http.bodies import Parsed, reply
from lockleaf.server.platform.http.dependencies import PartsOf, Tx
from lockleaf.server.platform.http.errors import NotAcceptable
from lockleaf.server.platform.http.openapi import problems
from lockleaf.server.platform.http.paging import by_cursor
from lockleaf.server.platform.http.routing import Router, takes, whole_records
from lockleaf.server.platform.paging import Paging
from lockleaf.server.records.errors import PayloadTooLarge
from lockleaf.server.records.quota import QuotaExceeded
from lockleaf.wire.backups import Backup, BackupDeleted, Backups, BackupsDeleted, BackupStored, MetricsDeleted
from lockleaf.wire.fields import DeviceId, Instant, RecordId

__all__ = ["router"]

router = Router(prefix="/sync", tags=["sync"])


Reader = Annotated[Principal, Depends(caller("sync", write=False, tier="full_sync"))]
Writer = Annotated[Principal, Depends(caller("sync", write=True, tier="full_sync"))]
Measurer = Annotated[Principal, Depends(caller("metrics", write=True, tier="analytics_sync"))]


@router.post(
    "/backup",
    summary="Back up an entry",
    status_code=201,
    response_model=BackupStored,
    responses=problems(*OF_CALLERS, BackupConflict, PayloadTooLarge, QuotaExceeded, NotAcceptable),
)
@takes(whole_records)
async def store(
    request: Request,
    principal: Writer,
    body: Annotated[Backup, Depends(Parsed(Backup, msgpack=True))],
    tx: Tx,
    parts: PartsOf,
) -> Response:
    """Store an entry as a device sealed it. Where another device stored another one, both are kept as a conflict."""
    return reply(
        request,
        await backups.store(records_of(parts, tx, principal), body),
        201,
    )


@router.get(
    "/backups",
    summary="List the backups",
    response_model=Backups,
    responses=problems(*OF_CALLERS, InvalidRequest, InvalidCursor, NotAcceptable),
)
async def list_since(
    request: Request,
    principal: Reader,
    parts: PartsOf,
    paging: Annotated[Paging, Depends(by_cursor(100))],
    since: Annotated[Instant | None, Query(description="Only what was updated later, by its client's clock.")] = None,
    device_id: Annotated[
        DeviceId | None, Query(description="The device that asks: what it wrote last is left out.")
    ] = None,
) -> Response:
    """Give backups by their `updated_at`, oldest first."""
    page = await backups.list_since(parts[Database], principal.user_id, paging, since=since, but_device=device_id)
    return reply(request, page)


# Before the route of one backup, whose id this could otherwise be.
@router.delete(
    "/backup/content",
    summary="Delete all backups",
    response_model=BackupsDeleted,
    responses=problems(*OF_CALLERS, NotAcceptable),
)
async def delete_all(request: Request, principal: Writer, tx: Tx, parts: PartsOf) -> Response:
    """Delete every backup with its earlier revisions and conflicts, at once and for good. Nothing else is touched."""
    return reply(request, await backups.delete_all(records_of(parts, tx, principal)))


@router.delete(
    "/backup/{log_id}",
    summary="Delete a backup",
    response_model=BackupDeleted,
    responses=problems(*OF_CALLERS, BackupNotFound, NotAcceptable),
)
async def delete(
    request: Request, principal: Writer, log_id: Annotated[RecordId, Path()], tx: Tx, parts: PartsOf
) -> Response:
    """Delete a backup with its earlier revisions, at once and for good."""
    return reply(request, await backups.delete(records_of(parts, tx, principal), log_id))


@router.delete(
    "/metrics/all",
    summary="Delete all metrics",
    response_model=MetricsDeleted,
    responses=problems(*OF_CALLERS, NotAcceptable),
)
async def delete_metrics(request: Request, principal: Measurer, tx: Tx, parts: PartsOf) -> Response:
    """Delete every encrypted metric, and what was summed up of them."""
    deleted = await delete_counted(tx, principal.user_id, parts[Holdings], "metrics")
    return reply(request, MetricsDeleted(message="All metrics are deleted.", deleted_metrics=deleted))
