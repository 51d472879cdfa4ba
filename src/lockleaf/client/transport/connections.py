"""Connections to servers: directly or through a proxy, with certificates that are trusted.

Nothing of the environment is looked at before the first request: work that needs no network never depends on it.
"""

from __future__ import annotations

import asyncio
import os
import ssl
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import httpcore
import httpx

from lockleaf.client.errors import InvalidCertificates, ProxyRefused, ProxyUnreachable, ServerUnreachable
from lockleaf.client.transport.proxies import Proxy, proxy_for

__all__ = ["Connections", "certificate_error", "speaks_no_tls"]

NEGOTIATION_SECONDS = 15.0
_WANTS_PASSWORD = 407
_KEY_LOG = "SSLKEYLOGFILE"
_NO_TLS = frozenset({"WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "HTTP_REQUEST", "PACKET_LENGTH_TOO_LONG"})


class Connections(httpx.AsyncBaseTransport):
    """Sends each request on the way that the environment names for its address, and keeps the connections of each."""

    def __init__(self) -> None:
        self._ways: dict[tuple[str, Proxy | None], httpx.AsyncBaseTransport] = {}

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request.

        Raises:
            InvalidProxy, InvalidCertificates: what the environment names cannot be used.
            ProxyUnreachable, ProxyRefused: the way ends at the proxy.
            httpx.TransportError: it ends elsewhere.
        """
        proxy = proxy_for(request.url)
        way = self._way(request.url.scheme, proxy)
        if proxy is None:
            return await way.handle_async_request(request)
        try:
            response = await way.handle_async_request(request)
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            if proxy.url.scheme != "https" and _caused_by(error, ssl.SSLError) is not None:
                raise  # the server's own, within the tunnel
            raise ProxyUnreachable(proxy.named_by) from None
        except httpx.ProxyError as error:
            raise _refusal(proxy, str(error)) from None
        except (httpx.TransportError, httpx.InvalidURL):
            raise
        except Exception:
            # What is no SOCKS makes its parser stumble in several ways.
            raise ProxyUnreachable(f"{proxy.named_by}: it does not speak {proxy.url.scheme}") from None
        if response.status_code == _WANTS_PASSWORD:
            await response.aclose()
            raise ProxyRefused(f"{proxy.named_by}, status {_WANTS_PASSWORD}")
        return response

    async def aclose(self) -> None:
        """Close all connections."""
        ways, self._ways = self._ways, {}
        for way in ways.values():
            await way.aclose()

    def _way(self, scheme: str, proxy: Proxy | None) -> httpx.AsyncBaseTransport:
        if (scheme, proxy) not in self._ways:
            # Reading the trusted certificates takes longer than a small request does.
            encrypted = scheme == "https" or (proxy is not None and proxy.url.scheme == "https")
            context = _trusted() if encrypted else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            self._ways[scheme, proxy] = _way_through(proxy, context)
        return self._ways[scheme, proxy]


def _way_through(proxy: Proxy | None, context: ssl.SSLContext) -> httpx.AsyncBaseTransport:
    if proxy is None:
        return httpx.AsyncHTTPTransport(verify=context)
    if proxy.is_socks:
        return _ThroughSocks(proxy, context)
    # A proxy that is called by https itself is held to the same certificates.
    secured = context if proxy.url.scheme == "https" else None
    return httpx.AsyncHTTPTransport(verify=context, proxy=httpx.Proxy(proxy.url, ssl_context=secured))


def _trusted() -> ssl.SSLContext:
    """Return the certificates that are trusted: those that the environment names, else those that come with httpx."""
    variable = "SSL_CERT_FILE" if os.environ.get("SSL_CERT_FILE") else "SSL_CERT_DIR"
    folders = os.environ.get(variable, "") if variable == "SSL_CERT_DIR" else ""
    # OpenSSL passes over folders that are not there, and then trusts nobody.
    if folders and not any(Path(each).is_dir() for each in folders.split(os.pathsep) if each):
        raise InvalidCertificates(variable)
    try:
        return httpx.create_ssl_context()
    except (OSError, ValueError) as error:
        # Python opens this file as well, for programs that look into the traffic.
        if isinstance(error, OSError) and error.filename and error.filename == os.environ.get(_KEY_LOG):
            variable = f"{_KEY_LOG}, whose file cannot be written"
        raise InvalidCertificates(variable) from None


def certificate_error(error: BaseException) -> BaseException | None:
    """Return why a certificate was not accepted, if that is behind ``error``."""
    return _caused_by(error, ssl.SSLCertVerificationError)


def speaks_no_tls(error: BaseException) -> bool:
    """Return whether what answered a greeting of TLS was something else."""
    found = _caused_by(error, ssl.SSLError)
    return isinstance(found, ssl.SSLError) and found.reason in _NO_TLS


def _caused_by(error: BaseException, kind: type[BaseException]) -> BaseException | None:
    cause: BaseException | None = error
    while cause is not None and not isinstance(cause, kind):
        cause = cause.__cause__ or cause.__context__
    return cause


def _refusal(proxy: Proxy, text: str) -> ServerUnreachable:
    """Return the error for what httpcore says of a proxy: a status, or a sentence of its own about SOCKS."""
    status = text[:3]
    if status.isdecimal():
        return ProxyRefused(f"{proxy.named_by}, status {status}")
    if "could not connect" in text:
        return ServerUnreachable(f"the proxy of {proxy.named_by} finds no way to it")
    return ProxyRefused(f"{proxy.named_by}: it wants another user name or password")


class _ThroughSocks(httpx.AsyncHTTPTransport):
    """As httpx does it, with a limit on how long the proxy may be silent: httpcore sets none while it negotiates."""

    def __init__(self, proxy: Proxy, context: ssl.SSLContext) -> None:
        super().__init__(verify=context)
        given = httpx.Proxy(proxy.url)
        self._network = _Impatient()
        self._pool = httpcore.AsyncSOCKSProxy(
            httpcore.URL(scheme=b"socks5h", host=given.url.raw_host, port=given.url.port, target=b"/"),
            proxy_auth=given.raw_auth,
            ssl_context=context,
            max_connections=100,
            max_keepalive_connections=20,
            keepalive_expiry=5.0,
            network_backend=self._network,
        )

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        try:
            return await super().handle_async_request(request)
        except BaseException:
            # httpcore leaves the connection open on which nothing was agreed.
            await self._network.give_up()
            raise


class _Impatient(httpcore.AsyncNetworkBackend):
    def __init__(self) -> None:
        self._network = httpcore.AnyIOBackend()
        self._negotiating: dict[asyncio.Task[Any] | None, _ImpatientStream] = {}

    async def give_up(self) -> None:
        """Close the connection that this task negotiates on, if there is one."""
        stream = self._negotiating.pop(asyncio.current_task(), None)
        if stream is not None:
            await stream.aclose()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        stream = await self._network.connect_tcp(host, port, timeout, local_address, list(socket_options or ()))
        task = asyncio.current_task()
        negotiating = self._negotiating[task] = _ImpatientStream(stream, lambda: self._negotiating.pop(task, None))
        return negotiating


class _ImpatientStream(httpcore.AsyncNetworkStream):
    def __init__(self, stream: httpcore.AsyncNetworkStream, agreed: Callable[[], object]) -> None:
        self._stream = stream
        self._agreed = agreed

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        if timeout is not None:
            return await self._stream.read(max_bytes, timeout)
        try:
            return await self._stream.read(max_bytes, NEGOTIATION_SECONDS)
        except httpcore.ReadTimeout as error:
            raise httpcore.ConnectTimeout from error

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        if timeout is not None:
            self._agreed()
        await self._stream.write(buffer, timeout)

    async def aclose(self) -> None:
        await self._stream.aclose()

    async def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.AsyncNetworkStream:
        self._agreed()
        # From here on every read and write has its own limit.
        return await self._stream.start_tls(ssl_context, server_hostname, timeout)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)
