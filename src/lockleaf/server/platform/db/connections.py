"""The server's connections to PostgreSQL, each ready for the kind of database that it finds.

A database that is distributed over several nodes has the extension Citus. It needs a plan that knows the account of a
statement, since the plan decides which node is asked; and it would rewrite every look into PostgreSQL's own catalogue,
to hide the tables that hold its parts.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import asyncpg

__all__ = ["EXTENSION", "OF_SEVERAL_NODES", "asyncpg_url", "connect"]

EXTENSION = "citus"

OF_SEVERAL_NODES = {"plan_cache_mode": "auto", "citus.override_table_visibility": "off"}
"""Settings of a session in a distributed database."""

# One round trip, whatever the database is: the settings change where the row is there.
_PREPARE = f"""
SELECT {", ".join(f"set_config('{name}', '{value}', false)" for name, value in OF_SEVERAL_NODES.items())}
FROM pg_extension WHERE extname = '{EXTENSION}'
"""  # noqa: S608

# PostgreSQL's own types have the same numbers everywhere. Left to itself the driver asks for each that is no scalar, on
# every connection, by a statement that costs more than most of ours.
_SCALARS = {"json": 114, "jsonb": 3802}
_ARRAYS = (
    ("bool", 16, 1000),
    ("bytea", 17, 1001),
    ("int8", 20, 1016),
    ("int2", 21, 1005),
    ("int4", 23, 1007),
    ("text", 25, 1009),
    ("oid", 26, 1028),
    ("float4", 700, 1021),
    ("float8", 701, 1022),
    ("varchar", 1043, 1015),
    ("date", 1082, 1182),
    ("timestamp", 1114, 1115),
    ("timestamptz", 1184, 1185),
    ("interval", 1186, 1187),
    ("numeric", 1700, 1231),
    ("uuid", 2950, 2951),
)
_KNOWN = [
    {
        "oid": number,
        "ns": "pg_catalog",
        "name": f"_{name}",
        "kind": b"b",
        "basetype": None,
        "elemtype": element,
        "elemtype_name": name,
        "elemdelim": ",",
        "range_subtype": None,
        "attrtypoids": None,
        "attrnames": None,
    }
    for name, element, number in _ARRAYS
]


class _Connection(asyncpg.Connection):  # type: ignore[misc]  # the driver has no types
    """A connection that is told how PostgreSQL's own types travel, and does not ask.

    Attributes:
        distributed: whether the database is one of several nodes.
    """

    distributed = False

    async def set_type_codec(
        self,
        typename: str,
        *,
        schema: str = "public",
        encoder: Callable[..., Any],
        decoder: Callable[..., Any],
        format: str = "text",
    ) -> None:
        """Have a type encoded and decoded in another way."""
        number = _SCALARS.get(typename) if schema == "pg_catalog" else None
        if number is None:
            await super().set_type_codec(typename, schema=schema, encoder=encoder, decoder=decoder, format=format)
        else:
            types = self.get_settings()
            types.add_python_codec(number, typename, schema, [], "scalar", encoder, decoder, format)
            types.register_data_types(_KNOWN)  # which that has made the driver forget


def asyncpg_url(url: str) -> str:
    """Return ``url`` as asyncpg itself takes it, whatever spelling of PostgreSQL it began with."""
    _, separator, rest = url.partition("://")
    return f"postgresql{separator}{rest}"


async def connect(*where: Any, **options: Any) -> asyncpg.Connection:
    """Open a connection, with asyncpg's own arguments, and prepare it for the kind of database that is there.

    Its ``distributed`` tells whether that is one of several nodes.

    Raises:
        OSError, TimeoutError, asyncpg.PostgresError: the database does not answer, or lets nobody in.
    """
    try:
        connection = await asyncpg.connect(*where, connection_class=_Connection, **options)
    except FileNotFoundError as error:
        # While PostgreSQL starts anew its socket is not even there, which says no more than that nobody listens.
        raise ConnectionRefusedError("PostgreSQL's socket is not there") from error
    try:
        connection.get_settings().register_data_types(_KNOWN)
        connection.distributed = await connection.execute(_PREPARE) != "SELECT 0"
    except BaseException:
        connection.terminate()
        raise
    return connection
