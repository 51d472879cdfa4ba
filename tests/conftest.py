"""Fixtures of the whole suite: one PostgreSQL for the run, a migrated database a worker, and the real application."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import secrets
import signal
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg
import httpx
import pytest
from fastapi import FastAPI
from hypothesis import settings as hypothesis_settings

from lockleaf.server.main.app import create_app
from lockleaf.server.platform.db.migrate import migrate
from lockleaf.server.platform.parts import Parts
from lockleaf.server.platform.settings import Settings
from tests.support.cheap_keys import stretch_cheaply
from tests.support.event_loops import look_once_for_sniffio
from tests.support.postgres import temporary_postgres
from tests.support.process import RunningServer, running_server
from tests.support.scratch import write_in_memory

POSTGRES = "LOCKLEAF_TESTS_POSTGRES"
"""Where the process that began the run tells its workers the address of the one PostgreSQL that they share."""

POSTGRES_SETTINGS = {
    "max_connections": "400",
    "log_min_messages": "fatal",
    # What it made of tables with a few rows of some test would decide about the plans that another test looks at.
    "autovacuum": "off",
}

TEMPLATE, MAKING = "lockleaf_template", "lockleaf_template_in_the_making"

# Before anybody imports the library: it takes the best of all classes that exist, those that a test defines included.
os.environ["PYTHON_KEYRING_BACKEND"] = "keyring.backends.fail.Keyring"

# Threads for matrices, which nobody multiplies here, and which wait busily: numpy is loaded in many a process.
os.environ["OPENBLAS_NUM_THREADS"] = "1"

look_once_for_sniffio()
write_in_memory()
stretch_cheaply()

# A thousand tests are one address that logs in far too often. Those of rates switch them on.
os.environ.setdefault("LOCKLEAF_RATES__ENABLED", "false")

_resources = contextlib.ExitStack()

hypothesis_settings.register_profile("lockleaf", deadline=None, max_examples=60, print_blob=True)
hypothesis_settings.load_profile("lockleaf")


def pytest_configure(config: pytest.Config) -> None:
    """Start PostgreSQL once, before workers are started."""
    gc.disable()  # until all is loaded, which stays: to look through it takes a seventh of the time to load it
    # A run in the background inherits signals that are ignored, and so would every program that a test interrupts.
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGHUP, signal.SIG_DFL)
        if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
            signal.signal(signal.SIGINT, signal.default_int_handler)
    if POSTGRES not in os.environ and not config.option.collectonly:
        # Tests of lost power would need the disk; tests of lost processes do not, and the rest is faster without.
        postgres = _resources.enter_context(temporary_postgres(durable=False, settings=POSTGRES_SETTINGS))
        os.environ[POSTGRES] = postgres.dsn("postgres", role="postgres")
        _resources.callback(os.environ.pop, POSTGRES, None)


def pytest_collection_finish() -> None:
    """Keep what is loaded by now, which stays to the end, out of every search for garbage."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)  # as in a worker of the server; at 700 objects it takes a twentieth of all time
    gc.enable()


def pytest_unconfigure(config: pytest.Config) -> None:
    """Stop what was started."""
    _resources.close()


def _address(name: str) -> str:
    return os.environ[POSTGRES].replace("postgresql://postgres@/postgres", f"postgresql://lockleaf@/{name}")


async def _create_database(connection: asyncpg.Connection, name: str, template: str = "template1") -> None:
    await connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
    await connection.execute(f'CREATE DATABASE "{name}" OWNER lockleaf TEMPLATE "{template}"')


async def _create_migrated(connection: asyncpg.Connection, name: str) -> None:
    """Copy what the first one to ask made by the migrations: they take a hundred times as long as a copy."""
    await connection.execute("SELECT pg_advisory_lock(1)")  # ends with the connection
    if not await connection.fetchval("SELECT 1 FROM pg_database WHERE datname = $1", TEMPLATE):
        await _create_database(connection, MAKING)
        await migrate(_address(MAKING))
        await connection.execute(f"ALTER DATABASE {MAKING} RENAME TO {TEMPLATE}")
    await _create_database(connection, name, TEMPLATE)


def _created(name: str, create: Callable[[asyncpg.Connection, str], Awaitable[None]]) -> str:
    async def run() -> None:
        connection = await asyncpg.connect(os.environ[POSTGRES])
        try:
            await create(connection, name)
        finally:
            await connection.close()

    asyncio.run(run())
    return _address(name)


def fresh_database(name: str) -> str:
    """Create an empty database, and return its address."""
    return _created(name, _create_database)


def migrated_database(name: str) -> str:
    """Create a database with this version's schema, and return its address."""
    return _created(name, _create_migrated)


@pytest.fixture(scope="session")
def database_url(worker_id: str) -> str:
    """The address of this worker's database, made by the migrations."""
    return migrated_database(f"lockleaf_{worker_id}_{secrets.token_hex(4)}")


@pytest.fixture
def own_database_url(worker_id: str) -> str:
    """A database of its own, for what goes through that of all accounts: the worker of jobs, the sealing anew."""
    return migrated_database(f"lockleaf_own_{worker_id}_{secrets.token_hex(4)}")


@pytest.fixture(scope="session")
def server_environment(database_url: str) -> dict[str, str]:
    """The environment of a server on this worker's database."""
    return {
        "DATABASE_URL": database_url,
        "LOCKLEAF_SECRETS__ROOTS": secrets.token_urlsafe(48),
        "LOCKLEAF_SECRETS__PRELOGIN": secrets.token_urlsafe(48),
        "LOCKLEAF_HASHING__MEMORY_KIB": "64",
        "LOCKLEAF_HASHING__ITERATIONS": "1",
        "LOCKLEAF_RATES__ENABLED": "false",
        # Once one test left metrics, the application of every other would start a process for them.
        "LOCKLEAF_ANALYTICS__PREWARM": "false",
    }


def settings_of(environment: dict[str, str], data: Path, patched: pytest.MonkeyPatch) -> Settings:
    """Return the settings of a server with this environment and data folder, which is this process's for so long."""
    for name, value in (environment | {"LOCKLEAF_DATA_DIR": str(data)}).items():
        patched.setenv(name, value)
    return Settings()


@asynccontextmanager
async def _client_of(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://lockleaf.test/api/v1") as client:
        yield client


@pytest.fixture
def settings(server_environment: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Settings of a server on this worker's database, with hashing made cheap."""
    return settings_of(server_environment, tmp_path / "data", monkeypatch)


@pytest.fixture(scope="session")
async def app(server_environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[FastAPI]:
    """The real application, started, for all tests of this worker that leave it as it is.

    Its statements are compiled, and its connections know them: to begin anew takes longer than most tests.
    """
    with pytest.MonkeyPatch.context() as patched:
        app = create_app(settings_of(server_environment, tmp_path_factory.mktemp("app") / "data", patched))
    async with app.router.lifespan_context(app):
        routes, parts = list(app.router.routes), dict(app.state.parts)
        yield app
        assert app.router.routes == routes, "a test added routes: it needs own_app"
        assert app.state.parts == parts, "a test replaced parts: it needs replaceable, or own_app"


@pytest.fixture
def replaceable(app: FastAPI) -> Iterator[Parts]:
    """The parts of the application, of which a test may replace some: afterwards they are as they were."""
    parts: Parts = app.state.parts
    before = dict(parts)
    yield parts
    parts.update(before)


@pytest.fixture(scope="session")
async def http(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    """An HTTP client of the application."""
    async with _client_of(app) as client:
        yield client


@pytest.fixture
async def own_app(settings: Settings) -> AsyncIterator[FastAPI]:
    """An application of the test's own, of its ``settings``: for what alters one, or has to be the first to use it."""
    app = create_app(settings)
    async with app.router.lifespan_context(app):
        yield app


@pytest.fixture
async def own_http(own_app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    """An HTTP client of the test's own application."""
    async with _client_of(own_app) as client:
        yield client


@pytest.fixture(scope="session")
def server(server_environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """A real server process on a free port of the loopback, on this worker's database."""
    data_dir = tmp_path_factory.mktemp("server")
    with running_server({**server_environment, "LOCKLEAF_DATA_DIR": str(data_dir)}, log=data_dir / "log") as running:
        yield running


@pytest.fixture
def shared_data() -> Path:
    """The folder of real input; a test that asks for it is skipped where it is absent."""
    folder = Path(__file__).parents[2] / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("needs the real journal in ../shared/data, which is not here")
    return folder
