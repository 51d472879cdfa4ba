"""What was typed beside a password."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from lockleaf.app.desk import Desk

__all__ = ["with_factor"]


@contextmanager
def with_factor(desk: Desk, factor: str | None) -> Iterator[None]:
    """Answer the question for a second factor with what was typed, and with nothing where nothing was."""
    desk.factor = factor
    try:
        yield
    finally:
        desk.factor = None
