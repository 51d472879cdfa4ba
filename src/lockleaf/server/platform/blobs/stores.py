"""The object store that the settings describe."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from lockleaf.server.platform.blobs.file_store import FileStore
from lockleaf.server.platform.blobs.folder import ObjectFolder
from lockleaf.server.platform.blobs.protocol import ObjectStore
from lockleaf.server.platform.blobs.signing import ObjectUrls
from lockleaf.server.platform.server_keys import ServerKeys
from lockleaf.server.platform.settings import Settings

__all__ = ["FolderUnusable", "open_store", "require_folder"]


class FolderUnusable(Exception):
    """Attached files cannot be kept where the settings say."""

    def __init__(self, folder: Path, reason: str) -> None:
        super().__init__(
            f"Attached files cannot be kept in {folder}: {reason}. "
            "Set LOCKLEAF_BLOBS__PATH to a folder that this user may write to."
        )


def open_store(settings: Settings, keys: ServerKeys, clock: Callable[[], datetime]) -> ObjectStore:
    """Return the object store of the server that ``settings`` describe. It connects when it is first used."""
    blobs = settings.blobs
    if blobs.kind == "s3":
        # Its libraries take tens of megabytes, which a server with a folder of its own does without.
        from lockleaf.server.platform.blobs.s3_store import S3Store  # noqa: PLC0415

        return S3Store(blobs, clock)
    return FileStore(ObjectFolder(_path(settings)), ObjectUrls(keys, clock), (blobs.public_url or "").rstrip("/"))


def require_folder(settings: Settings) -> None:
    """Return if the folder of attached files, where there is to be one, can be written to.

    Raises:
        FolderUnusable: it cannot, or not be made.
    """
    if settings.blobs.kind != "file":
        return
    try:
        ObjectFolder(_path(settings)).draft().discard()
    except OSError as error:
        raise FolderUnusable(_path(settings), error.strerror or "it cannot be written to") from None


def _path(settings: Settings) -> Path:
    return settings.blobs.path or settings.data_dir / "blobs"
