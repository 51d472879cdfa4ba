"""Every statement on the search index finds its rows by an index, however few there were when it was planned."""

from __future__ import annotations

import inspect
import re

from fastapi import FastAPI

from lockleaf.server.features.search import repository
from lockleaf.server.platform.db.engine import Database
from lockleaf.server.records.diary import has_labels

USER = "'00000000-0000-0000-0000-000000000001'"
STATEMENTS = {
    "_STATE_WITH_COUNT": ("uuid", USER, ("pk_search_indexes", "pk_search_documents", "pk_accounts")),
    "_INCOMPLETE": ("uuid, timestamptz", f"{USER}, now()", ("pk_search_indexes",)),
    "_STORE": ("uuid, text[], bigint[], text[], text", f"{USER}, '{{a}}', '{{1}}', '{{x}}', 'x'", ("pk_records",)),
    "_REMOVE": ("uuid, text[]", f"{USER}, '{{a}}'", ("pk_search_documents",)),
    "_CLEAR": ("uuid", USER, ("pk_search_documents",)),
    "_FORGET": ("uuid", USER, ("pk_search_indexes",)),
    "_COUNT": ("uuid", USER, ("pk_search_documents",)),
    "_WAITING_WHOLE": (
        "uuid, text, bigint, bigint, text",
        f"{USER}, '', 1, 1, 'x'",
        ("pk_records", "pk_search_documents"),
    ),
    "_WAITING_NAMES": (
        "uuid, text, bigint, bigint, text",
        f"{USER}, '', 1, 1, 'x'",
        ("pk_records", "pk_search_documents"),
    ),
    "_LISTS": ("uuid, bigint[]", f"{USER}, '{{1}}'", ("ix_search_documents_tokens",)),
    "_LISTS_ON_A_NODE": ("uuid, bigint[]", f"{USER}, '{{1}}'", ()),
    "_FILTERED": (
        "uuid, timestamptz, timestamptz, timestamptz, timestamptz, bytea[], bytea[]",
        f"{USER}, now(), now(), now(), now(), '{{}}', '{{}}'",
        ("ix_records_date",),
    ),
    "_RECORDS": ("uuid, bigint[], bigint", f"{USER}, '{{1}}', 1", ("ix_records_seq",)),
}


async def test_every_statement_is_a_lookup(app: FastAPI) -> None:
    async with app.state.parts[Database].transaction() as tx:
        for name, (types, arguments, indexes) in STATEMENTS.items():
            statement = getattr(repository, name).replace("{labels}", has_labels(2, first=6))
            await tx.connection.execute(f"PREPARE tried ({types}) AS {statement}")
            try:
                rows = await tx.connection.fetch(f"EXPLAIN EXECUTE tried ({arguments})")
            finally:
                await tx.connection.execute("DEALLOCATE tried")
            plan = "\n".join(row[0] for row in rows)
            assert "Seq Scan" not in plan, name
            assert {index for index in indexes if index not in plan} == set(), f"{name}: {plan}"


def test_every_statement_is_of_one_account() -> None:
    statements = {
        name: text
        for name, text in vars(repository).items()
        if re.fullmatch(r"_[A-Z_]+", name) and isinstance(text, str) and " " in text
    }
    assert STATEMENTS.keys() < statements.keys()
    for name, text in statements.items():
        assert re.search(r"user_id = \$1|VALUES \(\$1, |SELECT \$1, ", text), name
    # Nothing else in the file speaks to the database.
    source = inspect.getsource(repository)
    assert set(re.findall(r"_connection\.(\w+)", source)) == {"distributed", "execute", "fetch", "fetchrow", "fetchval"}
