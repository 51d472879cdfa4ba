"""Requests to servers that somebody else names lead to no other place, and end."""

from __future__ import annotations

import asyncio
import gc
import ipaddress
import warnings
from collections.abc import AsyncIterator, Iterator

import pytest

from lockleaf.server.features.integrations.failures import Unanswered, Unintelligible, Unreachable
from lockleaf.server.features.integrations.outbound import Outbound, UnsafeAddress, instance_origin, is_public
from tests.support.mastodon_instance import MastodonInstance
from tests.support.social_network import Answer, Asked, running_network


class Elsewhere(MastodonInstance):
    """A server that answers whatever it was told to."""

    def __init__(self, given: Answer) -> None:
        super().__init__()
        self.given = given

    def answer(self, asked: Asked) -> Answer:
        return self.given


@pytest.fixture
def server() -> Iterator[Elsewhere]:
    with running_network(Elsewhere(Answer(200, {"here": True}))) as running:
        yield running


@pytest.fixture
async def outbound(server: Elsewhere) -> AsyncIterator[Outbound]:
    made = Outbound([server.host], 10)
    yield made
    await made.close()


@pytest.mark.parametrize("named", ["mastodon.example", "https://mastodon.example", " https://Mastodon.Example/ "])
def test_an_instance_is_named_by_its_host(named: str) -> None:
    assert instance_origin(named) == "https://mastodon.example"


@pytest.mark.parametrize(
    "named",
    [
        "http://mastodon.example",
        "https://mastodon.example:8443",
        "https://ada@mastodon.example",
        "https://mastodon.example/api",
        "https://mastodon.example?x=1",
        "localhost",
        "127.0.0.1",
        "https://[::1]",
        "https://2130706433",
        "https://0x7f.1",
        "https://10.1",
        "ftp://mastodon.example",
        "file:///etc/passwd",
        "https://",
        "",
        "https://a b.example",
    ],
)
def test_anything_else_is_no_instance(named: str) -> None:
    with pytest.raises(UnsafeAddress):
        instance_origin(named)


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("93.184.216.34", True),
        ("2606:2800:220:1::1", True),
        ("10.0.0.1", False),
        ("127.0.0.1", False),
        ("169.254.169.254", False),
        ("100.64.0.1", False),
        ("0.0.0.0", False),
        ("224.0.0.1", False),
        ("::1", False),
        ("fd00::1", False),
        ("fe80::1", False),
        ("::ffff:127.0.0.1", False),
        ("::ffff:93.184.216.34", True),
        ("64:ff9b::7f00:1", False),
        ("2002:7f00:1::", False),
    ],
)
def test_an_address_is_judged_by_where_it_leads_however_it_is_written(address: str, public: bool) -> None:
    assert is_public(ipaddress.ip_address(address)) is public


async def test_a_name_that_leads_inside_gets_no_connection(outbound: Outbound, server: Elsewhere) -> None:
    for url in (f"https://localhost.:{server.port}/", f"http://localhost:{server.port}/", "https://127.0.0.1/"):
        with pytest.raises(Unreachable):
            await outbound.send("GET", url)
    assert server.asked == []


async def test_a_host_that_the_operator_named_is_reached(outbound: Outbound, server: Elsewhere) -> None:
    assert (await outbound.send("GET", f"{server.url}/x")).json() == {"here": True}


async def test_no_redirect_is_followed(outbound: Outbound, server: Elsewhere) -> None:
    server.given = Answer(302, {}, {"Location": f"{server.url}/elsewhere"})
    assert (await outbound.send("GET", f"{server.url}/x")).status == 302
    assert [asked.path for asked in server.asked] == ["/x"]


async def test_what_is_too_long_or_encoded_is_not_read(outbound: Outbound, server: Elsewhere) -> None:
    server.given = Answer(200, raw=bytes(100_000))
    with pytest.raises(Unintelligible):
        await outbound.send("GET", f"{server.url}/x", most_bytes=50_000)
    server.given = Answer(200, raw=b"{}", headers={"Content-Encoding": "gzip"})
    with pytest.raises(Unintelligible):
        await outbound.send("GET", f"{server.url}/x")


async def test_an_answer_that_breaks_off_leaves_a_doubt_and_an_absent_server_leaves_none(server: Elsewhere) -> None:
    outbound = Outbound([server.host, "127.0.0.1:1"], 0.5)
    for trouble in ("half", "lose", "silence"):
        server.troubles = [trouble]
        with pytest.raises(Unanswered):
            await outbound.send("POST", f"{server.url}/x")
    with pytest.raises(Unreachable):
        await outbound.send("POST", "http://127.0.0.1:1/")
    await outbound.close()


@pytest.mark.parametrize("connect_seconds", [0.2, 60.0])
async def test_a_server_that_is_silent_before_the_request_was_sent_leaves_no_doubt(
    server: Elsewhere, connect_seconds: float
) -> None:
    # It waits for the end of a head, and the other side for an answer to what begins TLS.
    outbound = Outbound([server.host], 60.0 if connect_seconds < 1 else 0.5, connect_seconds)
    with warnings.catch_warnings(record=True) as left_open:
        warnings.simplefilter("always", ResourceWarning)
        with pytest.raises(Unreachable):
            await outbound.send("POST", f"https://{server.host}/x")
        await asyncio.sleep(0)
        gc.collect()
    assert [each.message for each in left_open] == []
    assert server.asked == []
    assert (await outbound.send("GET", f"{server.url}/x")).json() == {"here": True}
    await outbound.close()
