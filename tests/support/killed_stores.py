"""A folder of objects whose process is killed at each of its file operations: run as a program, with the folder's path.

Each operation is done by a forked process that is killed at its first file operation, then by one that is killed at its
second, and so on until one comes through. After each, what is left is looked at, and the operation done again.
"""

from __future__ import annotations

import hashlib
import secrets
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

from lockleaf.server.platform.blobs.folder import ObjectFolder
from lockleaf.server.platform.blobs.protocol import StoredPart, UploadGone
from tests.support.kills import kills

PIECES = (b"first piece", b"second", b"the third")
WHOLE = b"".join(PIECES)
OLDER = b"what was there before"


def content(folder: ObjectFolder, key: str) -> bytes | None:
    """The bytes of an object; None if there is none. A damaged one raises."""
    found = folder.find(key)
    return None if found is None else b"".join(segment.path.read_bytes() for segment in found[0])


def put(folder: ObjectFolder, key: str, data: bytes = WHOLE) -> None:
    """Write an object."""
    draft = folder.draft()
    draft.write([data])
    folder.install(draft, key)


def declared() -> list[StoredPart]:
    """The parts of the whole."""
    return [StoredPart(number, len(data), hashlib.sha256(data).digest()) for number, data in enumerate(PIECES, 1)]


def begun(folder: ObjectFolder, key: str) -> str:
    """Begin an upload whose parts are all there, and a part that nobody wants."""
    upload = folder.begin(key)
    for number, data in (*enumerate(PIECES, 1), (2, b"replaced"), (9, b"unwanted")):
        put_part(folder, key, upload, number, data)
    return upload


def put_part(folder: ObjectFolder, key: str, upload: str, number: int, data: bytes) -> None:
    """Write a part."""
    draft = folder.draft()
    draft.write([data])
    folder.install_part(draft, key, upload, number, size=len(data), sha256=hashlib.sha256(data).hexdigest())


def writing(folder: ObjectFolder, before: bytes | None) -> int:
    """An object is written, in the place of another or of none."""
    key = secrets.token_hex(20)
    killed = 0
    for was_killed in _anew(folder, lambda: put(folder, key), lambda: _reset(folder, key, before)):
        assert content(folder, key) in (before, WHOLE), "half an object"
        killed += was_killed
    assert content(folder, key) == WHOLE
    return killed


def putting_a_part(folder: ObjectFolder) -> int:
    """A part is written in the place of another."""
    key = secrets.token_hex(20)
    upload = folder.begin(key)
    put_part(folder, key, upload, 1, OLDER)
    older = folder.parts(key, upload)
    killed = 0
    for was_killed in kills(lambda: put_part(folder, key, upload, 1, WHOLE)):
        newer = [StoredPart(1, len(WHOLE), hashlib.sha256(WHOLE).digest())]
        assert folder.parts(key, upload) in (older, newer), "half a part"
        killed += was_killed
    assert folder.parts(key, upload) == newer
    return killed


def completing(folder: ObjectFolder, before: bytes | None) -> int:
    """An upload in parts is completed, and whoever asked asks again."""
    key, upload = "", ""

    def reset() -> None:
        nonlocal key, upload
        key = secrets.token_hex(20)
        _reset(folder, key, before)
        upload = begun(folder, key)

    killed = 0
    for was_killed in _anew(folder, lambda: folder.complete(key, upload, declared()), reset):
        assert content(folder, key) in (None, before, WHOLE), "half an object"
        with suppress(UploadGone):
            folder.complete(key, upload, declared())
        assert content(folder, key) == WHOLE
        assert not folder.has_upload(key, upload)
        killed += was_killed
    return killed


def deleting(folder: ObjectFolder) -> int:
    """An object that came in parts is deleted."""
    key = ""

    def reset() -> None:
        nonlocal key
        key = secrets.token_hex(20)
        folder.complete(key, begun(folder, key), declared())

    killed = 0
    for was_killed in _anew(folder, lambda: folder.delete(key), reset):
        assert content(folder, key) in (None, WHOLE), "half an object"
        folder.delete(key)
        assert content(folder, key) is None
        killed += was_killed
    return killed


def _anew(folder: ObjectFolder, work: Callable[[], object], reset: Callable[[], None]) -> Iterator[bool]:
    reset()
    for was_killed in kills(work):
        yield was_killed
        if was_killed:
            reset()


def _reset(folder: ObjectFolder, key: str, before: bytes | None) -> None:
    folder.delete(key)
    (folder.root / "gone" / key).unlink()  # which would keep it from being written ever again
    if before is not None:
        put(folder, key, before)


def main(root: Path) -> None:
    """Kill at each operation; print how often that was, by what was being done."""
    folder = ObjectFolder(root)
    print("written", writing(folder, None))
    print("replaced", writing(folder, OLDER))
    print("a part", putting_a_part(folder))
    print("completed", completing(folder, None))
    print("completed over another", completing(folder, OLDER))
    print("deleted", deleting(folder))
    folder.drop_unfinished(touched_before=float("inf"))
    left = [path for name in ("incoming", "uploads") for path in (root / name).iterdir()]
    assert left == [], "leftovers that nothing sweeps"


if __name__ == "__main__":
    main(Path(sys.argv[1]))
