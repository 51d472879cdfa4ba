"""Requests to a server: encoding, retries, tokens, and errors by name."""

from __future__ import annotations

import asyncio
import ssl
import uuid
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from typing import TypeVar

import httpx
from pydantic import BaseModel, ValidationError

from lockleaf.client.address import is_loopback, server_address
from lockleaf.client.errors import (
    InvalidAnswer,
    NotLoggedIn,
    RefreshTokenReused,
    ServerUnreachable,
    SessionRevoked,
    TokenExpired,
    TokenInvalid,
    error_for,
)
from lockleaf.client.live import EventParser
from lockleaf.client.retry import RetryPolicy, retry_after
from lockleaf.client.tokens import SessionTokens, TokenStore
from lockleaf.tasks import raise_if_cancelled
from lockleaf.wire.accounts import Refresh, Tokens
from lockleaf.wire.codec import JSON, MSGPACK, MalformedBody, decode, encode
from lockleaf.wire.problems import PROBLEM, Problem
from lockleaf.wire.sync import Event

__all__ = ["MAX_ANSWER_BYTES", "Download", "Transport"]

MAX_ANSWER_BYTES = 64 * 1024 * 1024
"""More than any honest answer; a larger one is cut off before it fills the memory."""

_PREFIX = "/api/v1"
_EVENT_STREAM = "text/event-stream"
_TRY_AGAIN = frozenset({429, 502, 503, 504})
_TIMEOUT = httpx.Timeout(30.0, connect=10.0)
# The server sends a comment every few seconds on an idle stream; silence beyond this is a dead connection.
_STREAM_TIMEOUT = httpx.Timeout(30.0, connect=10.0, read=75.0)

M = TypeVar("M", bound=BaseModel)
Parameters = Mapping[str, str | int | bool | Sequence[str]]
"""The fields of a query; one with several values stands there several times."""


@dataclass(frozen=True)
class _Answer:
    status: int
    media_type: str
    retry_after: str | None
    body: bytes


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

    Raises:
        InvalidServerAddress: the URL is none.
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
    ) -> None:
        self.server = server_address(base_url, allow_insecure=allow_insecure)
        self.tokens = tokens
        self.retry = retry or RetryPolicy()
        self._refreshing = asyncio.Lock()
        self._http = httpx.AsyncClient(
            base_url=self.server + _PREFIX,
            transport=http_transport,
            timeout=_TIMEOUT,
            headers={"User-Agent": "lockleaf/" + version("lockleaf")},
            follow_redirects=False,  # a redirect could lead the tokens elsewhere
            trust_env=not is_loopback(httpx.URL(self.server).host),  # a proxy cannot reach this machine's own ports
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

        Raises:
            ApiError: the subclass of the server's error code.
            ServerUnreachable: no answer came, after all attempts.
            InvalidAnswer: the answer is not one of a Lockleaf server.
            NotLoggedIn: there are no tokens.
        """
        received = await self._send(method, path, body, params, authenticated, msgpack, retry)
        if received.media_type not in {JSON, MSGPACK}:
            raise InvalidAnswer
        try:
            return decode(answer, received.body, received.media_type)
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
    ) -> None:
        """Send a request whose answer says nothing more than that it was done. Errors as for `request`."""
        await self._send(method, path, body, params, authenticated, False, retry)

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
            raise _unreachable(error) from None
        except httpx.HTTPError:
            raise InvalidAnswer from None
        finally:
            await response.aclose()

    @asynccontextmanager
    async def download(self, path: str, media_type: str) -> AsyncIterator[Download]:
        """Ask for an answer that may be larger than memory.

        Raises:
            ServerUnreachable: no answer came.
            InvalidAnswer: what came is not ``media_type``.
            ApiError: the subclass of the server's error code.
        """
        response = await self._open_stream(path, media_type)
        try:
            size = response.headers.get("Content-Length", "")
            yield Download(int(size) if size.isdigit() else None, response.headers.get("Repr-Digest"), _parts(response))
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
    ) -> _Answer:
        media_type = MSGPACK if msgpack else JSON
        request = self._http.build_request(
            method,
            path,
            content=encode(body, media_type) if body is not None else None,
            params=dict(params) if params else None,
            headers={"Accept": f"{media_type}, {PROBLEM}"} | ({"Content-Type": media_type} if body is not None else {}),
        )
        if not authenticated:
            return await self._with_retries(request, retry)
        access_token = self._access_token()
        request.headers["Authorization"] = f"Bearer {access_token}"
        try:
            return await self._with_retries(request, retry)
        except TokenExpired:
            # Refused before anything was done, so that it may be sent again whatever it is.
            await self._refresh(access_token)
            request.headers["Authorization"] = f"Bearer {self._access_token()}"
            return await self._with_retries(request, retry)
        except (SessionRevoked, TokenInvalid):
            self._forget(access_token)
            raise

    async def _with_retries(self, request: httpx.Request, retry: bool) -> _Answer:
        attempt = 0
        while True:
            attempt += 1
            asked = None
            failure: Exception
            try:
                received = await self._exchange(request)
            except httpx.TransportError as error:
                failure = _unreachable(error)
                if isinstance(error, httpx.UnsupportedProtocol) or failure.__cause__ is not None:
                    raise failure from None
            except (httpx.HTTPError, httpx.InvalidURL):  # the latter where it reads to where it would be led
                raise InvalidAnswer from None
            else:
                if 200 <= received.status < 300:
                    return received
                asked = retry_after(received.retry_after, datetime.now(UTC))
                failure = _failure(received, asked)
                if received.status not in _TRY_AGAIN:
                    raise failure
            raise_if_cancelled()
            wait = self.retry.wait(attempt, asked) if retry else None
            if wait is None:
                raise failure
            await asyncio.sleep(wait)

    async def _exchange(self, request: httpx.Request) -> _Answer:
        response = await self._http.send(request, stream=True)
        try:
            return await _read(response)
        finally:
            await response.aclose()

    async def _open_stream(self, path: str, media_type: str) -> httpx.Response:
        request = self._http.build_request(
            "GET", path, timeout=_STREAM_TIMEOUT, headers={"Accept": f"{media_type}, {PROBLEM}"}
        )
        for may_refresh in (True, False):
            access_token = self._access_token()
            request.headers["Authorization"] = f"Bearer {access_token}"
            try:
                response = await self._http.send(request, stream=True)
            except httpx.TransportError as error:
                raise _unreachable(error) from None
            except (httpx.HTTPError, httpx.InvalidURL):
                raise InvalidAnswer from None
            if response.status_code == 200 and _media_type(response) == media_type:
                return response
            try:
                failure = _failure(await _read(response), None)
            except httpx.TransportError as error:
                failure = _unreachable(error)
            except httpx.HTTPError:
                failure = InvalidAnswer()
            finally:
                await response.aclose()
            if isinstance(failure, (SessionRevoked, TokenInvalid)):
                self._forget(access_token)
            if not (may_refresh and isinstance(failure, TokenExpired)):
                raise failure
            await self._refresh(access_token)
        raise NotLoggedIn

    # ---- the session's tokens ----

    def _access_token(self) -> str:
        held = self.tokens.load()
        if held is None:
            raise NotLoggedIn
        return held.access_token

    def _forget(self, access_token: str) -> None:
        """Forget the tokens of a session that is over, unless somebody logged in again in the meantime."""
        held = self.tokens.load()
        if held is not None and held.access_token == access_token:
            self.tokens.clear()

    async def _refresh(self, stale: str) -> None:
        """Rotate the tokens, once for all who found ``stale`` expired.

        The id of the attempt is kept before it is sent: a refresh whose answer was lost, in this run or the one
        before, is asked for again under the same id, where a new one would look like a stolen token.
        """
        async with self._refreshing, self.tokens.exclusive():
            held = self.tokens.load()
            if held is None:
                raise NotLoggedIn
            if held.access_token != stale:
                return
            if held.retry_id is None:
                held = held.model_copy(update={"retry_id": uuid.uuid4().hex})
                self.tokens.save(held)
            body = Refresh(refresh_token=held.refresh_token, retry_id=held.retry_id)
            try:
                answer = await self.request("POST", "/auth/refresh", body=body, answer=Tokens, authenticated=False)
            except (TokenExpired, TokenInvalid, SessionRevoked, RefreshTokenReused):
                self.tokens.clear()
                raise
            self.tokens.save(SessionTokens.of(answer))


async def _read(response: httpx.Response) -> _Answer:
    parts, size = [], 0
    async for part in response.aiter_bytes():
        size += len(part)
        if size > MAX_ANSWER_BYTES:
            raise InvalidAnswer
        parts.append(part)
    return _Answer(response.status_code, _media_type(response), response.headers.get("Retry-After"), b"".join(parts))


async def _parts(response: httpx.Response) -> AsyncIterator[bytes]:
    try:
        async for part in response.aiter_bytes():
            yield part
    except httpx.TransportError as error:
        raise _unreachable(error) from None
    except httpx.HTTPError:
        raise InvalidAnswer from None


def _media_type(response: httpx.Response) -> str:
    return str(response.headers.get("Content-Type", "")).partition(";")[0].strip().lower()


def _failure(received: _Answer, asked: float | None) -> Exception:
    """Return the exception of an answer that is no success."""
    if received.media_type == PROBLEM:
        try:
            problem = Problem.model_validate_json(received.body)
        except ValidationError:
            return InvalidAnswer()
        if asked is not None:
            problem = Problem.model_validate({"retry_after": asked} | problem.model_dump())
        return error_for(problem)
    # A proxy before a server that is down answers in its own words.
    return ServerUnreachable(f"status {received.status}") if received.status in _TRY_AGAIN else InvalidAnswer()


def _unreachable(error: httpx.TransportError) -> ServerUnreachable:
    """Return the named error; one that trying again cannot help keeps its cause."""
    cause: BaseException | None = error
    while cause is not None and not isinstance(cause, ssl.SSLCertVerificationError):
        cause = cause.__cause__ or cause.__context__
    if cause is None:
        return ServerUnreachable(_WORDS.get(type(error)))
    failure = ServerUnreachable("its certificate is not valid for this address, or not trusted")
    failure.__cause__ = cause
    return failure


_WORDS: dict[type[httpx.TransportError], str] = {
    httpx.ConnectTimeout: "no connection in time",
    httpx.ReadTimeout: "no answer in time",
    httpx.ConnectError: "no connection",
}
