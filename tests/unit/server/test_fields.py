"""What routes take from a request is read as FastAPI reads it, whichever of the two does it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any
from uuid import uuid4

import pytest
from fastapi import Header, Query, Request
from fastapi.dependencies.models import Dependant
from fastapi.dependencies.utils import get_dependant, request_params_to_args
from fastapi.routing import APIRoute, iter_route_contexts
from hypothesis import given
from hypothesis import strategies as st
from starlette.datastructures import Headers, QueryParams

from lockleaf.server.main.routes import routes
from lockleaf.server.platform.http.fields import Fields, query_of

VALUES = ("", "0", "1", "-7", "9" * 30, "true", "off", "all", "entries", "2026-02-29", "2026-03-01", "x" * 600, "%00",
          "2026-03-01T10:00:00Z", str(uuid4()), str(uuid4()).upper())  # fmt: skip


def dependants(dependant: Dependant) -> Iterator[Dependant]:
    yield dependant
    for each in dependant.dependencies:
        yield from dependants(each)


def of_routes(part: str) -> list[Any]:
    """Each way in which some route takes something from a part of its request."""
    found: dict[str, Any] = {}
    for context in iter_route_contexts(routes()):
        if isinstance(context.original_route, APIRoute):
            for each in dependants(context.original_route.dependant):
                fields = getattr(each, part)
                if fields:
                    found[repr([(field.alias, field.field_info) for field in fields])] = fields
    return list(found.values())


def requests(fields: Sequence[Any]) -> Iterator[list[tuple[str, str]]]:
    """Nothing; each field by itself with each value; all together; each twice; and what no field is."""
    yield []
    for value in VALUES:
        for field in fields:
            yield [(field.alias, value)]
            yield [(field.alias, "1"), (field.alias, value)]
        yield [(field.alias, value) for field in fields]
    yield [("unknown", "1")]


def read(fields: Sequence[Any], said: Any) -> tuple[dict[str, Any], list[Any]]:
    values: dict[str, Any] = {}
    return values, Fields(fields).read(said, values)


def require_alike(fields: Sequence[Any], said: Any) -> None:
    ours, (values, errors) = read(fields, said), request_params_to_args(fields, said)
    assert ours[0] == values
    assert [{**each, "ctx": None} for each in ours[1]] == [{**each, "ctx": None} for each in errors]


def test_paths_are_read_alike() -> None:
    found = of_routes("path_params")
    assert len(found) > 5
    for fields in found:
        for said in requests(fields):
            require_alike(fields, dict(said))


def test_queries_are_read_alike() -> None:
    found = of_routes("query_params")
    assert len(found) > 10
    for fields in found:
        for said in requests(fields):
            require_alike(fields, QueryParams(said))


def test_heads_are_read_alike() -> None:
    found = of_routes("header_params")
    assert found
    for fields in found:
        for said in requests(fields):
            require_alike(fields, Headers(raw=[(name.encode(), value.encode()) for name, value in said]))


def test_a_default_that_can_be_changed_is_a_new_one_for_each_request() -> None:
    def endpoint(several: list[str] = Query(["a"]), one: str = Query("b")) -> None: ...  # noqa: B008

    fields = get_dependant(path="/", call=endpoint).query_params
    (first, _), (second, _) = read(fields, QueryParams()), read(fields, QueryParams())
    assert first == second == {"several": ["a"], "one": "b"}
    assert first["several"] is not second["several"]


@pytest.mark.parametrize("said", [[], [("x-number", "7")], [("x-number", "many")], [("number", "7")]])
def test_what_is_missing_or_wrong_is_told_alike(said: list[tuple[str, str]]) -> None:
    def endpoint(number: int = Header(alias="x-number")) -> None: ...

    fields = get_dependant(path="/", call=endpoint).header_params
    require_alike(fields, Headers(raw=[(name.encode(), value.encode()) for name, value in said]))


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["a", "limit", "_", "", "\u00e9"]),
            st.sampled_from(["=", "", "=="]),
            st.text("xyz=;#?~", max_size=4),
        )
    )
    | st.text("ab=&%+;20\u00e9", max_size=20)
)
def test_a_query_says_the_same_in_either_map(said: list[tuple[str, str, str]] | str) -> None:
    text = said if isinstance(said, str) else "&".join(map("".join, said))
    scope = {"type": "http", "query_string": text.encode("latin-1")}
    expected = Request(dict(scope)).query_params
    found = query_of(Request(scope))
    assert (dict(found), found.keys()) == (dict(expected), expected.keys())
