"""Each body and each answer in the OpenAPI document has an example, and each example is what it is an example of."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute, iter_route_contexts
from jsonschema import Draft202012Validator
from pydantic import BaseModel, TypeAdapter

from lockleaf.server.main.features import FEATURES, OBJECTS, OPERATION, examples
from lockleaf.server.main.routes import PREFIX
from lockleaf.server.platform.http.bodies import ByCustody, Parsed
from lockleaf.server.platform.http.examples import Examples
from lockleaf.wire.codec import JSON

FORM = "application/x-www-form-urlencoded"
HOW = (
    "has no example of its {what}. Add one: in the feature's examples.py, which its feature.py names,"
    ' EXAMPLES["{name}"] = Examples({what}={{"what it shows": {{...}}}}), as it'
    " travels in JSON; where the body depends on the custody, one whose name begins with e2e and one with uce."
)
WHERE = "the example, in the feature's examples.py, is invalid: its model refuses it, or knows no such field"
EXAMPLES = examples()


def routes(app: FastAPI) -> dict[str, APIRoute]:
    """The routes of the document, by operation."""
    found = {}
    for context in iter_route_contexts(app.routes):
        route = context.original_route
        if isinstance(route, APIRoute) and context.include_in_schema:
            path = str(context.path_format)
            found.update({f"{method} {path.removeprefix(PREFIX)}": route for method in route.methods})
    return found


def operations(app: FastAPI) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, methods in app.openapi()["paths"].items():
        for method, operation in methods.items():
            yield f"{method.upper()} {path.removeprefix(PREFIX)}", operation


def contents(operation: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """What has examples: the body and each answer of 2xx in JSON, or in the one form that is none."""
    sides = [("body", operation.get("requestBody", {}))]
    sides += [("answer", answer) for status, answer in operation["responses"].items() if status.startswith("2")]
    for what, side in sides:
        yield from ((what, found) for kind, found in side.get("content", {}).items() if kind in (JSON, FORM))


def values(content: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    yield from ((name, example["value"]) for name, example in content.get("examples", {}).items())


def custody_of(example: str) -> str | None:
    """The custody that the first word of an example's name says."""
    found = re.match("(e2e|uce)\\b", example)
    return found[0] if found else None


def model_of_body(route: APIRoute, example: str) -> type[BaseModel]:
    """The model that an example of a body is of."""
    [call] = [found.call for found in route.dependant.dependencies if isinstance(found.call, Parsed | ByCustody)]
    if isinstance(call, Parsed):
        return call.model
    models = {"e2e": call.sealed, "uce": call.plain, "opaque": call.opaque}
    custody = "opaque" if example.startswith("opaque") else custody_of(example)
    assert custody is not None, f"{example}: the name does not say whether it is of e2e or uce"
    model = models[custody]
    assert model is not None
    return model


def said_again(adapter: TypeAdapter[Any], value: Any) -> Any:
    """What a model makes of ``value``: without fields that it does not know, and in its own way of writing."""
    return json.loads(adapter.dump_json(adapter.validate_json(json.dumps(value)), exclude_unset=True, by_alias=True))


def test_every_body_and_every_answer_has_an_example(app: FastAPI) -> None:
    missing = [
        f"{name} {HOW.format(what=what, name=name)}"
        for name, operation in operations(app)
        for what, content in contents(operation)
        if not content.get("examples")
    ]
    assert not missing, "\n".join(missing)


def test_where_the_custody_decides_what_a_body_is_each_custody_has_an_example(app: FastAPI) -> None:
    for name, route in routes(app).items():
        for found in route.dependant.dependencies:
            if isinstance(found.call, ByCustody):
                models = {model_of_body(route, each) for each in EXAMPLES.get(name, Examples()).body}
                models_of = (found.call.sealed, found.call.opaque, found.call.plain)
                taken = {model for model in models_of if model is not None and model.model_fields}
                assert models == taken, f"{name} {HOW.format(what='body', name=name)}"


def test_every_example_of_a_body_is_one(app: FastAPI) -> None:
    shown = 0
    for name, route in routes(app).items():
        for of_what, value in EXAMPLES.get(name, Examples()).body.items():
            if name == "POST /auth/token":  # a form, which has no model of ours
                continue
            adapter = TypeAdapter(model_of_body(route, of_what))
            assert said_again(adapter, value) == value, (name, of_what, WHERE)
            shown += 1
    assert shown


def test_every_example_of_an_answer_is_one(app: FastAPI) -> None:
    shown = 0
    for name, route in routes(app).items():
        for of_what, value in EXAMPLES.get(name, Examples()).answer.items():
            if name == "GET /ready":  # its model is written, never read: the schema beside the example is what holds it
                continue
            adapter = TypeAdapter(route.response_model)
            assert said_again(adapter, value) == value, (name, of_what, WHERE)
            shown += 1
    assert shown


def test_every_example_fits_the_schema_beside_it(app: FastAPI) -> None:
    document = app.openapi()
    for name, operation in operations(app):
        for what, content in contents(operation):
            schema = {**content["schema"], "components": document["components"]}
            for of_what, value in values(content):
                wrong = [error.message for error in Draft202012Validator(schema).iter_errors(value)]
                assert wrong == [], (name, what, of_what, WHERE)


STORY = [
    "POST /auth/signup",
    "POST /entries",
    "PUT /entries/{entry_id}",
    "DELETE /entries/{entry_id}",
    "POST /entries/{entry_id}/restore",
    "POST /tags",
    "POST /vault",
    "PUT /vault/{vault_id}",
    "POST /sync/backup",
    "POST /encryption/aggregate",
    "PUT /users/me",
    "PUT /users/me/preferences",
    "POST /auth/recovery-codes",
    "POST /auth/login",
    "DELETE /users/me",
]
"""What a person does one after the other, each with the first example of a body that is of their custody or of both."""


@pytest.mark.parametrize("custody", ["e2e", "uce"])
async def test_a_client_that_sends_the_examples_is_understood(http: httpx.AsyncClient, custody: str) -> None:
    said: dict[str, Any] = {}
    for name in STORY:
        method, path = name.split(" ")
        bodies = EXAMPLES[name].body.items()
        mine = [
            value for what, value in bodies if custody_of(what) in (custody, None) and not what.startswith("opaque")
        ]
        place = path.format(entry_id=EXAMPLES["POST /entries"].body["uce"]["id"], vault_id=said.get("vault_id"))
        answer = await http.request(method, place, json=mine[0] if mine else None)
        if name == "POST /encryption/aggregate":  # the question is understood, and there is nothing to add up
            assert (answer.status_code, answer.json()["code"]) == (404, "no_metrics")
            continue
        if (name, custody) == ("POST /tags", "e2e"):  # who has a keyring seals a tag, and pushes it
            assert (answer.status_code, answer.json()["code"]) == (422, "seal_required")
            continue
        assert answer.is_success, (name, answer.text)
        heard = answer.json() if answer.content else {}
        said = {**{field: value for field, value in heard.items() if value is not None}, **said}
        http.headers["Authorization"] = f"Bearer {said['access_token']}"
    assert (await http.get("/users/me")).status_code == 401


def test_every_example_is_shown(app: FastAPI) -> None:
    shown = {(name, what) for name, operation in operations(app) for what, _ in contents(operation)}
    told = {(name, what) for name, each in EXAMPLES.items() for what in ("body", "answer") if getattr(each, what)}
    assert told - shown == set()


def test_each_feature_has_the_examples_of_its_own_routes() -> None:
    for feature in (*FEATURES, OBJECTS, OPERATION):
        own = (
            {f"{method} {route.path}" for route in feature.router.routes for method in route.methods}
            if feature.router
            else ()
        )
        assert set(feature.examples()) <= set(own), feature
