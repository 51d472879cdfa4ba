"""A real ten-year journal: imported on one device, synchronised, restored on a second one, compared text by text.

Each device is a process of its own, so that its memory can be told from the other's; the times are those of the SDK at
work, without the start of a Python. Beside the restore stands what moving the same bytes over a plain socket costs.
"""

from __future__ import annotations

import gzip
import json
import socket
import tempfile
import threading
import time
from pathlib import Path
from typing import Any
from uuid import uuid4

from benchmarks.apart import in_process
from benchmarks.report import Report
from benchmarks.servers import BenchmarkServer, memory_mib, peak_memory_mib

__all__ = ["DIARY", "device_one", "device_two", "run"]

DIARY = Path(__file__).parents[2] / "shared" / "data" / "pepys.jsonl.gz"
PASSWORD = "an example of a password"


def _texts() -> list[str]:
    with gzip.open(DIARY, "rt", encoding="utf-8") as lines:
        return [json.loads(line)["text"] for line in lines]


async def device_one(url: str, email: str, home: str) -> dict[str, Any]:
    """Register, import the whole diary, synchronise."""
    from lockleaf.client import Client  # noqa: PLC0415
    from lockleaf.client.journal.importers.jsonl import read_jsonl  # noqa: PLC0415

    async with await Client.open(Path(home)) as client:
        started = time.perf_counter()
        await client.account.register(url, email, PASSWORD, device_name="one")
        registered = time.perf_counter()
        await client.journal.import_entries(read_jsonl(DIARY))
        imported = time.perf_counter()
        report = await client.sync()
        synced = time.perf_counter()
        link = await client.account.link_code()
    return {
        "link": link,
        "register": registered - started,
        "import": imported - registered,
        "sync": synced - imported,
        "seq": report.seq,
        "memory": peak_memory_mib(),
    }


async def device_two(url: str, email: str, home: str, link: str = "") -> dict[str, Any]:
    """Log in, restore the journal, read it all, compare it with the original, and change an entry.

    Args:
        link: the link code to log in with; empty: none.
    """
    from lockleaf.client import Client  # noqa: PLC0415

    async with await Client.open(Path(home)) as client:
        started = time.perf_counter()
        await client.account.login(url, email, PASSWORD, device_name="two", link=link or None)
        logged_in = time.perf_counter()
        await client.sync()
        synced = time.perf_counter()
        entries = await client.journal.list()
        read = time.perf_counter()
        await client.sync()
        again = time.perf_counter()
        await client.journal.edit(entries[0].id, title=f"changed at {again}")
        edited = time.perf_counter()
        await client.sync()
        one = time.perf_counter()
    return {
        "login": logged_in - started,
        "restore": synced - logged_in,
        "list": read - synced,
        "nothing new": again - read,
        "one changed": one - edited,
        "same": sorted(entry.body for entry in entries) == sorted(_texts()),
        "entries": len(entries),
        "memory": peak_memory_mib(),
    }


def _bare_socket(total: int) -> float:
    """Return the seconds in which ``total`` bytes go through a socket of the loopback, with nothing done to them."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        sending = threading.Thread(target=lambda: listening.accept()[0].sendall(bytes(total)))
        started = time.perf_counter()
        sending.start()
        with socket.create_connection(listening.getsockname()) as receiving:
            remaining = total
            while remaining and (chunk := receiving.recv(1 << 20)):
                remaining -= len(chunk)
        sending.join()
        return time.perf_counter() - started


def run(server: BenchmarkServer, workers: int, report: Report) -> None:
    """Move the diary from one device to another through ``server``."""
    texts = _texts()
    size = sum(len(text.encode()) for text in texts)
    megabytes = size / 1e6
    before = memory_mib(server)
    label = f"{workers} worker{'s' if workers > 1 else ''}"
    with tempfile.TemporaryDirectory(prefix="lockleaf-benchmark-") as folder:
        email = f"{uuid4().hex}@example.org"
        one = in_process("benchmarks.journal", "device_one", server.url, email, f"{folder}/one")
        two = in_process("benchmarks.journal", "device_two", server.url, email, f"{folder}/two")
        linked = in_process("benchmarks.journal", "device_two", server.url, email, f"{folder}/linked", one["link"])
    if not two["same"] or two["entries"] != len(texts):
        raise RuntimeError("the restored journal is not the one that was imported")
    report.value(f"diary restored, text by text the same, {label}", float(two["entries"]), "entries")
    report.value(f"import on device one, {label}", one["import"], "s")
    report.value(f"  entries sealed and stored, {label}", len(texts) / one["import"], "entries/s")
    report.value(f"first sync of device one (push), {label}", one["sync"], "s")
    report.value(f"  pushed, {label}", len(texts) / one["sync"], "entries/s")
    report.value(f"  pushed text, {label}", megabytes / one["sync"], "MB/s")
    report.value(f"first restore on device two, {label}", two["restore"], "s", aim="under 5")
    report.value(f"  restored, {label}", len(texts) / two["restore"], "entries/s")
    report.value(f"  restored text, {label}", megabytes / two["restore"], "MB/s")
    report.value(f"  the same bytes over a bare socket, {label}", _bare_socket(size), "s")
    report.value(f"read and list all entries on device two, {label}", two["list"], "s")
    report.value(f"sync with nothing new, {label}", two["nothing new"] * 1000, "ms")
    report.times(
        f"sync of one changed entry, {label}", two["one changed"] * 1000, "ms", "nothing new", two["nothing new"] * 1000
    )
    report.times(f"first sync with a link code, {label}", linked["restore"], "s", "without one", two["restore"])
    report.times(f"log in with a link code, {label}", linked["login"], "s", "without one", two["login"])
    report.value(f"register, with key derivation of 64 MiB, {label}", one["register"] * 1000, "ms")
    report.value(f"log in on a new device, likewise, {label}", two["login"] * 1000, "ms")
    report.value(f"peak memory of device one, {label}", one["memory"], "MiB")
    report.value(f"peak memory of device two, {label}", two["memory"], "MiB")
    report.value(f"memory of the largest web worker before, {label}", before[0], "MiB")
    report.value(f"memory of the largest web worker after, {label}", memory_mib(server)[0], "MiB", aim="under 200")
