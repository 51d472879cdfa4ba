"""Whatever bytes a body has, in whatever encoding, compressed or not: an answer, and no fault of the server."""

from __future__ import annotations

import gzip
import json

import httpx
import ormsgpack
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lockleaf.wire.codec import JSON, MSGPACK
from tests.fuzz.bodies import EXAMPLE
from tests.fuzz.mutations import mutated
from tests.support.account_holders import Person
from tests.support.process import RunningServer

PREFIX = "/api/v1"
LAST = {("post", "/auth/logout"), ("delete", "/users/me")}
"""What would end the session whose requests are tried."""


async def test_no_body_is_a_fault_of_the_server(server: RunningServer) -> None:
    async with httpx.AsyncClient(base_url=server.url + PREFIX, timeout=30) as http:
        person = await Person().sign_up(http, privacy_tier="full_sync")
        paths = (await http.get("/openapi.json")).json()["paths"]
    asked = [
        (method, path.removeprefix(PREFIX).replace("{", "").replace("}", ""))
        for path, methods in paths.items()
        for method, operation in methods.items()
        if "requestBody" in operation and (method, path.removeprefix(PREFIX)) not in LAST
    ]
    assert len(asked) > 40
    packed, written = ormsgpack.packb(EXAMPLE), json.dumps(EXAMPLE).encode()

    with httpx.Client(base_url=server.url + PREFIX, timeout=30, headers=person.headers) as http:

        @settings(max_examples=150, database=None, suppress_health_check=list(HealthCheck))
        @given(
            st.sampled_from(asked),
            st.one_of(
                st.tuples(st.just(MSGPACK), mutated([packed])),
                st.tuples(st.just(JSON), mutated([written])),
                st.tuples(st.sampled_from(["text/plain", "application/x-www-form-urlencoded", ""]), mutated([written])),
            ),
            st.sampled_from(["", "gzip", "broken", "br"]),
        )
        def ask(route: tuple[str, str], body: tuple[str, bytes], coding: str) -> None:
            (method, path), (media_type, data) = route, body
            headers = {"Content-Type": media_type, **({"Content-Encoding": coding} if coding else {})}
            answer = http.request(
                method, path, content=gzip.compress(data) if coding == "gzip" else data, headers=headers
            )
            assert answer.status_code < 500, (method, path, answer.status_code)
            assert answer.is_success or answer.headers["Content-Type"] == "application/problem+json"

        ask()
        assert http.get("/users/me").status_code == 200
