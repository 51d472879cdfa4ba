"""Both object stores as whoever uses them finds them: the store itself, and the real HTTP behind signed requests."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import secrets
import threading
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal, Protocol
from urllib.parse import urlsplit
from xml.etree import ElementTree

import httpx
import uvicorn

from lockleaf.server.main.app import create_app
from lockleaf.server.platform.blobs.protocol import ObjectStore, SignedRequest, StoredPart
from lockleaf.server.platform.blobs.stores import open_store
from lockleaf.server.platform.server_keys import load_keys
from lockleaf.server.platform.settings import BlobSettings, Settings
from tests.support.s3_front import S3Front

MIB = 1024 * 1024
MINUTE = 60

Kind = Literal["file", "s3"]


def new_key() -> str:
    """A key as the server draws it."""
    return secrets.token_hex(20)


def sha256(data: bytes) -> bytes:
    """The digest by which data are signed."""
    return hashlib.sha256(data).digest()


def part(number: int, data: bytes) -> StoredPart:
    """A part as a store has to tell of it."""
    return StoredPart(number, len(data), sha256(data))


class Site(Protocol):
    """Where a store runs, and what can be done to it from outside."""

    kind: Kind

    def store(self) -> ObjectStore:
        """A store of its own for the running event loop."""
        ...

    def later(self, seconds: float) -> contextlib.AbstractContextManager[None]:
        """Have whoever checks addresses live so much later."""
        ...

    def unreachable(self) -> contextlib.AbstractContextManager[None]:
        """Take the store away."""
        ...


@dataclass
class Clock:
    """The present time, and how far it is ahead."""

    ahead: timedelta = timedelta(0)

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.ahead


@dataclass
class FileSite:
    """The server as its own store, in a thread, without a database: these routes need none."""

    settings: Settings
    clock: Clock = field(default_factory=Clock)
    url: str = ""
    kind: Kind = "file"

    @property
    def folder(self) -> Path:
        """Where its objects lie."""
        return self.settings.data_dir / "blobs"

    def store(self) -> ObjectStore:
        return open_store(self.settings, load_keys(self.settings), lambda: datetime.now(UTC))

    @contextlib.contextmanager
    def later(self, seconds: float) -> Iterator[None]:
        self.clock.ahead = timedelta(seconds=seconds)
        try:
            yield
        finally:
            self.clock.ahead = timedelta(0)

    @contextlib.contextmanager
    def unreachable(self) -> Iterator[None]:
        away = self.folder.rename(self.folder.with_name("away"))
        try:
            yield
        finally:
            away.rename(self.folder)


@contextlib.contextmanager
def file_site(folder: Path) -> Iterator[FileSite]:
    """A running server whose objects lie below ``folder``."""
    root = secrets.token_urlsafe(48)
    settings = Settings(
        database_url="postgresql://nobody@127.0.0.1:1/nowhere",
        data_dir=folder,
        secrets={"roots": (root,), "prelogin": root[::-1]},
    )
    site = FileSite(settings)
    app = create_app(settings, clock=site.clock)
    server = uvicorn.Server(uvicorn.Config(app, port=0, lifespan="off", log_config=None, access_log=False))
    started = threading.Event()

    async def serve() -> None:
        serving = asyncio.create_task(server.serve())
        while not server.started:
            await asyncio.sleep(0.005)
        started.set()
        await serving
        await app.state.parts[ObjectStore].close()

    thread = threading.Thread(target=lambda: asyncio.run(serve()), name="file-site")
    thread.start()
    try:
        assert started.wait(60)
        site.url = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
        site.settings = settings.model_copy(update={"blobs": BlobSettings(public_url=site.url)})
        yield site
    finally:
        server.should_exit = True
        thread.join()


@dataclass
class S3Site:
    """A bucket behind the strict front."""

    front: S3Front
    kind: Kind = "s3"

    def settings(self, **changed: Any) -> BlobSettings:
        """What leads to the bucket."""
        account = self.front.account
        told: dict[str, Any] = {
            "kind": "s3",
            "endpoint": self.front.url,
            "bucket": "media",
            "region": account.region,
            "access_key": account.access_key,
            "secret_key": account.secret_key,
            "timeout_seconds": 20,
        }
        return BlobSettings(**{**told, **changed})

    def store(self, **changed: Any) -> ObjectStore:
        from lockleaf.server.platform.blobs.s3_store import S3Store

        return S3Store(self.settings(**changed), lambda: datetime.now(UTC))

    def later(self, seconds: float) -> contextlib.AbstractContextManager[None]:
        return self.front.later(seconds)

    def unreachable(self) -> contextlib.AbstractContextManager[None]:
        return self.front.unreachable()


@dataclass
class Bearer:
    """Whoever bears signed requests, with the store that signs them."""

    site: Site
    store: ObjectStore
    http: httpx.AsyncClient

    @property
    def kind(self) -> Kind:
        """Which store it is."""
        return self.site.kind

    async def send(
        self, signed: SignedRequest, data: bytes = b"", headers: Mapping[str, str] | None = None
    ) -> httpx.Response:
        """Send a request as it was signed, but for the length, which is that of the data."""
        told = {**signed.headers, **(headers or {})}
        if signed.method == "PUT":
            told["Content-Length"] = str(len(data))
        return await self.http.request(signed.method, signed.url, headers=told, content=data or None)

    async def keep(self, data: bytes, key: str | None = None) -> str:
        """Put an object there, and return its key."""
        key = key or new_key()
        signed = await self.store.sign_upload(key, size=len(data), sha256=sha256(data), seconds=MINUTE)
        answer = await self.send(signed, data)
        assert answer.is_success, answer.text
        return key

    @contextlib.asynccontextmanager
    async def begun(self) -> AsyncIterator[tuple[str, str]]:
        """A new key with an upload in parts, which is given up in the end."""
        key = new_key()
        upload = await self.store.begin_parts(key)
        yield key, upload
        await self.store.abort_parts(key, upload)

    async def keep_part(self, key: str, upload: str, number: int, data: bytes) -> httpx.Response:
        """Send a part."""
        signed = await self.store.sign_part(key, upload, number, size=len(data), sha256=sha256(data), seconds=MINUTE)
        return await self.send(signed, data)

    async def fetch(self, key: str, wanted: str | None = None) -> httpx.Response:
        """Read an object, or a range of it."""
        signed = await self.store.sign_download(key, seconds=MINUTE)
        return await self.send(signed, headers={} if wanted is None else {"Range": wanted})

    async def cut(self, signed: SignedRequest, data: bytes) -> None:
        """Begin to send, and close the connection before the end; return once the other side has done so too."""
        url = urlsplit(signed.url)
        reader, writer = await asyncio.open_connection(url.hostname, url.port)
        head = {**signed.headers, "Host": url.netloc}
        lines = "".join(f"{name}: {value}\r\n" for name, value in head.items())
        writer.write(f"PUT {url.path}?{url.query} HTTP/1.1\r\n{lines}\r\n".encode() + data)
        await writer.drain()
        writer.write_eof()
        await reader.read()
        writer.close()


@contextlib.asynccontextmanager
async def bearer(site: Site) -> AsyncIterator[Bearer]:
    """A bearer for the length of a test."""
    store = site.store()
    async with httpx.AsyncClient(timeout=60, trust_env=False) as http:
        try:
            yield Bearer(site, store, http)
        finally:
            await store.close()


def altered(signed: SignedRequest, old: str, new: str) -> SignedRequest:
    """A request whose address somebody has changed."""
    assert old in signed.url
    return replace(signed, url=signed.url.replace(old, new))


def code(answer: httpx.Response) -> str:
    """The code of a refusal, of either kind."""
    if answer.headers.get("content-type") == "application/problem+json":
        told: str = answer.json()["code"]
        return told
    return ElementTree.fromstring(answer.content).findtext("Code", "")
