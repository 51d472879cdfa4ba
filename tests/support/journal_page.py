"""The local page in a real browser: `lockleaf app` as a process, and what a person does in the window."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, expect

from tests.support.command_line import CommandLine
from tests.support.started import Started

__all__ = [
    "AXE",
    "AppProcess",
    "Opens",
    "Window",
    "axe_finds",
    "context",
    "drop_files",
    "give_file",
    "is_sound",
    "open_window",
    "place_of",
    "profile",
    "synced",
]

BUSY = 8
"""How a command ends that another program keeps from its work."""

_PHONE = {"width": 390, "height": 844}
_WIDE = {"width": 1280, "height": 800}
_COLORS = ("color-contrast", "link-in-text-block")
AXE = Path(__file__).parents[2] / "web/node_modules/axe-core/axe.min.js"


def profile(home: Path, server: str, email: str, *, name: str = "laptop", new: bool = True) -> CommandLine:
    """Return a device that is logged in: the account's first, or a further one."""
    device = CommandLine(home, name)
    joining = ("register", "--privacy", "full_sync") if new else ("login",)
    device.run(*joining, "--server", server, "--email", email, "--device-name", name)
    return device


def synced(device: CommandLine) -> None:
    """Synchronise; while the page of the device is at it, again."""
    while (ended := device.run("sync", code=None)).code == BUSY:
        assert "is syncing this profile" in ended.err
    assert ended.code == 0, ended


@dataclass
class AppProcess:
    """`lockleaf app` of one device."""

    device: CommandLine
    process: subprocess.Popen[bytes] | Started | None = None
    url: str = ""

    def start(self) -> str:
        """Start it, and return the address that lets one browser in, once."""
        self.process = self.device.start("--json", "app", "--no-browser")
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, self.process.communicate()[1].decode()
        self.url = json.loads(line)["url"]
        return self.url

    def kill(self) -> None:
        """End it without a chance to say goodbye."""
        assert self.process is not None
        self.process.kill()
        self.process.communicate()
        self.process = None

    def stop(self) -> None:
        """End it as Ctrl-C does."""
        if self.process is not None:
            self.process.terminate()
            self.process.communicate(timeout=30)
            self.process = None


@dataclass
class Window:
    """One window on a journal, and what went wrong in it."""

    page: Page
    faults: list[str] = field(default_factory=list)

    def go(self, screen: str) -> None:
        """Go to a screen by its address."""
        self.page.evaluate("screen => { location.hash = '#/' + screen }", screen)

    def write(self, text: str, *, title: str = "") -> None:
        """Begin a new entry and type it; it is left open."""
        self.go("write")
        editor = self.page.locator(".cm-content")
        expect(editor).to_be_focused()
        self.page.keyboard.type(text)
        if title:
            self.page.get_by_label("Title", exact=True).fill(title)

    def done(self) -> None:
        """Press Done, and wait for the entry to be shown."""
        self.page.get_by_role("button", name="Done", exact=True).click()
        expect(self.page.locator(".reading .rendered")).to_be_attached()


class Opens(Protocol):
    """Opens a window on the journal of a device."""

    def __call__(self, device: CommandLine, **options: Any) -> Window:
        """Return it. ``options``: of the browser's context."""


def open_window(context: BrowserContext, url: str) -> Window:
    """Open the page by its address, and wait for the journal."""
    page = context.new_page()
    window = Window(page)

    def hear(message: ConsoleMessage) -> None:
        if "Content Security Policy" in message.text or "Trusted" in message.text:
            window.faults.append(message.text)

    page.on("console", hear)
    page.on("pageerror", lambda error: window.faults.append(str(error)))
    page.on("dialog", lambda dialog: (window.faults.append(dialog.message), dialog.dismiss()))
    page.goto(url)
    expect(page.locator("h1").first).to_be_attached()
    return window


def axe_finds(page: Page, *, rules: Sequence[str] = ()) -> list[str]:
    """Return what axe holds against the page as it is, by WCAG 2.2 AA.

    Args:
        rules: what is looked at; everything, if none is named.
    """
    if not AXE.exists():
        pytest.skip("axe-core is not installed: make web/node_modules/.installed")
    if not page.evaluate("'axe' in window"):
        # By the browser's own debugger, which the page's policy of content does not bind.
        page.evaluate(AXE.read_text())
    # What fades in has less contrast until it is there. Nothing is returned: an animation cannot be carried over here.
    page.evaluate(
        """async () => {
            const ends = document.getAnimations().filter(
                one => one.playState === "running" && one.effect.getComputedTiming().endTime !== Infinity
            );
            await Promise.allSettled(ends.map(one => one.finished));
        }"""
    )
    tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
    only = {"type": "rule", "values": list(rules)} if rules else {"type": "tag", "values": tags}
    found: list[str] = page.evaluate(
        """async only => {
            const told = await axe.run({runOnly: only, resultTypes: ["violations"]});
            return told.violations.flatMap(
                ({id, nodes}) => nodes.map(({target, failureSummary}) => `${id}: ${target} ${failureSummary}`)
            );
        }""",
        only,
    )
    return found


def is_sound(page: Page) -> None:
    """See that the screen is accessible in both themes, and scrolls sideways at no width."""
    page.emulate_media(color_scheme="light")
    assert axe_finds(page) == []
    # A theme is its colours; test_reading.py has everything looked at in both.
    page.emulate_media(color_scheme="dark")
    assert axe_finds(page, rules=_COLORS) == []
    page.set_viewport_size(_PHONE)  # type: ignore[arg-type]
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert axe_finds(page) == []
    page.set_viewport_size(_WIDE)  # type: ignore[arg-type]


def give_file(page: Page, name: str, data: bytes, *, to: str, by: str = "drop", media_type: str = "") -> None:
    """Let a file go over a part of the page, or paste it there (``by="paste"``), as the browser tells the page."""
    page.locator(to).first.evaluate(
        """(target, [name, bytes, type, by]) => {
            const given = new DataTransfer();
            given.items.add(new File([new Uint8Array(bytes)], name, {type}));
            const how = {bubbles: true, cancelable: true, composed: true};
            target.dispatchEvent(by === "paste"
                ? new ClipboardEvent(by, {...how, clipboardData: given})
                : new DragEvent(by, {...how, dataTransfer: given}));
        }""",
        [name, list(data), media_type, by],
    )


def place_of(page: Page, word: str) -> tuple[float, float]:
    """Return where the first letter of a word stands in the editor: its left edge, at half its height."""
    x, y = page.locator(".cm-content").evaluate(
        """(content, word) => {
            const walker = document.createTreeWalker(content, NodeFilter.SHOW_TEXT);
            while (walker.nextNode()) {
                const at = walker.currentNode.data.indexOf(word);
                if (at < 0) continue;
                const range = document.createRange();
                range.setStart(walker.currentNode, at);
                range.setEnd(walker.currentNode, at + 1);
                const box = range.getBoundingClientRect();
                return [box.left + 1, (box.top + box.bottom) / 2];
            }
        }""",
        word,
    )
    return x, y


def drop_files(page: Page, paths: list[Path], *, at: tuple[float, float]) -> None:
    """Drag files from elsewhere over the window and let them go at a place, as the browser's own drag does."""
    browser = page.context.new_cdp_session(page)
    given = {"items": [], "files": list(map(str, paths)), "dragOperationsMask": 1}
    for step in ("dragEnter", "dragOver", "drop"):
        browser.send("Input.dispatchDragEvent", {"type": step, "x": at[0], "y": at[1], "data": given})
    browser.detach()


def context(browser: Browser, **options: Any) -> BrowserContext:
    """Return a browser profile of its own."""
    return browser.new_context(locale="en-GB", **options)
