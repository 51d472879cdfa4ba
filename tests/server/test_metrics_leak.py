"""Neither a value nor a result is anywhere on the server, in no table and no log, in no spelling of the number."""

from __future__ import annotations

import struct
from uuid import UUID

import asyncpg
import httpx
import pytest

from tests.support.canaries import Canaries
from tests.support.measurers import Measurer, measurer
from tests.support.process import RunningServer

VALUES = (271.828182, 314.159265)
TOTAL = sum(VALUES)
TABLES = ("metrics", "metric_sums", "metric_packs", "metric_deltas", "metric_causes", "metric_keys", "he_public_keys")


def found(data: bytes) -> set[str]:
    numbers = (*VALUES, TOTAL, TOTAL / 2)
    texts = Canaries({f"{number:.4f}": f"{number:.4f}" for number in numbers})
    forms = [(number, form) for number in numbers for form in ("<d", ">d", "<f", ">f")]
    packed = {f"{number} {form}" for number, form in forms if struct.pack(form, number) in data}
    scaled = {
        f"{number} scaled"
        for number in numbers
        for scale in (2.0**30, 2.0**40)
        if round(number * scale).to_bytes(8, "little") in data
    }
    return texts.found_in(data) | packed | scaled


def test_the_search_finds_what_it_looks_for() -> None:
    assert found(f"the average is {TOTAL / 2}".encode())
    assert found(b"x" + struct.pack("<d", VALUES[0]) + b"y")
    assert found(round(TOTAL * 2.0**30).to_bytes(8, "little"))


async def test_no_value_and_no_result_is_on_the_server(server: RunningServer, database_url: str) -> None:
    async with httpx.AsyncClient(base_url=f"{server.url}/api/v1", timeout=60) as http:
        someone = await measurer(http)
        await someone.sent(*(someone.value(value, f"2024-05-0{day}T00:00:00Z") for day, value in enumerate(VALUES, 1)))
        await someone.sent(someone.delta("month-1:words", list(VALUES), "2024-05-01T00:00:00Z"))
        assert await someone.total() == pytest.approx(TOTAL, abs=0.01)
        assert await someone.total("average") == pytest.approx(TOTAL / 2, abs=0.01)
        await someone.result(bucket="day")
        for wrong in ("weighted_sum", "median"):
            await someone.aggregate(wrong, weights=[VALUES[0]])
        bad = struct.pack("<d", VALUES[0])
        await someone.send({**someone.value(1, "2024-05-01T00:00:00Z"), "encrypted_value": bad})
        told = (await http.get(f"{server.url}/metrics")).content
    said = server.log.read_bytes()
    stored = await _everything(database_url, someone)
    assert len(stored) > 300_000
    assert b"/encryption/aggregate" in said
    assert b"lockleaf_evaluations_total" in told
    assert found(stored) == found(said) == found(told) == set()


async def _everything(database_url: str, of: Measurer) -> bytes:
    connection = await asyncpg.connect(database_url)
    try:
        pieces = []
        for table in TABLES:
            rows = await connection.fetch(f"SELECT * FROM {table} WHERE user_id = $1", UUID(of.owner.answer["id"]))
            for row in rows:
                pieces += [value if isinstance(value, bytes) else str(value).encode() for value in row.values()]
    finally:
        await connection.close()
    return b"\n".join(pieces)
