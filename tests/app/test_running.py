"""`lockleaf app` as a process: started, found again, locked, killed and ended."""

from __future__ import annotations

import json
import re
import signal
import stat
import time
from pathlib import Path
from urllib.parse import unquote

import httpx
import psutil

from tests.support.canaries import Canaries, raw_bytes_below
from tests.support.local_page import program, start


def test_a_first_run_writes_and_leaves_nothing_in_the_clear(tmp_path: Path) -> None:
    words = "Zanzibar, and Quetzalcoatl"
    with program(tmp_path) as running, httpx.Client() as http:
        assert http.get(f"{running.origin}/").status_code == 401
        page = running.enter(http)
        assert http.get(running.url).status_code == 401  # it was used
        state = http.get(f"{page}api/state").json()
        assert (state["first_run"], state["account"], state["sync"]["state"]) == (True, None, "local")
        written = http.post(
            f"{page}api/entries", json={"body": words, "title": "Kilimanjaro"}, headers=running.changing
        )
        assert written.status_code == 201
        draft = http.put(
            f"{page}api/drafts/00c0ffee", json={"fields": {"body": "Ouagadougou"}}, headers=running.changing
        )
        assert draft.status_code == 200
        attached = http.post(
            f"{page}api/entries/{written.json()['id']}/attachments",
            content=b"Reykjavik " * 100,
            headers={**running.changing, "X-File-Name": "Antananarivo.txt"},
        )
        assert attached.status_code == 201
        assert (
            len(http.post(f"{page}api/entries/find", json={"query": "zanzibar"}, headers=running.changing).json()) > 0
        )
        # The list of processes shows no token, and the file by which a second one finds this is its user's alone.
        shown = " ".join(psutil.Process(running.process.pid).cmdline())
        assert "token" not in shown
        file = tmp_path / "profiles" / "laptop" / "app.json"
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert json.loads(file.read_bytes())["port"] == running.port
    assert running.process.returncode == 0
    canaries = Canaries(
        {name: name for name in ("Zanzibar", "Quetzalcoatl", "Kilimanjaro", "Ouagadougou", "Reykjavik", "Antananarivo")}
    )
    left = raw_bytes_below(tmp_path)
    assert len(left) > 10_000
    assert canaries.found_in(left) == set()
    assert not file.exists()


def test_a_second_one_opens_another_page_of_the_first(tmp_path: Path) -> None:
    with program(tmp_path) as running:
        second = start(tmp_path)
        assert second.process.wait(30) == 0
        second.process.communicate()
        assert (second.elsewhere, second.port) == (True, running.port)
        with httpx.Client() as http:
            assert http.get(f"{second.enter(http)}api/state").status_code == 200


def test_a_killed_one_loses_no_draft_and_the_next_starts(tmp_path: Path) -> None:
    running = start(tmp_path)
    with httpx.Client() as http:
        page = running.enter(http)
        kept = http.put(f"{page}api/drafts/0badcafe", json={"fields": {"body": "half a"}}, headers=running.changing)
        assert kept.status_code == 200
        running.process.send_signal(signal.SIGKILL)
        running.process.communicate()
    with program(tmp_path) as again, httpx.Client() as http:
        assert not again.elsewhere
        page = again.enter(http)
        draft = http.get(f"{page}api/drafts/0badcafe").json()
        assert draft["fields"]["body"] == "half a"


def test_an_interrupt_ends_it_although_a_page_listens(tmp_path: Path) -> None:
    running = start(tmp_path)
    with httpx.Client() as http:
        page = running.enter(http)
        with http.stream("GET", f"{page}api/events") as events:
            assert next(events.iter_lines()).startswith("retry")
            running.process.send_signal(signal.SIGINT)
            _, said = running.process.communicate(timeout=30)
    assert (running.process.returncode, b"Traceback" in said) == (0, False)


def test_the_browser_is_started_with_a_private_file_and_the_address_that_is_printed_stays_good(tmp_path: Path) -> None:
    told = tmp_path / "told"
    browser = tmp_path / "browser"
    # Its arguments are what any user of the machine sees in the list of processes.
    browser.write_text(f'#!/bin/sh\nprintf %s "$1" > "{told}.new" && mv "{told}.new" "{told}"\n')
    browser.chmod(0o755)
    with program(tmp_path, BROWSER=f"{browser} %s") as running, httpx.Client() as http:
        while not told.exists():
            time.sleep(0.05)
        way = Path(unquote(told.read_text().removeprefix("file://")))
        assert "token" not in told.read_text()
        assert stat.S_IMODE(way.stat().st_mode) == 0o600
        [url] = re.findall(r'href="([^"]+)"', way.read_text())
        assert url != running.url
        assert http.get(url).status_code == 200
        running.enter(http)
    assert not way.exists()
