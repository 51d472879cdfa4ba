"""Write the pictures of the local page that the documentation shows: ``python docs/generate_images.py``.

A journal of made-up days is begun in a scratch folder, with an account at a server of its own, served by
``lockleaf app``, and looked at with Chromium: each screen in both themes, and at the width of a phone.
"""

from __future__ import annotations

import base64
import io
import json
import os
import random
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import date, timedelta
from pathlib import Path
from urllib.parse import quote

from PIL import Image, ImageDraw
from playwright.sync_api import BrowserContext, Page, expect, sync_playwright

IMAGES = Path(__file__).with_name("images")
LOCKLEAF = Path(sys.executable).with_name("lockleaf")
SIZES = {"wide": (1280, 800), "phone": (390, 800)}
PASSWORD = "a heron over the dyke at noon"  # noqa: S105 (of nobody's account)
CHOSEN = random.Random(7)  # noqa: S311 (days are drawn, no keys)

# ruff: noqa: E501
TEXTS = (
    (
        "The river before breakfast",
        "Walked down to the river before breakfast. There was **mist over the water** and nobody else, apart from the "
        "heron that has decided the weir is his.\n\nI keep coming back to what Marta said last week: *you can put a "
        "thing down without having finished it.* It sounds like nothing. It took me two years to hear it.\n\n> The "
        "days are long but the years are short.\n\nComing home I made a list, for once a short one:\n\n- call the "
        "dentist\n- plant the last tulips\n- write to Jonas, and mean it",
    ),
    (
        "",
        "Slept badly, woke at four with the window open and the rain coming in sideways. Read until it got light. Oddly "
        "the day was fine after that: soup, a long call with my sister, and the good kind of tired in the evening.",
    ),
    (
        "What the garden did without us",
        "We came back after three weeks and the garden had been busy. The beans had climbed past the poles, the tomatoes "
        "were splitting, and something had eaten every leaf of the kohlrabi with great precision.\n\nI was annoyed for "
        "an hour and then I was not. We picked what was there and ate it on the steps.",
    ),
    (
        "A good rehearsal",
        "The second movement finally breathes. It was not the tempo at all, it was that **we were all afraid of the "
        "silence** in bar forty and kept filling it.\n\nAfterwards we stood outside with the cases on our backs and "
        "nobody wanted to go home.",
    ),
    ("", "Finished the book on the train and missed my stop."),
    (
        "Notes after the meeting",
        "Said what I thought, for once before the meeting was over and not in the lift afterwards. Nobody died.\n\n"
        "1. Ask for the numbers first\n2. Leave room for a pause\n3. Write down what was *not* decided\n\nLunch with "
        "Ines at the [place by the canal](https://example.org/canal). She is moving in spring.",
    ),
    (
        "Evening, nothing in particular",
        "There are evenings that do not want anything from you. The lamp, the kettle, the neighbour's piano through the "
        "wall, always the same eight bars. I used to think I was waiting for something on such evenings.",
    ),
    (
        "First frost",
        "The grass was white at seven. Brought in the geraniums one by one, which took longer than it should have "
        "because each of them had a spider with opinions.\n\nPapa called. He is well, he says, and the way he said it "
        "I believed him.",
    ),
    ("", "Long walk with Tom along the old railway line. We talked about everything except the thing, and then on the "
         "bridge we talked about the thing, and it was all right."),
)  # fmt: skip
MOODS = ("calm", "glad", "tired", "thoughtful", "hopeful", "grateful", "restless", "happy", None)
TAGS = ("walks", "work", "family", "books", "garden", "travel", "music")


def picture(seed: int) -> bytes:
    """Draw hills under a sky."""
    drawn = random.Random(seed)  # noqa: S311
    image = Image.new("RGB", (900, 600))
    canvas = ImageDraw.Draw(image)
    high, low = ([drawn.randint(130, 235) for _ in range(3)] for _ in range(2))
    for y in range(600):
        shade = [int(a + (b - a) * y / 600) for a, b in zip(high, low, strict=True)]
        canvas.line([(0, y), (900, y)], fill=(shade[0], shade[1], shade[2]))
    sun = drawn.randint(120, 700)
    canvas.ellipse((sun, 70, sun + 90, 160), fill=(255, 240, 212))
    for ridge in range(4):
        points = [(x, 260 + ridge * 85 + drawn.randint(-45, 45)) for x in range(0, 901, 75)]
        dark = 0.78 - ridge * 0.15
        canvas.polygon([(0, 600), *points, (900, 600)], fill=(int(96 * dark), int(142 * dark), int(120 * dark)))
    kept = io.BytesIO()
    image.save(kept, "JPEG", quality=80)
    return kept.getvalue()


def write_journal(folder: Path, last: date) -> Path:
    """Write the made-up days of two years and a half as an archive that `lockleaf import` reads."""
    lines = []
    day = last
    for number in range(640):
        title, body = TEXTS[number % len(TEXTS)] if number < len(TEXTS) else CHOSEN.choice(TEXTS)
        clock = f"{CHOSEN.randint(6, 22):02}:{CHOSEN.randint(0, 59):02}:00+01:00"
        lines.append(
            {
                "date": f"{day}T{clock}",
                "title": title or None,
                "body": body,
                "mood": CHOSEN.choice(MOODS),
                "tags": CHOSEN.sample(TAGS, CHOSEN.choice((0, 1, 1, 2))),
                "metrics": {"sleep_hours": round(CHOSEN.gauss(7.2, 0.7), 1)} if number < 120 else {},
            }
        )
        day -= timedelta(days=CHOSEN.choice((1, 1, 1, 2)))
    path = folder / "days.jsonl"
    path.write_text("\n".join(json.dumps({k: v for k, v in line.items() if v}) for line in lines))
    return path


SENT = """async ([id, name, bytes]) => {
  const data = Uint8Array.from(atob(bytes), letter => letter.charCodeAt(0));
  const answer = await fetch(`./api/entries/${id}/attachments`, {method: "POST", body: new Blob([data]),
    headers: {"X-Lockleaf": "1", "X-File-Name": name, "Content-Type": "image/jpeg"}});
  return answer.status;
}"""
LISTED = """async () => {
  const answer = await fetch("./api/entries/find", {method: "POST", body: JSON.stringify({limit: 12}),
    headers: {"X-Lockleaf": "1", "Content-Type": "application/json"}});
  return (await answer.json()).entries.map(entry => entry.id);
}"""


def take(page: Page, name: str, theme: str, size: str) -> None:
    """Keep what the window shows, as a small picture."""
    page.wait_for_timeout(400)
    with Image.open(io.BytesIO(page.screenshot())) as shot:
        small = shot.convert("RGB").quantize(256, method=Image.Quantize.MAXCOVERAGE, kmeans=2, dither=Image.Dither.NONE)
        small.save(IMAGES / f"{name}-{theme}-{size}.png", optimize=True)


def show(page: Page, ids: list[str], theme: str, size: str) -> None:
    """Go through the screens."""
    screens = {
        "journal": "", "write": f"write/{ids[0]}", "read": f"entry/{ids[0]}", "search": "search",
        "calendar": "calendar/2026", "today": "today", "numbers": "numbers", "register": "account/register",
        "deleted": "deleted", "import": "import", "account": "account", "factors": "account", "seen": "account/seen",
        "connections": "account/connections",
    }  # fmt: skip
    for name, screen in screens.items():
        page.evaluate("screen => { location.hash = '#/' + screen }", screen)
        page.locator("main h1").first.wait_for(state="attached")
        expect(page.locator("[aria-busy=true]")).to_have_count(0, timeout=60_000)
        if name == "search":
            page.get_by_label("Search the journal").fill("evening")
            page.locator(".entry-row mark").first.wait_for()
        if name == "account":
            page.locator(".devices li").first.wait_for()
        if name == "factors":
            begin_factor(page)
        if name == "seen":
            page.locator(".seen-entry").first.wait_for()
        page.evaluate("document.activeElement?.blur()")
        take(page, name, theme, size)
    page.evaluate("location.hash = '#/'")
    page.wait_for_timeout(300)
    page.keyboard.press("F1")
    take(page, "keys", theme, size)
    page.keyboard.press("Escape")


def begin_factor(page: Page) -> None:
    """Have the account show the secret of an app that is being added."""
    card = page.locator("section.card").filter(has=page.get_by_role("heading", name="Second factors"))
    card.get_by_role("button", name="Add an app").click()
    card.get_by_label("What you call it").fill("phone")
    card.get_by_label("Password").fill(PASSWORD)
    page.keyboard.press("Enter")
    card.get_by_role("img", name="The secret of the app as a QR code").wait_for()
    card.evaluate("card => card.scrollIntoView()")


@contextmanager
def begun(environment: dict[str, str], *arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    """Run one of our programs for the length of a ``with``."""
    process = subprocess.Popen(  # noqa: S603 (our own program)
        [LOCKLEAF, *arguments], env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    try:
        yield process
    finally:
        process.terminate()
        process.communicate()


def run(environment: dict[str, str], *arguments: str | Path) -> None:
    """Run a command to its end."""
    subprocess.run([LOCKLEAF, *arguments], env=environment, check=True, capture_output=True)  # noqa: S603


def page_of(process: subprocess.Popen[bytes], window: BrowserContext) -> Page:
    """Open the page that `lockleaf app` serves."""
    assert process.stdout is not None
    page = window.new_page()
    page.goto(json.loads(process.stdout.readline())["url"])
    page.locator("h1").first.wait_for(state="attached")
    return page


def looks(page: Page) -> Iterator[tuple[str, str]]:
    """Give the page each look in turn: its theme, and the name of its size."""
    for theme in ("light", "dark"):
        page.emulate_media(color_scheme=theme)
        for size, (width, height) in SIZES.items():
            page.set_viewport_size({"width": width, "height": height})
            yield theme, size


def free_port() -> int:
    """Return a port of the loopback on which nobody listens."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def first_run(environment: dict[str, str], window: BrowserContext) -> None:
    """Show what somebody sees who has no journal yet."""
    with begun(environment, "--json", "app", "--no-browser") as app:
        page = page_of(app, window)
        page.get_by_role("button", name="Write the first entry").wait_for()
        for theme, size in looks(page):
            take(page, "first-run", theme, size)
        page.close()


def main() -> None:
    """Begin a journal with an account and two devices, and look at it."""
    IMAGES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch, sync_playwright() as playwright:
        home, port = Path(scratch), free_port()
        environment = {
            **os.environ,
            "TZ": "Europe/Berlin",
            "LOCKLEAF_DATA_DIR": str(home / "server"),
            "LOCKLEAF_PASSWORD": PASSWORD,
            "PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring",
        }
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        window = browser.new_context(locale="en-GB", timezone_id="Europe/Berlin")
        nobody = {name: value for name, value in environment.items() if name != "LOCKLEAF_PASSWORD"}
        first_run({**nobody, "LOCKLEAF_HOME": str(home / "nobody")}, window)
        environment["LOCKLEAF_HOME"] = str(home / "ines")
        server, name = f"http://127.0.0.1:{port}", "ines@example.org"
        with begun(environment, "serve", "--port", str(port)):
            reach(f"{server}/ready")
            where = ("--server", server, "--email", name, "--device-name")
            run(environment, "register", *where, "laptop", "--display-name", "Ines")
            run(environment, "import", write_journal(home, date(2026, 11, 30)), "--from", "jsonl")
            with begun(environment, "--json", "app", "--no-browser") as app:
                page = page_of(app, window)
                page.locator(".entry-row").first.wait_for()
                ids = page.evaluate(LISTED)
                for number, place in enumerate((0, 1, 4, 6, 9)):
                    photo = base64.b64encode(picture(number)).decode()
                    assert page.evaluate(SENT, [ids[place], quote("river.jpg"), photo]) == 201
                run({**environment, "LOCKLEAF_PROFILE": "phone"}, "login", *where, "phone")
                page.get_by_text("Up to date").wait_for(timeout=120_000)
                for theme, size in looks(page):
                    page.reload()
                    page.locator("h1").first.wait_for()
                    show(page, ids, theme, size)
        browser.close()


def reach(address: str) -> None:
    """Wait until a server answers."""
    for _ in range(600):
        with suppress(OSError), urllib.request.urlopen(address):  # noqa: S310 (our own server)
            return
        time.sleep(0.1)
    raise RuntimeError("the server does not answer")


if __name__ == "__main__":
    main()
