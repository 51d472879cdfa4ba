"""Ten years of a diary: devices and servers, reading or not, find what a database finds in the plain text."""

from __future__ import annotations

import os
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path

import asyncpg
import pytest

from lockleaf.client.search.results import Found
from tests.support.people import Person, UcePerson
from tests.support.process import RunningServer
from tests.support.search_reference import PlainSearch, queries, titled_diary

THOROUGHLY = os.environ.get("LOCKLEAF_TESTS_THOROUGHLY")
"""Set, every entry is taken, which takes minutes; otherwise some of each year."""
EVERY = 1 if THOROUGHLY else 50


def bodies(found: Found) -> set[str]:
    assert found.exact
    assert found.complete
    return {hit.entry.body for hit in found.hits}


@pytest.mark.shared
async def test_two_hundred_queries_find_the_same_wherever_they_are_answered(
    shared_data: Path, database_url: str, tmp_path: Path, server: RunningServer
) -> None:
    diary = titled_diary(shared_data / "pepys.jsonl.gz")
    # Each text once, by which an entry is recognised wherever it was found.
    diary = list({draft.body: replace(draft, time_zone=None) for draft in diary}.values())[::EVERY]
    asked = queries(diary)
    assert len(asked) == 200
    connection = await asyncpg.connect(database_url)
    try:
        plain = PlainSearch(connection)
        await plain.load([(str(number), draft.title, draft.body) for number, draft in enumerate(diary)])
        expected = [{diary[int(number)].body for number in await plain.find(query.text)} for query in asked]
    finally:
        await connection.close()
    assert sum(map(bool, expected)) > 190
    async with AsyncExitStack() as stack:
        for name, custody in (("blind", Person), ("open", UcePerson)):
            person = custody(tmp_path / name, server.url, stack)
            device = await person.device("laptop")
            await person.register(device)
            await device.journal.import_entries(diary)
            await device.search.switch_on()
            await device.sync()
            assert (await device.search.status()).documents == len(diary)
            for query, those in zip(asked, expected, strict=True):
                assert bodies(await device.journal.search(query.text)) == those, query
                assert bodies(await device.search.find(query.text)) == those, query
