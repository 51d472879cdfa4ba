"""What an operator sees of a server: health, readiness, metrics, and answers to anything."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Iterator
from typing import Any

import asyncpg
import httpx
import pytest
from fastapi import FastAPI
from prometheus_client.parser import text_string_to_metric_families

from lockleaf import __version__
from lockleaf.server.main.app import create_app
from lockleaf.server.platform.db.engine import Database
from lockleaf.server.platform.events import EventHub
from lockleaf.server.platform.observability.metrics import Metrics
from lockleaf.server.platform.settings import MetricsSettings, Settings
from lockleaf.wire.problem_documents import PROBLEM
from tests.support.accounts import Owner, change, register
from tests.support.database_link import DatabaseLink, database_link
from tests.support.process import RunningServer, running_server
from tests.support.processes import workers

SECURITY_HEADERS = {"cache-control": "no-store", "x-content-type-options": "nosniff", "referrer-policy": "no-referrer"}


@pytest.fixture(scope="module")
def two_workers(
    server_environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningServer]:
    folder = tmp_path_factory.mktemp("two-workers")
    environment = {**server_environment, "LOCKLEAF_DATA_DIR": str(folder)}
    with running_server(environment, log=folder / "log", workers=2) as running:
        yield running


@pytest.fixture
async def over_socket(server: RunningServer) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=server.url, timeout=60) as client:
        yield client


# ---- health and readiness ----


@pytest.fixture
async def link(database_url: str) -> AsyncIterator[DatabaseLink]:
    async with database_link(database_url) as link:
        yield link


@pytest.fixture
async def linked_app(settings: Settings, link: DatabaseLink) -> AsyncIterator[FastAPI]:
    """The application, with a network between it and its database that the test can cut."""
    app = create_app(settings, database_url=link.url)
    async with app.router.lifespan_context(app):
        await app.state.parts[EventHub].listening.wait()
        yield app


@pytest.fixture
async def linked(linked_app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(linked_app)
    async with httpx.AsyncClient(transport=transport, base_url="http://lockleaf.test") as client:
        yield client


@pytest.fixture
async def owner(linked_app: FastAPI) -> AsyncIterator[Owner]:
    transport = httpx.ASGITransport(linked_app)
    async with httpx.AsyncClient(transport=transport, base_url="http://lockleaf.test/api/v1") as client:
        yield await register(client)


async def _becomes_ready(client: httpx.AsyncClient) -> dict[str, Any]:
    async with asyncio.timeout(30):
        while (answer := await client.get("/ready")).status_code != 200:
            await asyncio.sleep(0.02)
        ready: dict[str, Any] = answer.json()
        return ready


async def test_a_server_that_has_all_it_needs_is_ready(linked: httpx.AsyncClient) -> None:
    ok = {"ok": True, "code": None}
    parts = ("database", "schema", "queue", "store", "live_events", "rates", "disk")
    assert await _becomes_ready(linked) == {"ready": True, **dict.fromkeys(parts, ok)}


async def test_a_server_is_ready_beside_a_later_schema_and_not_beside_an_earlier_one(
    linked: httpx.AsyncClient, database_url: str
) -> None:
    await _becomes_ready(linked)
    connection = await asyncpg.connect(database_url)
    try:
        before = await connection.fetchval("SELECT version_num FROM alembic_version")
        told = {}
        for revision in ("later", "0001"):
            await connection.execute("UPDATE alembic_version SET version_num = $1", revision)
            answer = await linked.get("/ready")
            told[revision] = answer.status_code, answer.json()["schema"]
    finally:
        await connection.execute("UPDATE alembic_version SET version_num = $1", before)
        await connection.close()
    assert told == {
        "later": (200, {"ok": True, "code": "schema_ahead"}),
        "0001": (503, {"ok": False, "code": "schema_behind"}),
    }


async def test_without_its_database_a_server_is_alive_and_says_what_is_missing(
    linked: httpx.AsyncClient, owner: Owner, link: DatabaseLink
) -> None:
    await link.cut()
    health = await linked.get("/health")
    assert (health.status_code, health.json()) == (200, {"status": "ok", "version": __version__})
    ready = await linked.get("/ready")
    assert (ready.status_code, int(ready.headers["retry-after"]) > 0) == (503, True)
    told = ready.json()
    assert (told["ready"], told["database"]) == (False, {"ok": False, "code": "database_unavailable"})
    refused = await owner.request("GET", "/auth/me")
    assert (refused.status_code, refused.json()["code"]) == (503, "database_unavailable")
    assert int(refused.headers["retry-after"]) > 0
    assert "lockleaf_database_up 0.0" in (await linked.get("/metrics")).text
    await link.mend()
    await _becomes_ready(linked)
    assert (await owner.request("GET", "/auth/me")).status_code == 200
    assert "lockleaf_database_up 1.0" in (await linked.get("/metrics")).text


async def test_without_its_store_of_files_a_server_says_so_and_nothing_is_written_where_it_was(
    linked: httpx.AsyncClient, settings: Settings
) -> None:
    await _becomes_ready(linked)
    blobs = settings.data_dir / "blobs"
    away = blobs.rename(settings.data_dir / "away")
    ready = await linked.get("/ready")
    assert ready.status_code == 503
    assert ready.json()["store"] == {"ok": False, "code": "store_unavailable"}
    assert not blobs.exists()
    away.rename(blobs)
    await _becomes_ready(linked)


async def test_a_worker_waits_for_a_database_that_is_coming_back(settings: Settings, link: DatabaseLink) -> None:
    await link.cut()
    app = create_app(settings, database_url=link.url)
    lifespan = app.router.lifespan_context(app)
    starting = asyncio.create_task(lifespan.__aenter__())
    await asyncio.wait([starting], timeout=0.3)
    assert not starting.done()
    await link.mend()
    await starting
    await lifespan.__aexit__(None, None, None)


# ---- metrics ----


def _samples(text: str) -> Iterator[tuple[str, dict[str, str], float]]:
    for metric in text_string_to_metric_families(text):
        for sample in metric.samples:
            yield sample.name, sample.labels, sample.value


def _requests(text: str, route: str) -> float:
    return sum(
        value
        for name, labels, value in _samples(text)
        if name == "lockleaf_http_requests_total" and labels["route"] == route
    )


async def _request_anew(server: RunningServer, path: str, times: int = 1) -> httpx.Response:
    """Ask on connections of their own, so that any worker may answer."""
    for _ in range(times):
        async with httpx.AsyncClient(base_url=server.url, timeout=60) as client:
            answer = await client.get(path)
    return answer


@pytest.mark.parametrize("which", ["server", "two_workers"])
async def test_requests_are_counted_over_all_workers_by_route_template(
    which: str, request: pytest.FixtureRequest
) -> None:
    server: RunningServer = request.getfixturevalue(which)
    before = _requests((await _request_anew(server, "/metrics")).text, "/health")
    await _request_anew(server, "/health", times=20)
    answer = await _request_anew(server, "/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    assert _requests(answer.text, "/health") - before == 20
    names = {name for name, _, _ in _samples(answer.text)}
    assert {"lockleaf_http_request_duration_seconds_bucket", "lockleaf_database_connections"} < names


async def test_whether_the_database_answers_is_asked_for_each_answer(
    linked: httpx.AsyncClient, link: DatabaseLink
) -> None:
    assert "lockleaf_database_up 1.0" in (await linked.get("/metrics")).text  # nobody has asked /ready
    await link.cut()
    assert "lockleaf_database_up 0.0" in (await linked.get("/metrics")).text
    await link.mend()
    assert "lockleaf_database_up 1.0" in (await linked.get("/metrics")).text


async def test_any_of_several_workers_tells_of_the_database_and_of_the_connections_of_all(
    two_workers: RunningServer,
) -> None:
    for _ in range(6):  # whichever answers, and whether or not the others were ever asked
        text = (await _request_anew(two_workers, "/metrics")).text
        assert "lockleaf_database_up 1.0" in text
        told = {
            tuple(labels.values()): value
            for name, labels, value in _samples(text)
            if name == "lockleaf_database_connections"
        }
        assert told.keys() == {(pool, state) for pool in ("writing", "reading") for state in ("in_use", "idle")}


async def test_connections_are_counted_as_they_come_and_go(settings: Settings, database_url: str) -> None:
    metrics, database = Metrics(), Database(database_url, settings.database)
    metrics.watch_pools(database)

    def told() -> tuple[float, float]:
        text = metrics.exposition(database_up=True, queue=None).decode()
        found = {labels["state"]: value for _, labels, value in _samples(text) if labels.get("pool") == "reading"}
        return found["in_use"], found["idle"]

    assert told() == (0, 0)
    async with database.read_driver():
        assert told() == (1, 0)
        async with database.read_driver():
            assert told() == (2, 0)
        assert told() == (1, 1)
    assert told() == (0, 2)
    await database.close()


async def test_metrics_hold_nothing_of_a_user(over_socket: httpx.AsyncClient, server: RunningServer) -> None:
    async with httpx.AsyncClient(base_url=f"{server.url}/api/v1", timeout=60) as http:
        owner = await register(http, device_name="canary-device")
        record = change(collection="x-canary", record_id="canary-record")
        await owner.results(record)
        await owner.request("GET", "/sync/changes", params={"collection": "x-canary"})
        await owner.request("DELETE", "/auth/sessions/0190aaaa-bbbb-7000-8000-00000000cafe")
        await owner.request("CANARY", "/canary/path")
        await owner.request("GET", "/canary/path?canary=1")
    text = (await over_socket.get("/metrics")).text
    assert 'route="/auth/sessions/{session_id}"' in text
    for secret in (owner.email, owner.answer["id"], owner.token, "canary", "CANARY", "cafe"):
        assert secret not in text
    for name, labels, _ in _samples(text):
        for label, value in labels.items():
            assert not re.search(r"[0-9a-f]{8}-[0-9a-f]{4}|@", value), (name, label)
    assert {labels["route"] for name, labels, _ in _samples(text) if "route" in labels} >= {"unmatched", "/sync/push"}


async def test_what_a_killed_worker_had_open_is_not_counted_for_ever(two_workers: RunningServer) -> None:
    async with httpx.AsyncClient(base_url=f"{two_workers.url}/api/v1", timeout=60) as http:
        owner = await register(http)
        headers = {"Authorization": f"Bearer {owner.token}"}
        with pytest.raises(httpx.RemoteProtocolError):
            async with http.stream("GET", "/sync/events", headers=headers) as stream:
                lines = stream.aiter_lines()
                await anext(lines)
                assert "lockleaf_event_streams 1.0" in (await _request_anew(two_workers, "/metrics")).text
                for worker in workers(two_workers):
                    worker.kill()
                async for _ in lines:
                    pass
    async with asyncio.timeout(60):
        # The last samples of a dead worker go when its parent has replaced it.
        while "lockleaf_event_streams 1.0" in (await _metrics_when_back(two_workers)):
            await asyncio.sleep(0.05)


async def _metrics_when_back(server: RunningServer) -> str:
    while True:
        try:
            return (await _request_anew(server, "/metrics")).text
        except httpx.TransportError:
            await asyncio.sleep(0.05)


# ---- answers to anything ----


@pytest.mark.parametrize(
    ("host", "headers", "chosen", "status"),
    [
        ("127.0.0.1", {}, {}, 200),
        ("::1", {}, {}, 200),
        ("::ffff:127.0.0.1", {}, {}, 200),
        ("203.0.113.9", {}, {}, 401),
        ("127.0.0.1", {"X-Forwarded-For": "127.0.0.1"}, {}, 401),
        ("127.0.0.1", {"Forwarded": "for=203.0.113.9"}, {}, 401),
        ("203.0.113.9", {"Authorization": "Bearer the operator's token"}, {}, 401),
        ("203.0.113.9", {"Authorization": "Bearer the operator's token"}, {"token": "the operator's token"}, 200),
        ("203.0.113.9", {"Authorization": "Bearer the operator's"}, {"token": "the operator's token"}, 401),
        ("203.0.113.9", {"Authorization": "Basic the operator's token"}, {"token": "the operator's token"}, 401),
        ("203.0.113.9", {}, {"open": True}, 200),
    ],
)
async def test_the_servers_figures_are_for_its_own_machine_or_a_token(
    app: FastAPI, host: str, headers: dict[str, str], chosen: dict[str, Any], status: int
) -> None:
    running = app.state.parts
    before = running[Settings]
    running.add(Settings, before.model_copy(update={"metrics": MetricsSettings(**chosen)}))
    try:
        transport = httpx.ASGITransport(app, client=(host, 4711))
        async with httpx.AsyncClient(transport=transport, base_url="http://lockleaf.test") as http:
            answer = await http.get("/metrics", headers=headers)
    finally:
        running.add(Settings, before)
    assert answer.status_code == status
    assert (b"# TYPE lockleaf_" in answer.content) == (status == 200)


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/api/v1/nothing/here", 404, "route_not_found"),
        ("GET", "/api/nothing/here", 404, "route_not_found"),
        ("GET", "/nothing", 404, "route_not_found"),
        ("PATCH", "/api/v1/auth/login", 405, "method_not_allowed"),
        ("GET", "/api/sync/push", 405, "method_not_allowed"),
        ("DELETE", "/health", 405, "method_not_allowed"),
        ("GET", "/api/v1/auth/me", 401, "not_authenticated"),
        ("GET", "/api/v1/%00/%ff", 404, "route_not_found"),
    ],
)
async def test_every_refusal_is_a_problem_document(
    over_socket: httpx.AsyncClient, method: str, path: str, status: int, code: str
) -> None:
    answer = await over_socket.request(method, path)
    assert (answer.status_code, answer.headers["content-type"]) == (status, PROBLEM)
    assert (answer.json()["status"], answer.json()["code"]) == (status, code)


@pytest.mark.parametrize("prefix", ["/api/v1", "/api"])
async def test_bodies_that_are_none_are_refused_alike_below_both_prefixes(
    over_socket: httpx.AsyncClient, prefix: str
) -> None:
    async def refusal(content: bytes | Any, **headers: str) -> tuple[int, str]:
        answer = await over_socket.post(
            f"{prefix}/auth/login", content=content, headers={"Content-Type": "application/json", **headers}
        )
        assert answer.headers["content-type"] == PROBLEM
        assert "canary" not in answer.text
        return answer.status_code, answer.json()["code"]

    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(3):
            yield bytes(1024 * 1024)

    assert await refusal(b'{"email": "canary') == (400, "malformed_body")
    assert await refusal(b'{"email": "canary@example.org"}') == (422, "invalid_request")
    assert await refusal(b'"canary"') == (422, "invalid_request")
    assert await refusal(b"", **{"Content-Type": "canary/canary"}) == (415, "unsupported_media_type")
    assert await refusal(bytes(2 * 1024 * 1024)) == (413, "body_too_large")
    assert await refusal(chunks()) == (413, "body_too_large")


async def test_every_answer_has_an_id_of_its_own_and_headers_that_keep_it_private(
    over_socket: httpx.AsyncClient,
) -> None:
    ids = []
    for path in ("/health", "/ready", "/metrics", "/nothing", "/api/v1/auth/me", "/api/v1/openapi.json", "/docs"):
        answer = await over_socket.get(path, headers={"X-Request-ID": "mine"})
        # The document is everybody's alike, and may be kept.
        kept = {"cache-control": "public, max-age=300"} if path.endswith("openapi.json") else {}
        assert {name: answer.headers[name] for name in SECURITY_HEADERS} == SECURITY_HEADERS | kept
        assert "server" not in answer.headers
        ids.append(answer.headers["x-request-id"])
    assert all(re.fullmatch(r"[0-9a-f]{24}", each) for each in ids)
    assert len(set(ids)) == len(ids)
