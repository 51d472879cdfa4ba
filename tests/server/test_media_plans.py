"""Every statement on media finds its rows by an index, however few there were when it was planned."""

from __future__ import annotations

from fastapi import FastAPI

from lockleaf.server.features.media import repository, upkeep
from lockleaf.server.platform.db.engine import Database
from lockleaf.server.platform.db.keyset import page_of

USER = "'00000000-0000-0000-0000-000000000001'"
STATEMENTS = (
    (
        page_of(repository._WHICH["false"], 2, "created_at", "media_id", descending=True, behind=True),
        "uuid, uuid, timestamptz, uuid, bigint, bigint",
        f"{USER}, NULL, now(), {USER}, 51, 0",
    ),
    (upkeep._DELETED, "uuid[], bigint, timestamptz", "'{}', 500, now()"),
    (upkeep._UNFINISHED, "uuid[], bigint, timestamptz", "'{}', 500, now()"),
    (upkeep._KNOWN, "text[]", "'{0123}'"),
)
INDEXES = ("ix_media_created", "ix_media_deleted", "ix_media_unfinished", "ix_media_object_key")


async def test_a_statement_on_media_is_a_lookup(app: FastAPI) -> None:
    async with app.state.parts[Database].read_driver() as connection:
        for (statement, types, arguments), index in zip(STATEMENTS, INDEXES, strict=True):
            await connection.execute(f"PREPARE tried ({types}) AS {statement}")
            try:
                rows = await connection.fetch(f"EXPLAIN EXECUTE tried ({arguments})")
            finally:
                await connection.execute("DEALLOCATE tried")
            plan = "\n".join(row[0] for row in rows)
            assert index in plan, plan
            assert "Seq Scan on media" not in plan
