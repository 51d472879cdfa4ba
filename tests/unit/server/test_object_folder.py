"""A folder of objects, with processes that die over it, and whatever range is read of it."""

from __future__ import annotations

import asyncio
import hashlib
import os
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from lockleaf.server.platform.blobs.file_store import FileStore
from lockleaf.server.platform.blobs.folder import ObjectFolder
from lockleaf.server.platform.blobs.signing import ObjectUrls
from lockleaf.server.platform.server_keys import ServerKeys
from tests.support.object_stores import new_key, part

PRELOGIN = b"p" * 32


def test_a_process_that_is_killed_at_any_file_operation_leaves_nothing_or_the_whole(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.support.killed_stores", str(tmp_path / "objects")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    killed = dict(line.rsplit(" ", 1) for line in done.stdout.splitlines())
    assert len(killed) == 6
    assert min(map(int, killed.values())) >= 3


@settings(max_examples=20)
@given(
    sizes=st.lists(st.integers(1, 5000), min_size=1, max_size=4),
    first=st.integers(0, 20_000),
    length=st.integers(1, 20_000),
)
def test_whatever_range_of_whatever_parts_is_read_it_is_that_of_the_whole(
    sizes: list[int], first: int, length: int
) -> None:
    pieces = [os.urandom(size) for size in sizes]
    whole = b"".join(pieces)
    first = min(first, len(whole) - 1)
    end = min(first + length, len(whole))

    async def read(folder: ObjectFolder) -> bytes:
        store = FileStore(folder, ObjectUrls(ServerKeys([b"r" * 48], PRELOGIN), lambda: datetime.now(UTC)))
        key = new_key()
        upload = folder.begin(key)
        for number, data in enumerate(pieces, 1):
            draft = folder.draft()
            draft.write([data])
            folder.install_part(draft, key, upload, number, size=len(data), sha256=hashlib.sha256(data).hexdigest())
        folder.complete(key, upload, [part(number, data) for number, data in enumerate(pieces, 1)])
        opened = await store.open(key)
        assert opened is not None
        assert opened.size == len(whole)
        data = b"".join([piece async for piece in store.read(opened, first, end)])
        await store.close()
        return data

    with tempfile.TemporaryDirectory() as root:
        assert asyncio.run(read(ObjectFolder(Path(root)))) == whole[first:end]
