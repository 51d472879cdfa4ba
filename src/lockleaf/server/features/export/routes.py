"""``/users/me/export``: an archive of what the server holds of the account, as it holds it."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Response
from fastapi.responses import StreamingResponse

from lockleaf.server.features.export import service
from lockleaf.server.features.export.errors import ArchiveNotFound
from lockleaf.server.identity.callers import caller
from lockleaf.server.identity.errors import OF_RIGHTS
from lockleaf.server.identity.principal import Principal
from lockleaf.server.platform.clock import Clock
from lockleaf.server.platform.db.engine import Database
from lockleaf.server.platform.errors import InvalidRequest
from lockleaf.server.platform.http.dependencies import PartsOf, Tx
from lockleaf.server.platform.http.openapi import problems
from lockleaf.server.platform.http.routing import Router
from lockleaf.wire.fields import encode_base64
from lockleaf.wire.jobs import Job

__all__ = ["router"]

ZIP = "application/zip"

router = Router(
    prefix="/users/me/export",
    tags=["users"],
    responses=problems(*OF_RIGHTS),
)

Owner = Annotated[Principal, Depends(caller("account", write=True))]


@router.post("", summary="Ask for an archive", status_code=202, response_model_exclude_none=True)
async def post_export(caller: Owner, tx: Tx, parts: PartsOf, response: Response) -> Job:
    """Have an archive made of all that the server holds of the account; while one is made, this is its job."""
    job = await service.request(tx.session, caller.user_id, now=parts[Clock]())
    response.headers["Location"] = f"/api/v1/jobs/{job.id}"
    return job


@router.get(
    "/{job_id}",
    summary="Fetch an archive",
    response_class=StreamingResponse,
    responses={
        200: {"content": {ZIP: {"schema": {"type": "string", "format": "binary"}}}, "description": "A ZIP file."},
        **problems(InvalidRequest, ArchiveNotFound),
    },
)
async def get_export(caller: Owner, parts: PartsOf, job_id: UUID) -> StreamingResponse:
    """Give the archive that a job has made, for a week; `Repr-Digest` is its SHA-256 (RFC 9530)."""
    # Not by a dependency, whose connection would be held until the last byte is sent.
    async with parts[Database].reader() as session:
        archive = await service.find(session, caller.user_id, job_id, now=parts[Clock]())
    return StreamingResponse(
        service.read(parts[Database], archive),
        media_type=ZIP,
        headers={
            "Content-Length": str(archive.size),
            "Repr-Digest": f"sha-256=:{encode_base64(archive.sha256)}:",
            "Content-Disposition": f'attachment; filename="lockleaf-{archive.created_at:%Y-%m-%d}.zip"',
        },
    )
