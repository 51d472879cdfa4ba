"""A rotation of the keys of a real ten-year journal: time until the commit and until all is sealed again, and bytes."""

from __future__ import annotations

import sqlite3
import tempfile
import time
from contextlib import closing
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx

from benchmarks.apart import in_process
from benchmarks.journal import DIARY, PASSWORD
from benchmarks.report import Report
from benchmarks.servers import BenchmarkServer

__all__ = ["run", "the_rotation"]

NEW_PASSWORD = "another example of a password"


class _Counting(httpx.AsyncHTTPTransport):
    """The network, and how many bytes of bodies went each way."""

    def __init__(self) -> None:
        super().__init__()
        self.sent = self.received = 0

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.sent += int(request.headers.get("content-length", 0))
        response = await super().handle_async_request(request)
        self.received += int(response.headers.get("content-length", 0))
        return response


def _kept(path: Path) -> tuple[int, int]:
    """Return the bytes of the payload hashes of superseded revisions on a device, and of its whole store."""
    with closing(sqlite3.connect(path)) as database:
        sizes = dict(database.execute("SELECT name, sum(pgsize) FROM dbstat GROUP BY name"))
    return sizes["accepted"], sum(sizes.values())


async def the_rotation(url: str, email: str, home: str, diary: str) -> dict[str, Any]:
    """Import the diary, synchronise, rotate, and synchronise until everything is sealed again."""
    from lockleaf.client import Client  # noqa: PLC0415
    from lockleaf.client.journal.importers.jsonl import read_jsonl  # noqa: PLC0415

    network = _Counting()
    async with await Client.open(Path(home), http_transport=network) as client:
        await client.account.register(url, email, PASSWORD, device_name="one", allow_weak_password=True)
        await client.journal.import_entries(read_jsonl(Path(diary)))
        imported = time.perf_counter()
        before = await client.sync()
        started = time.perf_counter()
        await client.account.rotate_keyring(PASSWORD, NEW_PASSWORD, allow_weak_password=True)
        committed = time.perf_counter()
        network.sent = network.received = 0
        after = await client.sync()
        sealed_again = time.perf_counter()
        entries = len(await client.journal.list())
        whole = client.sync.sealed_again
    hashes, store = _kept(Path(home) / "profiles" / "default" / "store.sqlite3")
    return {
        "hashes": hashes,
        "store": store,
        "first sync": started - imported,
        "commit": committed - started,
        "reseal": sealed_again - committed,
        "changes": after.seq - before.seq,
        "sent": network.sent,
        "received": network.received,
        "entries": entries,
        "whole": whole,
    }


def run(server: BenchmarkServer, report: Report) -> None:
    """Rotate the keys of the diary through ``server``."""
    with tempfile.TemporaryDirectory(prefix="lockleaf-benchmark-") as folder:
        email = f"{uuid4().hex}@example.org"
        told = in_process("benchmarks.rotation", "the_rotation", server.url, email, folder, str(DIARY))
    if not told["whole"]:
        raise RuntimeError("not everything was sealed again")
    first = ("the first sync of the same journal", told["first sync"])
    report.times("rotation: sync, key derivation, commit", told["commit"], "s", *first)
    report.times("  seal everything again, push, purge", told["reseal"], "s", *first)
    report.times(
        "  hashes of what was superseded, on a device", told["hashes"] / 1e6, "MB", "its store", told["store"] / 1e6
    )
    report.value("  changes sealed again", told["changes"] / told["reseal"], "changes/s")
    report.value("  sent", told["sent"] / 1e6, "MB")
    report.value("  received", told["received"] / 1e6, "MB")
    report.value("  leaves that the history gained", float(told["changes"]), "leaves")
