"""When a user chose what the server may hold: kept as the client says, unless that is still to come."""

from __future__ import annotations

from datetime import datetime, timedelta

from lockleaf.server.identity.accounts.errors import ConsentRequired

__all__ = ["CLOCKS_DIFFER", "is_to_come", "require"]

CLOCKS_DIFFER = timedelta(days=1)
"""How far a device's clock may be ahead of the server's: a consent from further ahead is one that nobody gave yet."""


def require(consented_at: datetime | None, now: datetime) -> datetime:
    """Return the time of a consent. It may lie before the account was made: clients ask their users first.

    Raises:
        ConsentRequired: there is no consent, or it lies in the future.
    """
    if consented_at is None or is_to_come(consented_at, now):
        raise ConsentRequired(not_after=now + CLOCKS_DIFFER)
    return consented_at


def is_to_come(consented_at: datetime, now: datetime) -> bool:
    """Tell whether a consent lies so far ahead that nobody gave it yet."""
    return consented_at > now + CLOCKS_DIFFER
