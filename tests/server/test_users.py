"""What an operator does about single accounts, and what their users are told."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from lockleaf.server.main.maintenance import users
from lockleaf.server.platform.settings import Settings
from tests.support.account_holders import problem
from tests.support.accounts import change, register, sealed
from tests.support.media import attach
from tests.support.operated import Site, operated


@pytest.fixture
async def site(
    server_environment: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Site]:
    async with operated(server_environment, tmp_path, monkeypatch) as site:
        yield site


async def test_accounts_are_listed_with_what_they_hold_and_nothing_that_they_wrote(site: Site) -> None:
    owner = site.owner
    await owner.push(change(payload=sealed(1000)), change())
    await attach(owner, b"a file of some bytes")
    await register(owner.http)
    listed = [user async for user in users.list_users(site.url)]
    assert len(listed) == 2
    (one,) = [user for user in listed if user.login_name == owner.email]
    assert (one.custody, one.sessions, one.records, one.media_bytes) == ("e2e", 1, 2, 20)
    assert one.record_bytes > 1300
    assert await users.find(site.url, owner.email.upper()) == await users.find(site.url, str(one.user_id)) == one
    with pytest.raises(users.AccountUnknown):
        await users.find(site.url, "nobody@example.org")


async def test_nobody_gets_into_a_disabled_account_and_its_sessions_go_on_afterwards(site: Site) -> None:
    owner, http = site.owner, site.owner.http
    user = await users.find(site.url, owner.email)
    login = {"email": owner.email, "password": owner.password}
    await users.set_disabled(site.url, user.user_id, disabled=True)
    problem(await owner.request("GET", "/auth/me"), 403, "account_disabled")
    problem(await http.post("/auth/login", json=login), 403, "account_disabled")
    # Who does not know the secret is not told.
    problem(await http.post("/auth/login", json={**login, "password": "x" * 43}), 401, "invalid_credentials")
    refresh = {"refresh_token": owner.answer["refresh_token"]}
    problem(await http.post("/auth/refresh", json=refresh), 403, "account_disabled")
    await users.set_disabled(site.url, user.user_id, disabled=False)
    assert (await owner.request("GET", "/auth/me")).status_code == 200
    assert (await http.post("/auth/refresh", json=refresh)).status_code == 200


async def test_a_quota_of_its_own_holds_for_one_account_alone(site: Site) -> None:
    owner, other = site.owner, await register(site.owner.http)
    user = await users.find(site.url, owner.email)
    await users.set_quota(site.url, user.user_id, 1000)
    refused = (await owner.push(change(payload=sealed(2000))))["results"]
    assert [(each["status"], each["code"]) for each in refused] == [("rejected", "quota_exceeded")]
    assert (await owner.request("GET", "/auth/features")).json()["storage"]["limit_bytes"] == 1000
    assert (await other.push(change(payload=sealed(2000))))["results"][0]["status"] == "applied"
    await users.set_quota(site.url, user.user_id, users.UNLIMITED)
    assert (await owner.push(change(payload=sealed(2000))))["results"][0]["status"] == "applied"
    assert (await owner.request("GET", "/auth/features")).json()["storage"]["limit_bytes"] is None


async def test_an_account_is_signed_out_and_deleted_as_its_own_user_would(site: Site) -> None:
    owner = site.owner
    await owner.push(change())
    await attach(owner, b"a file")
    user = await users.find(site.url, owner.email)
    await users.sign_out(Settings(), site.url, user.user_id)
    problem(await owner.request("GET", "/auth/me"), 401, "session_revoked")
    await users.delete(Settings(), site.url, user.user_id)
    assert [each async for each in users.list_users(site.url)] == []
    problem(
        await owner.http.post("/auth/login", json={"email": owner.email, "password": owner.password}),
        401,
        "invalid_credentials",
    )
