"""Counts and their nouns; bars of nothing."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from lockleaf.cli.counting import number_of
from lockleaf.cli.progress import progress_bars
from lockleaf.client import Progress


@pytest.mark.parametrize(
    ("count", "noun", "said"),
    [(0, ("file",), "0 files"), (1, ("file",), "1 file"), (1, ("entry", "entries"), "1 entry"),
     (2000, ("entry", "entries"), "2,000 entries")],
)  # fmt: skip
def test_a_noun_has_the_number_of_its_count(count: int, noun: tuple[str, ...], said: str) -> None:
    assert number_of(count, *noun) == said


def test_nothing_to_do_shows_no_bar() -> None:
    class Watched:
        shows_progress = True
        err = Console(file=io.StringIO(), force_terminal=True, width=60)

    with progress_bars(Watched()) as move:  # type: ignore[arg-type]
        assert move is not None
        move(Progress("push", 0, 0))
        move(Progress("pull", 1, 2))
    shown = Watched.err.file.getvalue()  # type: ignore[attr-defined]
    assert "Receiving" in shown
    assert "Sending" not in shown
