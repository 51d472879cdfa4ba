"""A large file attached on one device and fetched on another, over the file store and over S3, beside age alone.

Each step of each device is a process of its own, as each command is, so that its memory can be told from the others'
and from that of deriving keys. The bucket is moto's server, again a process; what is larger than 16 MB it writes to
disk. Beside it all stand age alone and a plain copy, of the same file on the same disk. Whatever writes a file waits
until it is on the disk, as the SDK and the file store do.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pyrage

from benchmarks.apart import in_process
from benchmarks.report import Report
from benchmarks.servers import lockleaf_server, peak_memory_mib, peak_of_workers_mib

__all__ = ["fetch", "log_in", "register", "run", "send"]

PASSWORD = "an example of a password"
MEGABYTES = 1000
LARGE_MEGABYTES = 2000
MEGABYTE = 1_000_000
BUCKET = "benchmark"
_AT_ONCE = 1 << 20

_MOTO = """
import sys
from moto.moto_server.threaded_moto_server import ThreadedMotoServer
server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
server.start()
print(server.get_host_and_port()[1], flush=True)
sys.stdin.read()
"""


# The devices -------------------------------------------------------------------------------------------------------


def _device(home: str) -> Any:
    from lockleaf.client import Client, FileKeychain  # noqa: PLC0415

    return Client.open(Path(home), keychain=FileKeychain(Path(home) / "keychain"))


async def register(url: str, home: str, email: str) -> dict[str, Any]:
    """Make an account, and an entry."""
    async with await _device(home) as client:
        await client.account.register(url, email, PASSWORD, device_name="one")
        entry = await client.journal.write(body="With a file.")
        await client.sync()
    return {"entry_id": entry.id}


async def send(url: str, home: str, entry_id: str, file: str) -> dict[str, Any]:
    """Attach a file to the entry, and send it."""
    async with await _device(home) as client:
        before = peak_memory_mib()
        started = time.perf_counter()
        attached = await client.media.attach(entry_id, Path(file), media_type="application/octet-stream")
        sealed = time.perf_counter()
        report = await client.sync()
        sent = time.perf_counter()
        if await client.media.pending_count():
            raise RuntimeError(f"the file was not sent: {report}")
    return {
        "media_id": attached.media_id,
        "seal": sealed - started,
        "send": sent - sealed,
        "before": before,
        "memory": peak_memory_mib(),
    }


async def log_in(url: str, home: str, email: str) -> dict[str, Any]:
    """Log in on a new device, and restore the journal."""
    async with await _device(home) as client:
        await client.account.login(url, email, PASSWORD, device_name="two")
        await client.sync()
    return {}


async def fetch(url: str, home: str, media_id: str, file: str) -> dict[str, Any]:
    """Fetch and open the file."""
    opening: list[float] = []

    def note(progress: Any) -> None:
        if progress.stage == "open" and not opening:
            opening.append(time.perf_counter())

    async with await _device(home) as client:
        before = peak_memory_mib()
        started = time.perf_counter()
        await client.media.download(media_id, Path(file), progress=note)
        done = time.perf_counter()
    fetched = opening[0] if opening else done
    return {"fetch": fetched - started, "open": done - fetched, "before": before, "memory": peak_memory_mib()}


def _make(path: Path, megabytes: int) -> bytes:
    """Write a file that nothing can compress, and return its digest."""
    digest = sha256()
    with path.open("wb") as file:
        for _ in range(megabytes):
            piece = os.urandom(MEGABYTE)
            digest.update(piece)
            file.write(piece)
    return digest.digest()


def _digest(path: Path) -> bytes:
    with path.open("rb") as file:
        digest = sha256()
        while piece := file.read(_AT_ONCE):
            digest.update(piece)
    return digest.digest()


def _alone(file: Path, folder: Path) -> tuple[float, float, float]:
    """Return the seconds of sealing the file with age, of opening it again, and of a plain copy."""
    identity = pyrage.x25519.Identity.generate()
    sealed, other = folder / "sealed", folder / "other"
    times = []
    for source, target, work in (
        (file, sealed, lambda reader, writer: pyrage.encrypt_io(reader, writer, [identity.to_public()])),
        (sealed, other, lambda reader, writer: pyrage.decrypt_io(reader, writer, [identity])),
        (file, other, _copy),
    ):
        started = time.perf_counter()
        with source.open("rb") as reader, target.open("wb") as writer:
            work(reader, writer)
            writer.flush()
            os.fsync(writer.fileno())
        times.append(time.perf_counter() - started)
    if _digest(other) != _digest(file):
        raise RuntimeError("the copy is not the file")
    sealed.unlink()
    other.unlink()
    return times[0], times[1], times[2]


def _copy(reader: Any, writer: Any) -> None:
    while piece := reader.read(_AT_ONCE):
        writer.write(piece)


# The stores --------------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def _bucket(folder: Path) -> Iterator[tuple[dict[str, str], int]]:
    """Run moto's server with an empty bucket; give the settings of a server that uses it, and its process."""
    process = subprocess.Popen(
        [sys.executable, "-c", _MOTO],
        env={**os.environ, "TMPDIR": str(folder)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        address = f"http://127.0.0.1:{int(process.stdout.readline())}"
        # To moto a request without a signature is an anonymous one; it looks at none.
        somebody = (
            "AWS4-HMAC-SHA256 Credential=somebody/20000101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=0"
        )
        httpx.put(f"{address}/{BUCKET}", headers={"Authorization": somebody}).raise_for_status()
        settings = {
            "LOCKLEAF_BLOBS__KIND": "s3",
            "LOCKLEAF_BLOBS__ENDPOINT": address,
            "LOCKLEAF_BLOBS__BUCKET": BUCKET,
            "LOCKLEAF_BLOBS__ACCESS_KEY": "benchmark",
            "LOCKLEAF_BLOBS__SECRET_KEY": "an example of a secret key",
        }
        yield settings, process.pid
    finally:
        process.stdin.close()  # at which it ends by itself
        process.wait(60)
        process.stdout.close()


def _through(
    settings: dict[str, str], folder: Path, file: Path, digest: bytes
) -> tuple[dict[str, Any], dict[str, Any], float]:
    """Move the file from one device to another through a fresh server; return what either says, and its memory."""
    email = f"{uuid4().hex}@example.org"
    with lockleaf_server(workers=1, settings=settings) as server, tempfile.TemporaryDirectory(dir=folder) as devices:
        one, two, fetched = Path(devices) / "one", Path(devices) / "two", Path(devices) / "fetched"
        entry_id = in_process("benchmarks.media", "register", server.url, one, email)["entry_id"]
        sent = in_process("benchmarks.media", "send", server.url, one, entry_id, file)
        in_process("benchmarks.media", "log_in", server.url, two, email)
        received = in_process("benchmarks.media", "fetch", server.url, two, sent["media_id"], fetched)
        if _digest(fetched) != digest:
            raise RuntimeError("the file that came back is another")
        return sent, received, peak_of_workers_mib(server)


# The whole ---------------------------------------------------------------------------------------------------------


def _tell(
    report: Report,
    label: str,
    megabytes: int,
    alone: tuple[float, float, float],
    moved: tuple[dict[str, Any], dict[str, Any], float],
) -> None:
    one, two, worker = moved
    sealing, opening, copying = (megabytes / seconds for seconds in alone)
    up = megabytes / (one["seal"] + one["send"])
    report.compare(f"{label}, up", up, "MB/s", "age alone", sealing)
    report.compare(f"{label}, up", up, "MB/s", "plain copy", copying)
    report.value("  of which sealing, digests, writing", megabytes / one["seal"], "MB/s")
    report.value("  of which sending", megabytes / one["send"], "MB/s")
    down = megabytes / (two["fetch"] + two["open"])
    report.compare(f"{label}, down", down, "MB/s", "age alone", opening)
    report.compare(f"{label}, down", down, "MB/s", "plain copy", copying)
    report.value("  of which fetching", megabytes / two["fetch"], "MB/s")
    report.value("  of which opening, digests, writing", megabytes / two["open"], "MB/s")
    report.value(f"{label}, peak memory of the sender", one["memory"], "MiB", aim="under 100")
    report.value("  before it touched the file", one["before"], "MiB")
    report.value(f"{label}, peak memory of the receiver", two["memory"], "MiB", aim="under 100")
    report.value("  before it touched the file", two["before"], "MiB")
    report.value(f"{label}, peak memory of the server's worker", worker, "MiB")


def run(report: Report, *, megabytes: int = MEGABYTES, large: int = LARGE_MEGABYTES) -> None:
    """Move a file over both stores, and a larger one over the file store.

    Args:
        report: takes the figures.
        megabytes: of the file.
        large: of the larger one; 0 leaves it out.
    """
    with tempfile.TemporaryDirectory(prefix="lockleaf-benchmark-") as name:
        folder = Path(name)
        file = folder / "file"
        digest = _make(file, megabytes)
        alone = _alone(file, folder)
        for what, seconds in zip(("sealed by age alone", "opened by age alone", "copied"), alone, strict=True):
            report.value(f"{megabytes:,} MB {what}", megabytes / seconds, "MB/s")
        _tell(report, f"{megabytes:,} MB, file store", megabytes, alone, _through({}, folder, file, digest))
        with _bucket(folder) as (settings, moto):
            _tell(report, f"{megabytes:,} MB, S3", megabytes, alone, _through(settings, folder, file, digest))
            report.value("  peak memory of the bucket (moto's server)", peak_memory_mib(moto), "MiB")
        if large:
            digest = _make(file, large)
            alone = _alone(file, folder)
            _tell(report, f"{large:,} MB, file store", large, alone, _through({}, folder, file, digest))


def main() -> None:
    """Measure this alone."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.media")
    parser.add_argument("--megabytes", type=int, default=MEGABYTES, help="of the file that goes over both stores")
    parser.add_argument("--large", type=int, default=LARGE_MEGABYTES, help="of the larger file; 0 leaves it out")
    parser.add_argument("--json", type=Path, help="write the figures to this file as well")
    options = parser.parse_args()
    report = Report("Attachments")
    run(report, megabytes=options.megabytes, large=options.large)
    report.show()
    if options.json:
        options.json.write_text(json.dumps(report.rows, indent=2) + "\n")


if __name__ == "__main__":
    main()
