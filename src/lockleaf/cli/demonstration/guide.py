"""How to look at the demonstration: commands to copy, each with what it shows."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import NamedTuple

from lockleaf.cli.demonstration.people import LETTER, PASSWORD, PEOPLE, WALK

__all__ = ["Step", "guide"]


class Step(NamedTuple):
    """Something to look at: what it is, and the commands that show it."""

    about: str
    commands: tuple[str, ...]


def guide(url: str, home: Path) -> list[Step]:
    """Return the steps of a tour; every command runs as it stands in a POSIX shell.

    Arguments:
        url: of the server.
        home: the folder of the profiles.
    """
    ada, ben, cleo, dora = PEOPLE

    def lockleaf(profile: str, *words: str) -> str:
        return " ".join(["lockleaf", "--home", shlex.quote(str(home)), "--profile", profile, *words])

    sign_in = (
        f"TOKEN=$(curl -s {url}/api/v1/auth/token -d username={ben.email} --data-urlencode 'password={PASSWORD}'"
        " | python3 -c 'import json, sys; print(json.load(sys.stdin)[\"access_token\"])')"
    )
    authorized = '-H "Authorization: Bearer $TOKEN"'
    laptop, phone = ada.profiles
    return [
        Step(f"{ada.display_name}: {ada.about}", (lockleaf(laptop, "list"), lockleaf(phone, "status"))),
        Step("the conflict that waits; `conflicts show ID` compares both versions", (lockleaf(phone, "conflicts"),)),
        Step("the inbox: sealed by the server, opened here, accepted or refused", (lockleaf(laptop, "inbox"),)),
        Step("her tags, whose names the server never saw", (lockleaf(laptop, "tags"),)),
        Step(
            "a search on her device, offline too: stems, phrases, OR, filters",
            (
                lockleaf(laptop, "search", "'herons OR \"second movement\"'"),
                lockleaf(phone, "search", "'paint tag:home'"),
            ),
        ),
        Step(
            "the same by the server, which sees keyed digests of words alone; and what those reveal",
            (lockleaf(phone, "search", "--remote", "'letters canal'"), lockleaf(phone, "search-index", "status")),
        ),
        Step(
            "her files, attached on the laptop, encrypted there, and opened on the phone",
            (
                lockleaf(phone, "media", "list"),
                lockleaf(phone, "open", LETTER[:8], "letter.txt", "--output", "-"),
                lockleaf(phone, "open", WALK[:8], "--output", shlex.quote(str(home)), "--force"),
            ),
        ),
        Step(
            f"{ben.display_name}: {ben.about}",
            (
                sign_in,
                f"curl -s {url}/api/v1/entries {authorized} | python3 -m json.tool",
                f"curl -s {url}/api/v1/search {authorized} -H 'Content-Type: application/json'"
                """ -d '{"query": "book lighthouse -storm"}' | python3 -m json.tool""",
            ),
        ),
        Step("who opened his journal, and when", (lockleaf(ben.profiles[0], "access"),)),
        Step(
            f"{cleo.display_name}: {cleo.about}",
            (lockleaf(cleo.profiles[0], "list"), lockleaf(cleo.profiles[0], "privacy")),
        ),
        Step(
            f"{dora.display_name}: {dora.about}",
            (lockleaf(dora.profiles[0], "list"), lockleaf(dora.profiles[0], "privacy")),
        ),
        Step(f"every route, to try as {ben.email} with the password: {PASSWORD}", (f"{url}/api/v1/docs",)),
    ]
