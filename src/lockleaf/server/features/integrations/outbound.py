"""Requests to servers that somebody else names: over TLS, to public addresses, with an end to what they may take.

A user names the instance, and a post names its pictures. So each is hostile until shown otherwise: a name could lead
into the operator's own network, an answer could be endless, a redirect could lead anywhere. A name is looked up once,
all of its addresses are judged, and the connection goes to one of those that were judged, so that a second look-up
cannot change the answer. No redirect is followed, and no proxy of the environment is used: it would do the looking up.
"""

from __future__ import annotations

import asyncio
import ipaddress
import json
import re
import socket
import ssl
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import httpcore

from lockleaf.lazy import late
from lockleaf.server.features.integrations.failures import Unanswered, Unintelligible, Unreachable

if TYPE_CHECKING:
    import httpx
else:
    # For addresses and forms alone, and it loads Rich and Pygments for a command line of its own.
    httpx = late("httpx")

__all__ = ["File", "Outbound", "Reply", "UnsafeAddress", "instance_origin"]

JSON_BYTES = 8 * 1024 * 1024
"""The longest document that is read."""
CONNECT_SECONDS = 10.0
"""How long a connection may take, its TLS included: a person waits for whatever hangs here."""
_HTTPS_PORT = 443
_HOST = re.compile(r"[a-z0-9_-]+(\.[a-z0-9_-]+)+")
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
_FAILURES = (
    httpcore.NetworkError,
    httpcore.TimeoutException,
    httpcore.ProtocolError,
    httpcore.UnsupportedProtocol,
    TimeoutError,
)
_BEGUN = "send_request_headers.started"
"""How httpcore's trace calls the moment from which on the other side may have got something."""

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class UnsafeAddress(Unreachable):
    """The address is not one of a public server with TLS."""


@dataclass(frozen=True, slots=True)
class File:
    """A file in a form."""

    name: str
    media_type: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer, whole. Header names are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        """Return the document that it holds.

        Raises:
            Unintelligible: it holds none.
        """
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            raise Unintelligible from None


def instance_origin(text: str, private_hosts: Collection[str] = ()) -> str:
    """Return the origin (``https://host``) of an instance as a person names it.

    Arguments:
        private_hosts: ``host:port`` that may be reached without TLS and at private addresses.

    Raises:
        UnsafeAddress: it is no host's name, or more than that.
    """
    cleaned = text.strip().rstrip("/")
    try:
        url = httpx.URL(cleaned if "://" in cleaned else f"https://{cleaned}")
        host = url.raw_host.decode("ascii")
    except (httpx.InvalidURL, UnicodeError, ValueError, TypeError):
        raise UnsafeAddress from None
    if url.userinfo or url.query or url.fragment or url.path not in ("", "/") or not host:
        raise UnsafeAddress
    if f"{host}:{url.port or _HTTPS_PORT}" in private_hosts:
        return f"{url.scheme}://{url.netloc.decode('ascii')}"
    if url.scheme != "https" or url.port not in (None, _HTTPS_PORT):
        raise UnsafeAddress
    if not _HOST.fullmatch(host) or _literal(host) is not None:
        raise UnsafeAddress
    return f"https://{host}"


class Outbound:
    """Sends requests, one pool of connections a process.

    Args:
        private_hosts: ``host:port`` that may be reached without TLS and at private addresses.
        seconds: how long one request may take as a whole.
        connect_seconds: how long each connection may take, to one address, and its TLS likewise.
    """

    def __init__(
        self, private_hosts: Collection[str], seconds: float, connect_seconds: float = CONNECT_SECONDS
    ) -> None:
        self.private_hosts = frozenset(private_hosts)
        self._seconds = seconds
        self._timeouts = dict.fromkeys(("read", "write", "pool"), seconds) | {"connect": min(seconds, connect_seconds)}
        self._pool = httpcore.AsyncConnectionPool(
            max_connections=20,
            max_keepalive_connections=10,
            keepalive_expiry=15,
            network_backend=_Judging(self.private_hosts),
        )

    async def send(
        self,
        method: str,
        url: str,
        *,
        query: Mapping[str, str] | None = None,
        form: Mapping[str, str | list[str]] | None = None,
        files: Mapping[str, File] | None = None,
        headers: Mapping[str, str] | None = None,
        most_bytes: int = JSON_BYTES,
    ) -> Reply:
        """Send a request, and return the whole answer, whatever its status.

        Raises:
            UnsafeAddress: the address may not be reached.
            Unreachable: no connection came about, so nothing was sent.
            Unanswered: it was sent, and no whole answer came.
            Unintelligible: it is longer than ``most_bytes``, or encoded.
        """
        request = httpx.Request(
            method,
            self._judged(url),
            params=query,
            data=form,
            files={name: (file.name, file.data, file.media_type) for name, file in (files or {}).items()} or None,
            headers={"User-Agent": "Lockleaf", "Accept-Encoding": "identity", "Accept": "*/*", **(headers or {})},
        )
        content = request.read()
        begun = False

        async def note(event: str, info: Mapping[str, Any]) -> None:
            nonlocal begun
            begun = begun or event.endswith(_BEGUN)

        try:
            async with (
                asyncio.timeout(self._seconds),
                self._pool.stream(
                    method,
                    httpcore.URL(
                        scheme=request.url.raw_scheme,
                        host=request.url.raw_host,
                        port=request.url.port,
                        target=request.url.raw_path,
                    ),
                    headers=request.headers.raw,
                    content=content,
                    extensions={"timeout": self._timeouts, "trace": note},
                ) as answer,
            ):
                told = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in answer.headers}
                if told.get("content-encoding", "identity") != "identity":
                    raise Unintelligible
                body = bytearray()
                async for piece in answer.aiter_stream():
                    body += piece
                    if len(body) > most_bytes:
                        raise Unintelligible
                return Reply(answer.status, told, bytes(body))
        except _FAILURES:
            raise (Unanswered if begun else Unreachable) from None

    async def close(self) -> None:
        """Close all connections."""
        await self._pool.aclose()

    def _judged(self, url: str) -> httpx.URL:
        try:
            parsed = httpx.URL(url)
        except (httpx.InvalidURL, UnicodeError, ValueError, TypeError):
            raise UnsafeAddress from None
        origin = f"{parsed.scheme}://{parsed.netloc.decode('ascii', 'replace')}"
        if parsed.userinfo:
            raise UnsafeAddress
        instance_origin(origin, self.private_hosts)
        return parsed


class _Judging(httpcore.AnyIOBackend):
    """Connects to addresses that were judged, never to a name."""

    def __init__(self, private_hosts: Collection[str]) -> None:
        self._private_hosts = private_hosts

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        if f"{host}:{port}" in self._private_hosts:
            return _Closing(await super().connect_tcp(host, port, timeout, local_address, socket_options))
        try:
            found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except OSError:
            raise httpcore.ConnectError("no such host") from None
        addresses = [ipaddress.ip_address(each[4][0]) for each in found]
        # One private address among public ones is how a name is made to lead inside on the second try.
        if not addresses or not all(is_public(address) for address in addresses):
            raise UnsafeAddress
        failure: Exception = httpcore.ConnectError("nobody answers")
        for address in addresses[:4]:
            try:
                connected = await super().connect_tcp(str(address), port, timeout, local_address, socket_options)
                return _Closing(connected)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
        raise failure


class _Closing(httpcore.AsyncNetworkStream):
    """A connection that is closed where its TLS is given up, for whatever reason.

    The library's own closes where TLS fails, and not where whoever waits for it is cancelled: as the time of a whole
    request runs out, and so whenever the other side wants it.
    """

    def __init__(self, connected: httpcore.AsyncNetworkStream) -> None:
        self._connected = connected
        self.read, self.write, self.aclose = connected.read, connected.write, connected.aclose  # type: ignore[method-assign]
        self.get_extra_info = connected.get_extra_info  # type: ignore[method-assign]

    async def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.AsyncNetworkStream:
        try:
            return await self._connected.start_tls(ssl_context, server_hostname, timeout)
        except BaseException:
            await self._connected.aclose()
            raise


def is_public(address: Address) -> bool:
    """Tell whether an address is one of the public internet, by whatever form it is written."""
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour or (address.teredo[1] if address.teredo else None)
        if inner is None and address in _NAT64:
            inner = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        if inner is not None:
            return is_public(inner)
    return address.is_global and not address.is_multicast


def _literal(host: str) -> Address | None:
    try:
        return ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        # Also what a resolver would take for an address: 0x7f.1, 2130706433.
        last = host.rsplit(".", 1)[-1]
        return ipaddress.IPv4Address(0) if last.isdigit() or last.startswith("0x") else None
