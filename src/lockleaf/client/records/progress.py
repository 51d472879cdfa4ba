"""How far long work is, as its caller is told."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

__all__ = ["Progress", "ProgressCallback"]


@dataclass(frozen=True, slots=True)
class Progress:
    """How far something is: ``done`` of ``total`` (None where nobody knows), in the unit of the ``stage``."""

    stage: str
    done: int
    total: int | None


ProgressCallback = Callable[[Progress], None]
