"""What a store, or the server that signs its addresses, can do to a device that fetches an attachment: nothing."""

from __future__ import annotations

import io
import logging
from collections.abc import AsyncIterator
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pyrage
import pytest

from lockleaf.client.errors import InvalidAnswer, MediaDamaged, ObjectStoreRefused, ObjectStoreUnreachable
from lockleaf.client.media.downloads import Downloader, unsealed
from lockleaf.client.media.object_store import ObjectStoreClient
from lockleaf.client.media.staging_folder import StagingFolder
from lockleaf.client.records.attachments import MediaObject
from lockleaf.client.transport.http import Transport
from lockleaf.client.transport.retries import RetryPolicy
from lockleaf.client.transport.tokens import MemoryTokens, SessionTokens
from lockleaf.crypto.identity import seal_to
from tests.support.scripted_server import OURS

SERVER = "https://journal.example.org"
STORE = "https://bucket.example.com/key?X-Amz-Signature=5e1ec7ab1e"
IDENTITY = pyrage.x25519.Identity.generate()
PLAIN = b"what was attached"
SEALED = seal_to(str(IDENTITY.to_public()), PLAIN)


class Network(httpx.AsyncBaseTransport):
    """A server that signs one address, and a store that gives there what it likes; counts what is taken of it."""

    def __init__(self, given: Any, status: int = 200, headers: dict[str, str] | None = None) -> None:
        self.given = given
        self.status = status
        self.headers = headers or {}
        self.taken = 0

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if request.url.host == "journal.example.org":
            assert "authorization" in request.headers
            signed = {"method": "GET", "url": STORE, "headers": {}, "expires_at": "2030-01-01T00:00:00Z"}
            return httpx.Response(200, headers=OURS, json={**signed, "size": 5, "sha256": "A" * 43 + "="})
        assert "authorization" not in request.headers
        assert request.url.raw_path == b"/key?X-Amz-Signature=5e1ec7ab1e"
        return httpx.Response(self.status, headers=self.headers, content=self._body())

    async def _body(self) -> AsyncIterator[bytes]:
        for piece in self.given:
            self.taken += len(piece)
            yield piece


def medium(*, size: int = len(PLAIN), **known: Any) -> MediaObject:
    facts: dict[str, Any] = {"sha256": None, "sealed_size": None, "sealed_sha256": None, "recipient": None}
    return MediaObject(str(uuid4()), "text/plain", size, **{**facts, **known})


async def fetched(network: Network, wanted: MediaObject, folder: Path) -> bytes:
    tokens = MemoryTokens()
    tokens.save(SessionTokens(access_token="access", refresh_token="refresh"))
    retry = RetryPolicy(attempts=2, base=0.0, cap=0.0)
    transport = Transport(SERVER, tokens=tokens, retry=retry, http_transport=network)
    objects = ObjectStoreClient(SERVER, origins=["https://bucket.example.com"], http_transport=network)
    try:
        downloads = Downloader(transport, objects, StagingFolder(folder), retry)
        async with downloads.fetched(wanted, lambda _: None) as path:
            return path.read_bytes()
    finally:
        await objects.aclose()
        await transport.aclose()


@pytest.mark.parametrize(
    "led", ["/elsewhere", "https://evil.example.org/", "//evil/", "http://[bad", "javascript:1", ""]
)
async def test_nobody_is_led_elsewhere(led: str, tmp_path: Path) -> None:
    network = Network([SEALED], 302, {"Location": led})
    with pytest.raises((ObjectStoreRefused, ObjectStoreUnreachable, InvalidAnswer)):
        await fetched(network, medium(sealed_size=len(SEALED)), tmp_path)
    assert network.taken == 0


def endless() -> Any:
    while True:
        yield b"\0" * 65536


@pytest.mark.parametrize("sealed_size", [None, len(SEALED)], ids=["of unknown length", "of known length"])
async def test_what_never_ends_is_given_up_where_the_file_would_have_ended(
    sealed_size: int | None, tmp_path: Path
) -> None:
    network = Network(endless())
    with pytest.raises(MediaDamaged):
        await fetched(network, medium(sealed_size=sealed_size), tmp_path)
    assert network.taken < 4 * 1024 * 1024
    assert list(tmp_path.iterdir()) == []


async def test_a_file_of_unknown_sealed_length_is_fetched_anew_whatever_is_there(tmp_path: Path) -> None:
    wanted = medium(sha256=sha256(PLAIN).digest())
    (tmp_path / f"{wanted.media_id}.incoming").write_bytes(SEALED)
    assert await fetched(Network([SEALED[:100], SEALED[100:]]), wanted, tmp_path) == SEALED


async def test_a_piece_of_another_place_is_not_put_behind_the_first(tmp_path: Path) -> None:
    wanted = medium(sealed_size=len(SEALED), sealed_sha256=sha256(SEALED).digest())
    (tmp_path / f"{wanted.media_id}.incoming").write_bytes(SEALED[:100])
    honest = Network([SEALED[100:]], 206, {"Content-Range": f"bytes 100-{len(SEALED) - 1}/{len(SEALED)}"})
    assert await fetched(honest, wanted, tmp_path) == SEALED
    (tmp_path / f"{wanted.media_id}.incoming").write_bytes(SEALED[:100])
    lying = Network([SEALED[50:]], 206, {"Content-Range": f"bytes 100-{len(SEALED) - 1}/{len(SEALED)}"})
    with pytest.raises((MediaDamaged, ObjectStoreRefused)):
        await fetched(lying, wanted, tmp_path)


@pytest.mark.parametrize("known", ["sha256", "sealed_sha256", None])
def test_a_file_whose_entry_names_no_digest_could_be_anybodys(known: str | None, tmp_path: Path) -> None:
    path = tmp_path / "sealed"
    path.write_bytes(SEALED)
    digests: dict[str, Any] = {"sha256": sha256(PLAIN).digest(), "sealed_sha256": sha256(SEALED).digest()}
    out = io.BytesIO()
    wanted = medium(**({known: digests[known]} if known else {}))
    if known:
        unsealed(wanted, path, [str(IDENTITY)], out, lambda _: None)
        assert out.getvalue() == PLAIN
        return
    with pytest.raises(MediaDamaged):
        unsealed(wanted, path, [str(IDENTITY)], out, lambda _: None)
    assert out.getvalue() == b""


async def test_no_signed_address_gets_into_a_log(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    wanted = medium(sealed_size=len(SEALED), sealed_sha256=sha256(SEALED).digest())
    assert await fetched(Network([SEALED]), wanted, tmp_path) == SEALED
    with pytest.raises(ObjectStoreUnreachable):
        await fetched(Network([], 503), wanted, tmp_path)
    assert "bucket.example.com" in caplog.text
    assert "5e1ec7ab1e" not in caplog.text
    assert "Signature" not in caplog.text
