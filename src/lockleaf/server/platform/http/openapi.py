"""The OpenAPI document: bodies that ``Parsed`` reads, who must say who they are, every error of a route, examples."""

from __future__ import annotations

import asyncio
import gzip
import json
import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.dependencies.models import Dependant
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute, RouteContext, iter_route_contexts
from pydantic.json_schema import models_json_schema

from lockleaf.server.platform.db.errors import DatabaseBusy, DatabaseUnavailable, StorageFull
from lockleaf.server.platform.errors import DomainError, InvalidRequest
from lockleaf.server.platform.http.bodies import ByCustody, Parsed
from lockleaf.server.platform.http.errors import BodyTooLarge, InternalError, MalformedRequest, UnsupportedMediaType
from lockleaf.server.platform.http.examples import Examples
from lockleaf.server.platform.http.problems import problem_type, status_of
from lockleaf.server.platform.limits.errors import RateLimited
from lockleaf.wire import codec
from lockleaf.wire.problem_documents import PROBLEM, Problem
from lockleaf.wire.problems import ErrorCode

__all__ = ["install", "problems", "serve"]

_REFERENCE = "#/components/schemas/{model}"
_SESSION = "session"
_WITH_A_BODY = (MalformedRequest, InvalidRequest, UnsupportedMediaType, BodyTooLarge)
_ANYWHERE = (InternalError, DatabaseUnavailable, DatabaseBusy, RateLimited)
_FORM = "application/x-www-form-urlencoded"
_FASTAPIS_OWN = ("HTTPValidationError", "ValidationError")


def problems(*error_classes: type[DomainError]) -> dict[int | str, dict[str, Any]]:
    """Return the ``responses`` of a route that can fail with these errors."""
    by_status: dict[int, list[type[DomainError]]] = defaultdict(list)
    for error_class in error_classes:
        by_status[status_of(error_class)].append(error_class)
    return {
        status: {
            "description": "; ".join(f"`{found.code}`" for found in classes),
            "content": {
                PROBLEM: {
                    "schema": {"$ref": _REFERENCE.format(model="Problem")},
                    "examples": {
                        str(found.code): {
                            "value": {
                                "type": problem_type(found.code),
                                "title": found().title,
                                "status": status,
                                "detail": found().detail,
                                "code": str(found.code),
                            }
                        }
                        for found in classes
                    },
                }
            },
        }
        for status, classes in sorted(by_status.items())
    }


_Body = Parsed[Any] | ByCustody[Any, Any]


def _parsed_body(dependant: Dependant) -> _Body | None:
    for dependency in dependant.dependencies:
        if isinstance(dependency.call, Parsed | ByCustody):
            return dependency.call
    return None


def _models(body: _Body) -> list[Any]:
    """Return what a body may be. A custody in which a route takes none has a model without fields for it."""
    if isinstance(body, Parsed):
        return [body.model]
    return [model for model in (body.sealed, body.opaque, body.plain) if model is not None and model.model_fields]


def _request_body(body: _Body) -> dict[str, Any]:
    references = [{"$ref": _REFERENCE.format(model=model.__name__)} for model in _models(body)]
    described = {"schema": references[0] if len(references) == 1 else {"anyOf": references}}
    msgpack = isinstance(body, Parsed) and body.msgpack
    content = {codec.JSON: described, **({codec.MSGPACK: described} if msgpack else {})}
    return {"required": not body.optional, "content": content}


def _described(app: FastAPI, schema: dict[str, Any]) -> Iterator[tuple[RouteContext, str, dict[str, Any]]]:
    """Yield each route of the document with one of its methods and what the document says of it."""
    for route in iter_route_contexts(app.routes):
        if isinstance(route.original_route, APIRoute) and route.include_in_schema:
            for method in sorted(route.methods or ()):
                yield route, method, schema["paths"][route.path_format][method.lower()]


def _add(operation: dict[str, Any], *error_classes: type[DomainError]) -> None:
    """Add errors to those that an operation names, in place of FastAPI's own answer to invalid requests."""
    responses = operation["responses"]
    for status, added in problems(*error_classes).items():
        known = responses.get(str(status))
        if known is None or PROBLEM not in known["content"]:
            responses[str(status)] = added
            continue
        known["content"][PROBLEM]["examples"].update(added["content"][PROBLEM]["examples"])
        known["description"] = "; ".join(f"`{code}`" for code in known["content"][PROBLEM]["examples"])


def _complete(operation: dict[str, Any], *, parsed: _Body | None, writes: bool) -> None:
    """Say of an operation what follows from how it is built."""
    if parsed is not None:
        _add(operation, *_WITH_A_BODY)
    elif "requestBody" in operation:
        _add(operation, MalformedRequest, InvalidRequest, BodyTooLarge)
    elif operation.get("parameters"):
        _add(operation, InvalidRequest)
    _add(operation, *_ANYWHERE, *((StorageFull,) if writes else ()))
    unauthenticated = operation["responses"].get("401", {}).get("content", {}).get(PROBLEM, {}).get("examples", {})
    if ErrorCode.NOT_AUTHENTICATED in unauthenticated:
        operation["security"] = [{_SESSION: []}]
        _add(operation, InvalidRequest)  # of parameters that a route does not know: http/parameters.py
    operation["responses"] = dict(sorted(operation["responses"].items()))


def _named(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: {"value": value} for name, value in values.items()}


def _exemplify(operation: dict[str, Any], examples: Examples) -> None:
    """Add examples to an operation, in JSON: in MessagePack, bytes would be raw."""
    body = operation.get("requestBody", {}).get("content", {})
    answers = (answer.get("content", {}) for status, answer in operation["responses"].items() if status.startswith("2"))
    for content, values in ((body, examples.body), *((answer, examples.answer) for answer in answers)):
        for media_type in (codec.JSON, _FORM):
            if media_type in content and values:
                content[media_type] = {**content[media_type], "examples": _named(values)}


def install(
    app: FastAPI, prefix: str, examples: Callable[[], Mapping[str, Examples]], public_url: str | None = None
) -> None:
    """Let ``app`` describe its routes below ``prefix`` whole.

    Args:
        examples: gives those of each operation, as in ``POST /vault``, once the document is asked for.
        public_url: of the server, as clients reach it, if it is known. By default the document says where the server is
            relative to where the document is, which is right below any path that a proxy puts both.
    """
    # Absolute, or relative to the server as OpenAPI 3.1 has it.
    token_url = f"{public_url or ''}{prefix}/auth/token".removeprefix("/")
    server = public_url or "/".join(".." for _ in prefix.strip("/").split("/"))

    def document() -> dict[str, Any]:
        if app.openapi_schema:
            return app.openapi_schema
        schema = get_openapi(
            title=app.title,
            version=app.version,
            summary=app.summary,
            description=app.description,
            tags=app.openapi_tags,
            routes=app.routes,
        )
        schema["servers"] = [{"url": server}]
        found = examples()
        models: list[tuple[Any, Any]] = [(Problem, "serialization")]
        for route, method, operation in _described(app, schema):
            path = str(route.path_format)
            if path.startswith(prefix):
                parsed = _parsed_body(route.dependant)
                _complete(operation, parsed=parsed, writes=method in ("POST", "PUT"))
                if parsed is not None:
                    models.extend((model, "validation") for model in _models(parsed))
                    operation["requestBody"] = _request_body(parsed)
            _exemplify(operation, found.get(f"{method} {path.removeprefix(prefix)}", Examples()))
        _, definitions = models_json_schema(list(dict.fromkeys(models)), ref_template=_REFERENCE)
        components = schema.setdefault("components", {})
        for name, definition in definitions.get("$defs", {}).items():
            components["schemas"].setdefault(name, definition)
        for name in _FASTAPIS_OWN:
            components["schemas"].pop(name, None)
        components["securitySchemes"] = {
            _SESSION: {"type": "oauth2", "flows": {"password": {"tokenUrl": token_url, "scopes": {}}}}
        }
        app.openapi_schema = schema
        return schema

    app.openapi = document  # type: ignore[method-assign]


@dataclass(frozen=True, slots=True)
class _Encoded:
    """The document as it is sent."""

    plain: bytes
    compressed: bytes
    tag: str

    @classmethod
    def of(cls, document: dict[str, Any]) -> _Encoded:
        plain = json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()
        # Weak: one tag for both encodings. No time stands in the compressed form, so all workers send the same.
        return cls(plain, gzip.compress(plain, 9, mtime=0), f'W/"{sha256(plain).hexdigest()[:32]}"')


def serve(app: FastAPI, path: str) -> None:
    """Let ``app`` give its document at ``path``: built once a process, compressed once, and not sent to who has it."""
    once = asyncio.Lock()
    kept: list[_Encoded] = []

    async def document(request: Request) -> Response:
        async with once:
            if not kept:
                kept.append(await asyncio.to_thread(lambda: _Encoded.of(app.openapi())))
        (encoded,) = kept
        headers = {"ETag": encoded.tag, "Cache-Control": "public, max-age=300", "Vary": "Accept-Encoding"}
        if _names(request.headers.get("if-none-match", ""), encoded.tag):
            return Response(status_code=304, headers=headers)
        if _takes_gzip(request.headers.get("accept-encoding", "")):
            return Response(
                encoded.compressed, media_type="application/json", headers={**headers, "Content-Encoding": "gzip"}
            )
        return Response(encoded.plain, media_type="application/json", headers=headers)

    app.add_route(path, document, include_in_schema=False)


def _names(if_none_match: str, tag: str) -> bool:
    """Tell whether a header names a tag, by weak comparison (RFC 9110, 13.1.2)."""
    named = {each.strip().removeprefix("W/") for each in if_none_match.split(",")}
    return "*" in named or tag.removeprefix("W/") in named


def _takes_gzip(accept_encoding: str) -> bool:
    """Tell whether a header allows gzip (RFC 9110, 12.5.3)."""
    weights: dict[str, str] = {}
    for each in accept_encoding.lower().split(","):
        name, _, parameter = each.partition(";")
        weights[name.strip()] = parameter.replace(" ", "")
    weight = weights.get("gzip", weights.get("*"))
    return weight is not None and not re.fullmatch(r"q=0(\.0*)?", weight)
