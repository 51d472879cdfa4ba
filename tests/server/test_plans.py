"""Plans that are made while the tables are empty are the ones that are kept while they grow."""

from __future__ import annotations

from uuid import uuid4

from fastapi import FastAPI

from lockleaf.server.identity.principal import Asking, SeveralAsking
from lockleaf.server.platform.db.engine import Database
from lockleaf.server.records import feed, reads, repository


async def _plan(app: FastAPI, statement: str, types: str, arguments: str) -> str:
    async with app.state.parts[Database].read_driver() as connection:
        await connection.execute(f"PREPARE tried ({types}) AS {statement}")
        try:
            rows = await connection.fetch(f"EXPLAIN EXECUTE tried ({arguments})")
        finally:
            await connection.execute("DEALLOCATE tried")
    return "\n".join(row[0] for row in rows)


async def test_a_record_is_looked_up_by_its_name(app: FastAPI) -> None:
    plan = await _plan(app, repository._OPEN, "uuid, text[], text[]", f"'{uuid4()}', '{{a}}', '{{b}}'")
    assert "pk_records" in plan
    assert "Seq Scan" not in plan


async def test_a_page_is_a_range_of_one_index(app: FastAPI) -> None:
    types, arguments = "uuid, bigint, bigint, bigint, uuid, int", f"'{uuid4()}', 0, 500, 4194304, '{uuid4()}', NULL"
    plan = await _plan(app, feed._page(False, Asking.told_by), types, arguments)
    assert "ix_records_seq" in plan
    assert "Seq Scan" not in plan
    assert "Sort Key: r.seq" not in plan.split("ix_records_seq")[-1]


async def test_several_are_told_by_keys_alone(app: FastAPI) -> None:
    several = SeveralAsking.columns, SeveralAsking.names, SeveralAsking.told
    who = f"'{{{uuid4()}}}', '{{{uuid4()}}}', '{{null}}'"
    ends = await _plan(app, feed._ends(*several), "uuid[], uuid[], int[]", who)
    read = await _plan(
        app, reads._read_several(*several), "uuid[], uuid[], int[], text[], text", f"{who}, '{{a}}', 'entries'"
    )
    for plan, key in ((ends, "pk_heads"), (read, "pk_records")):
        assert key in plan
        assert "pk_sessions" in plan
        assert "pk_accounts" in plan
        assert "Seq Scan" not in plan
