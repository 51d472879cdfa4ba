"""Nobody uses the page but the browser that was opened."""

from __future__ import annotations

import re

import pytest

from lockleaf.app.admission import TOKEN_SECONDS, Admission
from lockleaf.app.application import ENDPOINTS
from lockleaf.app.guard import POLICY
from lockleaf.app.routing import Endpoint
from tests.support.local_page import PORT, Page


async def test_without_the_cookie_there_is_nothing_not_even_the_page(page: Page) -> None:
    page.http.cookies.clear()
    for path in (page.base, f"{page.base}api/state", "/", "/api/state", f"{page.base}assets/a.js"):
        answer = await page.http.get(path)
        assert answer.status_code == 401, path
    entry = await page.ask("POST", "/entries", {"body": "not mine"})
    assert (entry.status_code, entry.json()["code"]) == (401, "not_opened")


async def test_the_cookie_counts_below_the_random_path_alone(page: Page) -> None:
    [cookie] = [each for each in page.http.cookies.jar if each.name == "lockleaf"]
    assert (cookie.path, cookie.has_nonstandard_attr("HttpOnly")) == (page.base, True)
    assert len(page.base) > 20
    # Another program on this host, which the browser was led to, is sent nothing that it could use.
    elsewhere = await page.http.get("/another/api/state", headers={"Cookie": f"lockleaf={cookie.value}"})
    assert elsewhere.status_code == 401


@pytest.mark.parametrize(
    "host", ["evil.example", f"evil.example:{PORT}", "127.0.0.1", "127.0.0.1:1", "127.0.0.1.nip.io"]
)
async def test_a_name_of_somebody_elses_that_was_led_here_is_refused(page: Page, host: str) -> None:
    answer = await page.ask("GET", "/state", headers={"Host": host})
    assert (answer.status_code, answer.json()["code"]) == (421, "wrong_host")


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": f"http://localhost:{PORT}"},
        {"Origin": "http://127.0.0.1:1"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"X-Lockleaf": ""},
    ],
)
async def test_another_page_changes_nothing_although_its_request_brings_the_cookie(
    page: Page, headers: dict[str, str]
) -> None:
    answer = await page.ask("POST", "/entries", {"body": "forged"}, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (403, "wrong_origin")
    assert (await page.get("/state"))["counts"]["entries"] == 0


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=lambda each: each.name)
async def test_whatever_the_page_can_ask_nobody_else_can(page: Page, endpoint: Endpoint) -> None:
    path = re.sub(r"\{\w+\}", "00000000-0000-4000-8000-000000000000", endpoint.path)
    asked: dict[str, dict[str, str]] = {
        "another page": {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"},
        "a form": {"X-Lockleaf": ""},
    }
    for who, headers in asked.items():
        if who == "another page" or endpoint.method != "GET":
            answer = await page.ask(endpoint.method, path, headers=headers)
            assert (answer.status_code, answer.json()["code"]) == (403, "wrong_origin"), who
    page.http.cookies.clear()
    answer = await page.ask(endpoint.method, path)
    assert (answer.status_code, answer.json()["code"]) == (401, "not_opened")


async def test_a_form_of_another_page_is_no_json(page: Page) -> None:
    answer = await page.ask("POST", "/entries", content=b'{"body": "x"}', headers={"Content-Type": "text/plain"})
    assert answer.status_code == 415


async def test_a_picture_or_script_on_another_page_gets_nothing(page: Page) -> None:
    asked = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"}
    assert (await page.ask("GET", "/state", headers=asked)).status_code == 403


async def test_an_address_opens_the_page_once(page: Page) -> None:
    admission = Admission()
    token = admission.new_token()
    assert admission.enter(token) is not None
    assert admission.enter(token) is None
    answer = await page.http.get("/open", params={"token": token})
    assert answer.status_code == 401
    assert "set-cookie" not in answer.headers


def test_an_address_is_good_for_a_short_time() -> None:
    now = [0.0]
    admission = Admission(clock=lambda: now[0])
    token = admission.new_token()
    now[0] = TOKEN_SECONDS + 1
    assert admission.enter(token) is None


async def test_every_answer_forbids_what_is_not_of_the_package(page: Page) -> None:
    answers = [
        await page.http.get(page.base),
        await page.ask("GET", "/state"),
        await page.ask("GET", "/nothing"),
        await page.http.get("/open?token=x"),
        await page.ask("GET", "/state", headers={"Host": "evil.example"}),
    ]
    assert {each.status_code for each in answers} == {200, 404, 401, 421}
    for answer in answers:
        assert answer.headers["content-security-policy"] == POLICY
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert re.search("no-store|no-cache", answer.headers["cache-control"])
    assert "unsafe" not in POLICY
    assert "default-src 'none'" in POLICY


async def test_only_the_secret_of_this_run_gives_another_address(page: Page) -> None:
    asked: dict[str, dict[str, str]] = {
        "none": {},
        "wrong": {"Authorization": "Bearer wrong"},
        "empty": {"Authorization": "Bearer "},
    }
    for headers in asked.values():
        answer = await page.http.post("/control/token", headers=headers)
        assert (answer.status_code, "token" in answer.json()) == (401, False)


async def test_what_is_too_large_is_refused_before_it_is_read(page: Page) -> None:
    answer = await page.ask("POST", "/render", content=b"{}", headers={"Content-Length": str(1 << 40)})
    assert answer.status_code == 413


async def test_an_error_never_says_what_was_sent(page: Page) -> None:
    secret = "Zanzibar-37"
    bodies = ({"query": {"x": secret}}, {secret: 1}, {"since": secret}, {"cursor": secret, "query": "x"})
    for body in bodies:
        answer = await page.ask("POST", "/entries/find", body)
        assert answer.status_code == 422
        assert secret not in answer.text or secret in body, answer.text
    answer = await page.ask("POST", "/entries", {"body": "x", "entry_date": secret})
    assert answer.status_code == 422
    assert secret not in answer.text
