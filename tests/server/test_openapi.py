"""The OpenAPI document is whole, and true: what routes answer is what it says of them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import httpx
import pytest
from fastapi import FastAPI

from lockleaf.wire.codec import JSON, MSGPACK
from lockleaf.wire.problem_documents import PROBLEM, Problem
from lockleaf.wire.problems import ErrorCode
from tests.support.accounts import register

PREFIX = "/api/v1"
DOCUMENTED = {
    "auth": "prelogin register signup token login refresh logout me features password keyring sessions"
    " sessions/{session_id} recovery-codes verify-recovery-code recover"
    " factors factors/codes factors/{factor_id} factors/{factor_id}/confirm",
    "jobs": ". {job_id}",
    "users": "me me/stats me/access me/preferences me/privacy me/privacy/revoke me/export me/export/{job_id}",
    "sync": "push changes events checkpoints epochs/statements purge reseal conflicts conflicts/{conflict_id}/resolve"
    " backup backups backup/content backup/{log_id} metrics/all",
    "vault": ". {vault_id} {vault_id}/versions {vault_id}/versions/{number}",
    "inbox": ". {item_id}",
    "integrations": ". {integration_id} {provider}/connect {provider}/callback {provider}/push {provider}/pull",
    "entries": ". {entry_id} {entry_id}/restore {entry_id}/history {entry_id}/revisions/{number}",
    "tags": ". {tag_id} cleanup",
    "media": ". upload {media_id} {media_id}/parts {media_id}/complete {media_id}/download {media_id}/restore",
    "search": ". index stats",
    "encryption": "context keys/{parameter_set} metrics metrics/{metric_id} aggregate",
}
"""The paths below each domain; ``.`` is the domain's own."""
BODILESS = (
    "/auth/logout",
    "/users/me/export",
    "/media/{media_id}/complete",
    "/media/{media_id}/restore",
    "/sync/purge",
    "/sync/reseal",
)
"""Where what shall be done is all that is said."""
VERBS = (
    *("Acknowledge", "Add", "Apply", "Ask", "Back", "Begin", "Build", "Change", "Complete", "Confirm", "Count"),
    *("Declare", "Delete", "Drop", "Exchange", "Fetch", "Finish", "Follow", "Get", "Leave", "List", "Log", "Make"),
    *("Post", "Publish", "Push", "Read", "Remove", "Replace", "Resolve", "Restore", "Seal", "Search", "Set", "Sign"),
    *("Store", "Switch", "Take", "Upload"),
)
"""With which the summary of an operation begins."""
Operation = dict[str, Any]


@pytest.fixture(scope="module")
def documents() -> list[dict[str, Any]]:
    """The one document, once it was made: every application of a process has the same, and it takes half a second."""
    return []


@pytest.fixture
def document(app: FastAPI, documents: list[dict[str, Any]]) -> dict[str, Any]:
    if not documents:
        documents.append(app.openapi())
    return documents[0]


def operations(document: dict[str, Any], *, below: str = PREFIX) -> Iterator[tuple[str, str, Operation]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            if path.startswith(below):
                yield method.upper(), path, operation


def examples(operation: Operation) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for status, response in operation["responses"].items():
        for code, example in response.get("content", {}).get(PROBLEM, {}).get("examples", {}).items():
            yield status, code, example["value"]


def is_documented(operation: Operation, answer: httpx.Response) -> bool:
    told = {(status, code) for status, code, _ in examples(operation)}
    return (str(answer.status_code), answer.json()["code"]) in told


def somewhere(path: str) -> str:
    """A path without parameters, as a request has it."""
    return re.sub(r"\{\w+\}", str(UUID(int=7)), path)


def test_the_document_lists_every_route_and_those_of_operation(document: dict[str, Any]) -> None:
    expected = {
        f"{PREFIX}/{domain}/{path}".removesuffix("/.") for domain, paths in DOCUMENTED.items() for path in paths.split()
    }
    assert set(document["paths"]) == expected | {"/health", "/ready", "/metrics"}


async def test_the_document_and_its_page_are_served(http: httpx.AsyncClient, document: dict[str, Any]) -> None:
    assert (await http.get("/openapi.json")).json() == document
    assert "swagger" in (await http.get("/docs")).text.lower()
    redirect = await http.get("http://lockleaf.test/docs")
    assert (redirect.is_redirect, redirect.headers["location"]) == (True, "api/v1/docs")


async def test_the_document_is_sent_compressed_and_only_to_who_has_it_not(http: httpx.AsyncClient) -> None:
    plain = await http.get("/openapi.json", headers={"Accept-Encoding": "identity"})
    small = await http.get("/openapi.json", headers={"Accept-Encoding": "br, gzip;q=0.5"})
    assert small.json() == plain.json()
    assert "content-encoding" not in plain.headers
    assert (small.headers["content-encoding"], small.headers["vary"]) == ("gzip", "Accept-Encoding")
    assert int(small.headers["content-length"]) * 5 < int(plain.headers["content-length"])
    refused = await http.get("/openapi.json", headers={"Accept-Encoding": "gzip;q=0"})
    assert "content-encoding" not in refused.headers
    tag = plain.headers["etag"]
    for named in (tag, f'"other", {tag}', "*", tag.removeprefix("W/")):
        known = await http.get("/openapi.json", headers={"If-None-Match": named})
        assert (known.status_code, known.content, known.headers["etag"]) == (304, b"", tag)
    assert (await http.get("/openapi.json", headers={"If-None-Match": '"other"'})).status_code == 200


def test_every_reference_leads_somewhere(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]
    named = set(re.findall(r'"#/components/schemas/([^"]+)"', json.dumps(document)))
    assert named == set(schemas)
    assert "HTTPValidationError" not in schemas


def test_every_error_has_an_example_that_is_one(document: dict[str, Any]) -> None:
    for method, path, operation in operations(document):
        for status, code, value in examples(operation):
            problem = Problem.model_validate(value)
            assert (problem.code, str(problem.status)) == (code, status), (method, path)
            assert ErrorCode(code)
            assert f"`{code}`" in operation["responses"][status]["description"]
        for status, response in operation["responses"].items():
            if int(status) >= 400:
                assert set(response["content"]) == {PROBLEM}, (method, path, status)
                assert response["content"][PROBLEM]["schema"] == {"$ref": "#/components/schemas/Problem"}


def test_routes_that_take_a_body_say_what_it_is(document: dict[str, Any]) -> None:
    for method, path, operation in operations(document):
        told = operation.get("requestBody", {}).get("content", {})
        if path.endswith("/auth/token"):
            assert set(told) == {"application/x-www-form-urlencoded"}
        elif method in ("PUT", "POST") and not path.endswith(BODILESS):
            expected = {JSON, MSGPACK} if "/sync/" in path or "/encryption/" in path else {JSON}
            assert set(told) == expected, (method, path)
        elif method == "GET":
            assert not told


async def test_both_prefixes_serve_the_same_routes(http: httpx.AsyncClient, document: dict[str, Any]) -> None:
    for method, path, _ in operations(document):
        newer = await http.request(method, f"http://lockleaf.test{somewhere(path)}")
        older = await http.request(method, f"http://lockleaf.test{somewhere(path).replace(PREFIX, '/api', 1)}")
        assert older.json().get("code") != "route_not_found", path
        assert (newer.status_code, newer.json()) == (older.status_code, older.json()), path


async def test_who_must_be_logged_in_is_documented_for_each_route(
    http: httpx.AsyncClient, document: dict[str, Any]
) -> None:
    for method, path, operation in operations(document):
        for headers in ({}, {"Authorization": "Basic x"}, {"Authorization": "Bearer x"}):
            answer = await http.request(method, f"http://lockleaf.test{somewhere(path)}", headers=headers)
            if answer.is_success:  # what is told to anybody
                assert "security" not in operation, (method, path)
                continue
            assert is_documented(operation, answer), (method, path, answer.text)
            asked_who = answer.json()["code"] in ("not_authenticated", "token_invalid")
            assert asked_who == ("security" in operation), (method, path)
            assert ("www-authenticate" in answer.headers) == asked_who


async def test_swaggers_authorize_works_with_what_the_document_says(
    http: httpx.AsyncClient, document: dict[str, Any]
) -> None:
    [(name, scheme)] = document["components"]["securitySchemes"].items()
    owner = await register(http)
    form = {"grant_type": "password", "username": owner.email, "password": owner.password}
    answer = await http.post(f"http://lockleaf.test/{scheme['flows']['password']['tokenUrl']}", data=form)
    assert answer.status_code == 200
    bearer = {"Authorization": f"Bearer {answer.json()['access_token']}"}
    assert (await http.get("/auth/me", headers=bearer)).status_code == 200
    assert document["paths"][f"{PREFIX}/auth/me"]["get"]["security"] == [{name: []}]


BAD_REQUESTS: list[tuple[str, dict[str, Any]]] = [
    ("an empty object", {"content": b"{}", "headers": {"Content-Type": JSON}}),
    ("no JSON", {"content": b"{", "headers": {"Content-Type": JSON}}),
    ("a list", {"content": b"[]", "headers": {"Content-Type": JSON}}),
    ("no text", {"content": b"\xff\xfe", "headers": {"Content-Type": JSON}}),
    ("another encoding", {"content": b"<a/>", "headers": {"Content-Type": "application/xml"}}),
    ("a form", {"content": b"a=%", "headers": {"Content-Type": "application/x-www-form-urlencoded"}}),
    ("a broken upload", {"content": b"x", "headers": {"Content-Type": "multipart/form-data; boundary=y"}}),
    ("too much", {"content": bytes(9 * 1024 * 1024), "headers": {"Content-Type": JSON}}),
    ("invalid parameters", {"params": {"limit": "0", "days": "x", "after": "x", "cursor": "x"}}),
    ("an answer that nobody writes", {"headers": {"Accept": "text/csv"}}),
]


@pytest.mark.parametrize("request_options", [options for _, options in BAD_REQUESTS], ids=[n for n, _ in BAD_REQUESTS])
async def test_every_refusal_of_a_bad_request_is_documented(
    http: httpx.AsyncClient, document: dict[str, Any], request_options: dict[str, Any]
) -> None:
    owner = await register(http)
    refused = 0
    for method, path, operation in operations(document):
        if path.endswith(("/auth/logout", "/sync/events")):
            continue  # one would end the session, the other never ends
        if "content" in request_options and "requestBody" not in operation:
            continue
        answer = await owner.request(method, f"http://lockleaf.test{somewhere(path)}", **request_options)
        if answer.is_error:
            refused += 1
            assert answer.headers["content-type"] == PROBLEM
            assert is_documented(operation, answer), (method, path, answer.text)
            assert answer.status_code < 500
    assert refused


@pytest.mark.parametrize(("tier", "code"), [("local_only", "tier_required"), ("analytics_sync", "tier_required")])
async def test_the_refusals_of_lower_tiers_are_documented(
    http: httpx.AsyncClient, document: dict[str, Any], tier: str, code: str
) -> None:
    owner = await register(http, privacy_tier=tier)
    for method, path, operation in operations(document, below=f"{PREFIX}/sync"):
        if path.endswith("/metrics/all") and tier == "analytics_sync":
            continue  # this one is theirs
        answer = await owner.request(method, f"http://lockleaf.test{somewhere(path)}")
        assert (answer.status_code, answer.json()["code"]) == (403, code), path
        assert is_documented(operation, answer)


async def test_the_refusals_of_narrower_scopes_are_documented(
    http: httpx.AsyncClient, document: dict[str, Any]
) -> None:
    owner = await register(http)
    tokens = {}
    for scope in ("tags:read", "vault:read"):
        login = {"email": owner.email, "password": owner.password, "scope": scope}
        tokens[scope] = (await http.post("/auth/login", json=login)).json()
    for method, path, operation in operations(document):
        if "security" in operation and not path.endswith("/auth/logout"):
            owner.answer = tokens["vault:read" if "/tags" in path else "tags:read"]
            answer = await owner.request(method, f"http://lockleaf.test{somewhere(path)}")
            assert (answer.status_code, answer.json()["code"]) == (403, "insufficient_scope"), (method, path)
            assert is_documented(operation, answer)


def test_every_operation_says_what_it_does_and_belongs_to_a_described_domain(document: dict[str, Any]) -> None:
    described = {tag["name"]: tag["description"] for tag in document["tags"]}
    for method, path, operation in operations(document, below=""):
        assert len(operation["tags"]) == 1, (method, path)
        assert described[operation["tags"][0]]
        assert operation["summary"].split()[0] in VERBS, (method, path, operation["summary"])
        assert operation["description"], (method, path)
    summaries = [operation["summary"] for _, _, operation in operations(document, below="")]
    assert len(set(summaries)) == len(summaries)


async def test_the_type_of_a_problem_leads_to_a_page_that_says_what_it_means(http: httpx.AsyncClient) -> None:
    problem = (await http.get("/entries")).json()
    page = await http.get(str(http.base_url.join(problem["type"])))
    assert page.headers["content-type"].startswith("text/html")
    assert problem["code"] in page.text
    assert "answered with status 401" in page.text
    listed = await http.get("http://lockleaf.test/problems")
    for code in re.findall(r'href="problems/(\w+)"', listed.text):
        assert (await http.get(f"http://lockleaf.test/problems/{code}")).status_code == 200
    assert f"<code>{problem['code']}</code>" in listed.text
    assert (await http.get("http://lockleaf.test/problems/none")).json()["code"] == "route_not_found"
