"""``lockleaf serve``: a parent process that starts the database where there is none, and the web workers.

The parent serves nothing itself. It binds the port, a socket for each worker, on which that listens once it is ready.
It keeps the embedded PostgreSQL alive, replaces workers that die, and at SIGTERM lets requests finish before the
database stops. With a database of its own, or where it is told to, it has the background work done by one more process.
It loads the application, which it does not use itself, since all of them are forked from it.
"""

from __future__ import annotations

import contextlib
import errno
import os
import resource
import socket
import sys
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import structlog
import uvicorn

from lockleaf.server.main import forking
from lockleaf.server.main.background import BackgroundWork, connections, in_process
from lockleaf.server.main.bell import Bell
from lockleaf.server.main.workers import Workers
from lockleaf.server.platform.blobs.stores import require_folder
from lockleaf.server.platform.db.embedded import EmbeddedPostgres
from lockleaf.server.platform.db.unusable import DatabaseUnusable
from lockleaf.server.platform.http.connections import BoundedProtocol
from lockleaf.server.platform.observability import logging
from lockleaf.server.platform.observability.processes import return_memory
from lockleaf.server.platform.server_keys import load_keys
from lockleaf.server.platform.settings import Settings

log = structlog.get_logger("lockleaf.process")

__all__ = ["PortUnavailable", "Running", "ServeError", "serve"]

GRACE_SECONDS = 20
BACKLOG = 2048
DESCRIPTORS = 65_536
UNUSABLE = "The server's workers could not start; the log above says why."


class ServeError(Exception):
    """The server could not be started. The message says why, and what to do."""


class PortUnavailable(ServeError):
    """The port cannot be listened on."""

    def __init__(self, host: str, port: int, reason: str) -> None:
        super().__init__(
            f"Cannot listen on {_authority(host, port)}: {reason}. "
            "Another program may hold the port: choose another with --port."
        )


def _authority(host: str, port: int) -> str:
    """Return host and port as they stand in a URL."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


@dataclass(frozen=True, slots=True)
class Running:
    """Where a server runs.

    Attributes:
        host, port: where it listens.
        workers: how many processes serve.
        data_dir: where it keeps what is not in the database.
        embedded: whether the database is its own.
        database_url: its address, which may hold a password.
    """

    host: str
    port: int
    workers: int
    data_dir: Path
    embedded: bool
    database_url: str = field(default="", repr=False)

    @property
    def url(self) -> str:
        """The address to give to clients on this machine."""
        host = "127.0.0.1" if self.host in ("0.0.0.0", "::", "") else self.host  # noqa: S104
        return f"http://{_authority(host, self.port)}"


def serve(
    settings: Settings,
    *,
    host: str,
    port: int,
    workers: int,
    announce: Callable[[Running], None] = lambda running: None,
) -> None:
    """Run a server until SIGTERM or SIGINT.

    Args:
        host: a name or an address; one of IPv6 with or without brackets. `::` takes IPv4 too.
        port: 0 takes a free one.
        announce: called once all workers answer.

    Raises:
        ServeError: it could not be started.
        EmbeddedPostgresError: its own database could not be started.
        SchemaBehind: the external database has an older schema.
        SecretsMissing, SecretsDamaged: the server has no secrets of its own.
        FolderUnusable: there is no folder for attached files.
    """
    logging.configure(settings.log.format, settings.log.level)
    _allow_descriptors()
    host = host.removeprefix("[").removesuffix("]")
    with contextlib.ExitStack() as stack:
        # The port first: it is the likeliest to fail, and nothing need be stopped then.
        bound = stack.enter_context(_bind(host, port, workers))
        stack.enter_context(_shared_figures(workers))
        return_memory()
        database_url, embedded = stack.enter_context(_database(settings, workers))
        bell = stack.enter_context(contextlib.closing(Bell()))
        load_keys(settings)  # made here, once, where workers would race for it
        require_folder(settings)
        application = _application(settings, workers, database_url)
        running = Running(
            host,
            bound[0].getsockname()[1],
            workers,
            settings.data_dir,
            settings.database.url is None,
            database_url,
        )
        config = uvicorn.Config(
            partial(forking.called, "lockleaf.server.main.web_worker:begin", application, bell.rope),
            factory=True,
            workers=workers,
            loop="uvloop",
            http=BoundedProtocol,
            ws="none",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,  # `http/addresses.py` reads them, of the proxies that are named
            backlog=BACKLOG,
            timeout_graceful_shutdown=GRACE_SECONDS,
            timeout_worker_healthcheck=30,
            timeout_keep_alive=settings.connections.idle_seconds,
        )
        background = stack.enter_context(_background_work(settings, database_url, bell))
        _require_free(bound[0])
        supervisor = Workers(config, bound, embedded, background, bell, on_ready=lambda: announce(running))
        supervisor.run()
        if supervisor.failed_to_start:
            raise ServeError(UNUSABLE)


def _application(settings: Settings, workers: int, database_url: str) -> Any:
    """Put together what all workers serve, here where it is done once."""
    # Each counts in its own memory, where there is no store for all: all of them let through what one would.
    rates = settings.rates.model_copy(update={"shares": settings.rates.shares * workers})
    try:
        return forking.called(
            "lockleaf.server.main.web_worker:put_together",
            settings.model_copy(update={"rates": rates}),
            database_url,
        )
    except Exception as error:
        log.critical("worker_unusable", failure=error)
        raise ServeError(UNUSABLE) from None


def _allow_descriptors() -> None:
    """Take as many open files and connections as the system lets this user have: the usual 1,024 are soon used up."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = DESCRIPTORS if hard == resource.RLIM_INFINITY else min(hard, DESCRIPTORS)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


@contextlib.contextmanager
def _bind(host: str, port: int, workers: int) -> Iterator[list[socket.socket]]:
    """Take the port, once for each worker. Until a worker listens there, whoever connects is refused at once: a proxy
    asks another server, where it would wait for one that accepts before it can answer.

    On Linux the kernel spreads connections evenly over sockets that share a port. From one shared socket, the worker
    that slept last would take nearly all of them. Elsewhere the workers share one.
    """
    with contextlib.ExitStack() as stack:
        with _told(host, port):
            family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[
                0
            ]
            # Alone first: a socket that may share its port would also share that of a server that runs already.
            with _bound(family, address) as probe:
                address = (address[0], probe.getsockname()[1], *address[2:])
            count = workers if sys.platform == "linux" else 1
            bound = [stack.enter_context(_bound(family, address, shared=count > 1)) for _ in range(count)]
            for each in bound:
                each.setblocking(False)
        yield bound


def _require_free(bound: socket.socket) -> None:
    """Return if nobody has begun to listen on the port since it was bound, which on Linux keeps no one else away.

    Raises:
        PortUnavailable: another server that was started meanwhile was ready first.
    """
    if sys.platform != "linux":
        return
    address = bound.getsockname()
    with _told(address[0], address[1]):
        _bound(bound.family, address).close()


@contextlib.contextmanager
def _told(host: str, port: int) -> Iterator[None]:
    """Say of a port that cannot be taken why.

    Raises:
        PortUnavailable: it cannot.
    """
    try:
        yield
    except OSError as error:
        known = {errno.EADDRINUSE: "it is in use", errno.EACCES: "this user may not"}
        reason = known.get(error.errno or 0, error.strerror or "there is no such address")
        raise PortUnavailable(host, port, reason) from None
    except UnicodeError:  # not even the form of a name
        raise PortUnavailable(host, port, "there is no such address") from None


def _bound(family: int, address: Any, *, shared: bool = False) -> socket.socket:
    bound = socket.socket(family, socket.SOCK_STREAM)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6 and address[0] == "::":
            bound.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)  # every address of this machine is meant
        if shared:
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        bound.bind(address)
    except OSError:
        bound.close()
        raise
    return bound


@contextlib.contextmanager
def _database(settings: Settings, workers: int) -> Iterator[tuple[str, EmbeddedPostgres | None]]:
    """Load the application; give the address of a database with the right schema, and the database if it is our own."""
    if settings.database.url is not None:
        forking.load()
        url = settings.database.url.get_secret_value()
        try:
            _prepare(settings, url)
        except DatabaseUnusable as error:
            raise ServeError(str(error)) from None
        yield url, None
        return
    pool = settings.database
    needed = workers * (2 * pool.pool_size + 1) + connections(settings) + 20
    postgres = EmbeddedPostgres(settings.data_dir, settings={"max_connections": str(max(100, needed))})
    with contextlib.ExitStack() as stack:
        stack.callback(postgres.stop)
        with _starting(postgres):
            forking.load()
        _prepare(settings, postgres.dsn())
        yield postgres.dsn(), postgres


@contextlib.contextmanager
def _starting(postgres: EmbeddedPostgres) -> Iterator[None]:
    """Start PostgreSQL while something else is done, and wait for it then. The thread has ended at the end."""
    with ThreadPoolExecutor(1, "lockleaf-postgres") as beside:
        started = beside.submit(postgres.start)
        try:
            yield
            started.result()
        except BaseException:
            postgres.stop()  # it would be waited for
            raise


def _prepare(settings: Settings, url: str) -> None:
    """Have the database made ready, and say where one that was made for development is served otherwise."""
    own, development = settings.database.url is None, settings.environment == "development"
    # `admin reset` may have filled it.
    if forking.call("lockleaf.server.main.preparation:prepare", url, own, development) and not development:
        log.warning("development_database", detail="It may have accounts whose passwords everybody can read.")


@contextlib.contextmanager
def _background_work(settings: Settings, database_url: str, bell: Bell) -> Iterator[BackgroundWork | None]:
    """Do background work beside the web workers where that is wanted."""
    if not in_process(settings):
        yield None
        return
    background = BackgroundWork(settings, database_url, bell.rope)
    try:
        yield background
    finally:
        background.stop()
        background.join()


@contextlib.contextmanager
def _shared_figures(workers: int) -> Iterator[None]:
    """Let several workers add up their metrics in a folder, so that any of them can answer for all."""
    if workers == 1:
        yield
        return
    with tempfile.TemporaryDirectory(prefix="lockleaf-metrics-") as folder:
        # Looked up by the library as it is loaded.
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = folder
        try:
            yield
        finally:
            del os.environ["PROMETHEUS_MULTIPROC_DIR"]
