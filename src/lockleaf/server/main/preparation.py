"""What is done to a database before it is served."""

from __future__ import annotations

import asyncio

from lockleaf.server.main.installation import is_for_development, mark_for_development
from lockleaf.server.main.restoration import finish
from lockleaf.server.platform.db.migrate import migrate, require_current
from lockleaf.server.platform.db.pooler import shares_sessions
from lockleaf.server.platform.db.unusable import BEHIND_A_POOLER, DatabaseUnusable, why_unusable

__all__ = ["prepare"]


def prepare(url: str, own: bool, development: bool) -> bool:
    """Make sure that the database at ``url`` has this version's schema; return whether it was made for development.

    Args:
        own: it is the server's own, which is brought to that schema.
        development: if it is the server's own and has no account yet, it is made for development from now on.

    Raises:
        SchemaBehind: somebody else's has an older schema.
        RevisionUnknown: it has one of a later version.
        DatabaseUnusable: somebody else's cannot be used, and why.
    """
    try:
        return asyncio.run(_prepare(url, own, development))
    except DatabaseUnusable:
        raise
    except Exception as error:
        reason = None if own else why_unusable(error)
        if reason is None:
            raise
        # As text alone: it goes to another process.
        raise DatabaseUnusable(reason) from None


async def _prepare(url: str, own: bool, development: bool) -> bool:
    if own:
        await migrate(url)
        if development:
            await mark_for_development(url)
    else:
        if await shares_sessions(url):
            raise DatabaseUnusable(BEHIND_A_POOLER)
        await require_current(url)
    await finish(url)  # a restore that was interrupted
    return await is_for_development(url)
