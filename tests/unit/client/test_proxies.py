"""Which proxy leads where, and what is said of one that leads nowhere."""

import asyncio

import httpx
import pytest

from lockleaf.client.errors import (
    InvalidCertificates,
    InvalidProxy,
    LockleafError,
    ProxyRefused,
    ProxyUnreachable,
    ServerUnreachable,
)
from lockleaf.client.transport import connections
from lockleaf.client.transport.http import Transport
from lockleaf.client.transport.proxies import proxy_for
from lockleaf.client.transport.retries import RetryPolicy
from lockleaf.client.transport.tokens import MemoryTokens
from lockleaf.wire.credentials import KeyringVersion
from tests.support.proxies import ForwardingProxy, listening
from tests.support.scripted_server import answer, scripted_server

ONCE = RetryPolicy(attempts=1)
SERVER = "http://journal.example.org"
VARIABLES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "SSL_CERT_FILE", "SSL_CERT_DIR")


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


def way(url: str, **environment: str) -> str | None:
    found = proxy_for(httpx.URL(url), environment)
    return None if found is None else str(found.url)


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("http://proxy.example:3128", "http://proxy.example:3128/"),
        ("https://proxy.example:3128/", "https://proxy.example:3128/"),
        ("proxy.example:3128", "http://proxy.example:3128/"),
        ("socks://proxy.example:1080/", "socks5h://proxy.example:1080/"),
        ("socks5://proxy.example", "socks5://proxy.example:1080/"),
        ("SOCKS5H://proxy.example:9050", "socks5h://proxy.example:9050/"),
        ("http://[::2]:3128", "http://[::2]:3128/"),
    ],
)
def test_proxies_as_people_write_them(text: str, meant: str) -> None:
    assert way(SERVER, ALL_PROXY=text) == meant
    assert way(SERVER, http_proxy=text) == meant


def test_the_more_special_variable_counts_and_lower_case_before_upper_case() -> None:
    assert way(SERVER, HTTP_PROXY="a:1", ALL_PROXY="b:2") == "http://a:1/"
    assert way("https://x.example", HTTP_PROXY="a:1", ALL_PROXY="b:2") == "http://b:2/"
    assert way(SERVER, HTTP_PROXY="a:1", http_proxy="c:3") == "http://c:3/"
    assert way(SERVER, HTTP_PROXY=" ", ALL_PROXY="") is None
    assert way("https://x.example", HTTP_PROXY="a:1") is None


@pytest.mark.parametrize("text", ["socks4://a:1", "ftp://a:1", "http://", "http://a:99999", "http://a b:1", "\udcff:1"])
def test_what_is_no_proxy_names_its_variable_and_not_its_secrets(text: str) -> None:
    with pytest.raises(InvalidProxy) as caught:
        way(SERVER, HTTP_PROXY=text.replace("://", "://me:sesame@"))
    assert "HTTP_PROXY" in str(caught.value)
    assert "sesame" not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "exceptions", "direct"),
    [
        (SERVER, "*", True),
        (SERVER, "example.org", True),
        (SERVER, ".example.org", True),
        (SERVER, "*.example.org", True),
        (SERVER, "other.example, JOURNAL.example.org", True),
        (SERVER, "other.example journal.example.org", True),
        (SERVER, "ample.org", False),
        (SERVER, "journal.example.org:443", False),
        (SERVER, "journal.example.org:80", True),
        (SERVER, "", False),
        ("http://192.0.2.7:8000", "192.0.2.0/24", True),
        ("http://192.0.2.7:8000", "192.0.3.0/24", False),
        ("http://192.0.2.7:8000", "192.0.2.7", True),
        ("http://192.0.2.7:8000", "192.0.2.7:8000", True),
        ("http://192.0.2.7:8000", "2.7", False),
        ("http://[2001:db8::1]", "[2001:db8::1]", True),
        ("http://[2001:db8::1]", "2001:db8:0::1", True),
        ("http://[2001:db8::1]", "2001:db8::/32", True),
        ("http://[2001:db8::1]:8000", "[2001:db8::1]:8000", True),
        ("http://[2001:db8::1]", "[::1]", False),
        (SERVER, "10.0.0.0/8, nonsense/99, ::1", False),
    ],
)
def test_exceptions_as_people_write_them(url: str, exceptions: str, direct: bool) -> None:
    for name in ("NO_PROXY", "no_proxy"):
        assert (way(url, ALL_PROXY="http://proxy.example:1", **{name: exceptions}) is None) is direct


@pytest.mark.parametrize("url", ["http://127.0.0.1:8000", "http://localhost", "http://[::1]:8000", "http://127.1"])
def test_this_machine_is_reached_without_a_proxy(url: str) -> None:
    assert way(url, ALL_PROXY="nonsense://x") is None


def test_a_proxy_does_not_show_its_password() -> None:
    found = proxy_for(httpx.URL(SERVER), {"ALL_PROXY": "http://me:sesame@proxy.example"})
    assert "sesame" not in repr(found)


# ---- the way itself ----


async def fetched(server: str = SERVER) -> int:
    transport = Transport(server, tokens=MemoryTokens(), retry=ONCE, allow_insecure=True)
    try:
        return (await transport.request("GET", "/x", answer=KeyringVersion, authenticated=False)).keyring_version
    finally:
        await transport.aclose()


def port_of(url: str) -> int:
    return int(url.rpartition(":")[2])


@pytest.mark.parametrize("kind", ["socks", "socks5", "socks5h"])
@pytest.mark.parametrize("user", [None, "me:pass word"])
async def test_a_socks_proxy_leads_to_the_server(kind: str, user: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    async with scripted_server(answer(keyring_version=3)) as server:
        proxy = ForwardingProxy(port_of(server.url), user)
        async with listening(proxy, proxy.socks):
            given = "" if user is None else "me:pass%20word@"
            monkeypatch.setenv("ALL_PROXY", f"{kind}://{given}127.0.0.1:{proxy.own_port}/")
            assert await fetched() == 3
            assert proxy.asked == ["journal.example.org"]


async def test_an_http_proxy_leads_to_the_server(monkeypatch: pytest.MonkeyPatch) -> None:
    async with scripted_server(answer(keyring_version=3)) as server:
        proxy = ForwardingProxy(port_of(server.url), "me:word")
        async with listening(proxy, proxy.http):
            monkeypatch.setenv("http_proxy", f"me:word@127.0.0.1:{proxy.own_port}")
            assert await fetched() == 3
            assert proxy.asked == ["http://journal.example.org/api/v1/x"]


async def failure(monkeypatch: pytest.MonkeyPatch, variable: str, value: str, server: str = SERVER) -> LockleafError:
    monkeypatch.setenv(variable, value)
    with pytest.raises(LockleafError) as caught:
        await fetched(server)
    assert "sesame" not in str(caught.value)
    return caught.value


@pytest.mark.parametrize("kind", ["http", "socks5"])
async def test_a_proxy_that_is_down_is_named_and_not_the_server(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    error = await failure(monkeypatch, "ALL_PROXY", f"{kind}://me:sesame@127.0.0.1:9")
    assert type(error) is ProxyUnreachable
    assert "ALL_PROXY" in str(error)


@pytest.mark.parametrize("server", [SERVER, "https://journal.example.org"])
async def test_a_proxy_that_wants_a_password_is_named(server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    proxy = ForwardingProxy(0, "me:word")
    async with listening(proxy, proxy.http):
        error = await failure(monkeypatch, "ALL_PROXY", f"http://127.0.0.1:{proxy.own_port}", server)
    assert type(error) is ProxyRefused
    assert "407" in str(error)


async def test_a_socks_proxy_that_wants_another_password_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    proxy = ForwardingProxy(0, "me:word")
    async with listening(proxy, proxy.socks):
        for given in ("", "me:sesame@"):
            error = await failure(monkeypatch, "ALL_PROXY", f"socks5://{given}127.0.0.1:{proxy.own_port}")
            assert type(error) is ProxyRefused


async def test_a_socks_proxy_that_finds_no_way_leaves_the_server_unreachable(monkeypatch: pytest.MonkeyPatch) -> None:
    proxy = ForwardingProxy(0)
    async with listening(proxy, proxy.socks):
        error = await failure(monkeypatch, "ALL_PROXY", f"socks5://127.0.0.1:{proxy.own_port}")
    assert type(error) is ServerUnreachable
    assert "ALL_PROXY" in str(error)


async def test_what_does_not_speak_socks_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "NEGOTIATION_SECONDS", 0.05)
    proxy = ForwardingProxy(0)
    async with listening(proxy, _speaks_english):
        error = await failure(monkeypatch, "ALL_PROXY", f"socks5://127.0.0.1:{proxy.own_port}")
    assert type(error) is ProxyUnreachable


async def _speaks_english(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read(1)
    writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")


async def test_a_socks_proxy_that_says_nothing_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "NEGOTIATION_SECONDS", 0.05)
    proxy = ForwardingProxy(0, mute=True)
    async with listening(proxy, proxy.socks):
        error = await failure(monkeypatch, "ALL_PROXY", f"socks5://127.0.0.1:{proxy.own_port}")
    assert type(error) is ProxyUnreachable


@pytest.mark.parametrize("variable", ["SSL_CERT_FILE", "SSL_CERT_DIR", "SSLKEYLOGFILE"])
async def test_certificates_that_are_not_there_are_named(variable: str, monkeypatch: pytest.MonkeyPatch) -> None:
    error = await failure(monkeypatch, variable, "/nowhere/at/all", "https://localhost:9")
    assert type(error) is InvalidCertificates
    assert variable in str(error)


async def test_certificates_are_not_looked_at_where_none_are_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", "/nowhere/at/all")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/nowhere/at/all")
    async with scripted_server(answer(keyring_version=3)) as server:
        assert await fetched(server.url) == 3
