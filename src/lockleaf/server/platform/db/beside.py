"""What a hot statement tells besides what it is asked for, so that one round trip does for two."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

__all__ = ["Beside", "BesideSeveral"]


class Beside(Protocol):
    """An expression about the account of a statement's ``$1``, told by the same statement."""

    @property
    def arguments(self) -> tuple[Any, Any]:
        """Its two arguments."""

    @staticmethod
    def told_by(first: str, second: str, /) -> str:
        """Return it, with the places of its arguments, such as ``$5``."""


class BesideSeveral(Protocol):
    """An expression about each of several accounts, told by one statement.

    The accounts are rows ``w`` of ``unnest(COLUMNS, ...) AS w(NAMES, ...)``, of which ``user_id`` names the account.
    """

    columns: str
    """The first arguments of the statement, such as ``$1::uuid[]``."""
    names: str
    """What they are called in a row."""
    told: str
    """The expression, of a row."""

    @property
    def arguments(self) -> Sequence[Sequence[Any]]:
        """The columns."""
