"""Searching a ten-year diary: what its index costs, and what a query does, beside PostgreSQL's own full-text search.

PostgreSQL searches the plain text in the same database server, configuration `simple` over our stems, with an index of
its own kind. Queries are made from the diary's own words, 200 different ones of each kind, on a warm server. Times are
those of whoever asks: candidates and PostgreSQL's search over the same kind of connection, pages over HTTP.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import tempfile
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import uvloop

from benchmarks.journal import DIARY
from benchmarks.load import Connection
from benchmarks.postgres import durable_postgres
from benchmarks.report import Report
from benchmarks.servers import BenchmarkServer, lockleaf_server
from lockleaf.client import Client, FileKeychain
from lockleaf.client.records.entries import EntryDraft
from lockleaf.crypto import labels
from lockleaf.search.languages import language
from lockleaf.search.plan import plan
from lockleaf.search.query import parse
from lockleaf.search.words import words
from lockleaf.server.features.search.candidates import leaves
from lockleaf.server.features.search.repository import SearchRepository
from lockleaf.server.platform.db.engine import Database
from lockleaf.server.platform.db.migrate import migrate
from lockleaf.server.platform.settings import DatabaseSettings
from tests.support.search_reference import titled_diary, tsquery, tsvector

__all__ = ["run"]

PASSWORD = "an example of a password"
REPETITIONS = 200
WARMING = 20
PAGE = 20
ENGLISH = language("english")

Ask = Callable[[str], Awaitable[object]]


# Queries -----------------------------------------------------------------------------------------------------------


def _queries(diary: Sequence[EntryDraft]) -> dict[str, list[str]]:
    """Make so many different queries of each kind: always the same of the same diary."""
    chance = random.Random(1660)
    texts = [[word.text for word in words(draft.body)] for draft in diary]
    held: Counter[str] = Counter()
    for text in texts:
        held.update({word for word in text if not ENGLISH.is_stop(word)})
    of_rank = [word for word, _ in sorted(held.items(), key=lambda item: (-item[1], item[0]))]
    long_enough = [text for text in texts if len(text) > 60]

    def of_one(count: int) -> list[str]:
        known = sorted({word for word in chance.choice(long_enough) if held[word] > 4})
        return chance.sample(known, count)

    def phrase() -> str:
        length = chance.randint(2, 4)
        while True:
            text = chance.choice(long_enough)
            at = chance.randrange(len(text) - length)
            found = text[at : at + length]
            if sum(not ENGLISH.is_stop(word) for word in found) > 1:
                return f'"{" ".join(found)}"'

    made: dict[str, Callable[[], str]] = {
        "a rare word": lambda: chance.choice([word for word in of_rank[-5000:] if held[word] <= 3]),
        "a common word": lambda: chance.choice(of_rank[: REPETITIONS + WARMING]),
        "three words": lambda: " ".join(of_one(3)),
        "a phrase": phrase,
        "a negation": lambda: "{} -{}".format(*of_one(2)),
    }
    found: dict[str, list[str]] = {}
    for kind, make in made.items():
        different: dict[str, None] = {}
        while len(different) < REPETITIONS + WARMING:
            different[make()] = None
        found[kind] = list(different)
    return found


async def _milliseconds(queries: Sequence[str], ask: Ask) -> list[float]:
    """Return how long each query took, but for the first ones, in order of length."""
    taken = []
    for query in queries:
        started = time.perf_counter()
        await ask(query)
        taken.append(1000 * (time.perf_counter() - started))
    return sorted(taken[WARMING:])


def _quantile(ordered: Sequence[float], share: float) -> float:
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


# Accounts ----------------------------------------------------------------------------------------------------------


class _Account:
    """An account of one device, whose server may open entries, and a session of a thin client beside it."""

    def __init__(self, server: BenchmarkServer, connection: Connection, home: Path) -> None:
        self._server, self._connection, self._home = server, connection, home
        self.token = ""

    async def open(self) -> Client:
        return await Client.open(self._home, keychain=FileKeychain(self._home / "keychain"))

    async def begin(self, client: Client) -> None:
        email = f"{uuid4().hex}@example.org"
        await client.account.register(self._server.url, email, PASSWORD, device_name="benchmark", custody="uce")
        answer = await self.call("POST", "/auth/login", {"email": email, "password": PASSWORD})
        self.token = answer["access_token"]

    async def call(self, method: str, path: str, body: Any = None) -> Any:
        return await self._connection.call_json(method, f"/api/v1{path}", token=self.token or None, body=body)

    async def ask(self, query: str) -> Any:
        return await self.call("POST", "/search", {"query": query, "limit": PAGE})


async def _written(account: _Account, client: Client, diary: Sequence[EntryDraft]) -> float:
    """Import the diary and synchronise; return the seconds of the latter."""
    await client.journal.import_entries(diary)
    started = time.perf_counter()
    await client.sync()
    taken = time.perf_counter() - started
    if await client.journal.pending_count():
        raise RuntimeError("not everything was written")
    return taken


# The index ---------------------------------------------------------------------------------------------------------


async def _sizes(database_url: str, report: Report, diary: Sequence[EntryDraft]) -> None:
    text = sum(len(f"{draft.title or ''}{draft.body}".encode()) for draft in diary) / 1e6
    connection = await asyncpg.connect(database_url)
    try:
        await connection.execute("VACUUM ANALYZE search_documents")
        whole = await connection.fetchval("SELECT pg_total_relation_size('search_documents')") / 1e6
        gin = await connection.fetchval("SELECT pg_relation_size('ix_search_documents_tokens')") / 1e6
        plain = await connection.fetchval("SELECT pg_total_relation_size('plain_search')") / 1e6
    finally:
        await connection.close()
    report.value("text of the diary", text, "MB")
    report.value("index: table, TOAST and indexes", whole, "MB", aim=f"under {text:.2f}")
    report.value("  of which the index of digests (GIN)", gin, "MB")
    report.value("PostgreSQL's own: tsvector and its index", plain, "MB")


async def _load_plain(connection: asyncpg.Connection, diary: Sequence[EntryDraft]) -> None:
    await connection.execute("CREATE TABLE plain_search (id uuid PRIMARY KEY, plain tsvector NOT NULL)")
    await connection.executemany(
        "INSERT INTO plain_search VALUES ($1, $2::text::tsvector)",
        [(uuid4(), tsvector(draft.title, draft.body, ENGLISH)) for draft in diary],
    )
    await connection.execute("CREATE INDEX ON plain_search USING gin (plain)")
    await connection.execute("VACUUM ANALYZE plain_search")


async def _rebuilt(account: _Account, report: Report, entries: int) -> None:
    """Switch an index on, and build it slice by slice."""
    await account.call("PUT", "/search/index", {"enabled": True})
    slices = []
    complete = False
    while not complete:
        started = time.perf_counter()
        answer = await account.call("POST", "/search/index", {})
        slices.append(time.perf_counter() - started)
        complete = answer["index"]["complete"]
    report.value(f"index built by the server, {len(slices)} slices", entries / sum(slices), "entries/s")
    report.value("  the longest slice", max(slices), "s")


# Asking ------------------------------------------------------------------------------------------------------------


async def _asked(
    database: Database, plain: asyncpg.Connection, account: _Account, client: Client, report: Report, kinds: Any
) -> None:
    user_id = UUID((await account.call("GET", "/auth/me"))["id"])
    opened = client._device.opened  # what no client hands out: digests of words are made from this key
    index_key = opened.keyring.index_key

    def tokens(query: str) -> list[int]:
        asked = plan(parse(query), ENGLISH)
        condition = asked.condition(lambda field, stem: (field, stem))
        scored = [(field, stem) for stem in asked.stems for field in ("title", "body")]
        wanted: dict[Any, None] = dict.fromkeys([*(() if condition is None else leaves(condition)), *scored])
        return [int.from_bytes(labels.token(index_key, *each), signed=True) for each in wanted]

    async with database.read_driver() as connection:
        repository = SearchRepository(connection, user_id)
        statement = await plain.prepare("SELECT id FROM plain_search WHERE plain @@ $1::text::tsquery")
        for kind, queries in kinds.items():
            digests = {query: tokens(query) for query in queries}
            spoken = {query: tsquery(plan(parse(query), ENGLISH)) for query in queries}
            candidates = await _milliseconds(queries, partial(_of, digests, repository.lists))
            own = await _milliseconds(queries, partial(_of, spoken, statement.fetch))
            pages = await _milliseconds(queries, account.ask)
            local = await _milliseconds(queries, lambda query: client.journal.search(query, limit=PAGE))
            for share, name in ((0.5, "p50"), (0.95, "p95")):
                report.times(
                    f"{kind}: candidates, {name}",
                    _quantile(candidates, share),
                    "ms",
                    "PostgreSQL's own",
                    _quantile(own, share),
                    at_most=1.5,
                )
            for share, name in ((0.5, "p50"), (0.95, "p95")):
                aim = "under 100" if name == "p95" else None
                report.value(f"{kind}: page of {PAGE} over HTTP, {name}", _quantile(pages, share), "ms", aim=aim)
            for share, name in ((0.5, "p50"), (0.95, "p95")):
                report.value(f"{kind}: on the device, {name}", _quantile(local, share), "ms")


async def _of(prepared: Mapping[str, Any], ask: Callable[[Any], Awaitable[object]], query: str) -> None:
    await ask(prepared[query])


async def _local(account: _Account, report: Report) -> None:
    """Make the device's own index, and open it again."""
    async with await account.open() as client:
        started = time.perf_counter()
        await client.journal.search("of", limit=1)
        report.value("index of the device made", 1000 * (time.perf_counter() - started), "ms")
    async with await account.open() as client:
        started = time.perf_counter()
        await client.journal.search("of", limit=1)
        report.value("index of the device opened", 1000 * (time.perf_counter() - started), "ms")


# The whole ---------------------------------------------------------------------------------------------------------


async def _run(server: BenchmarkServer, database_url: str, report: Report, folder: Path) -> None:
    diary = titled_diary(DIARY)
    kinds = _queries(diary)
    plain = await asyncpg.connect(database_url)
    database = Database(database_url, DatabaseSettings())
    try:
        await _load_plain(plain, diary)
        async with Connection("127.0.0.1", server.port) as connection:
            account = _Account(server, connection, folder / "indexed")
            async with await account.open() as client:
                await account.begin(client)
                with_index = await _written(account, client, diary)
            await _sizes(database_url, report, diary)
            await _local(account, report)
            async with await account.open() as client:
                await client.journal.search("of", limit=1)
                await _asked(database, plain, account, client, report, kinds)
            other = _Account(server, connection, folder / "not indexed")
            async with await other.open() as client:
                await other.begin(client)
                await other.call("PUT", "/search/index", {"enabled": False})
                without = await _written(other, client, diary)
            entries = len(diary)
            report.compare(
                "written with their words", entries / with_index, "entries/s", "without an index", entries / without
            )
            await _rebuilt(other, report, entries)
    finally:
        await plain.close()
        await database.close()


def run(report: Report) -> None:
    """Index and search the diary on a server of its own."""
    with durable_postgres() as database_url, tempfile.TemporaryDirectory(prefix="lockleaf-benchmark-") as folder:
        asyncio.run(migrate(database_url))
        with lockleaf_server(workers=1, database_url=database_url) as server:
            uvloop.run(_run(server, database_url, report, Path(folder)))


def main() -> None:
    """Measure this alone."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.search")
    parser.add_argument("--json", type=Path, help="write the figures to this file as well")
    options = parser.parse_args()
    report = Report("Search")
    run(report)
    report.show()
    if options.json:
        options.json.write_text(json.dumps(report.rows, indent=2) + "\n")


if __name__ == "__main__":
    main()
