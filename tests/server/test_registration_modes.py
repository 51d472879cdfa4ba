"""Who may make an account: everybody, who was invited, or nobody; and what a stranger learns of those who have one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

import asyncpg
import httpx
import pytest

from lockleaf.server.identity.accounts import invitations
from lockleaf.server.platform.db.engine import asyncpg_url
from lockleaf.server.platform.settings import RegistrationSettings, Settings
from tests.support.account_holders import Person, new_email, problem, served


@pytest.fixture
async def connection(database_url: str) -> AsyncIterator[asyncpg.Connection]:
    """A connection to a database without invitations."""
    connection = await asyncpg.connect(asyncpg_url(database_url))
    await connection.execute("DELETE FROM invitations")
    yield connection
    await connection.close()


async def invite(connection: asyncpg.Connection, *, uses: int = 1, days: float = 1) -> str:
    now = datetime.now(UTC)
    return await invitations.invite(connection, uses=uses, now=now, expires_at=now + timedelta(days=days))


def admitting(settings: Settings, mode: Literal["open", "invitation", "closed"]) -> Settings:
    return settings.model_copy(update={"registration": RegistrationSettings(mode=mode)})


async def sign_up(http: httpx.AsyncClient, person: Person, **more: Any) -> httpx.Response:
    return await http.post("/auth/signup", json=person.signup_body(**more))


async def thin_sign_up(http: httpx.AsyncClient, email: str, **more: Any) -> httpx.Response:
    body = {"email": email, "password": "six herons over a cold dyke", "encryption_tier": "uce", **more}
    return await http.post("/auth/signup", json=body)


async def older_sign_up(http: httpx.AsyncClient, **body: Any) -> httpx.Response:
    return await http.post("/auth/register", json={"password": "some secret", **body})


async def test_who_was_invited_makes_one_account_and_no_other(
    settings: Settings, connection: asyncpg.Connection
) -> None:
    async with served(admitting(settings, "invitation")) as (_, http):
        for refused in (
            await sign_up(http, Person()),
            await thin_sign_up(http, new_email()),
            await older_sign_up(http, email=new_email()),
            await older_sign_up(http, username="a-vault-client"),
        ):
            problem(refused, 403, "invitation_required")
        code = await invite(connection)
        typed = code.lower().replace("-", " ")
        assert (await sign_up(http, Person(), invitation=typed)).status_code == 201
        problem(await sign_up(http, Person(), invitation=code), 403, "invalid_invitation")
        for wrong in ("nonsense", "AAAAA-AAAAA-AAAAA-AAAAA"):
            problem(await thin_sign_up(http, new_email(), invitation=wrong), 403, "invalid_invitation")


async def test_an_invitation_for_several_lets_in_as_many_though_they_come_at_once(
    settings: Settings, connection: asyncpg.Connection
) -> None:
    async with served(admitting(settings, "invitation")) as (_, http):
        code = await invite(connection, uses=3)
        answers = await asyncio.gather(*[thin_sign_up(http, new_email(), invitation=code) for _ in range(6)])
        assert sorted(answer.status_code for answer in answers) == [201] * 3 + [403] * 3
        assert not await invitations.invited(connection, datetime.now(UTC))


async def test_an_expired_or_revoked_invitation_lets_nobody_in(
    settings: Settings, connection: asyncpg.Connection
) -> None:
    async with served(admitting(settings, "invitation")) as (_, http):
        expired = await invite(connection, days=-1)
        problem(await thin_sign_up(http, new_email(), invitation=expired), 403, "invalid_invitation")
        code = await invite(connection, uses=5)
        [listed] = await invitations.invited(connection, datetime.now(UTC))
        assert (listed.uses, listed.uses_left) == (5, 5)
        assert await invitations.revoke(connection, listed.id)
        assert not await invitations.revoke(connection, listed.id)
        problem(await thin_sign_up(http, new_email(), invitation=code), 403, "invalid_invitation")


async def test_a_sign_up_whose_answer_was_lost_is_answered_again_though_its_invitation_is_spent(
    settings: Settings, connection: asyncpg.Connection
) -> None:
    async with served(admitting(settings, "invitation")) as (_, http):
        person = Person()
        body = person.signup_body(invitation=await invite(connection))
        answers = [await http.post("/auth/signup", json=body) for _ in range(2)]
        assert [answer.status_code for answer in answers] == [201, 201]
        assert {answer.json()["id"] for answer in answers} == {str(person.id)}


async def test_a_refused_sign_up_spends_no_invitation(settings: Settings, connection: asyncpg.Connection) -> None:
    async with served(admitting(settings, "invitation")) as (_, http):
        code = await invite(connection, uses=2)
        person = Person()
        assert (await sign_up(http, person, invitation=code)).status_code == 201
        problem(await sign_up(http, Person(email=person.email), invitation=code), 409, "email_taken")
        assert (await sign_up(http, Person(), invitation=code)).status_code == 201


@pytest.mark.parametrize(("mode", "code"), [("invitation", "invitation_required"), ("closed", "registration_closed")])
async def test_a_stranger_is_not_told_whether_an_email_is_taken(
    settings: Settings, mode: Literal["invitation", "closed"], code: str
) -> None:
    async with served(settings) as (_, http):
        person = await Person().sign_up(http)
    async with served(admitting(settings, mode)) as (_, http):
        for email in (person.email, new_email()):
            problem(await sign_up(http, Person(email=email)), 403, code)
            problem(await thin_sign_up(http, email), 403, code)
            problem(await older_sign_up(http, email=email), 403, code)
        # Who has an account goes on.
        await person.log_in(http)


async def test_a_thief_of_the_database_makes_no_account_by_what_is_kept_of_an_invitation(
    settings: Settings, connection: asyncpg.Connection
) -> None:
    code = await invite(connection)
    kept = await connection.fetchval("SELECT string_agg(i::text, ' ') FROM invitations i")
    bare = code.replace("-", "")
    assert code not in kept
    assert bare not in kept
    async with served(admitting(settings, "invitation")) as (_, http):
        [digest] = await connection.fetchrow("SELECT encode(digest, 'hex') FROM invitations WHERE uses_left = 1")
        problem(await thin_sign_up(http, new_email(), invitation=digest[:64]), 403, "invalid_invitation")


async def test_where_everybody_may_join_an_invitation_is_not_spent(
    settings: Settings, connection: asyncpg.Connection
) -> None:
    code = await invite(connection)
    async with served(settings) as (_, http):
        assert (await thin_sign_up(http, new_email(), invitation=code)).status_code == 201
    assert any(each.uses_left == 1 for each in await invitations.invited(connection, datetime.now(UTC)))
