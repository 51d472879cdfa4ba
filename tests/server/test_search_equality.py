"""The query language finds in a real diary what PostgreSQL's full-text search finds in its plain text."""

from __future__ import annotations

from pathlib import Path

import asyncpg
import pytest

from lockleaf.search.matching import match
from lockleaf.search.plan import plan
from lockleaf.search.query import parse
from tests.support.search_reference import ENGLISH, Index, PlainSearch, queries, titled_diary


@pytest.mark.shared
async def test_two_hundred_queries_find_what_postgresql_finds_in_the_plain_text(
    shared_data: Path, database_url: str
) -> None:
    diary = titled_diary(shared_data / "pepys.jsonl.gz")
    texts = {str(number): (draft.title, draft.body) for number, draft in enumerate(diary)}
    documents = [(id_, *text) for id_, text in texts.items()]
    asked = queries(diary)
    assert len(asked) == 200
    index = Index(documents)
    connection = await asyncpg.connect(database_url)
    try:
        reference = PlainSearch(connection)
        await reference.load(documents)
        found_by_kind: dict[str, int] = {}
        for query in asked:
            planned = plan(parse(query.text), ENGLISH)
            expression = planned.tokens(lambda field, stem: (field, stem))
            assert expression is not None, query
            found = index.select(expression)
            if planned.needs_text:
                found = {id_ for id_ in found if match(planned, *texts[id_]) is not None}
            assert found == await reference.find(query.text), query
            found_by_kind[query.kind] = found_by_kind.get(query.kind, 0) + bool(found)
    finally:
        await connection.close()
    # Nothing is shown by queries that find nothing.
    assert sum(found_by_kind.values()) > 190
    assert len(found_by_kind) == 11
