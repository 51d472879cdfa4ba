"""Reading for either custody: with the keys where the server holds content in trust, without them where it cannot."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg

from lockleaf.server.identity.custody import keyrings
from lockleaf.server.identity.custody.custodian import Custodian
from lockleaf.server.identity.custody.keyrings import OpenKeyring
from lockleaf.server.identity.principal import Principal
from lockleaf.server.platform.clock import Clock
from lockleaf.server.platform.db.engine import Database

__all__ = ["reading"]


@asynccontextmanager
async def reading(
    clock: Clock, database: Database, custodian: Custodian, principal: Principal, *, purpose: str
) -> AsyncIterator[tuple[asyncpg.Connection, OpenKeyring | None]]:
    """Give a connection to read from, and with uce the account's open keys.

    That they were opened is written down in the same transaction, which is committed before the block is left: so what
    is answered was counted.

    Raises:
        SessionRevoked: the session's key is gone.
    """
    if principal.custody != "uce":
        async with database.read_driver() as connection:
            yield connection, None
        return
    async with (
        database.transaction() as tx,
        keyrings.opened(clock, custodian, tx.connection, principal, purpose=purpose) as keys,
    ):
        yield tx.connection, keys
