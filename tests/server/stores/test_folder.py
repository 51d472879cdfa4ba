"""The server's own object store: its files, its addresses, and what it refuses before it reads."""

from __future__ import annotations

import asyncio
import os
import stat
import threading
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from lockleaf.server.platform.blobs.file_store import AT_ONCE, FileStore
from lockleaf.server.platform.blobs.folder import ObjectFolder
from lockleaf.server.platform.blobs.protocol import SignedRequest, UploadGone
from lockleaf.server.platform.blobs.signing import ObjectUrls
from lockleaf.server.platform.server_keys import ServerKeys
from tests.support.object_stores import MIB, MINUTE, Bearer, FileSite, altered, bearer, code, new_key, part, sha256
from tests.support.process import RunningServer

DATA = b"sealed " * 3000


@pytest.fixture
async def someone(files: FileSite) -> AsyncIterator[Bearer]:
    async with bearer(files) as someone:
        yield someone


# ---- files ----


async def test_nobody_but_the_server_can_read_the_folders_and_files(someone: Bearer, files: FileSite) -> None:
    await someone.keep(DATA)
    key = new_key()
    await someone.keep_part(key, await someone.store.begin_parts(key), 1, DATA)
    paths = [files.folder, *files.folder.rglob("*")]
    assert {stat.S_IMODE(path.stat().st_mode) for path in paths if path.is_dir()} == {0o700}
    assert {stat.S_IMODE(path.stat().st_mode) for path in paths if path.is_file()} == {0o600}


async def test_nothing_is_left_of_uploads_that_failed(someone: Bearer, files: FileSite) -> None:
    signed = await someone.store.sign_upload(new_key(), size=len(DATA), sha256=sha256(DATA), seconds=MINUTE)
    incoming = files.folder / "incoming"
    others = set(incoming.iterdir())  # of processes that were killed in other tests
    for _ in range(3):
        await someone.send(signed, b"!" + DATA[1:])
        await someone.cut(signed, DATA[:100])
    async with asyncio.timeout(20):
        while set(incoming.iterdir()) - others:
            await asyncio.sleep(0.01)


async def test_files_that_are_no_objects_are_not_listed(someone: Bearer, files: FileSite) -> None:
    key = await someone.keep(DATA)
    shelf = files.folder / "objects" / key[-2:]
    (shelf / "README").write_text("not an object")
    (files.folder / "objects" / "README").write_text("nor this")
    listed = [key async for key in someone.store.list_keys(older_than=datetime.now(UTC) + timedelta(minutes=5))]
    assert key in listed
    assert "README" not in listed


async def test_an_object_that_lost_a_part_on_the_disk_is_never_given_as_a_shorter_one(
    someone: Bearer, files: FileSite
) -> None:
    key = new_key()
    upload = await someone.store.begin_parts(key)
    for number in (1, 2):
        await someone.keep_part(key, upload, number, DATA)
    await someone.store.complete_parts(key, upload, [part(1, DATA), part(2, DATA)])
    damaged = sorted((files.folder / "objects" / key[-2:] / key).glob("0000*"))[1]
    os.truncate(damaged, 100)
    answer = await someone.fetch(key)
    assert (answer.status_code, code(answer)) == (503, "store_unavailable")
    damaged.unlink()
    assert (await someone.fetch(key)).status_code == 503
    damaged.with_name("manifest").write_text("{")
    assert (await someone.fetch(key)).status_code == 503


def _open_files(folder: Path) -> list[str]:
    found = []
    for descriptor in Path("/proc/self/fd").iterdir():
        with suppress(OSError):
            found.append(str(descriptor.readlink()))
    return [path for path in found if path.startswith(str(folder))]


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="there is no list of open files here")
async def test_a_download_that_is_given_up_leaves_no_file_open(someone: Bearer, files: FileSite) -> None:
    key = await someone.keep(os.urandom(20 * MIB))
    signed = await someone.store.sign_download(key, seconds=MINUTE)
    async with someone.http.stream("GET", signed.url) as answer:
        async for _ in answer.aiter_raw(1000):
            break
        assert _open_files(files.folder)
    async with asyncio.timeout(20):
        while _open_files(files.folder):
            await asyncio.sleep(0.01)


async def test_a_server_process_serves_what_another_process_signed_and_logs_nothing_of_it(
    server: RunningServer, server_environment: dict[str, str]
) -> None:
    roots, prelogin = (server_environment[f"LOCKLEAF_SECRETS__{name}"].encode() for name in ("ROOTS", "PRELOGIN"))
    urls = ObjectUrls(ServerKeys([roots], prelogin), lambda: datetime.now(UTC))
    store = FileStore(ObjectFolder(server.data_dir / "blobs"), urls, server.url)
    key = new_key()
    signed = await store.sign_upload(key, size=len(DATA), sha256=sha256(DATA), seconds=MINUTE)
    reading = await store.sign_download(key, seconds=MINUTE)
    async with httpx.AsyncClient(timeout=60) as http:
        assert (await http.put(signed.url, headers=signed.headers, content=DATA)).status_code == 204
        assert (await http.get(reading.url)).content == DATA
        assert (await http.get(reading.url + "0")).status_code == 403
    await store.delete([key])
    await store.close()
    log = server.log.read_text()
    assert '/objects/{key}"' in log
    for secret in (key, sha256(DATA).hex(), signed.url[-64:], reading.url[-64:]):
        assert secret not in log


# ---- addresses ----


@pytest.mark.parametrize(
    "path",
    [
        "..%2f..%2fsecrets.json",
        "%2e%2e",
        "a" * 39,
        "A" * 40,
        f"{'a' * 40}/parts/../1",
        f"{'a' * 40}/parts/{'b' * 32}/0",
        f"{'a' * 40}/parts/{'b' * 32}/%2e%2e",
        f"{'a' * 40}%00",
    ],
)
async def test_a_path_in_a_name_leads_nowhere(someone: Bearer, files: FileSite, path: str) -> None:
    query = f"expires=99999999999&size=1&sha256={'0' * 64}&signature={'0' * 64}"
    for method in ("GET", "PUT"):
        url = f"{files.url}/api/v1/objects/{path}?{query}"
        answer = await someone.http.request(method, url, content=b"x" if method == "PUT" else None)
        assert answer.status_code in (403, 404, 405)
        assert code(answer) in ("url_invalid", "route_not_found", "method_not_allowed")


# ---- refusals before a byte is read ----


async def _answer_to_head(signed: SignedRequest, length: str | None) -> tuple[int, bytes]:
    """Send the head of an upload and no byte of its body; return the answer."""
    url = urlsplit(signed.url)
    reader, writer = await asyncio.open_connection(url.hostname, url.port)
    declared = "Transfer-Encoding: chunked" if length is None else f"Content-Length: {length}"
    writer.write(f"PUT {url.path}?{url.query} HTTP/1.1\r\nHost: {url.netloc}\r\n{declared}\r\n\r\n".encode())
    await writer.drain()
    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    size = int(next(line.split(":")[1] for line in head.lower().splitlines() if line.startswith("content-length")))
    body = await reader.readexactly(size)
    writer.close()
    return int(head.split(" ")[1]), body


@pytest.mark.parametrize(
    ("how", "expected"),
    [
        ("no length", (411, "length_required")),
        ("too long", (413, "body_too_large")),
        ("far too long", (413, "body_too_large")),
        ("too short", (422, "size_mismatch")),
        ("altered", (403, "url_invalid")),
        ("expired", (403, "url_expired")),
        ("no such upload", (404, "not_found")),
    ],
)
async def test_what_will_be_refused_is_refused_before_its_body_is_sent(
    someone: Bearer, how: str, expected: tuple[int, str]
) -> None:
    key, size = new_key(), len(DATA)
    signed = await someone.store.sign_upload(key, size=size, sha256=sha256(DATA), seconds=MINUTE)
    lengths = {"no length": None, "too long": str(size + 1), "far too long": str(10**15), "too short": str(size - 1)}
    if how == "altered":
        signed = altered(signed, f"size={size}", f"size={size + 1}")
    if how == "no such upload":
        signed = await someone.store.sign_part(key, "0" * 32, 1, size=size, sha256=sha256(DATA), seconds=MINUTE)
    with someone.site.later(2 * MINUTE if how == "expired" else 0):
        status, body = await _answer_to_head(signed, lengths.get(how, str(size)))
    answer = httpx.Response(status, content=body, headers={"content-type": "application/problem+json"})
    assert (status, code(answer)) == expected


# ---- addresses that outlive what they are for ----


async def _in_two(data: bytes, goes_on: asyncio.Event) -> AsyncIterator[bytes]:
    yield data[:100]
    await goes_on.wait()
    yield data[100:]


async def test_what_was_deleted_comes_back_by_no_address(someone: Bearer, files: FileSite) -> None:
    keys = [await someone.keep(DATA), new_key()]
    signed = [await someone.store.sign_upload(key, size=len(DATA), sha256=sha256(DATA), seconds=MINUTE) for key in keys]
    await someone.store.delete(keys)
    for key, each in zip(keys, signed, strict=True):
        answer = await someone.send(each, DATA)
        assert (answer.status_code, code(answer)) == (404, "not_found")
        assert await someone.store.stat(key) is None
    # What tells of them is kept for as long as an address can be good, which is a week.
    await someone.store.drop_unfinished(older_than=datetime.now(UTC) - timedelta(days=7))
    assert {*keys} <= {path.name for path in (files.folder / "gone").iterdir()}
    await someone.store.drop_unfinished(older_than=datetime.now(UTC) + timedelta(minutes=5))
    assert not {*keys} & {path.name for path in (files.folder / "gone").iterdir()}


async def test_what_is_deleted_while_it_arrives_does_not_stay(someone: Bearer) -> None:
    key, goes_on = new_key(), asyncio.Event()
    signed = await someone.store.sign_upload(key, size=len(DATA), sha256=sha256(DATA), seconds=MINUTE)
    async with httpx.AsyncClient(trust_env=False) as http, asyncio.TaskGroup() as group:
        sending = group.create_task(http.put(signed.url, headers=signed.headers, content=_in_two(DATA, goes_on)))
        await someone.store.delete([key])
        goes_on.set()
    assert (sending.result().status_code, code(sending.result())) == (404, "not_found")
    assert await someone.store.stat(key) is None


def test_whichever_comes_first_a_deletion_leaves_no_object(tmp_path: Path) -> None:
    folder = ObjectFolder(tmp_path / "blobs")
    together = threading.Barrier(2)
    objects = tmp_path / "blobs" / "objects"

    def install(key: str) -> None:
        draft = folder.draft()
        draft.write([DATA])
        together.wait()
        with suppress(UploadGone):
            folder.install(draft, key)
        draft.discard()

    def delete(key: str) -> None:
        together.wait()
        folder.delete(key)

    with ThreadPoolExecutor(2) as threads:
        for key in (new_key() for _ in range(200)):
            for each in [threads.submit(install, key), threads.submit(delete, key)]:
                each.result()
    assert not [path for path in objects.rglob("*") if path.is_file()]


async def test_one_address_takes_no_more_of_the_disk_by_being_used_again_and_again_at_once(someone: Bearer) -> None:
    key, goes_on = new_key(), asyncio.Event()
    signed = await someone.store.sign_upload(key, size=len(DATA), sha256=sha256(DATA), seconds=MINUTE)
    async with httpx.AsyncClient(trust_env=False, timeout=30) as http, asyncio.TaskGroup() as group:
        sending = []
        async with asyncio.timeout(30):
            while (refused := await someone.send(signed, DATA)).is_success:
                body = _in_two(DATA, goes_on)
                sending.append(group.create_task(http.put(signed.url, headers=signed.headers, content=body)))
        assert (refused.status_code, code(refused)) == (503, "store_unavailable")
        other = new_key()
        free = await someone.store.sign_upload(other, size=len(DATA), sha256=sha256(DATA), seconds=MINUTE)
        assert (await someone.send(free, DATA)).is_success
        goes_on.set()
    assert sum(each.result().is_success for each in sending) >= AT_ONCE
    assert (await someone.send(signed, DATA)).is_success
    assert (await someone.fetch(key)).content == DATA


# ---- reading ----


async def test_a_download_that_is_taken_up_again_begins_anew_if_the_object_is_another(someone: Bearer) -> None:
    key = await someone.keep(DATA)
    first = await someone.fetch(key, "bytes=0-9")
    signed = await someone.store.sign_download(key, seconds=MINUTE)
    asked = {"Range": "bytes=10-19", "If-Range": first.headers["etag"]}
    assert (await someone.send(signed, headers=asked)).content == DATA[10:20]
    await someone.keep(DATA[::-1], key)
    again = await someone.send(signed, headers=asked)
    assert (again.status_code, again.content) == (200, DATA[::-1])
    assert again.headers["etag"] != first.headers["etag"]


@pytest.mark.parametrize("asked", ["bytes=5-2", "bytes=0-1,5-6", "lines=0-5", "bytes=", "bytes=-", "bytes=a-b"])
async def test_what_is_no_single_range_is_answered_with_the_whole(someone: Bearer, asked: str) -> None:
    answer = await someone.fetch(await someone.keep(DATA), asked)
    assert (answer.status_code, answer.content) == (200, DATA)


async def test_a_browser_neither_shows_nor_guesses_nor_keeps_an_object(someone: Bearer) -> None:
    headers = (await someone.fetch(await someone.keep(b"<script>alert(1)</script>"))).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["content-disposition"] == "attachment"
    assert headers["content-type"] == "application/octet-stream"
    assert headers["cache-control"] == "private, no-store"
