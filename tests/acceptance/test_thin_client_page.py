"""How to write a thin client works when it is followed to the letter."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.command_line import fresh_email
from tests.support.process import RunningServer

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "write-a-thin-client.md"
WATCHED = """
set -u
CONFLICT=0197f000-0000-7000-8000-000000000000
curl() { command curl --fail-with-body "$@" || echo "REFUSED $*" >&2; echo; }
"""

pytestmark = [
    pytest.mark.skipif(not (shutil.which("curl") and shutil.which("jq")), reason="there is no curl, or no jq"),
]


def test_every_command_of_the_page_is_answered_as_it_says(server: RunningServer) -> None:
    script = "\n".join(re.findall(r"^```sh\n(.*?)^```", PAGE.read_text(), re.MULTILINE | re.DOTALL))
    script = script.replace("http://127.0.0.1:8000", server.url).replace("you@example.org", fresh_email())
    done = subprocess.run(["bash", "-c", WATCHED + script], capture_output=True, text=True, timeout=120, check=False)
    refused = [line for line in done.stderr.splitlines() if line.startswith("REFUSED")]
    # There is no conflict to resolve, and nothing else is refused.
    assert [line for line in refused if "/resolve" not in line] == [], done.stderr
    assert len(refused) == 1
    assert done.stdout.count('"content":"Walked to the river and back."') >= 3
    assert '"event":"restored"' in done.stdout
    assert len(re.findall(r"^([0-9A-Z]{5}-){3}[0-9A-Z]{5}$", done.stdout, re.MULTILINE)) == 10
    assert '"openings"' in done.stdout
