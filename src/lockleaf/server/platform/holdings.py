"""What the server holds of an account beside its records: each domain says what is its own, and deletes it.

`main/app.py` puts the list together. It is gone through when a privacy tier is lowered, for what the lower one does not
hold, and when the account is deleted, for all of it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from lockleaf.server.platform.db.transaction import Transaction
from lockleaf.server.platform.tiers import TIERS

__all__ = ["Counted", "Holding", "Holdings", "Usage", "delete_above", "delete_counted"]

Counted = Literal["metrics", "media"]
"""Under which name the answer to a lowered tier counts what was deleted."""


@dataclass(frozen=True, slots=True)
class Usage:
    """Bytes of a kind, which count against the quota.

    Attributes:
        column: of `heads`, in which they are kept.
        recount: a query that counts them, as rows of ``user_id`` and ``bytes``, of which an account may have several.
    """

    column: str
    recount: str


@dataclass(frozen=True, slots=True)
class Holding:
    """What one domain holds of an account.

    Attributes:
        tier: the lowest privacy tier at which the server holds it.
        delete: deletes all of it within the transaction, flushes, and returns how many there were.
        counted_as: the count that it adds to, if users are told of it.
        usage: its bytes, if they count against the quota.
    """

    tier: str
    delete: Callable[[Transaction, UUID], Awaitable[int]]
    counted_as: Counted | None = None
    usage: Usage | None = None


class Holdings(tuple[Holding, ...]):
    """All that the server holds of an account beside its records, in the order in which it is deleted."""

    __slots__ = ()


async def delete_above(tx: Transaction, user_id: UUID, holdings: Holdings, tier: str | None) -> dict[Counted, int]:
    """Delete what ``tier`` does not hold, everything for None; return the counts that users are told."""
    counts: dict[Counted, int] = {"metrics": 0, "media": 0}
    for holding in holdings:
        if tier is None or TIERS.index(holding.tier) > TIERS.index(tier):
            deleted = await holding.delete(tx, user_id)
            if holding.counted_as is not None:
                counts[holding.counted_as] += deleted
    return counts


async def delete_counted(tx: Transaction, user_id: UUID, holdings: Holdings, counted_as: Counted) -> int:
    """Delete what is counted under one name; return how many that is."""
    return sum([await holding.delete(tx, user_id) for holding in holdings if holding.counted_as == counted_as])
