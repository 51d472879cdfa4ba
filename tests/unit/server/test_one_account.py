"""Every statement of the server names the account whose rows it looks for, so that one node of several answers it."""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy.sql.elements import TextClause

import lockleaf.server
from lockleaf.server.main.maintenance.distribution import DISTRIBUTED
from tests.support.one_account import MEANT, unnamed

_STATEMENT = re.compile(r"\s*(?:WITH|SELECT|INSERT|UPDATE|DELETE)\b")
_FORM = re.compile(r"\{[a-z_]*\}")
"""A place that is filled when the statement is made: what comes of it is looked at where it is sent."""


def statements(name: str, value: Any) -> Iterator[tuple[str, str]]:
    if isinstance(value, TextClause):
        value = value.text
    if isinstance(value, str):
        if _STATEMENT.match(value) and not _FORM.search(re.sub(r"'[^']*'", "", value)):
            yield name, value
    elif isinstance(value, (tuple, list)):
        for each in value:
            yield from statements(name, each)
    elif isinstance(value, dict):
        for each in value.values():
            yield from statements(name, each)


@pytest.fixture(scope="module")
def found() -> dict[str, str]:
    """The constants of the server that are statements, each with where it was seen first."""
    seen: dict[str, str] = {}
    for module in pkgutil.walk_packages(lockleaf.server.__path__, "lockleaf.server."):
        if ".migrations" in module.name:
            continue
        for name, value in vars(importlib.import_module(module.name)).items():
            for where, statement in statements(f"{module.name.removeprefix('lockleaf.server.')}.{name}", value):
                seen.setdefault(statement, where)
    return seen


def test_a_statement_names_one_account_or_says_why_not(found: dict[str, str]) -> None:
    assert len(found) > 200
    across = {where: unnamed(statement, DISTRIBUTED) for statement, where in found.items()}
    across = {where: tables for where, tables in across.items() if tables}
    assert {where: tables for where, tables in across.items() if where not in MEANT} == {}


def test_no_exception_is_left_behind(found: dict[str, str]) -> None:
    across = {where for statement, where in found.items() if unnamed(statement, DISTRIBUTED)}
    assert MEANT.keys() - across == set()


@pytest.mark.parametrize(
    ("statement", "tables"),
    [
        ("SELECT 1 FROM email_directory WHERE email = $1", []),
        ("SELECT 1 FROM records WHERE user_id = $1 AND seq = $2", []),
        ("SELECT 1 FROM records WHERE seq = $1", ["records"]),
        ("SELECT 1 FROM records WHERE user_id <> $1", ["records"]),
        ("SELECT 1 FROM records WHERE user_id = ANY ($1)", ["records"]),
        ("SELECT 1 FROM records WHERE ($1::uuid IS NULL OR user_id = $1)", ["records"]),
        ("SELECT 1 FROM records r JOIN heads h ON h.user_id = r.user_id WHERE r.user_id = $1", []),
        ("SELECT 1 FROM records r JOIN heads h ON h.seq = r.seq WHERE r.user_id = $1", ["heads"]),
        ("SELECT 1 FROM records WHERE user_id = $1 UNION ALL SELECT 1 FROM revisions WHERE seq = $2", ["revisions"]),
        ("SELECT 1 FROM heads h WHERE user_id = $1 AND EXISTS (SELECT FROM epochs e WHERE e.user_id = h.user_id)", []),
        ("SELECT 1 FROM heads WHERE user_id = $1 AND EXISTS (SELECT FROM epochs)", ["epochs"]),
        ("SELECT 1 FROM (SELECT * FROM records WHERE seq = $2) r WHERE r.user_id = $1", ["records"]),
        ("DELETE FROM media WHERE ctid = ANY (ARRAY(SELECT ctid FROM media WHERE user_id = $1))", ["media"]),
        ("INSERT INTO heads AS h (user_id, seq) VALUES ($1, $2) ON CONFLICT DO NOTHING", []),
        ("INSERT INTO heads (user_id, seq) SELECT user_id, seq FROM unnest($1, $2) AS w(user_id, seq)", ["heads"]),
        ("WITH gone AS (DELETE FROM media WHERE user_id = $1 RETURNING size) UPDATE heads SET seq = 1", ["heads"]),
        ("SELECT 1 FROM records WHERE records.user_id = $1::UUID -- FROM heads", []),
    ],
)
def test_it_is_seen_who_names_nobody(statement: str, tables: list[str]) -> None:
    assert unnamed(statement, DISTRIBUTED) == tables
