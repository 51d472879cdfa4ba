"""The conversation with the object store: bytes to and from addresses that the server signed, and nothing else.

The store is not the server, and may be somebody else's. It never sees the session's token, no redirect is followed,
and a server cannot name an address that this device would not talk to otherwise: its own origin and those that the
account's user allowed are all there are.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Mapping
from contextlib import asynccontextmanager
from importlib.metadata import version
from pathlib import Path
from typing import IO

import httpx

from lockleaf.client.errors import (
    ApiError,
    InsecureObjectStore,
    InvalidAnswer,
    LockleafError,
    NotOurServer,
    ObjectStoreRefused,
    ObjectStoreUnreachable,
    ServerUnreachable,
    StoreNotPinned,
    TooLargeForProxy,
    error_for,
)
from lockleaf.client.transport.addresses import is_loopback, may_be_this_machine, names_host, origin_of
from lockleaf.client.transport.answers import is_ours, media_type_of
from lockleaf.client.transport.connections import Connections
from lockleaf.wire.problem_documents import PROBLEM, Problem

__all__ = ["AddressExpired", "ObjectStoreClient"]

_AT_ONCE = 256 * 1024
_TIMEOUT = httpx.Timeout(60.0, connect=10.0)
_LONGEST_PROBLEM = 64 * 1024
_PASSING = frozenset({408, 425, 429, 500, 502, 503, 504})
_EXPIRED = frozenset({401, 403, 404, 410})
_TOO_LARGE = 413
_HEADERS = ("content-", "x-amz-", "x-lockleaf-")
"""Beginnings of the headers that a signed request may ask for; the session's are not among them."""


_OWN = "/api/v1/objects/"
"""Where a server is its own store, below its own path."""


class AddressExpired(Exception):
    """The store does not take the signed address any more: another one is to be asked for."""


class _Unspoken(httpx.URL):
    """A signed address that no log shows: whoever has it can fetch the file, and httpx logs whatever it requests."""

    def __str__(self) -> str:
        return f"{self.scheme}://{self.netloc.decode('ascii')}/"

    __repr__ = __str__


class ObjectStoreClient:
    """Sends and fetches bytes.

    Args:
        server: the server's URL, as the session uses it.
        origins: of stores that the account's user allowed, as `addresses.store_origin` gives them.
        allow_insecure: plain http to other machines is accepted.
        http_transport: replaces the network.
    """

    def __init__(
        self,
        server: str,
        *,
        origins: Collection[str] = (),
        allow_insecure: bool = False,
        http_transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._server = httpx.URL(server)
        self._origins = frozenset(origins)
        self._allow_insecure = allow_insecure
        self._http_transport = http_transport
        self._opened: httpx.AsyncClient | None = None

    @property
    def _http(self) -> httpx.AsyncClient:
        # Made when it is needed: reading the trusted certificates takes longer than a sync that has nothing to send.
        if self._opened is None:
            self._opened = httpx.AsyncClient(
                transport=self._http_transport or Connections(),
                timeout=_TIMEOUT,
                headers={"User-Agent": "lockleaf/" + version("lockleaf")},
                follow_redirects=False,
                trust_env=False,  # the network looks at it
            )
        return self._opened

    async def aclose(self) -> None:
        """Close the connections."""
        if self._opened is not None:
            await self._opened.aclose()

    async def put(
        self,
        url: str,
        headers: Mapping[str, str],
        path: Path,
        *,
        offset: int,
        size: int,
        moved: Callable[[int], None] | None = None,
    ) -> None:
        """Send ``size`` bytes of a file from ``offset`` on.

        Args:
            url, headers: as the server signed them; a path leads to the server itself.
            moved: told of each piece how many bytes it has.

        Raises:
            AddressExpired: the address is of no use any more.
            ObjectStoreUnreachable: the store does not answer, or cannot take it now; to be tried again.
            ObjectStoreRefused: it does not take these bytes.
            ApiError: a store that is the server itself refuses, and says why.
            InsecureObjectStore: nothing may be sent to that address.
            StoreNotPinned: it is of a store that the account's user has not allowed.
        """
        request = self._http.build_request(
            "PUT",
            self._address(url),
            headers=_allowed(headers) | {"Content-Length": str(size)},
            content=_pieces(path, offset, size, moved),
        )
        response = await self._send(request)
        try:
            self._require_store(response, size)
            if not 200 <= response.status_code < 300:
                raise await _refusal(response)
        finally:
            await response.aclose()

    @asynccontextmanager
    async def get(
        self, url: str, headers: Mapping[str, str], offset: int
    ) -> AsyncIterator[tuple[int, AsyncIterator[bytes]]]:
        """Fetch a file from ``offset`` on: gives where what comes begins (``offset``, or 0), and the bytes.

        Raises:
            As for `put`; while bytes come, ``ObjectStoreUnreachable`` where they break off.
        """
        wanted = {"Range": f"bytes={offset}-"} if offset else {}
        # What is sealed is not compressed any further, and a store that encodes it would break ranges.
        request = self._http.build_request(
            "GET", self._address(url), headers=_allowed(headers) | wanted | {"Accept-Encoding": "identity"}
        )
        response = await self._send(request)
        try:
            self._require_store(response)
            if response.status_code == 206 and offset:
                if not response.headers.get("Content-Range", "").startswith(f"bytes {offset}-"):
                    raise InvalidAnswer
                yield offset, _received(response)
            elif response.status_code == 200:
                yield 0, _received(response)
            else:
                raise await _refusal(response)
        finally:
            await response.aclose()

    async def _send(self, request: httpx.Request) -> httpx.Response:
        request.url = _Unspoken(request.url)
        try:
            return await self._http.send(request, stream=True)
        except ServerUnreachable as error:
            raise ObjectStoreUnreachable(error.detail) from None  # a proxy on the way
        except httpx.TransportError:
            # A store that refuses early closes the connection while bytes are still on their way.
            raise ObjectStoreUnreachable from None
        except (httpx.HTTPError, httpx.InvalidURL):  # the latter where it reads to where it would be led
            raise InvalidAnswer from None

    def _require_store(self, response: httpx.Response, size: int = 0) -> None:
        """Make sure that the store answered. A server that is its own store marks its answers; others speak no HTML.

        A sign-in page that passes for a store nevertheless stores nothing: the server looks before it says that a file
        is there, and what is fetched has a digest.
        """
        url = response.request.url
        own = url.host == self._server.host and url.path.startswith(f"{self._server.path.rstrip('/')}{_OWN}")
        if response.status_code in _PASSING or (is_ours(response) if own else response.status_code >= 400):
            return
        if response.status_code == _TOO_LARGE:
            raise TooLargeForProxy(f"the request had {size:,} bytes", size=size)
        # Some stores name a type where they say nothing; a page has something to show.
        page = media_type_of(response) == "text/html" and response.headers.get("Content-Length") != "0"
        if own or page:
            raise NotOurServer(f"status {response.status_code}")

    def _address(self, text: str) -> httpx.URL:
        """Return the address, once it is one that a client of this server may talk to."""
        # A path is one of the server's own, below the address that its user gave: a proxy may hide from the server by
        # which name it is called, and below which path.
        own = text.startswith("/") and not text.startswith("//")
        try:
            url = httpx.URL(str(self._server).rstrip("/") + text if own else text)
        except (httpx.InvalidURL, ValueError):
            raise InvalidAnswer from None
        if not names_host(url):
            raise InvalidAnswer
        if url.userinfo or url.fragment:
            raise InsecureObjectStore
        if (url.scheme, url.host, url.port) == (self._server.scheme, self._server.host, self._server.port):
            return url
        # What a server far away calls "this machine" would be ours.
        if may_be_this_machine(url.host) and not may_be_this_machine(self._server.host):
            raise InsecureObjectStore
        if url.scheme != "https" and not (url.scheme == "http" and (self._allow_insecure or is_loopback(url.host))):
            raise InsecureObjectStore
        if origin_of(url) not in self._origins:
            raise StoreNotPinned(origin_of(url))
        return url


def _allowed(headers: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in headers.items() if name.lower().startswith(_HEADERS)}


async def _pieces(path: Path, offset: int, size: int, moved: Callable[[int], None] | None) -> AsyncIterator[bytes]:
    file = await asyncio.to_thread(_opened_at, path, offset)
    try:
        left = size
        while left:
            piece = await asyncio.to_thread(file.read, min(_AT_ONCE, left))
            if not piece:
                # Shorter than it was: the store will miss the rest and refuse.
                return
            left -= len(piece)
            yield piece
            if moved is not None:
                moved(len(piece))
    finally:
        file.close()


def _opened_at(path: Path, offset: int) -> IO[bytes]:
    file = path.open("rb")
    file.seek(offset)
    return file


async def _received(response: httpx.Response) -> AsyncIterator[bytes]:
    try:
        async for piece in response.aiter_bytes(_AT_ONCE):  # unpacked, where a proxy packed it all the same
            yield piece
    except httpx.TransportError:
        raise ObjectStoreUnreachable from None
    except httpx.HTTPError:
        raise InvalidAnswer from None


async def _refusal(response: httpx.Response) -> LockleafError | AddressExpired:
    """Return the error of an answer that is no success."""
    if response.status_code in _EXPIRED:
        return AddressExpired()
    if response.status_code in _PASSING:
        return ObjectStoreUnreachable(f"status {response.status_code}")
    if (problem := await _problem(response)) is not None:
        return problem
    return ObjectStoreRefused(f"status {response.status_code}")


async def _problem(response: httpx.Response) -> ApiError | None:
    """Return what a store that is the server itself says; None where another one speaks its own words."""
    if media_type_of(response) != PROBLEM:
        return None
    body = b""
    try:
        async for piece in response.aiter_bytes(4096):
            body += piece
            if len(body) > _LONGEST_PROBLEM:
                return None
        return error_for(Problem.model_validate_json(body))
    except (httpx.HTTPError, ValueError):
        return None
