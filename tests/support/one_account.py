"""Which parts of a SQL statement look into a table of accounts' data without naming one account.

No parser, but enough of one for statements as ours are written: each SELECT, or branch of a UNION, between its
parentheses is looked at for itself, with those around it.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import asyncpg
from sqlalchemy import event
from sqlalchemy.sql.elements import TextClause

from lockleaf.server.platform.db.engine import Database

__all__ = ["MEANT", "meant_to_be_of_several", "sent_through", "unnamed"]

_NOISE = re.compile(r"--[^\n]*|'(?:[^']|'')*'")
_REFERENCE = re.compile(
    r"\b(?:FROM|JOIN|UPDATE|USING|INTO)\s+(?:ONLY\s+)?([a-z_]+)\b(?:\s+(?:AS\s+)?(?!(?:WHERE|SET|ON|JOIN|LEFT|CROSS|ORDER|"
    r"GROUP|LIMIT|FOR|USING|UNION|VALUES|SELECT|RETURNING|INNER|OFFSET|AS)\b)([a-z_]\w*))?",
    re.IGNORECASE,
)
_NAMED = re.compile(r"(?<!OR )(?:\b([a-z_]\w*)\.)?\buser_id\s*=\s*(?:\$\d+|:\w+)(?!\s*(?:::\w+)?\[\])", re.IGNORECASE)
_SAME = re.compile(r"\b([a-z_]\w*)\.user_id\s*=\s*([a-z_]\w*)\.user_id", re.IGNORECASE)
_INSERTED = re.compile(
    r"\bINSERT INTO\s+([a-z_]+)(?:\s+AS\s+(\w+))?\s*\(\s*user_id\b[^)]*\)\s*"
    r"(?:SELECT\s+|VALUES\s*\(+\s*)(?:\$\d+|:\w+)",
    re.IGNORECASE,
)
_INNER = re.compile(r"\([^()]*\)")


MEANT = {
    # Asked of all accounts, of any node, by nobody's request.
    "features.analytics.listing._ANY": "at start: whether anybody has metrics at all",
    "features.operation.inventory._ACCOUNTS": "figures for the operator",
    "features.operation.inventory._STORE": "figures for the operator",
    "features.media.upkeep._KNOWN": "the sweep of the store: an object's key does not tell whose it is",
    "features.media.upkeep._DELETED": "upkeep: whose turn it is",
    "features.media.upkeep._UNFINISHED": "upkeep: whose turn it is",
    "features.integrations.jobs._DUE": "the schedule of networks: whose turn it is",
    "features.export.jobs._DUE": "upkeep: whose turn it is",
    "identity.auth.upkeep._STATEMENTS": "upkeep: whose turn it is",
    "identity.factors.upkeep._UNANSWERED": "upkeep: whose turn it is",
    "identity.factors.upkeep._UNCONFIRMED": "upkeep: whose turn it is",
    "records.purge._UNPURGED": "upkeep: whose turn it is",
    "records.purge._DECIDED": "upkeep: whose turn it is",
    # An operator's commands.
    "identity.factors.resealing._PAGE": "rotate-secret: all that is sealed, page by page",
    "main.installation._MARK": "whether anybody has an account in a database for development",
    "main.maintenance.backup._COUNTS": "a backup",
    "main.maintenance.backup._HEADS": "a backup",
    "main.maintenance.backup._STORED": "a backup",
    "main.maintenance.chains._ACCOUNTS": "a verification, which has a database of its own",
    "main.maintenance.chains._RECORDS": "a verification, which has a database of its own",
    "main.maintenance.chains._REVISIONS": "a verification, which has a database of its own",
    "main.maintenance.chains._CONFLICTS": "a verification, which has a database of its own",
    "main.maintenance.compacting._SIZES": "admin compact: how much there is",
    "main.maintenance.health._NEWEST_TIME": "admin doctor",
    "main.maintenance.health._NEWEST": "admin doctor",
    "main.maintenance.restore._PRESENT": "admin restore: what is there",
    "main.maintenance.users._PAGE": "admin users: accounts, page by page",
    "main.maintenance.users._HELD": "admin users: sums of a page of accounts, each added up where it is",
    "records.restores._HEADS": "admin restored: all accounts, page by page",
    # Several accounts at once, where one node has them all.
    "features.search.repository._LISTS": "has a form of its own for several nodes",
    "features.search.several._HAVING": "of the accounts of a group of pushes; of one where there are several nodes",
    "identity.principal._WHO_OF_SEVERAL": "gathered pushes: not with several nodes",
    "records.batches._NEW_TOGETHER": "gathered pushes: not with several nodes",
    "records.batches._ANY_TOGETHER": "gathered pushes: not with several nodes",
    "records.together._OPEN": "gathered pushes: not with several nodes",
    # Of one account, which it takes from a row of that account.
    "records.batches._ANY": "what is kept of a record is inserted with the account of that record",
}
"""The statements that are meant to be of more accounts than one, and why."""


@dataclass
class _Scope:
    text: str
    around: _Scope | None
    named: set[str] = field(default_factory=set)


@cache
def unnamed(statement: str, tables: Iterable[str]) -> list[str]:
    """Return those of ``tables`` into which a statement looks, or writes, without naming one account."""
    parts: list[str] = []
    text = _NOISE.sub("''", statement)
    while (inner := _INNER.search(text)) is not None:
        parts.append(inner[0][1:-1])
        text = f"{text[: inner.start()]} \ue000{len(parts) - 1}\ue001 {text[inner.end() :]}"
    return sorted({table for scope in _scopes(text, parts, None) for table in _found(scope, parts, frozenset(tables))})


def _scopes(text: str, parts: list[str], around: _Scope | None) -> Iterator[_Scope]:
    for branch in re.split(r"\bUNION(?:\s+ALL)?\b", text):
        # A parenthesis without a query of its own belongs to what is around it.
        whole = re.sub("\ue000(\\d+)\ue001", lambda found: _kept(found, parts), branch)
        scope = _Scope(whole, around)
        yield scope
        for number in re.findall("\ue000(\\d+)\ue001", whole):
            yield from _scopes(parts[int(number)], parts, scope)


def _kept(found: re.Match[str], parts: list[str]) -> str:
    part = parts[int(found[1])]
    if re.match(r"\s*(?:WITH|SELECT|INSERT|UPDATE|DELETE)\b", part):
        return found[0]
    return "(" + re.sub("\ue000(\\d+)\ue001", lambda inner: _kept(inner, parts), part) + ")"


def _found(scope: _Scope, parts: list[str], tables: frozenset[str]) -> Iterator[str]:
    references = [(table.lower(), (alias or table).lower()) for table, alias in _REFERENCE.findall(scope.text)]
    scope.named = {(alias or "").lower() for alias in _NAMED.findall(scope.text)}
    if "" in scope.named:  # the column stands alone: it is that of the only table, or of the one that is written to
        scope.named |= {alias for _, alias in references[:1]}
    known = set(scope.named)
    outer = scope.around
    while outer is not None:
        known |= outer.named
        outer = outer.around
    pairs = [(one.lower(), other.lower()) for one, other in _SAME.findall(scope.text)]
    for _ in pairs:
        for one, other in pairs:
            if known & {one, other}:
                known |= {one, other}
    scope.named |= known
    if (inserted := _INSERTED.search(scope.text)) is not None:
        known |= {name.lower() for name in inserted.groups() if name is not None}
    for table, alias in references:
        if table in tables and alias not in known:
            yield table


@cache
def meant_to_be_of_several() -> frozenset[str]:
    """Return the statements of `MEANT`."""
    statements = set()
    for place in MEANT:
        module, _, name = place.rpartition(".")
        value = getattr(importlib.import_module(f"lockleaf.server.{module}"), name)
        value = value.text if isinstance(value, TextClause) else value
        for each in [value] if isinstance(value, str) else value:
            statements.update([each] if isinstance(each, str) else each)
    return frozenset(statements)


def sent_through(database: Database) -> set[str]:
    """Return a set into which every statement comes that is sent from now on, by whichever way."""
    sent: set[str] = set()

    def note(query: asyncpg.LoggedQuery) -> None:
        sent.add(query.query)

    def listen(adapted: Any, record: object, proxy: object) -> None:
        adapted.driver_connection.add_query_logger(note)

    for engine in (database.writing, database.reading):
        event.listen(engine.sync_engine, "checkout", listen)
    return sent
