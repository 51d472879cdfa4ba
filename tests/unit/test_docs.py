"""The documentation names what exists, and its links lead somewhere."""

from __future__ import annotations

import re
from pathlib import Path

from pydantic import BaseModel

from lockleaf.server.app import create_app
from lockleaf.server.settings import Settings

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"


def _settings() -> Settings:
    secret = "Zq8vN3xLw0TjYc5RbK7mGdF2hSaP6eUo"
    return Settings(database_url="postgresql://nobody@/nowhere", secrets={"roots": (secret,), "prelogin": secret[::-1]})


def test_every_relative_link_leads_to_a_file() -> None:
    broken = []
    for page in [ROOT / "README.md", *DOCS.rglob("*.md")]:
        for target in re.findall(r"\]\((?!https?:|#)([^)#]+)", page.read_text()):
            if not (page.parent / target).exists():
                broken.append(f"{page.relative_to(ROOT)}: {target}")
    assert broken == []


def test_every_route_is_on_its_page() -> None:
    page = (DOCS / "reference" / "api.md").read_text()
    paths = create_app(_settings()).openapi()["paths"]
    rows = {f"| {method.upper()} | `{path}` |" for path, operations in paths.items() for method in operations}
    assert {row for row in rows if row not in page} == set()


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
    assert {name for name in names if f"`{name}`" not in page} == set()
