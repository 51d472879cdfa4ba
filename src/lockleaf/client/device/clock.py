"""The present time, where nobody gives another."""

from __future__ import annotations

from datetime import UTC, datetime

__all__ = ["utc_now"]


def utc_now() -> datetime:
    """Return the present time in UTC."""
    return datetime.now(UTC)
