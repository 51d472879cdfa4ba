"""Which pages of other origins may call: those that an operator names, by default none."""

from __future__ import annotations

import httpx
import pytest

from lockleaf.server.platform.settings import CorsSettings, Settings
from tests.support.account_holders import problem, served
from tests.support.accounts import register

APP, STRANGER = "https://app.example.org", "https://stranger.example.org"
ALLOWED = "access-control-allow-origin"


def of_origins(settings: Settings, *origins: str) -> Settings:
    return settings.model_copy(update={"cors": CorsSettings(origins=origins)})


async def preflight(http: httpx.AsyncClient, path: str, origin: str, method: str = "PUT") -> httpx.Response:
    headers = {
        "Origin": origin,
        "Access-Control-Request-Method": method,
        "Access-Control-Request-Headers": "authorization,content-type,if-match",
    }
    return await http.options(path, headers=headers)


async def test_without_a_word_no_page_of_another_origin_may_call(http: httpx.AsyncClient) -> None:
    assert ALLOWED not in (await preflight(http, "/users/me", APP)).headers
    assert ALLOWED not in (await http.get("/encryption/context", headers={"Origin": APP})).headers


@pytest.mark.parametrize("prefix", ["/api/v1", "/api"])
async def test_named_origins_may_call_and_read_what_answers(settings: Settings, prefix: str) -> None:
    async with served(of_origins(settings, APP, "http://localhost:3000")) as (_, http):
        at = f"http://lockleaf.test{prefix}"
        asked = await preflight(http, f"{at}/users/me", APP)
        assert (asked.status_code, asked.headers[ALLOWED]) == (200, APP)
        assert asked.headers["access-control-allow-headers"].replace(" ", "") == "authorization,content-type,if-match"
        assert "PUT" in asked.headers["access-control-allow-methods"]
        assert "access-control-allow-credentials" not in asked.headers
        refused = await preflight(http, f"{at}/users/me", STRANGER)
        assert (refused.status_code, ALLOWED in refused.headers) == (400, False)

        owner = await register(http)
        told = await owner.request("GET", f"{at}/users/me/", headers={"Origin": APP})
        assert (told.status_code, told.headers[ALLOWED], "Origin" in told.headers["vary"]) == (200, APP, True)
        assert "X-Request-ID" in told.headers["access-control-expose-headers"]
        assert "x-request-id" in told.headers
        stranger = await owner.request("GET", f"{at}/users/me", headers={"Origin": STRANGER})
        assert (stranger.status_code, ALLOWED in stranger.headers) == (200, False)

        # A page must be able to read what refuses its request.
        signed_out = await http.get(f"{at}/users/me", headers={"Origin": APP})
        problem(signed_out, 401, "not_authenticated")
        large = await owner.request("POST", f"{at}/tags", content=bytes(2 * 2**20), headers={"Origin": APP})
        problem(large, 413, "body_too_large")
        assert signed_out.headers[ALLOWED] == large.headers[ALLOWED] == APP


async def test_any_origin_may_call_where_the_operator_says_so_but_read_no_figures(settings: Settings) -> None:
    async with served(of_origins(settings, "*")) as (_, http):
        assert (await preflight(http, "/entries", STRANGER, "POST")).headers[ALLOWED] == "*"
        for path in ("/metrics", "/ready", "/health"):
            answer = await http.get(f"http://lockleaf.test{path}", headers={"Origin": STRANGER})
            assert ALLOWED not in answer.headers
