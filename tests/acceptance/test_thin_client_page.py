"""How to write a thin client works when it is followed to the letter."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.command_line import CommandLine, fresh_email
from tests.support.process import RunningServer

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "write-a-thin-client.md"
WATCHED = """
set -u
[ -f "$KEPT" ] && . "$KEPT"
trap 'declare -p API TOKEN > "$KEPT"' EXIT
curl() { command curl --fail-with-body "$@" || echo "REFUSED $*" >&2; echo; }
"""

pytestmark = [
    pytest.mark.skipif(not (shutil.which("curl") and shutil.which("jq")), reason="there is no curl, or no jq"),
]


def test_every_command_of_the_page_is_answered_as_it_says(server: RunningServer, tmp_path: Path) -> None:
    email = fresh_email()
    page = PAGE.read_text().replace("http://127.0.0.1:8000", server.url).replace("you@example.org", email)

    def follow(begins: str, ends: str) -> str:
        """Run what stands between two headings, with what was set before, and return what it prints."""
        part = page.partition(f"## {begins}\n")[2].partition(f"## {ends}\n")[0]
        script = "\n".join(re.findall(r"^```sh\n(.*?)^```", part, re.MULTILINE | re.DOTALL))
        done = subprocess.run(
            ["bash", "-c", WATCHED + script],
            env={**os.environ, "KEPT": str(tmp_path / "kept")},
            capture_output=True,
            text=True,
            timeout=120,
            check=True,
        )
        assert "REFUSED" not in done.stderr, done.stderr
        return done.stdout

    assert follow("Sign up, or log in", "Read").count('"content":"Walked to the river."') == 1
    # A full client edits offline.
    device = CommandLine(tmp_path / "device", environment={"LOCKLEAF_PASSWORD": "plum anvil tide lantern"})
    device.run("login", "--server", server.url, "--email", email, "--custody", "uce")
    device.run("sync")
    device.run("edit", "5b0c1f5e", "Walked to the mill.")
    found = follow("Read", "Change, delete, restore")
    assert found.count('"content":"Walked to the river."') == 2
    assert '"highlights"' in found
    changed = follow("Change, delete, restore", "Conflicts")
    assert changed.count('"content":"Walked to the river and back."') >= 3
    assert '"event":"restored"' in changed
    # It comes too late.
    assert device.run("sync", "--json").value()["conflicts"] == 1
    assert '"chosen_version":"merged"' in follow("Conflicts", "A device was lost")
    rotated = follow("A device was lost", "Beside other clients")
    assert len(re.findall(r"^([0-9A-Z]{5}-){3}[0-9A-Z]{5}$", rotated, re.MULTILINE)) == 10
    told = follow("Beside other clients", "nothing more")
    assert '"openings"' in told
