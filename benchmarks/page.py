"""The local page over a ten-year diary, in Chromium: how soon something stands there, and how long one waits at it.

Times are those of whoever looks: from the beginning of the load, or from the key, to the frame in which the browser
shows what came of it. Everything runs on one machine: browser, page's server and this program share its processors.
The baselines are the smallest page that the same server has, and a plain text field in it.

    python -m benchmarks.page [--entries N]
"""

from __future__ import annotations

import argparse
import gzip
import tempfile
import time
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

from playwright.sync_api import Page, expect, sync_playwright

from benchmarks.journal import DIARY
from benchmarks.latencies import quantile
from benchmarks.report import Report
from tests.support.chromium import chromium
from tests.support.command_line import CommandLine
from tests.support.journal_page import AppProcess, context, open_window

__all__ = ["run"]

LOADS = 20
WORDS = ("navy", "office", "theatre", "brampton", "parliament", "lord sandwich", "great fire", "supper with my wife")
TYPED = "Up betimes and to the office, where all the morning, and so home to dinner. " * 4
AIM = "under 100"

_SHOWN = """
() => {
    // From a key to the frame in which its results stand: the last answer whose question was asked after it.
    const asked = window.fetch;
    window.shown = null;
    let key = 0;
    addEventListener("keydown", (event) => { key = event.timeStamp; window.shown = null; }, true);
    window.fetch = async (where, how) => {
        const of = key;
        const answer = await asked(where, how);
        if (!String(where).endsWith("/entries/find")) return answer;
        const told = answer.json.bind(answer);
        answer.json = async () => {
            const found = await told();
            requestAnimationFrame(() => setTimeout(() => { if (of === key) window.shown = performance.now() - of; }));
            return found;
        };
        return answer;
    };
}
"""
_PAINTED = """
() => {
    window.painted = [];
    addEventListener("keydown", (event) => {
        requestAnimationFrame(() => setTimeout(() => window.painted.push(performance.now() - event.timeStamp)));
    }, true);
}
"""
_PAINT = "() => performance.getEntriesByName('first-contentful-paint')[0]?.startTime"
_LISTED = """
window.listed = 0;
new MutationObserver(() => {
    if (listed || !document.querySelector(".entry-row")) return;
    requestAnimationFrame(() => setTimeout(() => { listed = performance.now(); }));
}).observe(document, {childList: true, subtree: true});
"""


def run(report: Report, entries: int | None = None) -> None:
    """Measure, and note the figures."""
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=["--no-sandbox"])
        app = AppProcess(_diary(Path(folder), entries))
        try:
            window = open_window(context(browser), app.start())
            page = window.page
            place = page.url
            _first_words(page, Path(folder), report)
            empty = page.context.new_page()
            empty_place = urljoin(place, "/open?token=old")
            _loads(page, place, _paints(empty, empty_place), report)
            _typing(page, _typed_into_a_field(empty), report)
            empty.close()
            _searching(page, report)
        finally:
            browser.close()
            app.stop()


def _diary(folder: Path, entries: int | None) -> CommandLine:
    lines = gzip.decompress(DIARY.read_bytes()).splitlines()[:entries]
    (folder / "diary.jsonl").write_bytes(b"\n".join(lines))
    device = CommandLine(folder / "home", "diary", {"PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring"})
    device.run("write", "-", "--title", "Today", stdin=b"The first of all.")
    device.run("import", str(folder / "diary.jsonl"), "--from", "jsonl")
    return device


def _times(
    report: Report, what: str, times: list[float], *, baseline: list[float] | None = None, aim: str = AIM
) -> None:
    for name, share in (("p50", 0.5), ("p95", 0.95)):
        value = quantile([each / 1000 for each in times], share)
        report.value(f"{what}, {name}", value, "ms", aim=aim)
        if baseline is not None:
            report.times(
                f"{what}, {name}", value, "ms", "baseline", quantile([each / 1000 for each in baseline], share)
            )


def _first_words(page: Page, folder: Path, report: Report) -> None:
    """The first search of all: an import by the command line made no index, and the page makes it by itself."""
    begun = time.perf_counter()
    while not any(folder.rglob("*-search")):
        page.wait_for_timeout(20)
    report.value("the index of words is there after the start", time.perf_counter() - begun, "s")
    page.evaluate("location.hash = '#/search'")
    expect(page.get_by_label("Search the journal")).to_be_focused()
    page.evaluate(_SHOWN)
    report.value("the first search of all, from its first key", _type(page, "o")[0], "ms", aim=AIM)


def _paints(page: Page, url: str) -> list[float]:
    times: list[float] = []
    for _ in range(LOADS):
        page.goto(url)
        times.append(_waited(page, _PAINT))
    return times


def _waited(page: Page, what: str, *arguments: Any) -> float:
    """Return a number that the page works out, once it has it."""
    return float(page.wait_for_function(what, *arguments).json_value())


def _loads(page: Page, place: str, baseline: list[float], report: Report) -> None:
    page.add_init_script(_LISTED)
    page.bring_to_front()
    painted: list[float] = []
    listed: list[float] = []
    for _ in range(LOADS):
        page.goto("about:blank")
        page.goto(place)
        painted.append(_waited(page, _PAINT))
        listed.append(_waited(page, "() => window.listed"))
    _times(report, "first paint of the page", painted, baseline=baseline)
    _times(report, "entries stand there", listed)


def _typed_into_a_field(page: Page) -> list[float]:
    page.bring_to_front()
    page.evaluate("document.body.innerHTML = '<textarea></textarea>'")
    page.locator("textarea").focus()
    page.evaluate(_PAINTED)
    page.keyboard.type(TYPED)
    times: list[float] = page.evaluate("window.painted")
    return times


def _typing(page: Page, baseline: list[float], report: Report) -> None:
    page.bring_to_front()
    page.evaluate("location.hash = '#/write'")
    expect(page.locator(".cm-content")).to_be_focused()
    page.keyboard.insert_text("\n\n".join([TYPED * 4] * 20))
    page.evaluate(_PAINTED)
    page.keyboard.type(TYPED)
    own: list[float] = page.evaluate("window.painted")
    _times(report, "a key in a long entry", own, baseline=baseline, aim="under 50")
    page.evaluate("location.hash = '#/'")
    expect(page.locator(".timeline")).to_be_attached()


def _searching(page: Page, report: Report) -> None:
    page.evaluate("location.hash = '#/search'")
    expect(page.get_by_label("Search the journal")).to_be_focused()
    page.evaluate(_SHOWN)
    times = [each for words in WORDS for each in _type(page, words)]
    _times(report, "search as one types, from each key to its results", times)


def _type(page: Page, words: str) -> list[float]:
    """Type words into the field of the search, each key once the results of the last one stand there."""
    page.get_by_label("Search the journal").fill("")
    times = []
    for character in words:
        page.keyboard.press("Space" if character == " " else character)
        if character != " ":  # which changes no question
            times.append(_waited(page, "() => window.shown"))
    return times


def main() -> None:
    """Measure, and print the figures."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.page")
    parser.add_argument("--entries", type=int, help="so many of the diary's entries; all if absent")
    options = parser.parse_args()
    report = Report("The local page over a ten-year diary")
    run(report, options.entries)
    report.show()


if __name__ == "__main__":
    main()
