import asyncio
import gzip
from pathlib import Path

import pytest

from lockleaf.client.errors import (
    ApiError,
    DatabaseBusy,
    EmailTaken,
    InsecureServer,
    InvalidAnswer,
    NotLoggedIn,
    RefreshTokenReused,
    ServerUnreachable,
    SessionRevoked,
    TooManyRequests,
)
from lockleaf.client.transport.http import MAX_ANSWER_BYTES, Transport
from lockleaf.client.transport.retries import RetryPolicy
from lockleaf.client.transport.tokens import MemoryTokens, SecretTokens, SessionTokens
from lockleaf.wire.api import API_HEADER, API_VERSION
from lockleaf.wire.codec import MSGPACK, pack
from lockleaf.wire.credentials import KeyringVersion
from lockleaf.wire.sessions import Prelogin
from lockleaf.wire.sync import Event
from tests.support.scripted_server import Reply, answer, problem, scripted_server

AT_ONCE = RetryPolicy(attempts=3, base=0.0, cap=0.0, patience=0.5)
VERSION_3 = answer(keyring_version=3)
NEW_TOKENS = answer(access_token="new-access", refresh_token="new-refresh", token_type="bearer", expires_in=900)


def session(access: str = "old-access", refresh: str = "old-refresh") -> MemoryTokens:
    tokens = MemoryTokens()
    tokens.save(SessionTokens(access_token=access, refresh_token=refresh))
    return tokens


async def get(transport: Transport, **options: bool) -> int:
    return (await transport.request("GET", "/x", answer=KeyringVersion, **options)).keyring_version


@pytest.mark.parametrize(
    "failure", [Reply(drop=True), Reply(502), Reply(503), Reply(504), problem(503, "database_busy")]
)
async def test_a_request_that_failed_on_its_way_is_sent_again(failure: Reply) -> None:
    async with scripted_server(failure, failure, VERSION_3) as server:
        transport = Transport(server.url, tokens=session(), retry=AT_ONCE)
        assert await get(transport) == 3
        assert len(server.seen) == 3
        await transport.aclose()


async def test_a_request_sent_again_is_the_same_to_the_byte() -> None:
    async with scripted_server(Reply(drop=True), VERSION_3) as server:
        transport = Transport(server.url, tokens=session(), retry=AT_ONCE)
        body = Prelogin(email="ada@example.org")
        await transport.request("POST", "/x", body=body, answer=KeyringVersion)
        first, second = server.seen
        assert (first.method, first.path, first.body) == (second.method, second.path, second.body)
        assert first.path == "/api/v1/x"
        await transport.aclose()


async def test_after_the_last_attempt_the_error_is_named() -> None:
    for failure, error in [(Reply(drop=True), ServerUnreachable), (problem(503, "database_busy"), DatabaseBusy)]:
        async with scripted_server(failure) as server:
            transport = Transport(server.url, tokens=session(), retry=AT_ONCE)
            with pytest.raises(error):
                await get(transport)
            assert len(server.seen) == 3
            await transport.aclose()


async def test_a_request_that_must_go_once_goes_once() -> None:
    async with scripted_server(Reply(drop=True)) as server:
        transport = Transport(server.url, tokens=session(), retry=AT_ONCE)
        with pytest.raises(ServerUnreachable):
            await get(transport, retry=False)
        assert len(server.seen) == 1
        await transport.aclose()


async def test_a_server_that_is_not_there_is_unreachable() -> None:
    async with scripted_server(VERSION_3) as server:
        url = server.url
    transport = Transport(url, tokens=session(), retry=AT_ONCE)
    with pytest.raises(ServerUnreachable):
        await get(transport)
    await transport.aclose()


async def test_a_problem_becomes_the_exception_of_its_code_and_is_not_tried_again() -> None:
    async with scripted_server(problem(409, "email_taken")) as server:
        transport = Transport(server.url, tokens=session(), retry=AT_ONCE)
        with pytest.raises(EmailTaken):
            await get(transport)
        assert len(server.seen) == 1
        await transport.aclose()


async def test_a_short_retry_after_is_waited_and_a_long_one_is_told() -> None:
    async with scripted_server(problem(429, "too_many_requests", {"Retry-After": "0"}), VERSION_3) as server:
        transport = Transport(server.url, tokens=session(), retry=AT_ONCE)
        assert await get(transport) == 3
        await transport.aclose()
    async with scripted_server(problem(429, "too_many_requests", {"Retry-After": "3600"})) as server:
        transport = Transport(server.url, tokens=session(), retry=AT_ONCE)
        with pytest.raises(TooManyRequests) as caught:
            await get(transport)
        assert caught.value.facts["retry_after"] == 3600
        assert len(server.seen) == 1
        await transport.aclose()


@pytest.mark.parametrize(
    "reply",
    [
        Reply(body=b"<html>", media_type="text/html"),
        Reply(body=b"not json"),
        Reply(body=b'{"keyring_version": -1}'),
        Reply(body=b"[]"),
        Reply(body=b"\xff\xff", media_type=MSGPACK),
        Reply(body=pack({"keyring_version": 3}) + b"\x00", media_type=MSGPACK),
        Reply(body=b"", headers={"Location": "https://elsewhere.example"}, status=302),
        Reply(body=b"", headers={"Location": "javascript:1"}, status=302),
        Reply(404, b"<html>", "text/html"),
        Reply(500, b"{}", "application/problem+json"),
        Reply(body=b"garbage", headers={"Content-Encoding": "gzip"}),
    ],
)
async def test_garbage_is_named_and_never_shown(reply: Reply) -> None:
    async with scripted_server(reply) as server:
        transport = Transport(server.url, tokens=session(), retry=AT_ONCE)
        with pytest.raises(InvalidAnswer) as caught:
            await get(transport)
        assert "html" not in str(caught.value)
        assert caught.value.__cause__ is None
        await transport.aclose()


async def test_an_answer_that_unpacks_to_more_than_fits_is_cut_off() -> None:
    bomb = gzip.compress(bytes(MAX_ANSWER_BYTES + 1), compresslevel=1)
    async with scripted_server(Reply(body=bomb, headers={"Content-Encoding": "gzip"})) as server:
        transport = Transport(server.url, tokens=session(), retry=AT_ONCE)
        with pytest.raises(InvalidAnswer):
            await get(transport)
        await transport.aclose()


async def test_messagepack_is_spoken_where_it_is_asked_for() -> None:
    async with scripted_server(Reply(body=pack({"keyring_version": 9}), media_type=MSGPACK)) as server:
        transport = Transport(server.url, tokens=session(), retry=AT_ONCE)
        assert await get(transport, msgpack=True) == 9
        assert server.seen[0].headers["accept"].startswith(MSGPACK)
        await transport.aclose()


# ---- tokens ----


async def test_without_a_session_nothing_is_sent() -> None:
    async with scripted_server(VERSION_3) as server:
        transport = Transport(server.url, tokens=MemoryTokens(), retry=AT_ONCE)
        with pytest.raises(NotLoggedIn):
            await get(transport)
        assert server.seen == []
        await transport.aclose()


async def test_an_unauthenticated_request_carries_no_token() -> None:
    async with scripted_server(VERSION_3) as server:
        transport = Transport(server.url, tokens=session(), retry=AT_ONCE)
        await get(transport, authenticated=False)
        assert "authorization" not in server.seen[0].headers
        await transport.aclose()


async def test_an_expired_access_token_is_refreshed_and_the_request_sent_again() -> None:
    async with scripted_server(problem(401, "token_expired"), NEW_TOKENS, VERSION_3) as server:
        tokens = session()
        transport = Transport(server.url, tokens=tokens, retry=AT_ONCE)
        assert await get(transport) == 3
        first, refresh, second = server.seen
        assert first.headers["authorization"] == "Bearer old-access"
        assert refresh.path == "/api/v1/auth/refresh"
        assert refresh.json["refresh_token"] == "old-refresh"
        assert second.headers["authorization"] == "Bearer new-access"
        assert tokens.load() == SessionTokens(access_token="new-access", refresh_token="new-refresh")
        await transport.aclose()


async def test_a_refresh_whose_answer_is_lost_is_asked_for_again_under_the_same_id() -> None:
    lost = [Reply(drop=True)] * 3
    async with scripted_server(problem(401, "token_expired"), *lost, NEW_TOKENS, VERSION_3) as server:
        tokens = session()
        transport = Transport(server.url, tokens=tokens, retry=AT_ONCE)
        with pytest.raises(ServerUnreachable):
            await get(transport)
        kept = tokens.load()
        assert kept is not None
        later = MemoryTokens()
        later.save(kept)
        # A later run of the program begins with what was kept.
        server.replies[0:0] = [problem(401, "token_expired")]
        second = Transport(server.url, tokens=later, retry=AT_ONCE)
        assert await get(second) == 3
        ids = {seen.json["retry_id"] for seen in server.seen if seen.path.endswith("/refresh")}
        assert len(ids) == 1
        assert len([seen for seen in server.seen if seen.path.endswith("/refresh")]) == 4
        await transport.aclose()
        await second.aclose()


async def test_many_requests_that_find_the_token_expired_refresh_it_once() -> None:
    tokens = session()
    refreshes = 0

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal refreshes
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        if "/auth/refresh" in head:
            refreshes += 1
            reply = NEW_TOKENS
        else:
            reply = VERSION_3 if "Bearer new-access" in head else problem(401, "token_expired")
        writer.write(
            f"HTTP/1.1 {reply.status} X\r\ncontent-type: {reply.media_type}\r\ncontent-length: {len(reply.body)}\r\n"
            f"{API_HEADER}: {API_VERSION}\r\nconnection: close\r\n\r\n".encode()
            + reply.body
        )
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    async with server:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        transport = Transport(url, tokens=tokens, retry=AT_ONCE)
        assert await asyncio.gather(*(get(transport) for _ in range(8))) == [3] * 8
        assert refreshes == 1
        await transport.aclose()


@pytest.mark.parametrize("code", ["refresh_token_reused", "session_revoked", "token_invalid", "token_expired"])
async def test_a_refresh_that_is_refused_ends_the_session_here(code: str) -> None:
    async with scripted_server(problem(401, "token_expired"), problem(401, code)) as server:
        tokens = session()
        transport = Transport(server.url, tokens=tokens, retry=AT_ONCE)
        with pytest.raises(ApiError) as caught:
            await get(transport)
        assert caught.value.code == code
        assert tokens.load() is None
        await transport.aclose()


async def test_a_revoked_session_is_forgotten_here() -> None:
    async with scripted_server(problem(401, "session_revoked")) as server:
        tokens = session()
        transport = Transport(server.url, tokens=tokens, retry=AT_ONCE)
        with pytest.raises(SessionRevoked):
            await get(transport)
        assert tokens.load() is None
        await transport.aclose()


async def test_tokens_that_no_header_can_carry_are_refused() -> None:
    bad = answer(access_token="a\r\nX-Evil: 1", refresh_token="r", token_type="bearer", expires_in=1)
    async with scripted_server(problem(401, "token_expired"), bad) as server:
        transport = Transport(server.url, tokens=session(), retry=AT_ONCE)
        with pytest.raises(InvalidAnswer):
            await get(transport)
        await transport.aclose()


class Secrets:
    """A place for secrets, shared as two programs share a store."""

    def __init__(self) -> None:
        self.kept: dict[str, bytes] = {}

    def get_secret(self, name: str) -> bytes | None:
        return self.kept.get(name)

    def set_secret(self, name: str, value: bytes | None) -> None:
        if value is None:
            self.kept.pop(name, None)
        else:
            self.kept[name] = value


async def test_two_programs_on_one_profile_refresh_once_between_them(tmp_path: Path) -> None:
    secrets = Secrets()
    one, two = (SecretTokens(secrets, tmp_path / "lock") for _ in range(2))
    one.save(SessionTokens(access_token="old-access", refresh_token="old-refresh"))
    expired = problem(401, "token_expired")
    async with scripted_server(expired, NEW_TOKENS, VERSION_3) as server:
        first, second = (Transport(server.url, tokens=tokens, retry=AT_ONCE) for tokens in (one, two))
        assert await get(first) == 3
        # The second program still sends what it read before, and finds the new tokens when it is told to refresh.
        assert await second._access.renew("old-access") == "new-access"
        assert len([seen for seen in server.seen if seen.path.endswith("/refresh")]) == 1
        await first.aclose()
        await second.aclose()


async def test_only_one_program_at_a_time_may_refresh(tmp_path: Path) -> None:
    secrets = Secrets()
    one, two = (SecretTokens(secrets, tmp_path / "lock") for _ in range(2))
    inside: list[str] = []

    async def enter(tokens: SecretTokens, name: str) -> None:
        async with tokens.exclusive():
            inside.append(f"{name} in")
            await asyncio.sleep(0)
            inside.append(f"{name} out")

    await asyncio.gather(enter(one, "one"), enter(two, "two"))
    assert inside in (["one in", "one out", "two in", "two out"], ["two in", "two out", "one in", "one out"])


def test_tokens_do_not_show_themselves() -> None:
    tokens = SessionTokens(access_token="sesame-access", refresh_token="sesame-refresh")
    assert "sesame" not in f"{tokens} {tokens!r}"


@pytest.mark.parametrize(
    "kept",
    [
        b"",
        b"[]",
        b'{"access_token": "one"}',
        b'{"access_token": "one", "refresh_token": 2}',
        b'{"access_token": "one", "refresh_token": "two\\r\\nX-Header: three"}',
        b'{"access_token": "", "refresh_token": "two"}',
        b'{"access_token": "one", "refresh_token": "two", "retry_id": 3}',
    ],
)
def test_tokens_that_are_none_are_no_session(tmp_path: Path, kept: bytes) -> None:
    secrets = Secrets()
    secrets.set_secret("tokens", kept)
    assert SecretTokens(secrets, tmp_path / "lock").load() is None


def test_kept_tokens_come_back_with_the_attempt_to_renew_them(tmp_path: Path) -> None:
    secrets = Secrets()
    tokens = SessionTokens(access_token="one", refresh_token="two", retry_id="attempt-1")
    SecretTokens(secrets, tmp_path / "lock").save(tokens)
    assert SecretTokens(secrets, tmp_path / "lock").load() == tokens


# ---- live events ----


async def test_live_events_come_one_by_one_and_the_token_is_refreshed_first() -> None:
    stream = Reply(
        body=b': hi\n\ndata: {"seq": 1, "inbox": 0, "conflicts": 0}\n\n'
        b'data: {"seq": 2, "inbox": 0, "conflicts": 1}\n\n',
        media_type="text/event-stream",
    )
    async with scripted_server(problem(401, "token_expired"), NEW_TOKENS, stream) as server:
        transport = Transport(server.url, tokens=session(), retry=AT_ONCE)
        events = [event async for event in transport.events()]
        assert events == [Event(seq=1, inbox=0, conflicts=0), Event(seq=2, inbox=0, conflicts=1)]
        await transport.aclose()


async def test_a_stream_that_is_none_is_named() -> None:
    cases = [
        (Reply(body=b"{}"), InvalidAnswer),
        (problem(401, "refresh_token_reused"), RefreshTokenReused),
        (Reply(drop=True), ServerUnreachable),
    ]
    for reply, error in cases:
        async with scripted_server(reply) as server:
            transport = Transport(server.url, tokens=session(), retry=AT_ONCE)
            with pytest.raises(error):
                [event async for event in transport.events()]
            await transport.aclose()


# ---- where it may talk to ----


def test_plain_http_to_another_machine_is_refused_before_anything_is_sent() -> None:
    with pytest.raises(InsecureServer):
        Transport("http://journal.example.org", tokens=MemoryTokens())


async def test_a_proxy_of_the_environment_is_not_asked_for_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    async with scripted_server(VERSION_3) as server:
        transport = Transport(server.url, tokens=session(), retry=AT_ONCE)
        assert await get(transport) == 3
        await transport.aclose()
