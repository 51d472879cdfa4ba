"""``/jobs``: what is done in the background for an account, and how far it is."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import Depends

from lockleaf.server.identity.callers import caller
from lockleaf.server.identity.errors import OF_RIGHTS
from lockleaf.server.identity.principal import Principal
from lockleaf.server.platform.cursors import InvalidCursor
from lockleaf.server.platform.errors import InvalidRequest
from lockleaf.server.platform.http.dependencies import Read
from lockleaf.server.platform.http.openapi import problems
from lockleaf.server.platform.http.paging import Paged
from lockleaf.server.platform.http.routing import Router
from lockleaf.server.platform.jobs import service
from lockleaf.server.platform.jobs.errors import JobNotFound
from lockleaf.wire import jobs as bodies

__all__ = ["router"]

router = Router(
    prefix="/jobs",
    tags=["jobs"],
    responses=problems(*OF_RIGHTS),
)

Reader = Annotated[Principal, Depends(caller("account", write=False))]


@router.get(
    "",
    summary="List the jobs",
    response_model_exclude_none=True,
    responses=problems(InvalidRequest, InvalidCursor),
)
async def list_jobs(caller: Reader, read: Read, paging: Paged) -> bodies.Jobs:
    """Give what is done or was done in the background for the account, newest first."""
    return await service.list_all(read, caller.user_id, paging)


@router.get(
    "/{job_id}",
    summary="Read a job",
    response_model_exclude_none=True,
    responses=problems(InvalidRequest, JobNotFound),
)
async def get_job(caller: Reader, read: Read, job_id: UUID) -> bodies.Job:
    """Give the state of one job, how far it is, and why it failed if it did."""
    return service.shown(await service.get(read, caller.user_id, job_id))
