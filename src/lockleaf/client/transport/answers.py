"""Answers: who gave them, what is in them, and the error that one of them stands for."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass

import httpx
from pydantic import ValidationError

from lockleaf.client.errors import (
    ConnectionBroken,
    InvalidAnswer,
    NotOurServer,
    PlainHttpServer,
    ServerUnreachable,
    TooLargeForProxy,
    error_for,
)
from lockleaf.client.transport.connections import certificate_error, speaks_no_tls
from lockleaf.client.transport.retries import TRY_AGAIN
from lockleaf.wire.api import API_HEADER
from lockleaf.wire.problem_documents import Problem

__all__ = [
    "MAX_ANSWER_BYTES",
    "Answer",
    "chunks",
    "failure_of",
    "is_ours",
    "media_type_of",
    "read",
    "require_ours",
    "unreachable",
]

MAX_ANSWER_BYTES = 64 * 1024 * 1024
"""More than any honest answer; a larger one is cut off before it fills the memory."""

_LARGE = 64 * 1024
"""From so many bytes on, the size of a request may be why its connection broke."""
_TOO_LARGE = 413
_BROKEN = (httpx.WriteError, httpx.ReadError, httpx.RemoteProtocolError, httpx.WriteTimeout)


@dataclass(frozen=True)
class Answer:
    """What the server answered, whole."""

    status: int
    media_type: str
    retry_after: str | None
    body: bytes


def is_ours(response: httpx.Response) -> bool:
    """Return whether an answer bears the mark of a Lockleaf server."""
    return API_HEADER in response.headers


def require_ours(response: httpx.Response, size: int = 0) -> None:
    """Make sure that the server answered, and nothing on the way to it.

    A network's sign-in page answers any request with 200, and a proxy before a server that is down in its own words:
    what a status says counts only where the server said it.

    Args:
        response: as it begins.
        size: bytes of the request's body.

    Raises:
        ServerUnreachable: a proxy says that it does not reach the server now.
        TooLargeForProxy: a proxy takes no request of this size.
        NotOurServer: something else answered.
    """
    if is_ours(response):
        return
    status = response.status_code
    if status in TRY_AGAIN:
        raise ServerUnreachable(f"status {status}")
    if status == _TOO_LARGE:
        raise TooLargeForProxy(f"the request had {size:,} bytes", size=size)
    raise NotOurServer(f"status {status}")


def media_type_of(response: httpx.Response) -> str:
    """Return the media type of an answer in lower case, without parameters; empty where it has none."""
    return str(response.headers.get("Content-Type", "")).partition(";")[0].strip().lower()


async def read(response: httpx.Response) -> Answer:
    """Return an answer, whole.

    Raises:
        InvalidAnswer: it is longer than any honest one.
    """
    parts, size = [], 0
    async for part in response.aiter_bytes():
        size += len(part)
        if size > MAX_ANSWER_BYTES:
            raise InvalidAnswer
        parts.append(part)
    return Answer(response.status_code, media_type_of(response), response.headers.get("Retry-After"), b"".join(parts))


async def chunks(response: httpx.Response) -> AsyncIterator[bytes]:
    """Give the bytes of an answer as they come.

    Raises:
        ServerUnreachable: they break off.
        InvalidAnswer: they cannot be unpacked.
    """
    try:
        async for part in response.aiter_bytes():
            yield part
    except httpx.TransportError as error:
        raise unreachable(error) from None
    except httpx.HTTPError:
        raise InvalidAnswer from None


def failure_of(answer: Answer, retry_after: float | None) -> Exception:
    """Return the exception of one of the server's answers that is no success.

    Args:
        answer: what came.
        retry_after: how long it asks to wait, in seconds.
    """
    try:
        problem = Problem.model_validate_json(answer.body)
    except ValidationError:
        # A proxy may keep the server's headers and speak in its own words.
        unreachable = answer.status in TRY_AGAIN
        return (ServerUnreachable if unreachable else InvalidAnswer)(f"status {answer.status}")
    if retry_after is not None:
        problem = Problem.model_validate({"retry_after": retry_after} | problem.model_dump())
    return error_for(problem)


def unreachable(error: httpx.TransportError, size: int = 0) -> ServerUnreachable:
    """Return the named error; one that trying again cannot help has a cause.

    Args:
        error: what httpx says.
        size: bytes of the request's body.
    """
    cause = certificate_error(error)
    if cause is not None:
        failure = ServerUnreachable("its certificate is not valid for this address, or not trusted")
        failure.__cause__ = cause
        return failure
    if speaks_no_tls(error):
        plain = PlainHttpServer()
        plain.__cause__ = error
        return plain
    if size >= _LARGE and isinstance(error, _BROKEN):
        return ConnectionBroken(f"the request had {size:,} bytes", size=size)
    return ServerUnreachable(_WORDS.get(type(error)))


_WORDS: dict[type[httpx.TransportError], str] = {
    httpx.ConnectTimeout: "no connection in time",
    httpx.ReadTimeout: "no answer in time",
    httpx.ConnectError: "no connection",
}
