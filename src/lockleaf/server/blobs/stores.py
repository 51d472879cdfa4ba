"""The object store that the settings describe."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from lockleaf.server.auth.keys import ServerKeys
from lockleaf.server.blobs.file_store import FileStore
from lockleaf.server.blobs.folder import ObjectFolder
from lockleaf.server.blobs.protocol import ObjectStore
from lockleaf.server.blobs.signing import ObjectUrls
from lockleaf.server.settings import Settings

__all__ = ["open_store"]


def open_store(settings: Settings, keys: ServerKeys, clock: Callable[[], datetime]) -> ObjectStore:
    """Return the object store of the server that ``settings`` describe. It connects when it is first used."""
    blobs = settings.blobs
    if blobs.kind == "s3":
        # Its libraries take tens of megabytes, which a server with a folder of its own does without.
        from lockleaf.server.blobs.s3_store import S3Store  # noqa: PLC0415

        return S3Store(blobs, clock)
    folder = ObjectFolder(blobs.path or settings.data_dir / "blobs")
    return FileStore(folder, ObjectUrls(keys, clock), (blobs.public_url or "").rstrip("/"))
