"""History, conflicts and files of entries in the page."""

from __future__ import annotations

import io

import pytest
from PIL import Image

from tests.support.local_page import Page


async def test_an_earlier_text_is_read_compared_and_brought_back(page: Page) -> None:
    entry = await page.write("one\ntwo")
    path = f"/entries/{entry['id']}"
    await page.post(path, {"base": entry["version"], "body": "one\nthree"}, method="PUT")
    history = await page.get(f"{path}/history")
    assert history["complete"] is False  # the server does not answer
    [replaced] = [each for each in history["revisions"] if each["event"] == "replaced"]
    earlier = await page.get(f"{path}/history/{replaced['number']}")
    assert earlier["differences"] == [["=", "one"], ["-", "two"], ["+", "three"]]
    await page.post(f"{path}/restore", {"revision": replaced["number"]})
    assert (await page.get(path))["body"] == "one\ntwo"


@pytest.mark.parametrize(("choice", "body"), [("local", "mine"), ("remote", "theirs"), ("merged", "both")])
async def test_a_conflict_is_shown_side_by_side_and_decided(page: Page, choice: str, body: str) -> None:
    entry = await page.write("first")
    path = f"/entries/{entry['id']}"
    await page.post(path, {"base": entry["version"], "body": "theirs"}, method="PUT")
    assert (await page.ask("PUT", path, {"base": entry["version"], "body": "mine"})).status_code == 409
    [conflict] = (await page.get("/conflicts"))["conflicts"]
    assert (conflict["local"]["body"], conflict["remote"]["body"]) == ("mine", "theirs")
    assert conflict["differences"] == [["-", "theirs"], ["+", "mine"]]
    chosen = {"choice": choice, "base": conflict["remote"]["version"]} | ({"body": body} if choice == "merged" else {})
    assert (await page.post(f"/conflicts/{conflict['id']}", chosen))["conflicts"] == []
    assert (await page.get(path))["body"] == body


def picture() -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (600, 400), (10, 120, 90)).save(file, "PNG")
    return file.getvalue()


async def attach(page: Page, entry_id: str, name: str, data: bytes, kind: str) -> dict[str, object]:
    headers = {"X-File-Name": name, "Content-Type": kind}
    answer = await page.ask("POST", f"/entries/{entry_id}/attachments", content=data, headers=headers)
    assert answer.status_code == 201, answer.text
    attached: dict[str, object] = answer.json()
    return attached


async def test_a_picture_is_attached_shown_and_taken_off(page: Page) -> None:
    entry = await page.write("![a bay](attachment:bay%20%F0%9F%8C%8A.png)")
    path = f"/entries/{entry['id']}"
    data = picture()
    attached = await attach(page, entry["id"], "bay%20%F0%9F%8C%8A.png", data, "image/png")
    assert (attached["name"], attached["has_thumbnail"]) == ("bay \U0001f30a.png", True)
    again = await attach(page, entry["id"], "bay%20%F0%9F%8C%8A.png", data, "image/png")
    assert again["name"] == "bay \U0001f30a 2.png"
    shown = await page.get(path)
    assert f'src="./api{path}/attachments/{attached["id"]}"' in shown["html"]
    whole = await page.ask("GET", f"{path}/attachments/{attached['id']}")
    assert (whole.content, whole.headers["content-type"]) == (data, "image/png")
    assert whole.headers["content-security-policy"].startswith("sandbox")
    assert whole.headers["cache-control"] == "no-store"
    small = await page.ask("GET", f"{path}/attachments/{attached['id']}/thumbnail")
    with Image.open(io.BytesIO(small.content)) as opened:
        assert opened.size == (320, 213)
    gone = await page.ask("DELETE", f"{path}/attachments/{again['id']}")
    assert (gone.status_code, len((await page.get(path))["attachments"])) == (200, 1)


@pytest.mark.parametrize("kind", ["text/html", "image/svg+xml", "application/pdf", "text/javascript"])
async def test_a_file_that_a_browser_could_run_is_saved_and_never_shown(page: Page, kind: str) -> None:
    entry = await page.write("x")
    attached = await attach(page, entry["id"], "a%22%0d%0aSet-Cookie.html", b"<script>alert(1)</script>", kind)
    answer = await page.ask("GET", f"/entries/{entry['id']}/attachments/{attached['id']}")
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["content-disposition"].startswith("attachment;")
    assert "set-cookie" not in answer.headers


async def test_a_large_file_passes_through_whole(page: Page) -> None:
    entry = await page.write("x")
    data = bytes(range(256)) * 20_000
    attached = await attach(page, entry["id"], "data.bin", data, "application/octet-stream")
    answer = await page.ask("GET", f"/entries/{entry['id']}/attachments/{attached['id']}")
    assert answer.content == data
