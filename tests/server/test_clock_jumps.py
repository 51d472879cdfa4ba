"""A server's clock that jumps forwards and backwards costs nobody their account or what they wrote."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from lockleaf.server.platform.settings import Settings
from tests.support.account_holders import Clock, Person, served
from tests.support.accounts import Owner, change
from tests.support.uce_holders import Thin

JUMPS = (
    timedelta(minutes=20),
    timedelta(hours=-3),
    timedelta(hours=26),
    timedelta(days=-400),
    timedelta(days=401),
    timedelta(days=-2),
)


async def signed_in(http: httpx.AsyncClient, person: Person) -> dict[str, Any]:
    """Tokens as a device gets them: it goes on with its own, else renews them, else asks for the password."""
    if (await http.get("/auth/me", headers=person.headers)).status_code == 200:
        return person.tokens
    renewed = await http.post("/auth/refresh", json={"refresh_token": person.tokens["refresh_token"]})
    if renewed.status_code == 200:
        return {**person.tokens, **renewed.json()}
    assert renewed.json()["code"] == "token_expired", renewed.text
    answer = await http.post("/auth/login", json={"email": person.email, "password": person.secret})
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def test_entries_of_an_account_outlive_each_jump(settings: Settings) -> None:
    clock = Clock()
    async with served(settings, clock=clock) as (_, http):
        person = await Person().sign_up(http, privacy_tier="full_sync")
        written = []
        for jump in JUMPS:
            clock.offset += jump
            person.tokens = await signed_in(http, person)
            owner = Owner(http, person.email, person.secret, person.tokens)
            # A device's own clock may be anywhere else.
            made = change(client_updated_at=datetime.now(UTC) - 3 * jump)
            (result,) = await owner.results(made)
            assert result["status"] == "applied"
            written.append(made["record_id"])
            page = await owner.feed()
            assert [each["record_id"] for each in page["changes"]] == written
            assert [each["seq"] for each in page["changes"]] == list(range(1, len(written) + 1))
            assert (await owner.feed(page["cursor"]))["changes"] == []
            assert (await http.get("http://lockleaf.test/ready")).status_code == 200


@pytest.mark.parametrize("forwards", [True, False])
async def test_a_session_in_uce_opens_what_was_written_before_and_after_a_jump(
    settings: Settings, *, forwards: bool
) -> None:
    clock = Clock()
    async with served(settings, clock=clock) as (_, http):
        person = await Thin().sign_up(http)
        texts = []
        for jump in JUMPS if forwards else reversed(JUMPS):
            clock.offset += jump
            person.tokens = await signed_in(http, person)
            texts.append(f"written at {len(texts)}")
            made = await http.post("/entries", json={"content": texts[-1]}, headers=person.headers)
            assert made.status_code == 201, made.text
            listed = (await http.get("/entries", headers=person.headers)).json()["items"]
            assert sorted(each["content"] for each in listed) == texts
            found = await http.post("/search", json={"query": "written"}, headers=person.headers)
            assert found.json()["total"] == len(texts)
