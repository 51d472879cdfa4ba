"""An archive gets its name when it is whole and what the server said; whatever else comes leaves no file."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from uuid import uuid4

import pytest

from lockleaf.client.account.archive import fetch_archive
from lockleaf.client.errors import ArchiveNotBegun, InternalError, InvalidAnswer, NotFound, ServerUnreachable
from lockleaf.client.records.progress import Progress
from lockleaf.client.transport.http import Transport
from lockleaf.client.transport.retries import RetryPolicy
from lockleaf.client.transport.tokens import MemoryTokens, SessionTokens
from tests.support.scripted_server import Reply, ScriptedServer, answer, problem, scripted_server

DATA = bytes(range(256)) * 9000
AT_ONCE = RetryPolicy(attempts=2, base=0.0, cap=0.0, patience=0.5)
JOB = str(uuid4())


def job(state: str, done: int = 0, total: int = 0, **fields: str) -> Reply:
    began = {} if state == "queued" else {"started_at": datetime.now(UTC).isoformat()}
    progress = {"done": done, "total": total}
    made = datetime.now(UTC).isoformat()
    return answer(id=JOB, kind="account.export", state=state, progress=progress, created_at=made, **began, **fields)


def archive(data: bytes = DATA, digest: str | None = None) -> Reply:
    told = digest or f"sha-256=:{base64.b64encode(sha256(data).digest()).decode()}:"
    return Reply(200, data, "application/zip", {"Repr-Digest": told})


@asynccontextmanager
async def asking(*replies: Reply) -> AsyncIterator[tuple[Transport, ScriptedServer]]:
    tokens = MemoryTokens()
    tokens.save(SessionTokens(access_token="access", refresh_token="refresh"))
    async with scripted_server(*replies) as server:
        transport = Transport(server.url, tokens=tokens, retry=AT_ONCE)
        yield transport, server
        await transport.aclose()


async def test_an_archive_is_waited_for_and_fetched(tmp_path: Path) -> None:
    file = tmp_path / "mine.zip"
    told: list[Progress] = []
    replies = (job("queued"), job("running", 3, 10), job("succeeded", 10, 10), archive())
    async with asking(*replies) as (transport, server):
        saved = await fetch_archive(transport, file, told.append)
    assert file.read_bytes() == DATA
    assert (saved.size, saved.sha256) == (len(DATA), sha256(DATA).digest())
    assert [(seen.method, seen.path) for seen in server.seen] == [
        ("POST", "/api/v1/users/me/export"),
        ("GET", f"/api/v1/jobs/{JOB}"),
        ("GET", f"/api/v1/jobs/{JOB}"),
        ("GET", f"/api/v1/users/me/export/{JOB}"),
    ]
    assert Progress("archive", 3, 10) in told
    assert [each for each in told if each.stage == "download"]
    assert list(tmp_path.iterdir()) == [file]


@pytest.mark.parametrize(
    ("replies", "error"),
    [
        pytest.param([archive(digest="sha-256=:" + "A" * 43 + "=:")], InvalidAnswer, id="other bytes"),
        pytest.param([archive(digest="sha-256=:no:")], InvalidAnswer, id="an invalid digest"),
        pytest.param([archive(digest="md5=:AAAA:")], InvalidAnswer, id="a digest of another kind"),
        pytest.param([Reply(200, DATA, "application/zip")], InvalidAnswer, id="no digest"),
        pytest.param([Reply(200, b"<html>", "text/html")], InvalidAnswer, id="something else"),
        pytest.param([Reply(drop=True)], ServerUnreachable, id="nothing"),
        pytest.param([problem(404, "not_found")], NotFound, id="an archive that is gone"),
    ],
)
async def test_whatever_else_comes_leaves_no_file(
    replies: Sequence[Reply], error: type[Exception], tmp_path: Path
) -> None:
    async with asking(job("succeeded"), *replies) as (transport, _):
        with pytest.raises(error):
            await fetch_archive(transport, tmp_path / "mine.zip")
    assert list(tmp_path.iterdir()) == []


async def test_a_failed_fetch_leaves_the_file_that_was_there(tmp_path: Path) -> None:
    file = tmp_path / "mine.zip"
    file.write_text("what was there")
    async with asking(job("succeeded"), archive(digest="sha-256=:no:")) as (transport, _):
        with pytest.raises(InvalidAnswer):
            await fetch_archive(transport, file, overwrite=True)
    assert file.read_text() == "what was there"
    assert list(tmp_path.iterdir()) == [file]


async def test_nothing_is_asked_for_that_could_not_be_written(tmp_path: Path) -> None:
    there = tmp_path / "mine.zip"
    there.touch()
    async with asking(job("queued")) as (transport, server):
        with pytest.raises(FileExistsError):
            await fetch_archive(transport, there)
        with pytest.raises(FileNotFoundError):
            await fetch_archive(transport, tmp_path / "nowhere" / "mine.zip")
    assert server.seen == []


@pytest.mark.parametrize(
    ("ended", "error"),
    [(job("failed", error_code="internal_error"), InternalError), (job("cancelled"), NotFound)],
)
async def test_a_job_that_did_not_succeed_is_an_error_by_its_code(
    ended: Reply, error: type[Exception], tmp_path: Path
) -> None:
    async with asking(job("queued"), ended) as (transport, _):
        with pytest.raises(error):
            await fetch_archive(transport, tmp_path / "mine.zip")
    assert list(tmp_path.iterdir()) == []


async def test_a_server_that_does_not_begin_is_not_waited_for_without_end(tmp_path: Path) -> None:
    async with asking(job("queued")) as (transport, _):
        with pytest.raises(ArchiveNotBegun):
            await fetch_archive(transport, tmp_path / "mine.zip", patience=0.0)
