"""Nothing that a user sends comes into a log, by whatever way it is sent."""

from __future__ import annotations

import asyncio
import base64
import io
import json
import logging
import re
import secrets
from collections.abc import AsyncIterator
from typing import Any, cast
from uuid import UUID

import httpx
import pytest
from fastapi import FastAPI, Request
from hypothesis import example, given
from hypothesis import strategies as st
from sqlalchemy import text

from lockleaf.crypto import recovery
from lockleaf.server.identity.accounts import service as accounts
from lockleaf.server.platform.http.dependencies import Tx
from lockleaf.server.platform.observability.logging import redact_text
from lockleaf.wire.codec import MSGPACK, pack
from tests.support.accounts import change, register
from tests.support.canaries import Canaries
from tests.support.process import RunningServer

CANARY = "canary" + secrets.token_hex(12)
EMAIL = f"{CANARY}@example.org"


def _lines(log: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in log.splitlines()]


class ContentError(Exception):
    """An exception whose text holds what a user wrote, as those of libraries do."""


@pytest.fixture
async def failing(own_app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    """The application, with routes that fail with content in hand."""
    app = own_app

    @app.get("/fails/{content}")
    async def fails(content: str) -> None:
        try:
            raise ContentError(content)
        except ContentError as error:
            raise RuntimeError(f"could not handle {content}") from error

    @app.get("/fails-in-the-database/{content}")
    async def fails_in_the_database(content: str, tx: Tx) -> None:
        await accounts.get(tx.session, cast(UUID, content))

    @app.get("/fails-in-sql/{content}")
    async def fails_in_sql(content: str, tx: Tx) -> None:
        await tx.session.execute(text(f"SELECT CAST('{content}' AS integer)"))

    @app.get("/warns/{content}")
    async def warns(content: str, request: Request) -> None:
        logging.getLogger("some.library").warning("bad thing from %s, token %s", content, request.headers["x-token"])

    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://lockleaf.test") as client:
        yield client


def _without_line_numbers(places: list[str]) -> list[str]:
    return [re.sub(r":\d+", "", place) + " " for place in places]


@pytest.mark.parametrize(
    ("route", "told_at"),
    [
        ("fails", "test_logs.py fails"),
        ("fails-in-the-database", "service.py get"),
        ("fails-in-sql", "middleware.py __call__"),
    ],
)
async def test_an_exception_is_logged_by_type_and_place_and_never_by_its_text(
    failing: httpx.AsyncClient, log: io.StringIO, route: str, told_at: str
) -> None:
    answer = await failing.get(f"/{route}/{CANARY}")
    assert answer.status_code in (422, 500)
    assert CANARY not in answer.text
    assert CANARY not in log.getvalue()
    lines = _lines(log.getvalue())
    [failed] = [line for line in lines if line.get("request_id") == answer.headers["x-request-id"]]
    assert failed["level"] == "error"
    assert failed["event"] == "request failed"
    assert "Error" in failed["error"]
    assert any(place.startswith(f"{told_at} ") for place in _without_line_numbers(failed["raised_at"]))


async def test_what_libraries_log_is_redacted(failing: httpx.AsyncClient, log: io.StringIO) -> None:
    await failing.get(f"/warns/{EMAIL}", headers={"X-Token": secrets.token_hex(32)})
    [warning] = [line for line in _lines(log.getvalue()) if line["logger"] == "some.library"]
    assert warning["event"] == "bad thing from [redacted] token [redacted]"


async def test_no_log_line_of_a_server_holds_what_anybody_sent(server: RunningServer) -> None:
    canaries = Canaries({"content": CANARY})
    offset = server.log.stat().st_size
    async with httpx.AsyncClient(base_url=f"{server.url}/api/v1", timeout=60) as http:
        fields = {"email": EMAIL, "password": f"password-{CANARY}", "display_name": CANARY, "device_name": CANARY}
        owner = await register(http, **fields)
        again = await http.post("/auth/register", json={**fields, "password": f"other-{CANARY}"})
        assert again.status_code == 409
        record = {"collection": f"x-{CANARY}"[:32], "record_id": CANARY, "payload": CANARY.encode()}
        await owner.results(change(**record, source=CANARY, device_id=CANARY))
        ids = [
            answer.headers["x-request-id"]
            for answer in [
                await http.get(f"/{CANARY}/{EMAIL}"),
                await http.get(f"/auth/me?token={owner.token}&email={EMAIL}"),
                await http.get("/auth/me", headers={"Authorization": f"Bearer {CANARY}", "User-Agent": CANARY}),
                await http.get(
                    "/auth/me", headers={"Authorization": f"{CANARY} {owner.token}", "X-Request-ID": CANARY}
                ),
                await http.post("/auth/login", json={"email": EMAIL, "password": CANARY * 10}),
                await http.post("/auth/login", content=CANARY.encode(), headers={"Content-Type": "application/json"}),
                await http.post("/auth/login", content=CANARY.encode(), headers={"Content-Type": CANARY}),
                await http.post("/auth/token", data={"username": EMAIL, "password": CANARY, "scope": CANARY}),
                await http.post("/auth/refresh", json={"refresh_token": owner.token, "retry_id": CANARY}),
                await http.post("/auth/verify-recovery-code", json={"email": EMAIL, "verifier": CANARY}),
                await owner.request("GET", "/sync/changes", params={"after": CANARY, "limit": CANARY}),
                await owner.request("DELETE", f"/auth/sessions/{CANARY}"),
                await owner.request("PUT", "/users/me", json={"timezone": CANARY, "locale": f"{CANARY}\n"}),
                await owner.request("PUT", "/users/me/preferences", json={"theme_preferences": {CANARY: CANARY}}),
                await owner.request("POST", f"/sync/conflicts/{CANARY}/resolve", json={"chosen_version": CANARY}),
                await owner.request(
                    "POST", "/sync/push", content=pack({"changes": [CANARY]}), headers={"Content-Type": MSGPACK}
                ),
            ]
        ]
    for line in (f"GET /{CANARY} HTTP/9.9", f"{CANARY.upper()} / HTTP/1.1", f"GET / HTTP/1.1\r\n{EMAIL}"):
        raw = await _raw(server, f"{line}\r\n\r\n".encode())
        assert b" 400 " in raw.split(b"\r\n")[0]
    with server.log.open("rb") as file:
        file.seek(offset)
        written = file.read()
    assert canaries.found_in(written.lower()) == set()
    for secret in (EMAIL, owner.token, owner.answer["refresh_token"], owner.answer["id"]):
        assert secret.encode() not in written
    lines = _lines(written.decode())
    assert set(ids) <= {line.get("request_id") for line in lines}
    for line in lines:
        if line["logger"] == "lockleaf.http":
            assert {"request_id", "method", "route", "status", "duration_ms", "timestamp", "level"} <= set(line)
            assert line["method"].isupper()


async def _raw(server: RunningServer, data: bytes) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(data)
    answer = await reader.read()
    writer.close()
    return answer


async def test_the_search_would_find_what_is_there(server: RunningServer) -> None:
    async with httpx.AsyncClient(base_url=server.url, timeout=60) as http:
        request_id = (await http.get("/health")).headers["x-request-id"]
    assert Canaries({"id": request_id}).found_in(server.log.read_bytes()) == {"id"}


@example("o'brien@example.org", "")
@given(st.emails(), st.text(st.characters(exclude_categories=["Cs"]), max_size=20))
def test_no_email_gets_through_the_redaction(email: str, around: str) -> None:
    assert email not in redact_text(f"{around} {email} {around}")


@given(st.binary(min_size=32, max_size=200))
def test_no_key_token_or_sealed_bytes_get_through_the_redaction(data: bytes) -> None:
    for encoded in (data.hex(), base64.b64encode(data).decode(), base64.urlsafe_b64encode(data).decode()):
        assert encoded not in redact_text(f"value={encoded}")
        assert encoded not in redact_text(f"Bearer {encoded}")


def test_no_recovery_code_gets_through_the_redaction() -> None:
    for _ in range(50):
        code = recovery.new_code()
        assert code not in redact_text(f"the code {code} was refused")
