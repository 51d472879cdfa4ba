"""What the page asks, as an OpenAPI document: the types of the page are made of it."""

from __future__ import annotations

import json
import re
from typing import Any

from pydantic.json_schema import models_json_schema

import lockleaf
from lockleaf.app.application import ENDPOINTS
from lockleaf.app.models.base import Problem
from lockleaf.app.routing import Endpoint

__all__ = ["document", "document_text"]

_REFERENCE = "#/components/schemas/{model}"
_NAMED = re.compile(r"\{(\w+)(?::\w+)?\}")


def document() -> dict[str, Any]:
    """Return the document."""
    asked = [(each.body, "validation") for each in ENDPOINTS if each.body is not None]
    answered = [(each.answer, "serialization") for each in ENDPOINTS if each.answer is not None]
    models = list(dict.fromkeys([*asked, *answered, (Problem, "serialization")]))
    names, schemas = models_json_schema(models, ref_template=_REFERENCE)  # type: ignore[arg-type]
    paths: dict[str, Any] = {}
    for each in ENDPOINTS:
        path = "/api" + _NAMED.sub(r"{\1}", each.path)
        paths.setdefault(path, {})[each.method.lower()] = _operation(each, names)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Lockleaf, the local page",
            "version": lockleaf.__version__,
            "description": "What the page of `lockleaf app` asks of the program that serves it. Others have the SDK.",
        },
        "paths": paths,
        "components": {"schemas": dict(sorted(schemas["$defs"].items()))},
    }


def document_text() -> str:
    """Return the document as text."""
    return json.dumps(document(), indent=1, ensure_ascii=False) + "\n"


def _operation(each: Endpoint, names: Any) -> dict[str, Any]:
    operation: dict[str, Any] = {"operationId": each.name, "summary": each.about}
    if parameters := _NAMED.findall(each.path):
        operation["parameters"] = [
            {"name": name, "in": "path", "required": True, "schema": {"type": "string"}} for name in parameters
        ]
    if each.body is not None:
        schema = names[each.body, "validation"]
        operation["requestBody"] = {"required": True, "content": {"application/json": {"schema": schema}}}
    if each.answer is not None:
        good: dict[str, Any] = {"description": "done", "content": {
            "application/json": {"schema": names[each.answer, "serialization"]}}}  # fmt: skip
        operation["responses"] = {str(each.status): good}
    else:
        operation["responses"] = {"200": {"description": "done"}, "204": {"description": "done"}}
    problem = {"schema": names[Problem, "serialization"]}
    operation["responses"]["default"] = {"description": "refused", "content": {"application/problem+json": problem}}
    return operation
