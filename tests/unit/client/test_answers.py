"""Answers that are not the server's: they are named, nothing counts as done, and no session ends by them."""

import gzip
import json

import pytest

from lockleaf.client.errors import ConnectionBroken, InvalidAnswer, NotOurServer, ServerUnreachable, TooLargeForProxy
from lockleaf.client.transport.http import Transport
from lockleaf.client.transport.retries import RetryPolicy
from lockleaf.client.transport.tokens import MemoryTokens, SessionTokens
from lockleaf.wire.codec import pack
from lockleaf.wire.credentials import KeyringVersion
from lockleaf.wire.sessions import Prelogin
from tests.support.scripted_server import Reply, answer, problem, scripted_server

AT_ONCE = RetryPolicy(attempts=2, base=0.0, cap=0.0, patience=0.5)
PAGE = b"<!DOCTYPE html><title>Sign in to the network</title>"
TOKENS = SessionTokens(access_token="old-access", refresh_token="old-refresh")

FOREIGN = [
    Reply(200, PAGE, "text/html", ours=False),
    Reply(200, b'{"keyring_version": 3}', ours=False),
    Reply(204, b"", ours=False),
    Reply(302, PAGE, "text/html", {"Location": "http://127.0.0.1:9/login"}, ours=False),
    Reply(511, PAGE, "text/html", ours=False),
    Reply(403, PAGE, "text/html", ours=False),
    *(
        Reply(401, problem(401, code).body, "application/problem+json", ours=False)
        for code in ("token_expired", "token_invalid", "session_revoked", "refresh_token_reused")
    ),
]


def transport_to(url: str) -> Transport:
    tokens = MemoryTokens()
    tokens.save(TOKENS)
    return Transport(url, tokens=tokens, retry=AT_ONCE)


@pytest.mark.parametrize("reply", FOREIGN)
@pytest.mark.parametrize("how", ["command", "request", "events", "download"])
async def test_an_answer_of_somebody_else_is_named_and_ends_no_session(reply: Reply, how: str) -> None:
    async with scripted_server(reply) as server:
        transport = transport_to(server.url)
        with pytest.raises(NotOurServer) as caught:
            match how:
                case "command":
                    await transport.command("DELETE", "/auth/sessions/1")
                case "request":
                    await transport.request("GET", "/x", answer=KeyringVersion)
                case "events":
                    [event async for event in transport.events()]
                case "download":
                    async with transport.download("/x", "application/zip"):
                        pass
        assert "Sign in" not in str(caught.value)
        assert transport.tokens.load() == TOKENS
        assert len(server.seen) == 1
        await transport.aclose()


async def test_a_sign_in_page_in_place_of_new_tokens_leaves_the_old_ones() -> None:
    async with scripted_server(problem(401, "token_expired"), FOREIGN[0]) as server:
        transport = transport_to(server.url)
        with pytest.raises(NotOurServer):
            await transport.command("DELETE", "/x")
        kept = transport.tokens.load()
        assert kept is not None
        assert kept.refresh_token == TOKENS.refresh_token
        await transport.aclose()


@pytest.mark.parametrize("status", [429, 502, 503, 504])
async def test_a_proxy_before_a_server_that_is_down_is_tried_again(status: int) -> None:
    async with scripted_server(Reply(status, PAGE, "text/html", ours=False)) as server:
        transport = transport_to(server.url)
        with pytest.raises(ServerUnreachable):
            await transport.command("DELETE", "/x")
        assert len(server.seen) == 2
        await transport.aclose()


async def test_a_proxy_may_rename_and_pack_what_the_server_says() -> None:
    packed = gzip.compress(json.dumps({"keyring_version": 3}).encode())
    renamed = Reply(body=packed, media_type="text/plain", headers={"Content-Encoding": "gzip"})
    async with scripted_server(renamed) as server:
        transport = transport_to(server.url)
        assert (await transport.request("GET", "/x", answer=KeyringVersion)).keyring_version == 3
        await transport.aclose()
    async with scripted_server(Reply(body=pack({"keyring_version": 3}), media_type="text/plain")) as server:
        transport = transport_to(server.url)
        answered = await transport.request("GET", "/x", answer=KeyringVersion, msgpack=True)
        assert answered.keyring_version == 3
        await transport.aclose()
    refused = problem(409, "email_taken")
    async with scripted_server(Reply(409, refused.body, "text/plain")) as server:
        transport = transport_to(server.url)
        with pytest.raises(Exception, match="account with this email") as caught:
            await transport.command("POST", "/x")
        assert type(caught.value).__name__ == "EmailTaken"
        await transport.aclose()
    events = Reply(body=b'data: {"seq": 1, "inbox": 0, "conflicts": 0}\n\n', media_type="text/plain")
    async with scripted_server(events) as server:
        transport = transport_to(server.url)
        assert [event.seq async for event in transport.events()] == [1]
        await transport.aclose()


async def test_a_limit_on_the_way_is_named_with_the_size() -> None:
    body = Prelogin(email="a" * 100 + "@example.org")
    async with scripted_server(Reply(413, PAGE, "text/html", ours=False)) as server:
        transport = transport_to(server.url)
        with pytest.raises(TooLargeForProxy) as caught:
            await transport.request("POST", "/x", body=body, answer=KeyringVersion)
        assert caught.value.size == len(server.seen[0].body)
        await transport.aclose()


async def test_a_connection_that_breaks_under_a_large_request_says_so() -> None:
    class Large(Prelogin):
        filling: str = "x" * 100_000

    for body, error in [(Prelogin(email="a@example.org"), ServerUnreachable), (Large(email="a@b.c"), ConnectionBroken)]:
        async with scripted_server(Reply(drop=True)) as server:
            transport = transport_to(server.url)
            with pytest.raises(ServerUnreachable) as caught:
                await transport.request("POST", "/x", body=body, answer=KeyringVersion)
            assert type(caught.value) is error
            await transport.aclose()


async def test_an_answer_of_the_server_that_is_none_of_its_answers_is_named() -> None:
    async with scripted_server(Reply(302, b"", headers={"Location": "https://elsewhere.example"})) as server:
        transport = transport_to(server.url)
        with pytest.raises(InvalidAnswer) as caught:
            await transport.command("DELETE", "/x")
        assert type(caught.value) is InvalidAnswer
        await transport.aclose()


async def test_a_command_that_was_done_says_nothing() -> None:
    for reply in (Reply(204, b""), answer(done=True)):
        async with scripted_server(reply) as server:
            transport = transport_to(server.url)
            await transport.command("DELETE", "/x")
            await transport.aclose()
