"""What the site adds to its pages when it is built."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

__all__ = ["on_page_markdown"]

_DECISIONS = Path(__file__).parent / "decisions"


def on_page_markdown(markdown: str, *, page: Any, **_: Any) -> str:
    """List the decisions on their page, by their headings, so that nobody keeps a list by hand."""
    if page.file.src_uri != "decisions/index.md":
        return markdown
    lines = []
    for path in sorted(_DECISIONS.glob("0*.md")):
        heading = re.match(r"# (.+)", path.read_text(encoding="utf-8"))
        assert heading, path
        lines.append(f"- [{heading[1]}]({path.name})")
    return markdown + "\n" + "\n".join(lines) + "\n"
