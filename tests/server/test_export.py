"""An archive tells all that the server holds of an account, is of one moment, and goes with what it holds."""

from __future__ import annotations

import asyncio
import base64
import re
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import text

from lockleaf.crypto import history
from lockleaf.server.features.export import service
from lockleaf.server.features.export.bundle import PART_BYTES
from lockleaf.server.features.export.jobs import handler, sweep
from lockleaf.server.main.features import ARCHIVE, HANDLERS
from lockleaf.server.platform.archive import Section
from lockleaf.server.platform.db.engine import Database
from lockleaf.server.platform.jobs.attempt import Attempt, Handler
from lockleaf.server.platform.parts import Parts
from tests.support.account_holders import Clock, Person, problem, served
from tests.support.accounts import Owner, change, following, register
from tests.support.archives import ReadArchive, read_archive
from tests.support.job_workers import ended, until, working

KEPT_BACK = {
    "session_keys",
    "factor_codes",
    "factor_challenges",
    "factor_attempts",
    "archives",
    "archive_parts",
    "email_directory",
    "search_documents",
}
"""Tables of which an archive tells nothing: sealed session keys, codes and challenges prove who one is, archives would
hold one another, the directory says of an email what the account says, and digests of words follow from the entries."""

TABLES_OF_USERS = """
SELECT table_name FROM information_schema.columns
WHERE table_schema = 'public' AND column_name = 'user_id' ORDER BY table_name
"""


@pytest.fixture
def running(app: FastAPI) -> Parts:
    found: Parts = app.state.parts
    return found


async def _archive_of(owner: Owner, running: Parts, url: str, handlers: Mapping[str, Handler] = HANDLERS) -> bytes:
    """Ask for an archive, have it made, fetch it."""
    job = await owner.request("POST", "/users/me/export")
    assert job.status_code == 202, job.text
    async with working(running, url, handlers):
        row = await ended(running, UUID(job.json()["id"]))
    assert row["state"] == "succeeded", row["error_code"]
    answer = await owner.request("GET", f"/users/me/export/{job.json()['id']}")
    assert answer.status_code == 200, answer.text
    return answer.content


async def test_every_table_of_users_is_told_of_or_kept_back_by_name(running: Parts) -> None:
    async with running[Database].read_driver() as connection:
        tables = {row["table_name"] for row in await connection.fetch(TABLES_OF_USERS)}
    queries = " ".join(each.query for each in (*ARCHIVE.facts, *ARCHIVE.sections))
    told = {table for table in tables if re.search(rf"\bFROM {table}\b", queries)}
    assert {"records", "revisions", "accounts", "inbox"} <= told
    assert tables == told | KEPT_BACK
    assert not told & KEPT_BACK


async def test_an_archive_holds_the_store_to_the_byte(
    http: httpx.AsyncClient, running: Parts, database_url: str
) -> None:
    owner = await register(http, display_name="Ada", timezone="Europe/Paris")
    first = change(labels=[b"x" * 16], source="cli", occurred_at="2026-11-21T06:00:00Z")
    await owner.results(first)
    await owner.results(following(first), change(collection="x-notes", record_id="one"))
    refused = change(record_id=first["record_id"], on_conflict="keep")
    (conflict,) = await owner.results(refused)
    archive = read_archive(await _archive_of(owner, running, database_url))

    feed = await owner.feed()
    assert archive.manifest["format"] == "lockleaf-archive"
    assert archive.manifest["account"]["email"] == owner.email
    assert archive.manifest["account"]["timezone"] == "Europe/Paris"
    assert archive.manifest["store"] == {
        "epoch": feed["epoch"],
        "seq": 3,
        "head": base64.b64encode(feed["head"]).decode(),
    }
    (earlier,) = archive.files["revisions.jsonl"]
    assert base64.b64decode(earlier["payload"]) == first["payload"]
    assert earlier["labels"] == [base64.b64encode(b"x" * 16).decode()]
    assert (earlier["source"], earlier["occurred_at"]) == ("cli", "2026-11-21T06:00:00Z")
    current = {(record["collection"], record["record_id"]): record for record in archive.files["records.jsonl"]}
    assert set(current) == {("entries", first["record_id"]), ("x-notes", "one")}
    assert current["entries", first["record_id"]]["revision"] == 2
    (kept,) = archive.files["conflicts.jsonl"]
    assert (kept["id"], base64.b64decode(kept["payload"])) == (conflict["conflict_id"], refused["payload"])
    assert _head(archive) == feed["head"]


def _head(archive: ReadArchive) -> bytes:
    """Work the head out again from what the archive says of the history."""
    (epoch,) = archive.files["epochs.jsonl"]
    head = history.epoch_head(epoch["epoch"], epoch["from_seq"], base64.b64decode(epoch["from_head"]))
    for leaf in archive.files["history.jsonl"]:
        parent, meta, payload_hash = (base64.b64decode(leaf[name]) for name in ("parent", "meta", "payload_hash"))
        head = history.next_head(
            head,
            history.leaf(
                leaf["seq"], leaf["collection"], leaf["record_id"], leaf["revision"], parent, meta, payload_hash,
                leaf["deleted"],
            ),
        )  # fmt: skip
    return head


async def test_an_archive_holds_what_opens_it_and_nothing_that_proves_who_one_is(
    http: httpx.AsyncClient, running: Parts, database_url: str
) -> None:
    ada = await Person().sign_up(http)
    owner = Owner(http, ada.email, ada.secret, ada.tokens)
    data = await _archive_of(owner, running, database_url)
    archive = read_archive(data)
    keys = archive.manifest["keys"]
    assert (keys["keyring"], keys["kdf"]["salt"], keys["recipient"]) == (ada.keyring, ada.kdf["salt"], ada.recipient)
    codes = {entry["keyring"] for entry in archive.files["recovery_keyrings.jsonl"]}
    assert len(codes) == len(ada.codes)
    async with running[Database].read_driver() as connection:
        secret = await connection.fetchrow(
            "SELECT verifier_hash FROM accounts WHERE user_id = $1", UUID(owner.answer["id"])
        )
        code_hashes = await connection.fetch(
            "SELECT verifier_hash FROM recovery_codes WHERE user_id = $1", UUID(owner.answer["id"])
        )
    told = str(archive).encode()
    assert secret["verifier_hash"].encode() not in told
    assert code_hashes
    for row in code_hashes:
        assert base64.b64encode(row["verifier_hash"]) not in told
        assert row["verifier_hash"].hex().encode() not in told


async def test_an_archive_of_many_parts_comes_whole_and_with_its_digest(
    http: httpx.AsyncClient, running: Parts, database_url: str
) -> None:
    owner = await register(http)
    await owner.results(*(change(payload=b"\x01\x01" + bytes([n]) + _noise(900_000, n)) for n in range(5)))
    job = (await owner.request("POST", "/users/me/export")).json()
    async with working(running, database_url, HANDLERS):
        row = await ended(running, UUID(job["id"]))
    assert row["done"] == row["total"] > 5
    answer = await owner.request("GET", f"/users/me/export/{job['id']}")
    assert len(answer.content) == int(answer.headers["Content-Length"]) > 3 * PART_BYTES
    digest = base64.b64encode(sha256(answer.content).digest()).decode()
    assert answer.headers["Repr-Digest"] == f"sha-256=:{digest}:"
    assert answer.headers["Content-Type"] == "application/zip"
    assert len(read_archive(answer.content).files["records.jsonl"]) == 5
    async with running[Database].read_driver() as connection:
        largest = await connection.fetchval(
            "SELECT max(octet_length(data)) FROM archive_parts WHERE job_id = $1", UUID(job["id"])
        )
    assert largest == PART_BYTES


def _noise(size: int, seed: int) -> bytes:
    import random

    return random.Random(seed).randbytes(size)


async def test_whoever_asks_while_an_archive_is_made_gets_its_job(
    http: httpx.AsyncClient, running: Parts, database_url: str
) -> None:
    owner = await register(http)
    asked = await asyncio.gather(*(owner.request("POST", "/users/me/export") for _ in range(4)))
    (job_id,) = {answer.json()["id"] for answer in asked}
    assert {answer.status_code for answer in asked} == {202}
    assert {answer.headers["Location"] for answer in asked} == {f"/api/v1/jobs/{job_id}"}
    assert [item["id"] for item in (await owner.request("GET", "/jobs")).json()["items"]] == [job_id]
    problem(await owner.request("GET", f"/users/me/export/{job_id}"), 404, "not_found")
    async with working(running, database_url, HANDLERS):
        await ended(running, UUID(job_id))
    again = (await owner.request("POST", "/users/me/export")).json()
    assert again["id"] != job_id


async def test_the_newest_archive_takes_the_place_of_the_one_before(
    http: httpx.AsyncClient, running: Parts, database_url: str
) -> None:
    owner = await register(http)
    await _archive_of(owner, running, database_url)
    await _archive_of(owner, running, database_url)
    first = (await owner.request("GET", "/jobs")).json()["items"][-1]
    problem(await owner.request("GET", f"/users/me/export/{first['id']}"), 404, "not_found")
    async with running[Database].read_driver() as connection:
        held = await connection.fetch(
            "SELECT DISTINCT job_id FROM archive_parts WHERE user_id = $1", UUID(owner.answer["id"])
        )
    assert len(held) == 1


async def test_an_archive_is_of_one_moment(http: httpx.AsyncClient, running: Parts, database_url: str) -> None:
    """What is written while it is made is in all of its files or in none."""
    owner = await register(http)
    await owner.results(change())
    reached, go_on = asyncio.Event(), asyncio.Event()

    def stop(line: Mapping[str, Any]) -> dict[str, Any]:
        reached.set()
        asyncio.run_coroutine_threadsafe(go_on.wait(), loop).result()
        return dict(line)

    loop = asyncio.get_running_loop()
    gate = Section("first.jsonl", "SELECT 1 AS one WHERE $1::uuid IS NOT NULL", stop)
    slow = {service.KIND: handler(ARCHIVE.facts, (gate, *ARCHIVE.sections))}
    making = asyncio.create_task(_archive_of(owner, running, database_url, slow))
    await reached.wait()
    await owner.results(change())
    go_on.set()
    archive = read_archive(await making)
    assert len(archive.files["records.jsonl"]) == len(archive.files["history.jsonl"]) == 1
    assert archive.manifest["store"]["seq"] == 1


async def test_an_archive_whose_time_is_over_is_gone_and_then_swept(settings: Any, database_url: str) -> None:
    clock = Clock()
    async with served(settings, clock=clock) as (app, http):
        running: Parts = app.state.parts
        owner = await register(http)
        await _archive_of(owner, running, database_url)
        (job,) = (await owner.request("GET", "/jobs")).json()["items"]
        user_id = UUID(owner.answer["id"])
        clock.advance(days=6)
        await running.call(sweep)
        assert await _parts(running, user_id) > 0
        clock.advance(days=2)
        login = await http.post("/auth/login", json={"email": owner.email, "password": owner.password})
        owner.answer = login.json()
        problem(await owner.request("GET", f"/users/me/export/{job['id']}"), 404, "not_found")
        await asyncio.gather(*(running.call(sweep) for _ in range(3)))
        assert await _parts(running, user_id) == 0


async def _parts(running: Parts, user_id: UUID) -> int:
    async with running[Database].read_driver() as connection:
        counted: int = await connection.fetchval(
            "SELECT (SELECT count(*) FROM archive_parts WHERE user_id = $1) + (SELECT count(*) FROM archives"
            " WHERE user_id = $1)",
            user_id,
        )
        return counted


async def test_anothers_archive_is_told_from_none_by_nothing(
    http: httpx.AsyncClient, running: Parts, database_url: str
) -> None:
    owner, other = await register(http), await register(http)
    await _archive_of(owner, running, database_url)
    (job,) = (await owner.request("GET", "/jobs")).json()["items"]
    theirs = problem(await other.request("GET", f"/users/me/export/{job['id']}"), 404, "not_found")
    assert theirs == problem(await other.request("GET", f"/users/me/export/{uuid4()}"), 404, "not_found")
    problem(await other.request("GET", "/users/me/export/none"), 422, "invalid_request")


async def test_an_archive_needs_the_whole_scope_of_the_account(http: httpx.AsyncClient) -> None:
    owner = await register(http)
    login = {"email": owner.email, "password": owner.password, "scope": "account:read sync"}
    headers = {"Authorization": f"Bearer {(await http.post('/auth/login', json=login)).json()['access_token']}"}
    for answer in (
        await http.post("/users/me/export", headers=headers),
        await http.get(f"/users/me/export/{uuid4()}", headers=headers),
    ):
        problem(answer, 403, "insufficient_scope")
    problem(await http.post("/users/me/export"), 401, "not_authenticated")


async def test_a_lowered_tier_takes_archives_along_even_one_that_is_being_made(
    http: httpx.AsyncClient, running: Parts, database_url: str
) -> None:
    owner = await register(http)
    user_id = UUID(owner.answer["id"])
    await owner.results(change())
    await _archive_of(owner, running, database_url)
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def slow(attempt: Attempt) -> None:
        async with attempt.transaction() as tx:
            await tx.session.execute(
                text("INSERT INTO archive_parts (user_id, job_id, part, data) VALUES (:user_id, :job_id, 0, 'x')"),
                {"user_id": user_id, "job_id": attempt.job_id},
            )
            begun.set()
            await go_on.wait()

    job = (await owner.request("POST", "/users/me/export")).json()
    async with working(running, database_url, {service.KIND: slow}):
        await begun.wait()
        assert (await owner.request("DELETE", "/users/me/privacy/revoke")).status_code == 200
        go_on.set()
        row = await ended(running, UUID(job["id"]))
    assert row["state"] == "cancelled"
    assert await _parts(running, user_id) == 0


async def test_the_download_of_a_slow_reader_holds_no_connection(
    http: httpx.AsyncClient, running: Parts, database_url: str
) -> None:
    owner = await register(http)
    await owner.results(*(change(payload=b"\x01\x01" + _noise(900_000, n)) for n in range(3)))
    await _archive_of(owner, running, database_url)
    (job,) = (await owner.request("GET", "/jobs")).json()["items"]
    async with running[Database].reader() as session:
        archive = await service.find(session, UUID(owner.answer["id"]), UUID(job["id"]), now=datetime.now(UTC))
    parts: AsyncIterator[bytes] = service.read(running[Database], archive)
    received = [await anext(parts)]
    for engine in (running[Database].reading, running[Database].writing):
        assert engine.pool.checkedout() == 0  # type: ignore[attr-defined]
    received += [part async for part in parts]
    assert sha256(b"".join(received)).digest() == archive.sha256


async def test_nothing_of_a_deleted_account_is_left_in_any_table(
    http: httpx.AsyncClient, running: Parts, database_url: str
) -> None:
    ada = await Person().sign_up(http)
    owner = Owner(http, ada.email, ada.secret, ada.tokens)
    user_id = UUID(owner.answer["id"])
    first = change()
    await owner.results(first)
    await owner.results(following(first), change(record_id=first["record_id"], on_conflict="keep"))
    await _archive_of(owner, running, database_url)
    async with running[Database].read_driver() as connection:
        tables = {row["table_name"] for row in await connection.fetch(TABLES_OF_USERS)}
    async with running[Database].transaction() as tx:
        # What no plain request of this test makes.
        for table, columns in {
            "inbox": "item_id, provider, sealed) VALUES ($1, gen_random_uuid(), 'x', 'x'",
            "session_keys": "session_id, generation, sealed_kek, expires_at) VALUES ($1, $1, 1, 'x', now()",
            "accesses": "hour, session_id, purpose, openings, records, last_at) VALUES ($1, now(), $1, '', 1, 1, now()",
            "he_public_keys": "parameter_set, context) VALUES ($1, 'x', 'x'",
            "metrics": "metric_id, metric_type, parameter_set, at, ciphertext, fingerprint)"
            " VALUES ($1, 'x', 'x', 'x', now(), 'x', 'x'",
            "metric_sums": "metric_type, parameter_set, kind, period, start, ciphertext, count, seal_version,"
            " updated_at) VALUES ($1, 'x', 'x', 'values', 'month', now(), 'x', 1, 'x', now()",
            "metric_packs": "parameter_set, layout, month, ciphertext, slots, additions, seal_version, updated_at)"
            " VALUES ($1, 'x', 'x', now(), 'x', 1, 1, 'x', now()",
            "metric_deltas": "delta_id, fingerprint) VALUES ($1, 'x', 'x'",
            "metric_causes": "pack, month, record_id, revision) VALUES ($1, 'x', now(), 'x', 1",
            "metric_keys": "parameter_set, version, sealed_key, updated_at) VALUES ($1, 'x', 1, 'x', now()",
            "media": "media_id, object_key, media_type, size, sha256, state, created_at, touched_at)"
            " VALUES ($1, gen_random_uuid(), repeat('0', 40), 'x/x', 1, 'x', 'stored', now(), now()",
            "search_indexes": "enabled, language, complete, updated_at) VALUES ($1, true, 'x', true, now()",
            "search_documents": "record_id, seq, at, tokens) VALUES ($1, 'x', 1, now(), '{1}'",
            "epoch_statements": "statement_id, kind, n, old_epoch, seq, head, new_epoch, device_id, time_text,"
            " signature) VALUES ($1, 'x', 'end', 1, 'x', 1, 'x', 'x', 'x', 'x', 'x'",
            "factors": "factor_id, kind) VALUES ($1, gen_random_uuid(), 'totp'",
            "factor_codes": "digest) VALUES ($1, 'x'",
            "factor_challenges": "digest, purpose, expires_at) VALUES ($1, 'x', 'x', now()",
            "factor_attempts": "wrong, blocked_until) VALUES ($1, 1, now()",
            "integrations": "integration_id, provider, account_key, sealed, state, connected_at)"
            " VALUES ($1, gen_random_uuid(), 'x', 'x', 'x', 'connected', now()",
            "external_posts": "post_id, integration_id, provider, direction, state, noted_at)"
            " VALUES ($1, gen_random_uuid(), gen_random_uuid(), 'x', 'in', 'linked', now()",
            "entry_publications": "entry_id, publication_id, revision, published_at)"
            " VALUES ($1, gen_random_uuid(), gen_random_uuid(), 1, now()",
            "checkpoints": "device_id, epoch, seq, head, time_text, signature) VALUES ($1, 'x', 'x', 1, 'x', 'x', 'x'",
        }.items():
            await tx.connection.execute(f"INSERT INTO {table} (user_id, {columns})", user_id)
    assert await _rows(running, tables, user_id) == dict.fromkeys(tables, True)
    late = (await owner.request("POST", "/users/me/export")).json()
    deleted = await owner.request("DELETE", "/users/me", json={"current_password": owner.password})
    assert deleted.status_code == 204, deleted.text
    assert await _rows(running, tables, user_id) == dict.fromkeys(tables, False)

    async def out_of_the_queue() -> bool:
        async with running[Database].read_driver() as connection:
            return not await connection.fetchval("SELECT count(*) FROM pgqueuer WHERE dedupe_key = $1", late["id"])

    async with working(running, database_url, HANDLERS):
        await until(out_of_the_queue)
    assert await _rows(running, tables, user_id) == dict.fromkeys(tables, False)


async def _rows(running: Parts, tables: set[str], user_id: UUID) -> dict[str, bool]:
    async with running[Database].read_driver() as connection:
        return {
            table: await connection.fetchval(f"SELECT EXISTS (SELECT FROM {table} WHERE user_id = $1)", user_id)
            for table in tables
        }
