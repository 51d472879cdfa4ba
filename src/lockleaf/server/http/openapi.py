"""The OpenAPI document: bodies that ``Parsed`` reads, and every error of every route."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from fastapi import FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute
from pydantic.json_schema import models_json_schema

from lockleaf.server.errors import DomainError
from lockleaf.server.http.bodies import Parsed
from lockleaf.server.http.problems import status_of
from lockleaf.wire import codec
from lockleaf.wire.problems import PROBLEM, Problem

__all__ = ["install", "problems"]

_REFERENCE = "#/components/schemas/{model}"


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
                                "type": f"https://lockleaf.example/problems/{found.code}",
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


def _parsed_body(dependant: Dependant) -> Parsed[Any] | None:
    for dependency in dependant.dependencies:
        if isinstance(dependency.call, Parsed):
            return dependency.call
    return None


def install(app: FastAPI, prefix: str) -> None:
    """Let ``app`` describe its routes below ``prefix`` whole."""

    def document() -> dict[str, Any]:
        if app.openapi_schema:
            return app.openapi_schema
        routes = [route for route in app.routes if getattr(route, "include_in_schema", False)]
        schema = get_openapi(
            title=app.title, version=app.version, summary=app.summary, description=app.description, routes=app.routes
        )
        bodies = {}
        for route in routes:
            if isinstance(route, APIRoute) and (parsed := _parsed_body(route.dependant)):
                bodies[route] = parsed
        models = [(parsed.model, "validation") for parsed in bodies.values()] + [(Problem, "serialization")]
        references, definitions = models_json_schema(
            list(dict.fromkeys(models)),  # type: ignore[arg-type]
            ref_template=_REFERENCE,
        )
        components = schema.setdefault("components", {}).setdefault("schemas", {})
        for name, definition in definitions.get("$defs", {}).items():
            components.setdefault(name, definition)
        for route, parsed in bodies.items():
            body = {"schema": references[parsed.model, "validation"]}
            content = {codec.JSON: body, **({codec.MSGPACK: body} if parsed.msgpack else {})}
            for method in route.methods or ():
                operation = schema["paths"][route.path][method.lower()]
                operation["requestBody"] = {"required": not parsed.optional, "content": content}
        app.openapi_schema = schema
        return schema

    app.openapi = document  # type: ignore[method-assign]
