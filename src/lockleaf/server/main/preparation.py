"""What is done to a database before it is served."""

from __future__ import annotations

import asyncio

from lockleaf.server.main.installation import is_for_development, mark_for_development
from lockleaf.server.main.restoration import finish
from lockleaf.server.platform.db.migrate import migrate, require_current

__all__ = ["prepare"]


def prepare(url: str, own: bool, development: bool) -> bool:
    """Make sure that the database at ``url`` has this version's schema; return whether it was made for development.

    Args:
        own: it is the server's own, which is brought to that schema.
        development: if it is the server's own and has no account yet, it is made for development from now on.

    Raises:
        SchemaBehind: somebody else's has an older schema.
        RevisionUnknown: it has one of a later version.
        OSError: it does not answer.
    """
    return asyncio.run(_prepare(url, own, development))


async def _prepare(url: str, own: bool, development: bool) -> bool:
    if own:
        await migrate(url)
        if development:
            await mark_for_development(url)
    else:
        await require_current(url)
    await finish(url)  # a restore that was interrupted
    return await is_for_development(url)
