"""The documentation names what exists, and its links lead somewhere."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from lockleaf.client import (
    AccountService,
    Client,
    Factors,
    Inbox,
    Journal,
    Media,
    Metrics,
    Networks,
    PrivacyChoices,
    ServerSearch,
    Sync,
)

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"


def test_every_relative_link_leads_to_a_file() -> None:
    broken = []
    for page in [*ROOT.glob("*.md"), *DOCS.rglob("*.md")]:
        for target in re.findall(r"\]\((?!https?:|attachment:|#)([^)#]+)", page.read_text()):
            if not (page.parent / target).exists():
                broken.append(f"{page.relative_to(ROOT)}: {target}")
    assert broken == []


def _public(thing: type) -> set[str]:
    return {name for name in dir(thing) if not name.startswith("_")}


def test_every_method_of_the_sdk_is_on_its_page() -> None:
    page = (DOCS / "how-to" / "build-on-the-sdk.md").read_text()
    told = {
        where: set(re.findall(r"`([a-z_]+)`", does))
        for where, does in re.findall(r"^\| `(client(?:\.[a-z_]+)?)` \| (.+) \|$", page, re.MULTILINE)
    }
    parts = {
        "account": AccountService,
        "factors": Factors,
        "journal": Journal,
        "inbox": Inbox,
        "networks": Networks,
        "media": Media,
        "metrics": Metrics,
        "privacy": PrivacyChoices,
        "search": ServerSearch,
        "sync": Sync,
    }
    known = {"client": _public(Client), **{f"client.{name}": _public(part) for name, part in parts.items()}}
    known["client"] -= parts.keys()
    assert [f"{where}.{name}" for where, names in known.items() for name in sorted(names - told[where])] == []


def test_no_page_of_the_site_loads_anything_from_elsewhere(tmp_path: Path) -> None:
    command = [Path(sys.executable).with_name("mkdocs"), "build", "--strict", "--quiet", "--site-dir", tmp_path]
    subprocess.run(command, cwd=ROOT, check=True)
    pages = list(tmp_path.rglob("*.html"))
    assert len(pages) > 20
    what = r"(?:\bsrc(?:set)?\s*=\s*|<link\b[^>]*\bhref\s*=\s*|\burl\(|@import\s+)"
    loaded = re.compile(what + r"""["']?\s*((?:https?:)?//[^"'\s)]+)""", re.I)
    assert {found for page in pages for found in loaded.findall(page.read_text())} == set()
    for sheet in tmp_path.rglob("*.css"):
        assert loaded.findall(sheet.read_text()) == [], sheet
