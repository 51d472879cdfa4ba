"""The documentation names what exists, and its links lead somewhere."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer
from pydantic import BaseModel

from lockleaf.cli.app import build
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
from lockleaf.exit_codes import MEANINGS
from lockleaf.server.main.app import create_app
from lockleaf.server.platform.settings import Settings

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"


def _settings() -> Settings:
    secret = "Zq8vN3xLw0TjYc5RbK7mGdF2hSaP6eUo"
    return Settings(database_url="postgresql://nobody@/nowhere", secrets={"roots": (secret,), "prelogin": secret[::-1]})


def test_every_relative_link_leads_to_a_file() -> None:
    broken = []
    for page in [*ROOT.glob("*.md"), *DOCS.rglob("*.md")]:
        for target in re.findall(r"\]\((?!https?:|attachment:|#)([^)#]+)", page.read_text()):
            if not (page.parent / target).exists():
                broken.append(f"{page.relative_to(ROOT)}: {target}")
    assert broken == []


def test_every_route_is_on_its_page() -> None:
    page = (DOCS / "reference" / "api.md").read_text()
    paths = create_app(_settings()).openapi()["paths"]
    rows = {f"| {method.upper()} | `{path}` |" for path, operations in paths.items() for method in operations}
    assert set(re.findall(r"^\| [A-Z]+ \| `/[^`]*` \|", page, re.MULTILINE)) == rows


def test_every_setting_is_on_its_page() -> None:
    page = (DOCS / "reference" / "settings.md").read_text()
    groups = {name: field.annotation for name, field in Settings.model_fields.items()}
    names = {
        f"LOCKLEAF_{group.upper()}__{name.upper()}"
        for group, model in groups.items()
        if isinstance(model, type) and issubclass(model, BaseModel)
        for name in model.model_fields
    }
    assert len(names) > 20
    names |= {"LOCKLEAF_ALLOW_CORE_DUMPS", "LOCKLEAF_DATA_DIR", "LOCKLEAF_ENVIRONMENT", "LOCKLEAF_LOG_FORMAT"}
    names |= {"DATABASE_URL", "SECRET_KEY", "ALGORITHM", "ACCESS_TOKEN_EXPIRE_MINUTES"}
    assert set(re.findall(r"^\| `([A-Z0-9_]+)` \|", page, re.MULTILINE)) == names


def _commands(group: Any, path: str) -> Iterator[tuple[str, Any]]:
    for name, command in getattr(group, "commands", {}).items():
        yield f"{path} {name}", command
        yield from _commands(command, f"{path} {name}")


def test_every_command_and_each_of_its_options_is_on_its_page() -> None:
    page = (DOCS / "reference" / "command-line.md").read_text()
    common, *sections = re.split(r"^### ", page, flags=re.MULTILINE)
    described = {re.match(r"`([^`]+)`", section)[1]: section for section in sections}  # type: ignore[index]
    # Groups do nothing by themselves.
    commands = {
        name: command
        for name, command in _commands(typer.main.get_command(build()), "lockleaf")
        if name not in ("lockleaf keys", "lockleaf admin", "lockleaf admin users")
    }
    assert described.keys() == commands.keys()
    missing = [
        f"{name} {option}"
        for name, command in commands.items()
        for parameter in command.params
        for option in parameter.opts
        if option.startswith("-") and f"`{option}`" not in described[name] + common
    ]
    assert missing == []


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


def test_every_exit_code_is_on_the_page_of_the_commands() -> None:
    page = (DOCS / "reference" / "command-line.md").read_text()
    assert [f"{int(code)} {said}" for code, said in MEANINGS.items() if f"| {int(code)} | {said} |" not in page] == []


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
