"""What its user wants of the page, kept beside the journal; no content is in it."""

from __future__ import annotations

import json
from pathlib import Path

from lockleaf.app.instance import write_for_owner

__all__ = ["daily_goal", "keep_daily_goal"]

_FILE = "page.json"


def daily_goal(folder: Path) -> int | None:
    """Return how many words a day its user wants to write; blocks."""
    try:
        goal = json.loads((folder / _FILE).read_bytes())["daily_goal"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return goal if isinstance(goal, int) and goal > 0 else None


def keep_daily_goal(folder: Path, words: int | None) -> None:
    """Remember it; blocks."""
    write_for_owner(folder / _FILE, json.dumps({"daily_goal": words}).encode())
