"""How much is sent at once, by what the way to the server was seen to take."""

from __future__ import annotations

from lockleaf.client.errors import BodyTooLarge, ConnectionBroken, LockleafError, TooLargeForProxy

__all__ = ["TOO_LARGE", "BatchSize"]

TOO_LARGE = (BodyTooLarge, TooLargeForProxy, ConnectionBroken)
"""Errors behind which a smaller request may pass: the server's limit, that of a proxy, and a proxy that hangs up."""


class BatchSize:
    """The most bytes to send at once. It shrinks when a request is refused for its size, for as long as this lives.

    Args:
        most: what the server takes at once, in bytes.
    """

    def __init__(self, most: int) -> None:
        self.bytes = most

    def shrink(self, error: LockleafError, size: int) -> None:
        """Learn from a refused request of ``size`` bytes: below its half, and below a limit that was named."""
        named = error.facts.get("limit_bytes") if isinstance(error, BodyTooLarge) else None
        limit = size // 2
        if isinstance(named, int) and 0 < named < size:
            limit = named
        self.bytes = max(1, min(self.bytes, limit))
