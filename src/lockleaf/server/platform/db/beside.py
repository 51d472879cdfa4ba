"""What a hot statement tells besides what it is asked for, so that one round trip does for two."""

from __future__ import annotations

from typing import Any, Protocol

__all__ = ["Beside"]


class Beside(Protocol):
    """An expression about the account of a statement's ``$1``, told by the same statement."""

    @property
    def arguments(self) -> tuple[Any, Any]:
        """Its two arguments."""

    @staticmethod
    def told_by(first: str, second: str, /) -> str:
        """Return it, with the places of its arguments, such as ``$5``."""
