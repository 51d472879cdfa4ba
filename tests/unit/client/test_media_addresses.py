"""Which addresses of a store a client follows, whatever a server signs."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import httpx
import pytest

from lockleaf.client.errors import InsecureObjectStore, InvalidAnswer, InvalidServerAddress, StoreNotPinned
from lockleaf.client.media.object_store import ObjectStoreClient
from lockleaf.client.transport.addresses import origin_of, store_origin
from tests.support.scripted_server import OURS

FAR = "https://journal.example.org"
NEAR = "http://127.0.0.1:8000"


class Listening(httpx.AsyncBaseTransport):
    """Takes note of what would go into the network."""

    def __init__(self) -> None:
        self.seen: list[httpx.Request] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        await request.aread()
        self.seen.append(request)
        return httpx.Response(204, headers=OURS)


async def sent(
    server: str, url: str, path: Path, *, insecure: bool = False, headers: Mapping[str, str] | None = None
) -> httpx.Request:
    network = Listening()
    try:
        named = [origin_of(httpx.URL(url))]
    except (httpx.InvalidURL, ValueError):
        named = []
    # Where a store is allowed, its address is still judged.
    objects = ObjectStoreClient(server, origins=named, allow_insecure=insecure, http_transport=network)
    path.write_bytes(b"0123456789")
    await objects.put(url, headers or {}, path, offset=2, size=5)
    await objects.aclose()
    (request,) = network.seen
    return request


@pytest.mark.parametrize(
    ("server", "url", "reached"),
    [
        (
            FAR,
            "https://bucket.s3.example.com/key?X-Amz-Signature=1",
            "https://bucket.s3.example.com/key?X-Amz-Signature=1",
        ),
        (FAR, "/api/v1/objects/key?s=1", "https://journal.example.org/api/v1/objects/key?s=1"),
        (f"{FAR}/below/it", "/api/v1/objects/key?s=1", "https://journal.example.org/below/it/api/v1/objects/key?s=1"),
        ("http://[::1]:8000", "/api/v1/objects/key?s=1", "http://[::1]:8000/api/v1/objects/key?s=1"),
        ("http://[::1]:8000", "http://[::1]:9000/key", "http://[::1]:9000/key"),
        (NEAR, "http://127.0.0.1:9000/key", "http://127.0.0.1:9000/key"),
        (NEAR, "https://bucket.s3.example.com/key", "https://bucket.s3.example.com/key"),
    ],
)
async def test_addresses_that_are_followed(server: str, url: str, reached: str, tmp_path: Path) -> None:
    request = await sent(server, url, tmp_path / "file")
    # An address that is sent does not give itself away as text.
    assert str(httpx.URL(request.url)) == reached
    assert "key" not in f"{request.url} {request.url!r}"
    assert (request.content, request.headers["content-length"]) == (b"23456", "5")
    assert "transfer-encoding" not in request.headers


@pytest.mark.parametrize(
    ("server", "url"),
    [
        (FAR, "http://bucket.s3.example.com/key"),
        (FAR, "http://127.0.0.1:631/printers"),
        (FAR, "https://localhost/key"),
        (FAR, "https://[::1]/key"),
        (FAR, "https://localhost./key"),
        (FAR, "https://0.0.0.0/key"),
        (FAR, "https://127.1/key"),
        (FAR, "https://2130706433/key"),
        (FAR, "https://0x7f.1/key"),
        (FAR, "https://[::]/key"),
        (FAR, "https://[::ffff:127.0.0.1]/key"),
        (FAR, "ftp://journal.example.org/key"),
        (FAR, "https://user:word@bucket.example.com/key"),
        (FAR, "https://bucket.example.com/key#part"),
        (FAR, "http://journal.example.org/elsewhere"),
        (FAR, "http://journal.example.org/api/v1/objects/key"),
        (FAR, "//127.0.0.1/key"),
        (NEAR, "http://other.example.org/key"),
    ],
)
async def test_addresses_that_are_not(server: str, url: str, tmp_path: Path) -> None:
    with pytest.raises(InsecureObjectStore):
        await sent(server, url, tmp_path / "file")


async def test_plain_http_elsewhere_needs_its_users_word(tmp_path: Path) -> None:
    assert (await sent(NEAR, "http://store.local/key", tmp_path / "file", insecure=True)).url.host == "store.local"


async def test_no_header_that_speaks_for_the_account_is_sent_even_if_asked_for(tmp_path: Path) -> None:
    headers = {"Authorization": "Bearer x", "Cookie": "a=b", "x-amz-checksum-sha256": "abc", "Content-Type": "a/b"}
    request = await sent(FAR, "https://bucket.example.com/key", tmp_path / "file", headers=headers)
    assert not {"authorization", "cookie"} & set(request.headers)
    assert (request.headers["x-amz-checksum-sha256"], request.headers["content-type"]) == ("abc", "a/b")


@pytest.mark.parametrize("url", ["https://[broken", "file:///etc/passwd", "https://", "https://a b/key"])
async def test_what_is_no_address_is_no_answer(url: str, tmp_path: Path) -> None:
    with pytest.raises(InvalidAnswer):
        await sent(FAR, url, tmp_path / "file")


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example.org/key",
        "https://bucket.example.com:8443/key",
        "https://bucket.example.com.evil.example.org/key",
        "https://BUCKET.example.com@evil.example.org/key",
        "https://bucket.example.co/key",
        "https://journal.example.org:8443/api/v1/objects/key",
    ],
)
async def test_a_store_that_nobody_allowed_gets_no_byte(url: str, tmp_path: Path) -> None:
    network = Listening()
    objects = ObjectStoreClient(FAR, origins=["https://bucket.example.com"], http_transport=network)
    (tmp_path / "file").write_bytes(b"0123456789")
    with pytest.raises((StoreNotPinned, InsecureObjectStore)) as caught:
        await objects.put(url, {}, tmp_path / "file", offset=0, size=5)
    with pytest.raises((StoreNotPinned, InsecureObjectStore)):
        async with objects.get(url, {}, 0):
            pass
    await objects.aclose()
    assert network.seen == []
    assert "key" not in str(caught.value)


@pytest.mark.parametrize(
    "text", ["https://a.example/below", "https://a.example?x=1", "a.example", "https://u:p@a.example"]
)
def test_what_is_no_origin_is_not_allowed(text: str) -> None:
    with pytest.raises(InvalidServerAddress):
        store_origin(text)


def test_an_origin_is_kept_in_one_form() -> None:
    assert store_origin(" HTTPS://Files.Example.org:443/ ") == "https://files.example.org"
