"""A server whose disk fills up: it says so, goes on by itself once there is room, and keeps all it acknowledged."""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
import subprocess
from collections.abc import AsyncIterator, Iterator
from hashlib import sha256
from pathlib import Path

import httpx
import pytest

from lockleaf.server.platform.settings import LimitSettings
from lockleaf.wire.codec import MSGPACK, pack, unpack
from tests.support.accounts import Owner, change, register, sealed
from tests.support.feeds import Reader
from tests.support.media import declaration, declare
from tests.support.process import RunningServer, running_server

KIB, MIB = 2**10, 2**20
DISK = 320 * MIB
RESERVE = LimitSettings().disk_reserve_bytes
PATIENCE = 180


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of its own, and small."""
    folder = tmp_path / "disk"
    folder.mkdir()
    if os.geteuid() != 0:
        pytest.skip("only root may mount a small file system")
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={DISK}", "tmpfs", folder], capture_output=True, check=False
    )
    if mounted.returncode != 0:
        pytest.skip("a small file system cannot be mounted here")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)


@pytest.fixture
def server(disk: Path, tmp_path: Path) -> Iterator[RunningServer]:
    environment = {
        "LOCKLEAF_DATA_DIR": str(disk / "data"),
        "LOCKLEAF_HASHING__MEMORY_KIB": "64",
        "LOCKLEAF_HASHING__ITERATIONS": "1",
    }
    with running_server(environment, log=tmp_path / "log") as running:
        yield running


@contextlib.contextmanager
def full(disk: Path, left: int) -> Iterator[None]:
    """Let somebody else fill the disk, but for so many bytes."""
    ballast = disk / "ballast"
    there = os.statvfs(disk)
    with ballast.open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, there.f_bavail * there.f_frsize - left)
    try:
        yield
    finally:
        ballast.unlink()


@pytest.fixture
async def http(server: RunningServer) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=f"{server.url}/api/v1", timeout=60) as client:
        yield client


async def _push(owner: Owner, acknowledged: set[tuple[str, bytes]], size: int) -> httpx.Response:
    """Push changes of a size until one is refused; the refusal."""
    while True:
        batch = [change(payload=sealed(size))]
        answer = await owner.request(
            "POST",
            "/sync/push",
            content=pack({"changes": batch}),
            headers={"Content-Type": MSGPACK, "Accept": MSGPACK},
        )
        if answer.status_code != 200:
            return answer
        assert [each["status"] for each in unpack(answer.content)["results"]] == ["applied"]
        acknowledged |= {(each["record_id"], sha256(each["payload"]).digest()) for each in batch}


async def _acknowledged_are_there(owner: Owner, acknowledged: set[tuple[str, bytes]]) -> None:
    assert acknowledged <= {(leaf.record_id, leaf.payload_hash) for leaf in await Reader(owner).read_all()}


async def _until_there_is_room(http: httpx.AsyncClient, server: RunningServer) -> None:
    async with asyncio.timeout(PATIENCE):
        while True:
            answer = await http.get(f"{server.url}/ready")
            if answer.status_code == 200 and answer.json()["disk"]["ok"]:
                return
            await asyncio.sleep(0.1)


async def test_before_a_disk_is_full_what_would_fill_it_is_refused_and_the_rest_goes_on(
    server: RunningServer, http: httpx.AsyncClient, disk: Path
) -> None:
    owner = await register(http)
    acknowledged: set[tuple[str, bytes]] = set()
    whole = secrets.token_bytes(8 * MIB)
    with full(disk, RESERVE + 4 * MIB):
        refused = await _push(owner, acknowledged, 256 * KIB)
        assert (refused.status_code, refused.json()["code"]) == (507, "storage_full")
        assert acknowledged
        declared = await declare(owner, declaration(whole))
        put = await http.put(declared["upload"]["url"], content=whole, headers=declared["upload"]["headers"])
        assert (put.status_code, put.json()["code"]) == (507, "storage_full")
        ready = await http.get(f"{server.url}/ready")
        assert (ready.status_code, ready.json()["disk"]) == (200, {"ok": False, "code": "storage_full"})
        await _acknowledged_are_there(owner, acknowledged)
        (result,) = await owner.results(change())  # little passes, as a deletion does
        assert result["status"] == "applied"

    # Somebody else takes the rest as well: PostgreSQL itself is refused room, and may stop.
    await _until_there_is_room(http, server)
    with full(disk, 0):
        refused = await _push(owner, acknowledged, 12 * KIB)
        assert (refused.status_code, refused.json()["code"]) in {
            (507, "storage_full"),
            (503, "database_unavailable"),
        }
        ready = await http.get(f"{server.url}/ready")
        assert ready.json()["disk"] == {"ok": False, "code": "storage_full"}
    await _until_there_is_room(http, server)
    await _acknowledged_are_there(owner, acknowledged)
    put = await http.put(declared["upload"]["url"], content=whole, headers=declared["upload"]["headers"])
    assert put.is_success
    (result,) = await owner.results(change(payload=sealed(256 * KIB)))
    assert result["status"] == "applied"
