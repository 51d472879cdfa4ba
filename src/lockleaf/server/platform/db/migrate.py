"""Bringing a database to the schema of this version, and telling whether it is there."""

from __future__ import annotations

from functools import cache
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

import asyncpg
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from lockleaf.lazy import late
from lockleaf.server.platform.db.engine import driver_of, sqlalchemy_url

if TYPE_CHECKING:
    from alembic import command, config, script
else:
    # A server whose database is as it should be, as it nearly always is, needs none of it.
    command, config, script = late("alembic.command"), late("alembic.config"), late("alembic.script")

__all__ = [
    "RevisionUnknown",
    "SchemaBehind",
    "WrongDirection",
    "current_revision",
    "downgrade",
    "head_revision",
    "is_current",
    "migrate",
    "require_current",
    "require_known",
    "revision_at",
    "sql",
    "steps_back",
]

_SCRIPTS = Path(__file__).parent / "migrations" / "versions"

# One lock for all who migrate: two servers that start together must not run the same step twice.
_LOCK = 0x6C6F636B6C656166


class SchemaBehind(RuntimeError):
    """The database has an older schema than this version needs. Run `lockleaf admin migrate`, then start again."""

    def __init__(self) -> None:
        super().__init__(type(self).__doc__)

    def __reduce__(self) -> tuple[type[SchemaBehind], tuple[()]]:
        return type(self), ()


class RevisionUnknown(ValueError):
    """This version of the package has no such schema."""

    def __init__(self, revision: str | None, known: list[str]) -> None:
        super().__init__(f"This version knows no schema {revision}. It knows base, {', '.join(known)} and head.")
        self._given = revision, known

    def __reduce__(self) -> tuple[type[RevisionUnknown], tuple[str | None, list[str]]]:
        return type(self), self._given


class WrongDirection(ValueError):
    """The database is on the other side of that schema already."""

    def __init__(self, present: str | None, revision: str, *, forth: bool) -> None:
        way = "newer" if forth else "older"
        use = f"lockleaf admin {'downgrade' if forth else 'migrate'} --to {revision}"
        super().__init__(f"The database has schema {present or 'base'}, which is {way} than {revision}. Use {use}.")


def _config(connection: Connection | None = None, output: TextIO | None = None) -> config.Config:
    made = config.Config(output_buffer=output)
    made.set_main_option("script_location", "lockleaf.server.platform.db:migrations")
    made.attributes["connection"] = connection
    return made


@cache
def _revisions() -> tuple[str, ...]:
    """Return the revisions that this version of the package knows, oldest first: the names of files begin with them."""
    return tuple(sorted(each.name.partition("_")[0] for each in _SCRIPTS.glob("[0-9]*.py")))


def head_revision() -> str:
    """Return the revision that this version of the package needs."""
    return _revisions()[-1]


async def migrate(url: str, revision: str = "head") -> None:
    """Bring the database at ``url`` to this version's schema, or to the earlier one of ``revision``.

    Raises:
        RevisionUnknown: there is no such schema.
        WrongDirection: the database has a newer one.
    """
    await _go(url, revision, forth=True)


async def downgrade(url: str, revision: str) -> None:
    """Take the database at ``url`` back to the schema of ``revision``, and drop what that has no place for.

    Raises:
        RevisionUnknown: there is no such schema.
        WrongDirection: the database has an older one.
    """
    await _go(url, revision, forth=False)


async def _go(url: str, revision: str, *, forth: bool) -> None:
    _number_of(revision)
    engine = create_async_engine(sqlalchemy_url(url), poolclass=NullPool, hide_parameters=True)
    try:
        async with engine.connect() as connection:
            await connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": _LOCK})
            await connection.commit()
            try:
                present = await current_revision(await driver_of(connection))
                _require_direction(present, revision, forth=forth)
                if _number_of(present) != _number_of(revision):
                    step = command.upgrade if forth else command.downgrade
                    await connection.run_sync(lambda sync: step(_config(sync), revision))
                    await connection.commit()
            finally:
                await connection.rollback()
                await connection.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": _LOCK})
                await connection.commit()
    finally:
        await engine.dispose()


def require_known(revision: str) -> None:
    """Return if this version of the package knows a schema.

    Raises:
        RevisionUnknown: it does not.
    """
    _number_of(revision)


def _number_of(revision: str | None) -> int:
    """Return the place of a revision in the order of schemas: 0 for none (`base`), the last for `head`.

    Raises:
        RevisionUnknown: this version of the package has no such schema.
    """
    known = _revisions()
    order: dict[str | None, int] = {name: place for place, name in enumerate(known, 1)}
    found = (order | {None: 0, "base": 0, "head": len(known)}).get(revision)
    if found is None:
        raise RevisionUnknown(revision, list(known))
    return found


def _require_direction(present: str | None, revision: str, *, forth: bool) -> None:
    """Make sure that the way from ``present`` to ``revision`` leads forth, or back.

    Raises:
        RevisionUnknown: one of them is no schema of this version.
        WrongDirection: it leads the other way. To go nowhere is fine either way.
    """
    way = _number_of(revision) - _number_of(present)
    if (way < 0 and forth) or (way > 0 and not forth):
        raise WrongDirection(present, revision, forth=forth)


def steps_back(present: str | None, revision: str) -> list[Any]:
    """Return the modules of the migrations that the way from ``present`` back to ``revision`` undoes, in this order.

    Raises:
        RevisionUnknown, WrongDirection: as `downgrade` says.
    """
    _require_direction(present, revision, forth=False)
    first, last = _number_of(revision), _number_of(present)
    scripts = [each.module for each in script.ScriptDirectory.from_config(_config()).walk_revisions()][::-1]
    return scripts[first:last][::-1]


async def revision_at(url: str) -> str | None:
    """Return the revision that the database at ``url`` has; None for an empty one."""
    engine = create_async_engine(sqlalchemy_url(url), poolclass=NullPool, hide_parameters=True)
    try:
        async with engine.connect() as connection:
            return await current_revision(await driver_of(connection))
    finally:
        await engine.dispose()


def sql(present: str | None, revision: str, *, forth: bool) -> str:
    """Return the statements that lead from the schema ``present`` to that of ``revision``. Nothing is connected to.

    Raises:
        RevisionUnknown, WrongDirection: as `migrate` and `downgrade` say.
    """
    _require_direction(present, revision, forth=forth)
    output = StringIO()
    step = command.upgrade if forth else command.downgrade
    step(_config(output=output), f"{present or 'base'}:{revision}", sql=True)
    return output.getvalue()


async def current_revision(connection: asyncpg.Connection) -> str | None:
    """Return the revision that the database has; None for an empty one."""
    if not await connection.fetchval("SELECT to_regclass('alembic_version') IS NOT NULL"):
        return None
    revision: str | None = await connection.fetchval("SELECT version_num FROM alembic_version")
    return revision


async def is_current(connection: asyncpg.Connection) -> bool:
    """Tell whether the database has the schema of this version."""
    return await current_revision(connection) == head_revision()


async def require_current(url: str) -> None:
    """Ask the database at ``url``, once, whether it has the schema of this version.

    Raises:
        SchemaBehind: it has not.
        OSError: it does not answer.
    """
    engine = create_async_engine(sqlalchemy_url(url), poolclass=NullPool, hide_parameters=True)
    try:
        async with engine.connect() as connection:
            if not await is_current(await driver_of(connection)):
                raise SchemaBehind
    finally:
        await engine.dispose()
