"""The filter for fail2ban finds the address in the very lines that this server writes, where they hold one at all."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from configparser import RawConfigParser
from pathlib import Path

import httpx
import pytest

from lockleaf.server.platform.observability import logging
from lockleaf.server.platform.settings import LogSettings, RateSettings, Settings
from tests.support.account_holders import Person, new_email, served

FILTER = Path(__file__).parents[2] / "deploy" / "fail2ban" / "filter.d" / "lockleaf.conf"
ADDRESSES = ("198.51.100.7", "2001:db8:1:2::7")


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    stream = io.StringIO()
    logging.configure(stream=stream)
    yield stream
    logging.configure()


def banned(log: str) -> list[str]:
    """The addresses that the filter finds, one a line."""
    parser = RawConfigParser()
    parser.read(FILTER)
    # What fail2ban puts in place of its tag, as far as it concerns addresses.
    regex = parser["Definition"]["failregex"].replace("<ADDR>", r"(?P<address>[0-9a-fA-F:.]+)")
    found = [re.search(regex, f"journal lockleaf[812]: {line}") for line in log.splitlines()]
    return [match["address"] for match in found if match]


async def all_kinds(http: httpx.AsyncClient) -> None:
    """Everything that is refused and everything that is not, from one address."""
    person = await Person().sign_up(http)
    wrong = {"email": person.email, "password": "wrong secret"}
    await http.post("/auth/login", json=wrong)
    await http.post("http://lockleaf.test/api/auth/token", data={"username": new_email(), "password": "wrong secret"})
    await http.post("/auth/verify-recovery-code", json={"email": person.email, "code": "AAAAA-AAAAA-AAAAA-AAAAA"})
    await http.post("/auth/login", json={**wrong, "password": person.secret})
    await http.get("/auth/me", headers={"Authorization": "Bearer nonsense"})
    for _ in range(2):
        await http.post("/auth/prelogin", json={"email": new_email()})


async def test_the_filter_finds_each_refusal_and_nothing_else(settings: Settings, log: io.StringIO) -> None:
    told = {"log": LogSettings(refused_addresses=True), "rates": RateSettings(prelogin="1/hour")}
    for address in ADDRESSES:
        async with served(settings.model_copy(update=told), address=address) as (_, http):
            await all_kinds(http)
    assert banned(log.getvalue()) == [ADDRESSES[0]] * 4 + [ADDRESSES[1]] * 4
    assert log.getvalue().count(ADDRESSES[0]) == 4


async def test_by_default_no_line_holds_an_address(settings: Settings, log: io.StringIO) -> None:
    rates = {"rates": RateSettings(prelogin="1/hour")}
    async with served(settings.model_copy(update=rates), address=ADDRESSES[0]) as (_, http):
        await all_kinds(http)
    assert '"status": 429' in log.getvalue()
    assert ADDRESSES[0] not in log.getvalue()
    assert banned(log.getvalue()) == []
