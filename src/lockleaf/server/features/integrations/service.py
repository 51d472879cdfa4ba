"""What the rest of the server knows of connections: that they are held of an account, and deleted with it."""

from __future__ import annotations

from uuid import UUID

from lockleaf.server.features.integrations.repository import IntegrationRepository
from lockleaf.server.platform.db.transaction import Transaction
from lockleaf.server.platform.holdings import Holding

__all__ = ["HOLDING"]


async def _delete(tx: Transaction, user_id: UUID) -> int:
    return await IntegrationRepository(tx.connection, user_id).delete_all()


HOLDING = Holding("full_sync", _delete)
