"""Bodies of ``/users/me/access``: when the server opened uce content (PROTOCOL section 7)."""

from __future__ import annotations

from uuid import UUID

from pydantic import Field

from lockleaf.wire.base import Body, Listed
from lockleaf.wire.fields import Instant

__all__ = ["Access", "AccessHistory"]


class Access(Body):
    """What one session had opened for one purpose within one hour."""

    hour: Instant = Field(description="When the hour began.")
    session_id: UUID
    device_name: str | None = Field(default=None, description="Of a session that is signed in still, if it has one.")
    purpose: str = Field(description="Which endpoint asked: `entries.read`, `tags.write`, ...")
    openings: int = Field(description="How many requests opened the account's keys.")
    records: int = Field(description="How many records they opened or sealed.")
    last_at: Instant


class AccessHistory(Listed[Access]):
    """A page of the history of access, newest first. Of an end-to-end encrypted account it is empty for ever."""
