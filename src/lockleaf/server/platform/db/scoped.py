"""What every repository is made with: where its statements run, and the account that each of them names."""

from __future__ import annotations

from uuid import UUID

import asyncpg
from sqlalchemy.ext.asyncio import AsyncSession

__all__ = ["OnConnection", "OnSession"]


class OnSession:
    """SQL of one account, on SQLAlchemy's session."""

    def __init__(self, session: AsyncSession, user_id: UUID) -> None:
        self.session = session
        self.user_id = user_id


class OnConnection:
    """SQL of one account, on the driver's connection."""

    def __init__(self, connection: asyncpg.Connection, user_id: UUID) -> None:
        self._connection = connection
        self._user_id = user_id
