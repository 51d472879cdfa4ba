"""Every error as an RFC 9457 problem document: the one place where a category becomes a status."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from http import HTTPStatus
from typing import Any

import asyncpg
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import Scope

from lockleaf.server.platform import errors
from lockleaf.server.platform.db.errors import DRIVER_ERRORS, DatabaseBusy, DatabaseUnavailable, StorageFull
from lockleaf.server.platform.errors import InvalidRequest
from lockleaf.server.platform.http.bodies import field_errors
from lockleaf.server.platform.http.errors import (
    InternalError,
    LengthRequired,
    MalformedRequest,
    MethodNotAllowed,
    NotAcceptable,
    RangeNotSatisfiable,
    RouteNotFound,
    UnsupportedMediaType,
)
from lockleaf.wire.problem_documents import PROBLEM, Problem

__all__ = ["STATUSES", "answer_of", "error_of", "every_error", "install", "problem_response", "problem_type"]

STATUSES: dict[type[errors.DomainError], int] = {
    MalformedRequest: 400,
    NotAcceptable: 406,
    MethodNotAllowed: 405,
    LengthRequired: 411,
    UnsupportedMediaType: 415,
    RangeNotSatisfiable: 416,
    InternalError: 500,
    errors.Invalid: 422,
    errors.Unauthenticated: 401,
    errors.Forbidden: 403,
    errors.NotFound: 404,
    errors.Conflict: 409,
    errors.Outdated: 412,
    errors.TooLarge: 413,
    errors.Unconditional: 428,
    errors.Busy: 429,
    errors.Unavailable: 503,
    errors.OverQuota: 507,
}


def status_of(error_class: type[errors.DomainError]) -> int:
    """Return the HTTP status of a class of errors: that of its nearest category."""
    for base in error_class.__mro__:
        if base in STATUSES:
            return STATUSES[base]
    return 500


def every_error() -> Iterator[type[errors.DomainError]]:
    """Yield each class of errors that has a code."""
    waiting: list[type[errors.DomainError]] = [errors.DomainError]
    while waiting:
        error_class = waiting.pop()
        waiting.extend(error_class.__subclasses__())
        if "code" in vars(error_class):
            yield error_class


def problem_type(code: str, public_url: str = "") -> str:
    """Return the URI of a kind of problem: that of its page, absolute where the server knows its own address."""
    return f"{public_url}/problems/{code}"


def problem_response(error: errors.DomainError, scope: Scope) -> Response:
    """Return ``error`` as a problem document, in answer to the request of ``scope``."""
    status = status_of(type(error))
    problem = Problem(
        type=problem_type(error.code, scope["state"].get("public_url", "")),
        title=error.title,
        status=status,
        detail=error.detail,
        code=error.code,
        **error.facts,
    )
    headers: dict[str, str] = {}
    if isinstance(error, errors.Busy | errors.Unavailable):
        headers["Retry-After"] = str(error.retry_after)
    if isinstance(error, errors.Unauthenticated):
        headers["WWW-Authenticate"] = "Bearer"
    return Response(problem.model_dump_json(), status_code=status, media_type=PROBLEM, headers=headers)


def error_of(error: Exception) -> errors.DomainError:
    """Return the domain's word for whatever was raised."""
    match error:
        case errors.DomainError():
            return error
        case RequestValidationError():
            return _of_validation(error)
        case HTTPException(status_code=HTTPStatus.NOT_FOUND):
            return RouteNotFound()
        case HTTPException(status_code=HTTPStatus.METHOD_NOT_ALLOWED):
            return MethodNotAllowed()
        case HTTPException(status_code=HTTPStatus.BAD_REQUEST):
            return MalformedRequest()
        case PoolTimeout():
            return DatabaseBusy()
        case DBAPIError():
            return _of_database(getattr(error.orig, "__cause__", None), lost=error.connection_invalidated)
        case asyncpg.PostgresError() | asyncpg.InterfaceError() | asyncpg.InternalClientError():
            return _of_database(error, lost=False)
        case ConnectionError() | asyncio.TimeoutError():
            return DatabaseUnavailable()
        case _:
            return InternalError()


def _of_validation(error: RequestValidationError) -> errors.DomainError:
    found = error.errors()
    if any(each["type"] in ("json_invalid", "model_attributes_type") for each in found):
        return MalformedRequest()
    return InvalidRequest(errors=field_errors(found))


def _of_database(cause: BaseException | None, *, lost: bool) -> errors.DomainError:
    match cause:
        case asyncpg.DiskFullError():
            return StorageFull()
        case (
            asyncpg.LockNotAvailableError()
            | asyncpg.QueryCanceledError()
            | asyncpg.TooManyConnectionsError()
            | asyncpg.DeadlockDetectedError()
            | asyncpg.SerializationError()
        ):
            return DatabaseBusy()
        case asyncpg.PostgresConnectionError() | asyncpg.CannotConnectNowError() | asyncpg.OperatorInterventionError():
            return DatabaseUnavailable()
        case asyncpg.InterfaceError() | asyncpg.InternalClientError() | OSError():
            return DatabaseUnavailable()
        case _:
            return DatabaseUnavailable() if lost else InternalError()


def answer_of(scope: Scope, error: Exception) -> Response:
    """Return the answer to a request that ended with ``error``.

    Raises:
        Exception: the error itself, where the domain has no word for it: the outermost middleware logs and answers it.
    """
    domain_error = error_of(error)
    if isinstance(domain_error, InternalError):
        raise error
    if domain_error is not error:
        scope["state"]["cause"] = type(error).__name__
    return problem_response(domain_error, scope)


def install(app: FastAPI) -> None:
    """Answer every exception that a route lets through with a problem document."""

    async def answer(request: Request, error: Exception) -> Response:
        return answer_of(request.scope, error)

    handled: tuple[Any, ...] = (
        errors.DomainError,
        RequestValidationError,
        HTTPException,
        DBAPIError,
        PoolTimeout,
        *DRIVER_ERRORS,
        ConnectionError,
        TimeoutError,
    )
    for error_class in handled:
        app.add_exception_handler(error_class, answer)

    async def answer_the_worst(request: Request, error: Exception) -> Response:
        return problem_response(InternalError(), request.scope)

    app.add_exception_handler(Exception, answer_the_worst)  # and it is raised on, to be logged
