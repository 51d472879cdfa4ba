"""What people write is nowhere but on their devices: not in the database, not in a log, not on the wire."""

from __future__ import annotations

import base64
import json
import re
import secrets
import struct
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import asyncpg
import psutil
import pytest

from lockleaf.client import Client, FileKeychain, RetryPolicy
from lockleaf.crypto.kdf import CHEAPEST
from lockleaf.server.platform.db.embedded.binaries import find_binaries
from lockleaf.wire.codec import MalformedBody, pack, unpack
from tests.support.canaries import Canaries, raw_bytes_below
from tests.support.process import RunningServer, running_server
from tests.support.processes import postmaster
from tests.support.recording_proxy import RecordingProxy, recording_proxy

DEVICE = "Kitchen tablet of the canary"
DATE = "1661-03-17"
METRIC = "a_metric_of_the_canary"


def _canary(kind: str) -> str:
    return f"{kind} canary {secrets.token_hex(8)} ünïcödé 雨"


@dataclass
class Life:
    """What a journal's whole life left: what was written, and where it might have gone."""

    server: RunningServer
    database_url: str
    home: Path
    wire: list[bytes]
    email: str
    content: Canaries
    secrets: Canaries
    """What the server is given and keeps only a hash of."""


async def _live(server: RunningServer, proxy: RecordingProxy, home: Path) -> Life:
    """Write, edit, disagree, resolve, delete, recover, rotate: everything that sends something."""
    texts = {kind: _canary(kind) for kind in ("title", "body", "edit", "other edit", "merged", "tag", "second tag")}
    texts |= {name: f"{name}{secrets.token_hex(8)}" for name in ("mood", "weather", "location")}
    texts |= {"date": DATE}
    passwords = {"password": _canary("password"), "second password": _canary("password")}
    email = f"{secrets.token_hex(8)}@example.org"
    async with AsyncExitStack() as stack:

        async def device(name: str) -> Client:
            keychain = FileKeychain(home / f"{name}.keychain")
            client = await Client.open(
                home, name, keychain=keychain, retry=RetryPolicy(attempts=2, base=0), allow_test_parameters=True
            )
            return await stack.enter_async_context(client)

        one, two, three = await device("one"), await device("two"), await device("three")
        first, second = passwords.values()
        codes = list(await one.account.register(proxy.url, email, first, device_name="one", kdf_profile=CHEAPEST))
        await two.account.login(proxy.url, email, first, device_name="two")
        entry = await one.journal.write(
            body=texts["body"],
            title=texts["title"],
            mood=texts["mood"],
            weather=texts["weather"],
            location=texts["location"],
            tags=[texts["tag"]],
            date=DATE,
        )
        await one.sync()
        await two.sync()
        await one.journal.edit(entry.id, body=texts["edit"], tags=[texts["second tag"]])
        await two.journal.edit(entry.id, body=texts["other edit"])
        await one.sync()
        await two.sync()
        [conflict] = await two.journal.conflicts()
        await two.journal.resolve(conflict.id, "merged", merged_body=texts["merged"])
        await two.sync()
        await one.sync()
        assert (await one.journal.get(entry.id)).body == texts["merged"]
        await one.journal.delete((await one.journal.write(body=texts["body"])).id)
        await one.sync()
        await three.account.recover(proxy.url, email, codes[0], second, device_name=DEVICE, kdf_profile=CHEAPEST)
        await three.sync()
        assert (await three.journal.get(entry.id)).title == texts["title"]
        codes += list(await three.account.rotate_keyring(second))
        await three.journal.edit(entry.id, title=texts["body"])
        await three.sync()
        await _attach(three, entry.id, texts, home.parent)
        await _search(three, texts)
        numbers = await _count(three)
    texts |= passwords
    for name, code in {"spent": codes[0], "replaced": codes[1], "valid": codes[-1]}.items():
        texts |= {f"{name} recovery code": code, f"{name} recovery code, bare": code.replace("-", "")}
    wire = proxy.recorded
    content = Canaries(texts, numbers)
    return Life(server, _database_url(server), home, wire, email, content, Canaries(_secrets_sent(wire)))


async def _attach(client: Client, entry_id: str, texts: dict[str, str], folder: Path) -> None:
    """Attach a file whose name and bytes nobody else has, and fetch it back through the store."""
    texts |= {"name of a file": _canary("file"), "bytes of a file": _canary("bytes")}
    source = folder / "source"
    source.write_text(texts["bytes of a file"] * 50)
    attached = await client.media.attach(entry_id, source, name=f"{texts['name of a file']}.txt")
    source.unlink()
    assert (await client.sync()).media.uploaded == 1
    fetched = await client.media.download(attached.media_id, folder / "fetched")
    assert texts["bytes of a file"] in fetched.read_text()
    fetched.unlink()


async def _search(client: Client, texts: dict[str, str]) -> None:
    """Search here and through the server, for words that an entry has and for one that none has."""
    texts |= {f"{which} word": f"{which}{secrets.token_hex(8)}" for which in ("searched", "other", "unwritten")}
    searched, other, unwritten = (texts[f"{which} word"] for which in ("searched", "other", "unwritten"))
    await client.search.switch_on()
    entry = await client.journal.write(body=f"It was {searched} and then {other}.", title=searched)
    await client.sync()
    for find in (client.journal.search, client.search.find):
        for query in (searched, f'"{searched} and then {other}" -{unwritten}'):
            [hit] = (await find(query)).hits
            assert hit.entry.id == entry.id
        assert not (await find(unwritten)).hits


async def _count(client: Client) -> dict[str, float]:
    """Have numbers added up that nobody else has, and return them, what they come to, and what is worked out."""
    values = [1000 + secrets.randbelow(10**9) / 10**5 for _ in range(4)]
    assert (await client.metrics.count()).on
    ids = [
        (await client.journal.write(body="a day", date=f"1661-03-{17 + place}", metrics={METRIC: value})).id
        for place, value in enumerate(values[:3])
    ]
    await client.sync()
    await client.journal.edit(ids[0], metrics={METRIC: values[3]})
    await client.journal.delete(ids[2])
    assert (await client.sync()).metrics.sent == 2
    whole = (await client.metrics.stats(METRIC)).whole
    assert whole is not None
    assert abs(whole.total - values[3] - values[1]) < 0.1
    return {
        "value that was edited away": values[0],
        "value": values[1],
        "square of a value": values[1] ** 2,
        "plain total": values[3] + values[1],
        "decrypted total": whole.total,
        "decrypted average": whole.average,
    }


def _secrets_sent(wire: list[bytes]) -> dict[str, str]:
    """The authentication secrets, the tokens and the signatures of addresses that went over the wire."""
    found = {}
    for stream in wire:
        for name in (
            b"password",
            b"current_password",
            b"access_token",
            b"refresh_token",
            b"recovery_token",
            b"verifier",
        ):
            found |= {value.decode(): name.decode() for value in re.findall(b'"' + name + b'": ?"([^"]+)"', stream)}
        found |= {value.decode(): "signature" for value in re.findall(rb"signature=([0-9a-f]{64})", stream)}
    assert "signature" in found.values()
    return {f"{name} {number}": value for number, (value, name) in enumerate(found.items())}


def _database_url(server: RunningServer) -> str:
    command = postmaster(server).cmdline()
    [folder] = [each.partition("=")[2] for each in command if each.startswith("unix_socket_directories=")]
    [port] = [each.partition("=")[2] for each in command if each.startswith("port=")]
    return f"postgresql://lockleaf@/lockleaf?host={folder}&port={port}"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """A server with a database of its own, as durable as it is for users."""
    folder = tmp_path_factory.mktemp("leak")
    environment = {
        "LOCKLEAF_DATA_DIR": str(folder / "data"),
        "LOCKLEAF_HASHING__MEMORY_KIB": "64",
        "LOCKLEAF_HASHING__ITERATIONS": "1",
        "LOCKLEAF_LOG__LEVEL": "DEBUG",
    }
    with running_server(environment, log=folder / "log") as running:
        yield running


@pytest.fixture
async def life(server: RunningServer, tmp_path: Path) -> AsyncIterator[Life]:
    async with recording_proxy(server.port) as proxy:
        yield await _live(server, proxy, tmp_path / "home")


def _dump(url: str) -> bytes:
    parts = urlsplit(url)
    where = parse_qs(parts.query)
    return subprocess.run(
        [
            *(find_binaries().postgres.parent / "pg_dump", "--inserts"),
            *("--host", where["host"][0], "--port", where["port"][0]),
            *("--username", parts.username or "", parts.path.lstrip("/")),
        ],
        check=True,
        capture_output=True,
    ).stdout


def _opened(stream: bytes) -> Iterator[bytes]:
    """A stream's bytes, whatever base64 in them stands for, and the values of MessagePack bodies."""
    yield stream
    for encoded in re.findall(rb"[A-Za-z0-9+/_-]{16,}={0,2}", stream):
        padded = encoded.rstrip(b"=").translate(bytes.maketrans(b"-_", b"+/"))
        yield base64.b64decode(padded[: len(padded) - (len(padded) % 4 == 1)] + b"==")
    for part in stream.split(b"\r\n\r\n"):
        for end in (len(part), part.rfind(b"HTTP/1.1 "), part.rfind(b"POST /"), part.rfind(b"GET /")):
            try:
                yield json.dumps(unpack(part[:end]), default=bytes.hex, ensure_ascii=False).encode()
            except (MalformedBody, TypeError):
                continue


async def test_nothing_that_people_write_is_anywhere_but_on_their_devices(life: Life) -> None:
    visible = Canaries({"email": life.email, "device": DEVICE, "metric": METRIC})
    # On the wire; a control finds there what is meant to be there.
    passed = [piece for stream in life.wire for piece in _opened(stream)]
    assert life.content.found_in_any(passed) == set()
    assert visible.found_in_any(passed) == {"email", "device", "metric"}
    assert life.secrets.texts
    assert life.secrets.found_in_any(passed) == set(life.secrets.texts)

    # In the database, by its own account of itself.
    dump = _dump(life.database_url)
    assert life.content.found_in(dump) == set()
    assert life.secrets.found_in(dump) == set()
    assert visible.found_in(dump) == {"email", "device", "metric"}

    # In the raw bytes of its folder: the log of what was written ahead, then the tables themselves, then at rest.
    data = life.server.data_dir
    for step in (_nothing, _checkpoint, _stop):
        await step(life)
        raw = raw_bytes_below(data)
        assert life.content.found_in(raw) == set()
        assert life.secrets.found_in(raw) == set()
        assert visible.found_in(raw) == {"email", "device", "metric"}
    assert Canaries({"email": life.email}).found_in(raw_bytes_below(next(data.rglob("pg_wal")))) == {"email"}

    # In what the server said.
    said = life.server.log.read_bytes()
    assert life.content.found_in(said) == set()
    assert life.secrets.found_in(said) == set()
    assert visible.found_in(said) == set()
    for route in (b"/sync/push", b"/media/upload", b"/objects/{key}", b"/search"):
        assert b'"route": "' + route + b'"' in said

    # On the devices themselves it is sealed; the control is what a profile remembers.
    kept = raw_bytes_below(life.home)
    assert life.content.found_in(kept) == set()
    assert Canaries({"email": life.email}).found_in(kept) == {"email"}


async def _nothing(life: Life) -> None:
    pass


async def _checkpoint(life: Life) -> None:
    connection = await asyncpg.connect(life.database_url.replace("lockleaf@", "postgres@"))
    try:
        await connection.execute("CHECKPOINT")
    finally:
        await connection.close()


async def _stop(life: Life) -> None:
    database = postmaster(life.server)
    assert life.server.stop() == 0
    assert not psutil.pid_exists(database.pid)


@pytest.mark.parametrize("text", ["short", "Grüße, 雨!", "a longer text that spans several groups of three bytes"])
def test_the_search_finds_a_text_however_it_is_written(text: str, tmp_path: Path) -> None:
    canaries = Canaries({"text": text, "another": "not there at all"})
    utf16 = text.encode("utf-16-le")
    for before in (b"", b"x", b"xy", b"xyz"):
        for after in (b"", b"y", b"yz", b"yzx"):
            for form in (text.encode(), utf16):
                whole = before + form + after
                for written in (whole, whole.hex().encode(), whole.hex().upper().encode()):
                    assert canaries.found_in(written) == {"text"}
                for encode in (base64.b64encode, base64.urlsafe_b64encode):
                    assert canaries.found_in(b"..." + encode(whole) + b"...") == {"text"}
    (tmp_path / "below").mkdir()
    (tmp_path / "below" / "file").write_bytes(bytes(5000) + utf16 + bytes(5000))
    assert canaries.found_in(raw_bytes_below(tmp_path)) == {"text"}
    assert canaries.found_in(b"something else") == set()


def test_the_search_finds_a_number_however_it_is_written() -> None:
    value = 7341.52981
    canaries = Canaries({}, {"number": value})
    for form in (repr(value).encode(), pack(value), struct.pack("<d", value)):
        for before in (b"", b"x", b"xy", b"xyz"):
            whole = before + form + b"yzx"
            for written in (whole, whole.hex().encode(), b"..." + base64.b64encode(whole) + b"..."):
                assert canaries.found_in(written) == {"number"}
    scaled = (
        struct.pack(">d", value * 2.0**-6),
        struct.pack("<q", round(value * 2**24)),
        struct.pack("<d", value * 2**40),
    )
    for form in (*scaled, str(round(value * 2**30)).encode(), b"of 7341.5298 hours"):
        assert canaries.found_in(b"x" + form + b"y") == {"number"}
    assert canaries.found_in(repr(value + 1).encode()) == set()
