"""The one place where the parts of a server are put together."""

from __future__ import annotations

import asyncio
import signal
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import datetime
from types import FrameType
from typing import Any

from fastapi import FastAPI
from starlette.datastructures import State
from starlette.types import ASGIApp, Receive, Scope, Send

from lockleaf import __version__
from lockleaf.server.features.analytics.evaluators import Evaluators
from lockleaf.server.features.analytics.service import warm_if_needed
from lockleaf.server.features.entries.reads import EntryReads
from lockleaf.server.features.integrations.networks import Networks
from lockleaf.server.features.integrations.pictures import PostPictures
from lockleaf.server.features.integrations.publishing import Publisher
from lockleaf.server.features.integrations.pulling import PostPuller
from lockleaf.server.features.operation.inventory import Inventory
from lockleaf.server.features.privacy.public_contexts import PublicContexts
from lockleaf.server.features.sync.gathering import Gathering
from lockleaf.server.features.sync.polls import Polls
from lockleaf.server.identity.auth.credentials import CredentialChanges
from lockleaf.server.identity.auth.proving import Prover
from lockleaf.server.identity.auth.recovery import AccountRecovery
from lockleaf.server.identity.auth.registration import Registrar
from lockleaf.server.identity.auth.second_factors import FactorChanges
from lockleaf.server.identity.auth.service import LoginService
from lockleaf.server.identity.auth.sessions import SessionIssuer
from lockleaf.server.identity.callers import Callers
from lockleaf.server.identity.custody.custodian import Custodian
from lockleaf.server.identity.factors.passkeys import relying_party
from lockleaf.server.identity.factors.proofs import sealer_of
from lockleaf.server.identity.factors.service import SecondFactors
from lockleaf.server.identity.hashing import VerifierHasher
from lockleaf.server.identity.tokens import TokenCodec
from lockleaf.server.main.features import ADDITIONS, examples, holdings, observers
from lockleaf.server.main.routes import PREFIX, index, routes
from lockleaf.server.platform.blobs.protocol import ObjectStore
from lockleaf.server.platform.blobs.removals import Removals
from lockleaf.server.platform.blobs.stores import open_store
from lockleaf.server.platform.clock import Clock
from lockleaf.server.platform.cursors import CursorCodec
from lockleaf.server.platform.db.engine import Database
from lockleaf.server.platform.db.migrate import SchemaBehind, is_current
from lockleaf.server.platform.errors import Unavailable
from lockleaf.server.platform.events import EventHub
from lockleaf.server.platform.holdings import Holdings
from lockleaf.server.platform.http import docs, openapi, problems
from lockleaf.server.platform.http.addresses import Proxies
from lockleaf.server.platform.http.cors import CrossOrigin
from lockleaf.server.platform.http.direct import DirectRoutes
from lockleaf.server.platform.http.middleware import RequestMiddleware
from lockleaf.server.platform.limits.rates import Rates
from lockleaf.server.platform.observability.metrics import Metrics
from lockleaf.server.platform.parts import Parts
from lockleaf.server.platform.reserve import DiskReserve, disk_reserve
from lockleaf.server.platform.server_keys import ServerKeys, load_keys
from lockleaf.server.platform.settings import IntegrationSettings, LimitSettings, RegistrationSettings, Settings
from lockleaf.server.records.quota import Quota
from lockleaf.server.records.writer import Rules

__all__ = ["build_parts", "close_parts", "create_app"]

DATABASE_PATIENCE_SECONDS = 60
_DOMAINS = {
    "sync": "Changes and their verifiable history, conflicts, backups between devices",
    "vault": "Named blobs with versions",
    "entries": "The entries of the diary: sealed by the client (e2e), or plain fields (uce)",
    "tags": "The account's tags, with their colours",
    "media": "Attached files, encrypted by the client and sent straight to the store",
    "search": "Full text (uce) or keyed digests of words (e2e)",
    "encryption": "Numbers that the server adds up without reading them",
    "auth": "Accounts, sessions, keys, second factors and recovery",
    "users": "Profile, preferences, privacy tier, archive, deletion",
    "inbox": "What arrived while the keys were away, sealed",
    "integrations": "Social networks",
    "jobs": "Work in the background",
    "operation": "Whether the server is well; for operators",
}
"""What the tags of operations mean, in the order in which the documentation shows them."""

_MADE: tuple[type[Any], ...] = (
    *(SessionIssuer, Prover, Registrar, LoginService, CredentialChanges, AccountRecovery, FactorChanges),
    *(PostPictures, PostPuller, Publisher),
)
"""Parts that are made of the others, each behind what it is made of."""


def build_parts(settings: Settings, database_url: str, now: Callable[[], datetime] | None = None) -> Parts:
    """Return the parts of a process that serves requests or does background work. Nothing is started yet.

    Args:
        database_url: of the embedded or the external database.
        now: gives the present time, aware, in UTC, in place of the machine's clock.
    """
    parts = Parts()
    parts.add(Settings, settings)
    parts.add(LimitSettings, settings.limits)
    clock = parts.add(Clock, Clock() if now is None else Clock(now))
    metrics = parts.add(Metrics, Metrics())
    keys = parts.add(ServerKeys, load_keys(settings))
    parts.add(Proxies, Proxies(settings.proxies))
    parts.add(Rates, Rates(settings.rates, keys, metrics))
    hasher = parts.add(VerifierHasher, VerifierHasher(settings.hashing, metrics))
    events = parts.add(EventHub, EventHub(database_url, metrics))
    database = parts.add(Database, Database(database_url, settings.database, events.changed))
    metrics.watch_pools(database)
    store = parts.add(ObjectStore, open_store(settings, keys, clock))
    parts.add(DiskReserve, disk_reserve(settings))
    parts.add(TokenCodec, TokenCodec(keys, settings.tokens, clock))
    parts.add(CursorCodec, CursorCodec(keys))
    parts.add(Custodian, Custodian(hasher, settings.custody.suite_number))
    parts.add(SecondFactors, SecondFactors(clock, sealer_of(keys), settings.factors, relying_party(settings)))
    parts.add(RegistrationSettings, settings.registration)
    parts.add(PublicContexts, PublicContexts())
    parts.add(Inventory, Inventory())
    parts.add(Evaluators, Evaluators(settings.analytics, metrics))
    parts.add(Removals, Removals(database, store))
    held = parts.add(Holdings, holdings(parts))
    quota = parts.add(Quota, Quota(settings.limits.storage_bytes, held))
    rules = parts.add(Rules, Rules(settings.limits.record_bytes, quota, observers(parts), ADDITIONS))
    parts.add(Gathering, Gathering(database, clock, rules))
    for reads in (Callers, Polls, EntryReads):
        parts.add(reads, reads(database))
    parts.add(Networks, Networks(settings.integrations, keys))
    parts.add(IntegrationSettings, settings.integrations)
    for kind in _MADE:
        parts.make(kind)
    return parts


async def close_parts(parts: Parts) -> None:
    """Stop what runs, and close what is open."""
    await parts[Rates].close()
    await parts[Inventory].close()
    await parts[EventHub].stop()
    await parts[Evaluators].close()
    await parts[Networks].close()
    await parts[Removals].close()
    await parts[ObjectStore].close()
    parts[VerifierHasher].close()
    await parts[Database].close()


def create_app(
    settings: Settings | None = None, *, database_url: str | None = None, clock: Callable[[], datetime] | None = None
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
    parts = build_parts(settings, url, clock)
    app = _Application(
        title="Lockleaf",
        version=__version__,
        summary="A private journal's backend: end-to-end encrypted, synchronised, verifiable.",
        openapi_tags=[{"name": name, "description": said} for name, said in _DOMAINS.items()],
        openapi_url=None,  # built, encoded and compressed once: http/openapi.py
        docs_url=None,  # in place of pages that load scripts from elsewhere: http/docs.py
        redoc_url=None,
        redirect_slashes=False,  # the middleware takes slashes off the end of a path
        telemetry={"auto_configure": False},  # its spans would hold paths, and so ids
        lifespan=_lifespan,
    )
    app.state = _State(parts)
    problems.install(app)
    app.router.routes.extend(routes())
    app.add_api_route("/docs", docs.redirect_to(f"{PREFIX}/docs"), include_in_schema=False)
    openapi.serve(app, f"{PREFIX}/openapi.json")
    openapi.install(app, PREFIX, examples, (settings.blobs.public_url or "").rstrip("/") or None)

    return app


class _State(State):
    """The parts, as an attribute like any other: what Starlette keeps is found by a call, several times a request."""

    parts: Parts

    def __init__(self, parts: Parts) -> None:
        super().__init__()
        object.__setattr__(self, "parts", parts)


class _Application(FastAPI):
    """The application, in layers of our own around those of FastAPI, which most requests do not need."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request by the layers, past FastAPI's question, at each, whether there is telemetry."""
        if scope["type"] != "http":
            await super().__call__(scope, receive, send)
            return
        if self.middleware_stack is None:
            self.middleware_stack = self.build_middleware_stack()
        scope["app"] = self
        await self.middleware_stack(scope, receive, send)

    def build_middleware_stack(self) -> ASGIApp:
        """Return all layers, the outermost one."""
        parts: Parts = self.state.parts
        settings = parts[Settings]
        origins = settings.cors.origins
        indexed = set(map(id, routes()))
        own = [each for each in self.router.routes if id(each) not in indexed]
        served = DirectRoutes(super().build_middleware_stack(), index, own)
        requests = RequestMiddleware(
            served,
            metrics=parts[Metrics],
            public_url=(settings.blobs.public_url or "").rstrip("/"),
            refused_addresses=settings.log.refused_addresses,
        )
        # Outermost: a page must be able to read what refuses its request, too.
        return CrossOrigin(requests, origins=origins) if origins else requests


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    parts: Parts = app.state.parts
    await _require_current_schema(parts[Database])
    parts[EventHub].start()
    await parts[Rates].start()
    warming = asyncio.create_task(parts.call(warm_if_needed))
    try:
        with _streams_end_at_once(parts[EventHub]):
            yield
    finally:
        warming.cancel()
        await asyncio.wait((warming,))
        await close_parts(parts)


async def _require_current_schema(database: Database) -> None:
    """Wait for the database, which may have crashed together with the worker that this one replaces.

    Raises:
        SchemaBehind: it has an older schema than this version needs.
    """
    loop = asyncio.get_running_loop()
    deadline = loop.time() + DATABASE_PATIENCE_SECONDS
    while True:
        try:
            async with database.read_driver() as connection:
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
