"""Requests to a server: encoding, retries, tokens, and errors by name."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from typing import TypeVar

import httpx
from pydantic import BaseModel, ValidationError

from lockleaf.client.errors import (
    InvalidAnswer,
    InvalidServerAddress,
    NotLoggedIn,
    ServerUnreachable,
    SessionRevoked,
    TokenExpired,
    TokenInvalid,
)
from lockleaf.client.transport.addresses import server_address
from lockleaf.client.transport.answers import (
    MAX_ANSWER_BYTES,
    Answer,
    chunks,
    failure_of,
    media_type_of,
    read,
    require_ours,
    unreachable,
)
from lockleaf.client.transport.connections import Connections
from lockleaf.client.transport.event_stream import EventParser
from lockleaf.client.transport.retries import TRY_AGAIN, RetryPolicy, retry_after
from lockleaf.client.transport.second_factor import SecondFactor
from lockleaf.client.transport.token_refresh import Access
from lockleaf.client.transport.tokens import TokenStore
from lockleaf.tasks import raise_if_cancelled
from lockleaf.wire.codec import JSON, MSGPACK, MalformedBody, decode, encode
from lockleaf.wire.problem_documents import PROBLEM
from lockleaf.wire.sync import Event
from lockleaf.wire.tokens import Refresh, Tokens

__all__ = ["MAX_ANSWER_BYTES", "Download", "Transport"]

_PREFIX = "/api/v1"
_EVENT_STREAM = "text/event-stream"
_RENEWALS = 2
"""What is answered to a refresh that is asked for again was made at the first time, and may have expired since."""
_WHOLE = frozenset({JSON, MSGPACK, PROBLEM})
"""What is never streamed. Any other type may be the right one under the name that a proxy gave it."""
_TIMEOUT = httpx.Timeout(30.0, connect=10.0)
# The server sends a comment every few seconds on an idle stream; silence beyond this is a dead connection.
_STREAM_TIMEOUT = httpx.Timeout(30.0, connect=10.0, read=75.0)

M = TypeVar("M", bound=BaseModel)
Parameters = Mapping[str, str | int | bool | Sequence[str]]
"""The fields of a query; one with several values stands there several times."""


@dataclass(frozen=True)
class Download:
    """An answer of any size, as it comes.

    Attributes:
        size: in bytes, as the server says; None if it does not.
        digest: its ``Repr-Digest`` (RFC 9530).
        parts: the bytes; raises ``ServerUnreachable`` where they break off.
    """

    size: int | None
    digest: str | None
    parts: AsyncIterator[bytes]


class Transport:
    """A conversation with one server, for one session.

    Every write of the API is safe to send twice (ids chosen by the client, compare-and-set, payload hashes), so a
    request that failed on its way is sent again. What must not be is sent with ``retry=False``.

    Args:
        base_url: the server's URL, without the API's path.
        tokens: where the session's tokens are.
        http_transport: replaces the network; for programs that run the server in the same process.
        allow_insecure: plain http to other machines is accepted.
        retry: how often and how fast to try again.
        second_factor: answers where the server asks for one.

    Raises:
        InvalidServerAddress: the URL is invalid.
        InsecureServer: plain http to another machine.
    """

    def __init__(
        self,
        base_url: str,
        *,
        tokens: TokenStore,
        http_transport: httpx.AsyncBaseTransport | None = None,
        allow_insecure: bool = False,
        retry: RetryPolicy | None = None,
        second_factor: SecondFactor | None = None,
    ) -> None:
        self.server = server_address(base_url, allow_insecure=allow_insecure)
        self.tokens = tokens
        self.retry = retry or RetryPolicy()
        self.second_factor = second_factor
        self._access = Access(tokens, self._renewed)
        self._http = httpx.AsyncClient(
            base_url=self.server + _PREFIX,
            transport=http_transport or Connections(),
            timeout=_TIMEOUT,
            headers={"User-Agent": "lockleaf/" + version("lockleaf")},
            follow_redirects=False,  # a redirect could lead the tokens elsewhere
            trust_env=False,  # the network looks at it, when there is something to send
        )

    async def aclose(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def request(
        self,
        method: str,
        path: str,
        *,
        answer: type[M],
        body: BaseModel | None = None,
        params: Parameters | None = None,
        authenticated: bool = True,
        msgpack: bool = False,
        retry: bool = True,
        patience: float | None = None,
    ) -> M:
        """Send a request and return its answer.

        Args:
            method: the HTTP method.
            path: behind ``/api/v1``, beginning with a slash.
            answer: the model of the answer.
            body: what is sent, if anything.
            params: the query, if any.
            authenticated: the session's access token goes with it, and is refreshed when it has expired.
            msgpack: both ways in MessagePack instead of JSON.
            retry: the request is sent again when the server could not be reached or was too busy.
            patience: seconds for which the answer is waited for, once, where the server itself has to wait for others.

        Raises:
            ApiError: the subclass of the server's error code.
            ServerUnreachable: no answer came, after all attempts.
            NotOurServer: something else answered.
            TooLargeForProxy: something on the way takes no request of this size.
            InvalidAnswer: the answer is not one of a Lockleaf server.
            InvalidProxy, InvalidCertificates: what the environment says of the network cannot be used.
            NotLoggedIn: there are no tokens.
        """
        received = await self._send(method, path, body, params, authenticated, msgpack, retry, patience)
        # A proxy may call it something else. Then it is what was asked for, or nothing.
        media_type = received.media_type if received.media_type in {JSON, MSGPACK} else MSGPACK if msgpack else JSON
        try:
            return decode(answer, received.body, media_type)
        except (MalformedBody, ValidationError):
            raise InvalidAnswer from None

    async def command(
        self,
        method: str,
        path: str,
        *,
        body: BaseModel | None = None,
        params: Parameters | None = None,
        authenticated: bool = True,
        retry: bool = True,
        patience: float | None = None,
    ) -> None:
        """Send a request whose answer says nothing more than that it was done. Errors as for `request`."""
        await self._send(method, path, body, params, authenticated, False, retry, patience)

    async def events(self, path: str = "/sync/events") -> AsyncIterator[Event]:
        """Give the live events as they come, until the server ends the stream.

        Raises:
            ServerUnreachable: the stream broke; the caller decides when to open it again.
            InvalidAnswer: what came is no event stream.
            ApiError: the subclass of the server's error code.
        """
        response = await self._open_stream(path, _EVENT_STREAM)
        parser = EventParser()
        try:
            async for received in response.aiter_bytes():
                for event in parser.feed(received):
                    yield event
        except httpx.TransportError as error:
            raise unreachable(error) from None
        except httpx.HTTPError:
            raise InvalidAnswer from None
        finally:
            await response.aclose()

    @asynccontextmanager
    async def download(self, path: str, media_type: str) -> AsyncIterator[Download]:
        """Ask for an answer that may be larger than memory.

        Raises:
            ServerUnreachable: no answer came.
            InvalidAnswer: what came is not the server's.
            ApiError: the subclass of the server's error code.
        """
        response = await self._open_stream(path, media_type)
        try:
            # What a proxy compressed is longer when it is unpacked.
            size = "" if "Content-Encoding" in response.headers else response.headers.get("Content-Length", "")
            yield Download(int(size) if size.isdigit() else None, response.headers.get("Repr-Digest"), chunks(response))
        finally:
            await response.aclose()

    # ---- one request with everything around it ----

    async def _send(
        self,
        method: str,
        path: str,
        body: BaseModel | None,
        params: Parameters | None,
        authenticated: bool,
        msgpack: bool,
        retry: bool,
        patience: float | None,
    ) -> Answer:
        media_type = MSGPACK if msgpack else JSON
        request = self._http.build_request(
            method,
            path,
            content=encode(body, media_type) if body is not None else None,
            params=dict(params) if params else None,
            timeout=_TIMEOUT if patience is None else httpx.Timeout(30.0, connect=10.0, read=patience),
            headers={"Accept": f"{media_type}, {PROBLEM}"} | ({"Content-Type": media_type} if body is not None else {}),
        )
        if not authenticated:
            return await self._with_retries(request, retry)
        access_token = self._access.token()
        renewals = 0
        while True:
            request.headers["Authorization"] = f"Bearer {access_token}"
            try:
                return await self._with_retries(request, retry)
            except TokenExpired:
                # Refused before anything was done, so that it may be sent again whatever it is.
                if renewals == _RENEWALS:
                    raise
                renewals += 1
            except (SessionRevoked, TokenInvalid):
                self._access.forget(access_token)
                raise
            access_token = await self._access.renew(access_token)

    async def _with_retries(self, request: httpx.Request, retry: bool) -> Answer:
        attempt = 0
        while True:
            attempt += 1
            asked = None
            failure: Exception
            try:
                received = await self._exchange(request)
            except ServerUnreachable as error:
                failure = error
                if error.__cause__ is not None:
                    raise
            else:
                if 200 <= received.status < 300:
                    return received
                asked = retry_after(received.retry_after, datetime.now(UTC))
                failure = failure_of(received, asked)
                if received.status not in TRY_AGAIN:
                    raise failure
            raise_if_cancelled()
            if not retry or not await self.retry.pause(attempt, asked):
                raise failure

    async def _exchange(self, request: httpx.Request) -> Answer:
        """Send a request once and read its answer, if it is the server's own.

        Raises:
            ServerUnreachable: no answer came; one that trying again cannot help has a cause.
            TransportError: as for `request`.
        """
        size = int(request.headers.get("Content-Length", 0))
        try:
            response = await self._http.send(request, stream=True)
            try:
                require_ours(response, size)
                return await read(response)
            finally:
                await response.aclose()
        except httpx.UnsupportedProtocol:
            raise InvalidServerAddress from None
        except httpx.TransportError as error:
            failure = unreachable(error, size)
            if isinstance(error, httpx.ReadTimeout) and request.extensions["timeout"] != _TIMEOUT.as_dict():
                failure.__cause__ = error  # the server is at it still, as likely as not
            raise failure from failure.__cause__
        except (httpx.HTTPError, httpx.InvalidURL):  # the latter where it reads to where it would be led
            raise InvalidAnswer from None

    async def _open_stream(self, path: str, media_type: str) -> httpx.Response:
        request = self._http.build_request(
            "GET", path, timeout=_STREAM_TIMEOUT, headers={"Accept": f"{media_type}, {PROBLEM}"}
        )
        for may_renew in (*(True,) * _RENEWALS, False):
            access_token = self._access.token()
            request.headers["Authorization"] = f"Bearer {access_token}"
            try:
                response = await self._http.send(request, stream=True)
            except httpx.TransportError as error:
                raise unreachable(error) from None
            except (httpx.HTTPError, httpx.InvalidURL):
                raise InvalidAnswer from None
            failure: Exception
            try:
                require_ours(response)
                if response.status_code == 200 and media_type_of(response) not in _WHOLE - {media_type}:
                    return response
                failure = failure_of(await read(response), None)
            except (ServerUnreachable, InvalidAnswer) as error:
                failure = error
            except httpx.TransportError as error:
                failure = unreachable(error)
            except httpx.HTTPError:
                failure = InvalidAnswer()
            await response.aclose()
            if isinstance(failure, (SessionRevoked, TokenInvalid)):
                self._access.forget(access_token)
            if not (may_renew and isinstance(failure, TokenExpired)):
                raise failure
            await self._access.renew(access_token)
        raise NotLoggedIn

    async def _renewed(self, refresh_token: str, retry_id: str) -> Tokens:
        body = Refresh(refresh_token=refresh_token, retry_id=retry_id)
        return await self.request("POST", "/auth/refresh", body=body, answer=Tokens, authenticated=False)
