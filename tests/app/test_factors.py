"""Second factors in the page: an app added and confirmed, asked for where the account's rules ask, removed."""

from __future__ import annotations

from pathlib import Path

import pyotp

from tests.support.command_line import PASSWORD, fresh_email
from tests.support.local_page import Page, page_of
from tests.support.process import RunningServer

OTHER = "quite another heron over the dyke"


async def registered(page: Page, server: RunningServer) -> None:
    """Make an account."""
    await page.post("/account/register", {"server": server.url, "name": fresh_email(), "password": PASSWORD})


async def refused(page: Page, path: str, body: dict[str, object]) -> str:
    """The code with which something is refused."""
    answer = await page.ask("POST", path, body)
    assert answer.status_code >= 400, answer.text
    return str(answer.json()["code"])


async def test_an_app_counts_once_a_code_of_it_was_typed_and_is_asked_for_from_then_on(
    tmp_path: Path, server: RunningServer
) -> None:
    proof = {"password": PASSWORD}
    async with page_of(tmp_path) as page:
        await registered(page, server)
        assert await page.get("/factors") == {"factors": [], "codes_left": 0, "wrong_codes": 0}
        assert await refused(page, "/factors/apps/confirm", {"code": "123456"}) == "nothing_begun"
        assert await refused(page, "/factors/apps", {"password": "not this one"}) == "wrong_password"
        begun = await page.post("/factors/apps", {**proof, "name": "phone"})
        assert begun["svg"].startswith("<svg")
        assert "style" not in begun["svg"]
        assert begun["secret"] not in begun["svg"]
        app = pyotp.TOTP(begun["secret"])
        wrong = next(each for each in ("000000", "111111", "222222") if not app.verify(each, valid_window=3))
        assert await refused(page, "/factors/apps/confirm", {"code": wrong}) == "invalid_factor"
        codes = (await page.post("/factors/apps/confirm", {"code": app.now()}))["codes"]
        assert len(codes) == 10
        assert await refused(page, "/factors/apps/confirm", {"code": app.now()}) == "nothing_begun"
        found = await page.get("/factors")
        assert [(each["kind"], each["name"]) for each in found["factors"]] == [("totp", "phone")]
        assert found["codes_left"] == 10

        changed = {**proof, "new_password": OTHER}
        assert await refused(page, "/account/password", changed) == "second_factor_required"
        assert (
            await refused(page, "/account/password", {**changed, "factor": "0000-0000-0000-0000"}) == "invalid_factor"
        )
        await page.post("/account/password", {**changed, "factor": codes[0]})
        proof = {"password": OTHER}
        assert await refused(page, "/factors/codes", proof) == "second_factor_required"
        codes = (await page.post("/factors/codes", {**proof, "factor": codes[1]}))["codes"]
        assert len(codes) == 10
        factor = found["factors"][0]["id"]
        assert await refused(page, f"/factors/{factor}/remove", proof) == "second_factor_required"
        answer = await page.ask("POST", f"/factors/{factor}/remove", {**proof, "factor": codes[0]})
        assert answer.status_code == 204
        assert (await page.get("/factors"))["factors"] == []
        assert await refused(page, f"/factors/{factor}/remove", proof) == "not_found"


async def test_an_app_that_was_begun_is_forgotten_when_the_journal_is_locked(
    tmp_path: Path, server: RunningServer
) -> None:
    async with page_of(tmp_path) as page:
        await registered(page, server)
        await page.post("/factors/apps", {"password": PASSWORD})
        await page.post("/lock")
        await page.post("/unlock", {"password": PASSWORD})
        assert await refused(page, "/factors/apps/confirm", {"code": "123456"}) == "nothing_begun"
