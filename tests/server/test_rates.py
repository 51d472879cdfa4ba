"""Who asks too often is asked to come back: who is counted, by what, and what is told."""

from __future__ import annotations

import re
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute, iter_route_contexts

from lockleaf.client import RetryPolicy
from lockleaf.client.errors import RateLimited
from lockleaf.client.transport.http import Transport
from lockleaf.client.transport.tokens import MemoryTokens
from lockleaf.server.main.app import create_app
from lockleaf.server.platform.http.middleware import ATTEMPTS
from lockleaf.server.platform.http.rates import GENERAL
from lockleaf.server.platform.settings import ProxySettings, RateSettings, Settings
from lockleaf.wire.sessions import Prelogin, PreloginAnswer
from tests.support.account_holders import Person, new_email, problem, served

HERE, THERE, ELSEWHERE = "198.51.100.7", "203.0.113.9", "192.0.2.1"


def rated(settings: Settings, **rates: Any) -> Settings:
    """The same settings with rates switched on."""
    return settings.model_copy(update={"rates": RateSettings(**rates)})


def calling(app: FastAPI, address: str, **headers: str) -> httpx.AsyncClient:
    """A client of an application that calls from an address."""
    transport = httpx.ASGITransport(app, client=(address, 4711))
    return httpx.AsyncClient(transport=transport, base_url="http://lockleaf.test/api/v1", headers=headers)


async def attempt(http: httpx.AsyncClient, email: str, secret: str = "wrong secret", **more: str) -> httpx.Response:
    return await http.post("/auth/login", json={"email": email, "password": secret, **more})


async def test_an_address_that_guesses_at_an_account_is_refused_with_the_right_password_too(settings: Settings) -> None:
    async with served(rated(settings, login_account="2/hour"), address=HERE) as (app, http):
        person = await Person().sign_up(http)
        for _ in range(2):
            problem(await attempt(http, person.email), 401, "invalid_credentials")
        refused = await attempt(http, person.email.upper(), person.secret)
        problem(refused, 429, "rate_limited")
        assert 1 <= int(refused.headers["Retry-After"]) <= 3600
        assert refused.headers["RateLimit-Policy"] == '"login_account-hour";q=2;w=3600'
        assert re.fullmatch(r'"login_account-hour";r=0;t=\d+', refused.headers["RateLimit"])
        # Another account from here, and this one from elsewhere, are not this address's guesses at it.
        problem(await attempt(http, new_email()), 401, "invalid_credentials")
        async with calling(app, THERE) as elsewhere:
            assert (await attempt(elsewhere, person.email, person.secret)).status_code == 200


async def test_an_account_that_nobody_has_is_counted_like_one_that_somebody_has(settings: Settings) -> None:
    async with served(rated(settings, login_account="1/hour", login_everywhere="off")) as (_, http):
        person = await Person().sign_up(http)
        for email in (person.email, new_email()):
            statuses = [(await attempt(http, email)).status_code for _ in range(2)]
            assert statuses == [401, 429]


async def test_guesses_from_everywhere_do_not_lock_out_a_device_that_the_account_knows(settings: Settings) -> None:
    async with served(rated(settings, login_everywhere="3/hour"), address=HERE) as (app, http):
        person = await Person().sign_up(http, device_id="the-laptop")
        for number in range(3):
            async with calling(app, f"203.0.113.{number}") as thief:
                problem(await attempt(thief, person.email), 401, "invalid_credentials")
        problem(await attempt(http, person.email, person.secret), 429, "rate_limited")
        problem(await attempt(http, person.email, person.secret, device_id="another"), 429, "rate_limited")
        assert (await attempt(http, person.email, person.secret, device_id="the-laptop")).status_code == 200
        # It stays known when it has logged out, if it ever signed what it saw; here it only had the session.
        assert (await http.get("/auth/me", headers=person.headers)).status_code == 200


async def test_recovery_codes_sign_up_and_prelogin_have_rates_of_their_own(settings: Settings) -> None:
    rates = {"recovery_account": "1/hour", "signup": "1/hour", "prelogin": "1/hour"}
    async with served(rated(settings, **rates)) as (_, http):
        person = await Person().sign_up(http)
        again = await http.post("/auth/register", json={"email": person.email, "password": "some secret"})
        problem(again, 429, "rate_limited")
        code = {"email": person.email, "code": "AAAAA-AAAAA-AAAAA-AAAAA"}
        answers = [await http.post("/auth/verify-recovery-code", json=code) for _ in range(2)]
        assert [answer.status_code for answer in answers] == [401, 429]
        answers = [await http.post("/auth/prelogin", json={"email": new_email()}) for _ in range(2)]
        assert [answer.status_code for answer in answers] == [200, 429]


async def test_a_stolen_session_that_guesses_keeps_no_other_from_changing_the_password(settings: Settings) -> None:
    async with served(rated(settings, secret="1/hour")) as (_, http):
        person = await Person().sign_up(http)
        stolen = person.headers
        person.tokens = (await attempt(http, person.email, person.secret)).json()
        for status in (401, 429):
            answer = await http.request(
                "DELETE", "/users/me", headers=stolen, json={"current_password": "a guess at it"}
            )
            assert answer.status_code == status
        answer = await http.request(
            "DELETE", "/users/me", headers=person.headers, json={"current_password": person.secret}
        )
        assert answer.status_code == 204


async def test_every_answer_says_how_its_rates_stand_and_operators_questions_have_none(settings: Settings) -> None:
    async with served(rated(settings, address="100/minute", account="50/minute")) as (_, http):
        person = await Person().sign_up(http)
        answer = await http.get("/auth/me", headers=person.headers)
        assert answer.headers["RateLimit-Policy"] == '"account-minute";q=50;w=60'
        assert re.fullmatch(r'"account-minute";r=49;t=\d+', answer.headers["RateLimit"])
        unknown = await http.get("/auth/me")
        assert unknown.headers["RateLimit-Policy"] == '"address-minute";q=100;w=60'
        for path in ("/health", "/ready"):
            assert "RateLimit" not in (await http.get(f"http://lockleaf.test{path}")).headers


async def test_rates_that_are_switched_off_count_nothing(settings: Settings) -> None:
    for off in ({"enabled": False}, {"login": "off", "login_account": "off", "login_everywhere": "off"}):
        async with served(rated(settings, **off)) as (_, http):
            assert {(await attempt(http, "nobody@example.org")).status_code for _ in range(30)} == {401}


async def test_workers_that_count_by_themselves_have_a_share_each(settings: Settings) -> None:
    async with served(rated(settings, login_account="10/hour", shares=4)) as (_, http):
        email = new_email()
        statuses = [(await attempt(http, email)).status_code for _ in range(4)]
        assert statuses == [401, 401, 401, 429]


async def test_a_client_behind_a_proxy_that_is_named_is_counted_by_itself(settings: Settings) -> None:
    settings = rated(settings, login="1/hour")
    behind = settings.model_copy(update={"proxies": ProxySettings(trusted=("10.0.0.0/8",))})
    async with served(behind, address="10.0.0.2") as (app, http):
        for client in (HERE, THERE):
            answer = await http.post(
                "/auth/login",
                json={"email": new_email(), "password": "wrong secret"},
                headers={"X-Forwarded-For": f"127.0.0.1, {ELSEWHERE}, {client}, 10.0.0.3"},
            )
            assert answer.status_code == 401
        async with calling(app, "10.0.0.2", **{"X-Forwarded-For": f"{ELSEWHERE}, {HERE}"}) as again:
            problem(await attempt(again, new_email()), 429, "rate_limited")
        # Who is no proxy says nothing of addresses.
        statuses = []
        for number in range(2):
            async with calling(app, ELSEWHERE, **{"X-Forwarded-For": f"203.0.113.{number}"}) as liar:
                statuses.append((await attempt(liar, new_email())).status_code)
        assert statuses == [401, 429]


def test_whatever_is_answered_without_a_session_has_a_tight_rate(settings: Settings) -> None:
    app = create_app(settings)
    paths = app.openapi()["paths"]
    open_to_all = {
        path
        for path, methods in paths.items()
        if path.startswith("/api/v1/auth/") and any("security" not in operation for operation in methods.values())
    }
    tight = {
        route.path_format
        for route in iter_route_contexts(app.routes)
        if isinstance(route.original_route, APIRoute) and getattr(route.endpoint, "rate", GENERAL) in ATTEMPTS
    }
    # A refresh proves a session by a signature, and nobody guesses one.
    assert open_to_all - tight == {"/api/v1/auth/refresh"}


def prelogins(http: httpx.AsyncClient, **retry: float) -> Transport:
    return Transport(
        "http://lockleaf.test", tokens=MemoryTokens(), http_transport=http._transport, allow_insecure=True,
        retry=RetryPolicy(base=0.0, cap=0.0, **retry),
    )  # fmt: skip


async def test_the_sdk_waits_where_the_wait_is_short_and_says_when_to_come_back_where_it_is_long(
    settings: Settings,
) -> None:
    async with served(rated(settings, prelogin="1/second")) as (_, http):
        transport = prelogins(http)
        body = Prelogin(email=new_email())
        for _ in range(2):
            await transport.request("POST", "/auth/prelogin", body=body, answer=PreloginAnswer, authenticated=False)
    async with served(rated(settings, prelogin="1/hour")) as (_, http):
        transport = prelogins(http, patience=0.5)
        await transport.request("POST", "/auth/prelogin", body=body, answer=PreloginAnswer, authenticated=False)
        with pytest.raises(RateLimited, match=r"Try again in \d+ (minutes|seconds)\.") as refused:
            await transport.request("POST", "/auth/prelogin", body=body, answer=PreloginAnswer, authenticated=False)
        assert 0.5 < (refused.value.retry_after or 0) <= 3600
