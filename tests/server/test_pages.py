"""Pages for people, and slashes at the end of paths: nothing is loaded from elsewhere, and nobody is sent away."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from html.parser import HTMLParser
from urllib.parse import urljoin, urlsplit
from uuid import UUID

import httpx
import pytest
from fastapi import FastAPI
from fastapi.routing import iter_route_contexts

from tests.support.accounts import register

HOST = "http://lockleaf.test"
DOCS = "/api/v1/docs"
LOADING = {"src", "href", "srcset", "data", "action", "formaction", "poster", "background", "manifest"}


class _References(HTMLParser):
    """Collects what a page refers to, and what stands in it that a strict policy forbids."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.inline: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.found += [str(value) for name, value in attrs if name in LOADING]
        if tag == "style" or (tag == "script" and "src" not in given):
            self.inline.append(tag)
        self.inline += [name for name, _ in attrs if name == "style" or name.startswith("on")]


def references(page: str) -> list[str]:
    """What a page refers to. It has no script, style or handler in itself."""
    parser = _References()
    parser.feed(page)
    assert parser.inline == []
    return parser.found


@pytest.fixture
async def root(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=HOST) as client:
        yield client


def routes(app: FastAPI) -> list[tuple[str, str]]:
    """Each route of the application with one of its methods, and a path that leads to it."""
    found = []
    for route in iter_route_contexts(app.routes):
        path = re.sub(r"\{\w+(:\w+)?\}", str(UUID(int=7)), str(route.path))
        found += [(method, path) for method in sorted(route.methods or ())]
    return found


async def test_no_page_loads_anything_from_elsewhere_and_a_policy_forbids_it(
    app: FastAPI, root: httpx.AsyncClient
) -> None:
    pages = 0
    for method, path in routes(app):
        if path.endswith("/sync/events"):
            continue
        answer = await root.request(method, path, follow_redirects=True)
        policy = dict(part.strip().partition(" ")[::2] for part in answer.headers["content-security-policy"].split(";"))
        assert policy["default-src"] == "'none'", path
        assert policy["frame-ancestors"] == "'none'", path
        sources = {source for value in policy.values() for source in value.split()}
        assert sources <= {"'none'", "'self'", "data:"}, path
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "no-referrer"
        if answer.headers.get("content-type", "").startswith("text/html"):
            pages += 1
            for reference in references(answer.text):
                url = urlsplit(urljoin(str(answer.url), reference))
                assert reference == "data:," or f"{url.scheme}://{url.netloc}" == HOST, (path, reference)
    assert pages >= 2  # /docs, and where it leads


@pytest.mark.parametrize("path", [DOCS, f"{DOCS}/"])
async def test_the_documentation_has_all_its_files_here(root: httpx.AsyncClient, path: str) -> None:
    page = await root.get(path)
    assert page.status_code == 200
    loaded = [reference for reference in references(page.text) if reference != "data:,"]
    kinds = {}
    for reference in loaded:
        file = await root.get(urljoin(str(page.url), reference))
        assert file.status_code == 200, reference
        assert file.headers["x-content-type-options"] == "nosniff"
        kinds[reference.rpartition("/")[2]] = file.headers["content-type"].partition(";")[0]
    assert kinds == {
        "swagger-ui.css": "text/css",
        "swagger-ui-bundle.js": "text/javascript",
        "start.js": "text/javascript",
        "openapi.json": "application/json",
    }
    start = (await root.get(f"{DOCS}/start.js")).text
    named = dict(re.findall(r'data-(\w+)="([^"]*)"', page.text))
    assert set(re.findall(r"dataset\.(\w+)", start)) == set(named)
    reached = {name: urljoin(str(page.url), reference) for name, reference in named.items()}
    assert reached == {
        "document": f"{HOST}/api/v1/openapi.json",
        "server": f"{HOST}/",
        "token": f"{HOST}/api/v1/auth/token",
    }


async def test_other_files_of_the_package_are_not_given_away(root: httpx.AsyncClient) -> None:
    for name in ("redoc.standalone.js", "favicon.png", "..%2fcore.py", "../core.py", "oauth2-redirect"):
        assert (await root.get(f"{DOCS}/{name}")).status_code == 404, name


@pytest.mark.parametrize(("path", "location"), [("/docs", "api/v1/docs"), ("/docs/", "../api/v1/docs")])
async def test_the_way_to_the_documentation_holds_below_any_path(
    root: httpx.AsyncClient, path: str, location: str
) -> None:
    answer = await root.get(path)
    assert (answer.status_code, answer.headers["location"]) == (307, location)
    assert urljoin(f"https://journal.example/below{path}", location) == "https://journal.example/below/api/v1/docs"


async def test_the_document_says_where_the_server_is_below_any_path(root: httpx.AsyncClient) -> None:
    document = (await root.get("/api/v1/openapi.json")).json()
    [server] = document["servers"]
    base = urljoin("https://journal.example/below/api/v1/openapi.json", server["url"])
    assert base == "https://journal.example/below/"
    token_url = document["components"]["securitySchemes"]["session"]["flows"]["password"]["tokenUrl"]
    assert urljoin(base, token_url) == "https://journal.example/below/api/v1/auth/token"


# ---- slashes ----


async def test_a_slash_at_the_end_of_a_path_changes_nothing(app: FastAPI, root: httpx.AsyncClient) -> None:
    walked = 0
    for method, path in routes(app):
        if path == "/docs" or path.endswith(("/sync/events", "/metrics", DOCS)):
            continue
        without = await root.request(method, path)
        for slashes in ("/", "//"):
            with_slash = await root.request(method, path + slashes)
            assert with_slash.status_code == without.status_code, (method, path)
            assert not with_slash.is_redirect, (method, path)
            if path != "/ready":  # which tells how long things took
                assert with_slash.content == without.content, (method, path)
        walked += 1
    assert walked > 150
    for path in ("/nothing", "/api/v1/nothing/here", "/api/v1", "/"):
        assert [(await root.get(path + end)).status_code for end in ("", "/")] == [404, 404]


async def test_what_older_clients_ask_with_a_slash_is_done(http: httpx.AsyncClient) -> None:
    owner = await register(http)
    made = await owner.request("POST", "/tags/", json={"name": "cGxhaW4=", "color": "#336699"})
    assert made.status_code == 201
    assert (await owner.request("GET", "/tags/?limit=5")).json() == (await owner.request("GET", "/tags")).json()
    assert len((await owner.request("GET", "/tags")).json()) == 1
    deleted = await owner.request("DELETE", f"/tags/{made.json()['id']}/")
    assert deleted.is_success
    large = await owner.request("PUT", "/users/me/privacy/", content=bytes(2 * 1024 * 1024))
    assert large.status_code != 413  # the limit of a path is its limit with a slash, too


async def test_an_encoded_slash_is_part_of_a_name(http: httpx.AsyncClient) -> None:
    owner = await register(http)
    body = {"ciphertext": "AA==", "iv": "AA==", "salt": "AA==", "version": 1}
    assert (await owner.request("POST", "/vault", json={**body, "vault_id": "mine"})).status_code == 201
    assert (await owner.request("GET", "/vault/mine/")).status_code == 200
    assert (await owner.request("GET", "/vault/mine%2F")).status_code == 404
