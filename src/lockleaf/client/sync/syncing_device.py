"""A device at a server, as those parts of a sync see it that sign in its name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from lockleaf.client.store import LocalStore
from lockleaf.client.transport.http import Transport

__all__ = ["SyncingDevice"]


@dataclass(frozen=True, slots=True)
class SyncingDevice:
    """A device's store, its way to the server, and what it signs with its statements.

    Args:
        user_id: the account's UUID as lower-case text.
        now: gives the present time as RFC 3339 text.
    """

    store: LocalStore
    transport: Transport
    user_id: str
    device_id: str
    now: Callable[[], str]
