"""The one place where the parts of a server are put together."""

from __future__ import annotations

import asyncio
import signal
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime
from functools import cache
from types import FrameType

from fastapi import APIRouter, FastAPI
from starlette.routing import BaseRoute

from lockleaf import __version__
from lockleaf.server.features.access import service as access_history
from lockleaf.server.features.access.routes import router as access
from lockleaf.server.features.analytics import service as encrypted_metrics
from lockleaf.server.features.analytics.evaluators import Evaluators
from lockleaf.server.features.analytics.routes import router as encryption
from lockleaf.server.features.auth.routes import router as auth
from lockleaf.server.features.backups.routes import router as backups
from lockleaf.server.features.entries.routes import router as entries
from lockleaf.server.features.export import service as archives
from lockleaf.server.features.export.routes import router as export
from lockleaf.server.features.inbox import service as inbox_items
from lockleaf.server.features.inbox.routes import router as inbox
from lockleaf.server.features.jobs.routes import router as jobs
from lockleaf.server.features.media import service as media_files
from lockleaf.server.features.media.routes import router as media
from lockleaf.server.features.objects.routes import router as objects
from lockleaf.server.features.operation.routes import router as operation
from lockleaf.server.features.privacy.public_contexts import PublicContexts
from lockleaf.server.features.privacy.routes import router as privacy
from lockleaf.server.features.profile.routes import router as users
from lockleaf.server.features.search import service as search_index
from lockleaf.server.features.search.routes import router as search
from lockleaf.server.features.sync.routes import router as sync
from lockleaf.server.features.tags.routes import router as tags
from lockleaf.server.features.vault.routes import router as vault
from lockleaf.server.identity.custody.custodian import Custodian
from lockleaf.server.identity.hashing import VerifierHasher
from lockleaf.server.identity.tokens import TokenCodec
from lockleaf.server.platform.blobs.removals import Removals
from lockleaf.server.platform.blobs.stores import open_store
from lockleaf.server.platform.context import Services
from lockleaf.server.platform.cursors import CursorCodec
from lockleaf.server.platform.db.engine import Database
from lockleaf.server.platform.db.migrate import SchemaBehind, is_current
from lockleaf.server.platform.errors import Unavailable
from lockleaf.server.platform.events import EventHub
from lockleaf.server.platform.holdings import Holding
from lockleaf.server.platform.http import docs, openapi, problems
from lockleaf.server.platform.http.cors import CrossOrigin
from lockleaf.server.platform.http.middleware import RequestMiddleware
from lockleaf.server.platform.jobs import service as background_jobs
from lockleaf.server.platform.observability.metrics import Metrics
from lockleaf.server.platform.server_keys import load_keys
from lockleaf.server.platform.settings import Settings

__all__ = ["build_services", "create_app"]

PREFIX = "/api/v1"
OLDER_PREFIX = "/api"
OBJECTS = f"{PREFIX}/objects/"
LARGEST_OBJECT = 5 * 1024**3
DATABASE_PATIENCE_SECONDS = 60

ROUTERS = (
    sync,
    backups,
    vault,
    entries,
    tags,
    media,
    search,
    encryption,
    auth,
    users,
    privacy,
    access,
    inbox,
    jobs,
    export,
)

HOLDINGS: tuple[Holding, ...] = (
    access_history.HOLDING,
    background_jobs.HOLDING,
    archives.HOLDING,
    inbox_items.HOLDING,
    encrypted_metrics.HOLDING,
    encrypted_metrics.KEYS_HOLDING,
    search_index.HOLDING,
)
"""What the server holds of an account beside the account itself and its records."""


def _now() -> datetime:
    return datetime.now(UTC)


def build_services(settings: Settings, database_url: str, clock: Callable[[], datetime] = _now) -> Services:
    """Return the parts of a process that serves requests or does background work. Nothing is started yet.

    Args:
        database_url: of the embedded or the external database.
        clock: gives the present time, aware, in UTC.
    """
    metrics = Metrics()
    keys = load_keys(settings)
    hasher = VerifierHasher(settings.hashing, metrics)
    events = EventHub(database_url, metrics)
    database = Database(database_url, settings.database, events.changed)
    metrics.watch_pools(database)
    blobs = open_store(settings, keys, clock)
    removals = Removals(database, blobs)
    return Services(
        settings=settings,
        database=database,
        metrics=metrics,
        keys=keys,
        tokens=TokenCodec(keys, settings.tokens, clock),
        cursors=CursorCodec(keys),
        hasher=hasher,
        custodian=Custodian(hasher, settings.custody.suite_number),
        events=events,
        clock=clock,
        public_contexts=PublicContexts(),
        evaluators=Evaluators(settings.analytics, metrics),
        blobs=blobs,
        removals=removals,
        holdings=(*HOLDINGS, media_files.holding(removals)),
    )


@cache
def _routes() -> tuple[BaseRoute, ...]:
    """The routes of the API below both prefixes.

    What FastAPI works out of them at the first requests takes a tenth of a second and holds nothing of an application,
    so that all applications of a process share it.
    """
    both = APIRouter()
    for prefix in (PREFIX, OLDER_PREFIX):
        for router in ROUTERS:
            both.include_router(router, prefix=prefix, include_in_schema=prefix == PREFIX)
    return tuple(both.routes)


def create_app(
    settings: Settings | None = None, *, database_url: str | None = None, clock: Callable[[], datetime] = _now
) -> FastAPI:
    """Return the server's application.

    Args:
        settings: from the environment by default.
        database_url: of the embedded database, by whoever started one; otherwise the settings name an external one.
        clock: gives the present time, aware, in UTC.
    """
    settings = settings or Settings()
    url = database_url or (settings.database.url.get_secret_value() if settings.database.url else None)
    if url is None:
        raise ValueError("no database: `lockleaf serve` starts one, or set DATABASE_URL")
    services = build_services(settings, url, clock)
    app = FastAPI(
        title="Lockleaf",
        version=__version__,
        summary="A private journal's backend: end-to-end encrypted, synchronised, verifiable.",
        openapi_url=None,  # built, encoded and compressed once: http/openapi.py
        docs_url=None,  # in place of pages that load scripts from elsewhere: http/docs.py
        redoc_url=None,
        redirect_slashes=False,  # the middleware takes slashes off the end of a path
        lifespan=_lifespan,
    )
    app.state.services = services
    problems.install(app)
    app.router.routes.extend(_routes())
    app.include_router(objects, prefix=PREFIX)
    app.include_router(operation)
    app.include_router(docs.router, prefix=PREFIX)
    app.add_api_route("/docs", docs.redirect_to(f"{PREFIX}/docs"), include_in_schema=False)
    openapi.serve(app, f"{PREFIX}/openapi.json")
    openapi.install(app, PREFIX, (settings.blobs.public_url or "").rstrip("/") or None)

    def body_limit(path: str) -> int:
        if path.startswith(OBJECTS):
            return LARGEST_OBJECT  # what was signed is the limit, and the route holds to it
        if path.endswith("/users/me/privacy"):
            return settings.limits.public_key_body_bytes
        # A record is longer in base64, and in the escapes of JSON.
        whole_records = any(door in path for door in ("/sync/", "/entries", "/vault", "/encryption/", "/search/"))
        return settings.limits.sync_body_bytes if whole_records else settings.limits.body_bytes

    app.add_middleware(RequestMiddleware, metrics=services.metrics, body_limit=body_limit)
    if settings.cors.origins:
        # Outermost: a page must be able to read what refuses its request, too.
        app.add_middleware(CrossOrigin, origins=settings.cors.origins)
    return app


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    services: Services = app.state.services
    await _require_current_schema(services.database)
    services.events.start()
    warming = asyncio.create_task(encrypted_metrics.warm_if_needed(services))
    try:
        with _streams_end_at_once(services.events):
            yield
    finally:
        warming.cancel()
        await asyncio.wait((warming,))
        await services.inventory.close()
        await services.events.stop()
        await services.evaluators.close()
        await services.removals.close()
        await services.blobs.close()
        services.hasher.close()
        await services.database.close()


async def _require_current_schema(database: Database) -> None:
    """Wait for the database, which may have crashed together with the worker that this one replaces.

    Raises:
        SchemaBehind: it has an older schema than this version needs.
    """
    loop = asyncio.get_running_loop()
    deadline = loop.time() + DATABASE_PATIENCE_SECONDS
    while True:
        try:
            async with database.reading.connect() as connection:
                if not await is_current(connection):
                    raise SchemaBehind
                return
        except Exception as error:
            if not isinstance(problems.error_of(error), Unavailable) or loop.time() > deadline:
                raise
        await asyncio.sleep(0.1)


@contextmanager
def _streams_end_at_once(events: EventHub) -> Iterator[None]:
    """End live streams as soon as the process is asked to stop.

    The web server waits for open answers before it tells the application to stop, and a live stream is an answer that
    never ends by itself.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    loop = asyncio.get_running_loop()
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}

    def stop(number: int, frame: FrameType | None) -> None:
        loop.call_soon_threadsafe(events.end_streams)
        handler = before[signal.Signals(number)]
        if callable(handler):
            handler(number, frame)

    for number, handler in before.items():
        if callable(handler):
            signal.signal(number, stop)
    try:
        yield
    finally:
        for number, handler in before.items():
            if signal.getsignal(number) is stop:
                signal.signal(number, handler)
