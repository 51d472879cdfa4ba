"""``/health``, ``/ready``, ``/metrics``: without prefix and without a token, and without anything of a user."""

from __future__ import annotations

import asyncio
import contextlib
from hmac import compare_digest
from ipaddress import ip_address
from typing import Literal

from fastapi import Request, Response
from pydantic import BaseModel, Field

from lockleaf import __version__
from lockleaf.server.features.operation.inventory import Inventory
from lockleaf.server.identity.errors import NotAuthenticated
from lockleaf.server.platform.blobs.errors import StoreUnavailable
from lockleaf.server.platform.blobs.protocol import ObjectStore
from lockleaf.server.platform.db.engine import Database
from lockleaf.server.platform.db.errors import StorageFull
from lockleaf.server.platform.db.migrate import RevisionUnknown, current_revision, head_revision, require_known
from lockleaf.server.platform.events import EventHub
from lockleaf.server.platform.http.dependencies import PartsOf
from lockleaf.server.platform.http.openapi import problems
from lockleaf.server.platform.http.problems import error_of
from lockleaf.server.platform.http.rates import rated
from lockleaf.server.platform.http.routing import Router
from lockleaf.server.platform.limits.rates import Rates
from lockleaf.server.platform.observability.metrics import CONTENT_TYPE, Metrics
from lockleaf.server.platform.observability.queue import observe
from lockleaf.server.platform.reserve import DiskReserve
from lockleaf.server.platform.settings import MetricsSettings, Settings

__all__ = ["router"]

router = Router(tags=["operation"])

RETRY_SECONDS = 2
"""After which a server that is not ready may be asked again."""


class Health(BaseModel):
    """The process answers."""

    status: Literal["ok"] = "ok"
    version: str = __version__


class Check(BaseModel):
    """One thing that the server needs."""

    ok: bool
    code: str | None = None


class Readiness(BaseModel):
    """Whether the server can do its work, and what is missing otherwise."""

    ready: bool
    database: Check
    schema_: Check = Field(serialization_alias="schema")
    queue: Check
    store: Check
    live_events: Check
    rates: Check
    disk: Check


@router.get("/health", summary="Ask whether the process answers")
@rated(None)
async def health() -> Health:
    """Tell that the process answers."""
    return Health()


@router.get(
    "/ready",
    summary="Ask whether requests can be served",
    responses={503: {"model": Readiness, "description": "Something is missing."}},
)
@rated(None)
async def ready(response: Response, parts: PartsOf) -> Readiness:
    """Ask everything that a request needs."""
    database, schema, queue = Check(ok=True), Check(ok=True), Check(ok=True)
    try:
        async with asyncio.timeout(5), parts[Database].read_driver() as connection:
            await connection.fetchval("SELECT 1")
            schema = _schema(await current_revision(connection))
    except Exception as error:
        database = Check(ok=False, code=error_of(error).code)
        schema = queue = Check(ok=False, code="unknown")
    if database.ok:
        queue = await _queue(parts[Database])
    store = await _store(parts[ObjectStore])
    listening = parts[EventHub].listening.is_set()
    live_events = Check(ok=listening, code=None if listening else "not_listening")
    everything = database.ok and schema.ok and queue.ok and store.ok and live_events.ok
    if not everything:
        response.status_code = 503
        response.headers["Retry-After"] = str(RETRY_SECONDS)
    return Readiness(
        ready=everything,
        database=database,
        schema_=schema,
        queue=queue,
        store=store,
        live_events=live_events,
        # Nothing that keeps a request from being served: without the store each process counts by itself.
        rates=Check(ok=True, code="degraded" if parts[Rates].degraded else None),
        # Nor is this: everything is served but what needs room, and elsewhere there is no more of it.
        disk=Check(ok=False, code=StorageFull.code) if parts[DiskReserve].is_short else Check(ok=True),
    )


def _schema(present: str | None) -> Check:
    """Tell whether the database has a schema that this version works with.

    A later one is there while an installation is upgraded, server after server: were the earlier ones not ready from
    that moment on, nobody would be.
    """
    if present == head_revision():
        return Check(ok=True)
    try:
        require_known(present or "base")
    except RevisionUnknown:
        return Check(ok=True, code="schema_ahead")
    return Check(ok=False, code="schema_behind")


async def _store(objects: ObjectStore) -> Check:
    """Ask the store of encrypted files."""
    try:
        async with asyncio.timeout(5):
            await objects.check()
    except TimeoutError:
        return Check(ok=False, code=StoreUnavailable.code)
    except Exception as error:
        return Check(ok=False, code=error_of(error).code)
    return Check(ok=True)


async def _queue(database: Database) -> Check:
    """Ask whether the queue is there. That nobody takes jobs out of it is no reason to send requests elsewhere: the
    metrics tell how long they wait.
    """
    try:
        async with asyncio.timeout(5), database.read_driver() as connection:
            await observe(connection)
    except Exception as error:
        return Check(ok=False, code=error_of(error).code)
    return Check(ok=True)


_FORWARDED = ("forwarded", "x-forwarded-for", "x-real-ip", "via")


def _may_read_metrics(request: Request, settings: MetricsSettings) -> bool:
    """Tell whether a request bears the token, or comes from this machine itself and through no proxy on it."""
    if settings.open:
        return True
    given = request.headers.get("authorization", "").partition(" ")
    if settings.token is not None and given[0].lower() == "bearer":
        # Compared in constant time, and as bytes: a header may have any.
        return compare_digest(given[2].strip().encode(), settings.token.get_secret_value().encode())
    if request.client is None or any(name in request.headers for name in _FORWARDED):
        return False
    try:
        address = ip_address(request.client.host)
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return (mapped or address).is_loopback


@router.get("/metrics", summary="Read the metrics", response_class=Response, responses=problems(NotAuthenticated))
@rated(None)
async def metrics(request: Request, parts: PartsOf) -> Response:
    """Give all metrics in Prometheus' text format; those of background work and accounts while the database answers.

    Without the operator's token (`LOCKLEAF_METRICS__TOKEN`) they are for the server's own machine.
    """
    if not _may_read_metrics(request, parts[Settings].metrics):
        raise NotAuthenticated
    database_up, queue = False, None
    with contextlib.suppress(Exception):
        async with asyncio.timeout(5), parts[Database].read_driver() as connection:
            await connection.fetchval("SELECT 1")
            database_up = True
            queue = await observe(connection)
    held = await parts[Inventory].metrics(parts[Database], parts[Settings])
    exposition = parts[Metrics].exposition(database_up=database_up, queue=queue, more=held)
    return Response(exposition, media_type=CONTENT_TYPE)
