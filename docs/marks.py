"""The parts of a page that come from the code, between two marks each, beside what people wrote.

<!-- from the code: NAME -->
<!-- end -->
"""

from __future__ import annotations

import re
from collections.abc import Mapping

__all__ = ["cell", "fill", "table"]

_PART = re.compile(r"(<!-- from the code: (?P<name>.+?) -->\n).*?(<!-- end -->)", re.DOTALL)


def fill(page: str, parts: Mapping[str, str]) -> str:
    """Return a page with each of its marked parts as the code has it.

    Raises:
        ValueError: a part has no marks on the page, or marks are there twice or for nothing.
    """
    named = [found["name"] for found in _PART.finditer(page)]
    without = sorted(set(parts) - set(named))
    idle = sorted({each for each in named if each not in parts or named.count(each) > 1})
    if without or idle:
        raise ValueError(f"parts without marks: {without}; marks without a part, or twice: {idle}")
    return _PART.sub(lambda found: f"{found[1]}\n{parts[found['name']].strip()}\n\n{found[3]}", page)


def cell(text: str) -> str:
    """Return text for one cell of a table: on one line, with nothing in it that ends the cell."""
    return re.sub(r"(?<!\\)\|", r"\\|", " ".join(text.split()))


def table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    """Return a table."""
    lines = [head, ("---",) * len(head), *rows]
    return "\n".join(f"| {' | '.join(map(cell, line))} |".replace("|  |", "| |") for line in lines)
