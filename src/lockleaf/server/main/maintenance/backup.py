"""Making a backup while the server serves: one snapshot of the database, and every attached file that it names."""

from __future__ import annotations

import errno
import hashlib
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import asyncpg

from lockleaf import __version__
from lockleaf.server.main.maintenance.distribution import OTHERS
from lockleaf.server.main.maintenance.errors import DatabaseInUse, MaintenanceError
from lockleaf.server.main.maintenance.manifest import DATABASE, FILES, SECRETS, Counts, Manifest, moment_name
from lockleaf.server.main.maintenance.targets import target_at
from lockleaf.server.main.maintenance.writing import PartWriter, Target, unwritable
from lockleaf.server.platform.blobs.errors import StoreUnavailable
from lockleaf.server.platform.blobs.protocol import ObjectStore
from lockleaf.server.platform.db.backup_hold import BACKUP_LOCK
from lockleaf.server.platform.db.connections import asyncpg_url, connect
from lockleaf.server.platform.db.dump import dump
from lockleaf.server.platform.db.dump_tools import find_tools

__all__ = ["BackupMade", "back_up"]

_OF_THE_DISK = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM, errno.EIO, errno.EFBIG})
_SESSION = {"application_name": "lockleaf-admin", "statement_timeout": "0", "idle_in_transaction_session_timeout": "0"}
_AT_ONCE = 500

_COUNTS = """
SELECT (SELECT count(*) FROM accounts) AS accounts, (SELECT count(*) FROM records) AS records,
  (SELECT count(*) FROM changes) AS changes, (SELECT value FROM installation WHERE name = 'objects') AS installation,
  (SELECT version_num FROM alembic_version) AS schema, clock_timestamp() AS at,
  current_setting('server_version') AS server
"""
_HEADS = "SELECT user_id, epoch, seq, head FROM heads ORDER BY user_id"
# By shelf, as they lie in a backup's folder.
_STORED = "SELECT object_key, size FROM media WHERE state = 'stored' ORDER BY right(object_key, 2), object_key"
_MADE = """
INSERT INTO installation (name, value) VALUES ('last_backup', $1)
ON CONFLICT (name) DO UPDATE SET value = excluded.value
"""


@dataclass(frozen=True, slots=True)
class BackupMade:
    """A backup that was made.

    Attributes:
        path: of its folder or file.
        copied, reused: attached files that were copied now, and that were there from an earlier backup.
        encrypted: whether it is sealed to a recipient.
        holds_secrets: whether the server's own secrets are in it.
    """

    path: Path
    manifest: Manifest
    copied: int
    reused: int
    encrypted: bool
    holds_secrets: bool


async def back_up(
    url: str,
    store: ObjectStore,
    path: Path,
    *,
    recipient: str | None = None,
    with_files: bool = True,
    keep: int = 7,
    secrets: bytes | None = None,
    before_files: Callable[[], Awaitable[None]] | None = None,
) -> BackupMade:
    """Make a backup of a server, which may go on serving.

    Args:
        url: of its database.
        store: with its attached files.
        path: a folder that keeps backups, or a file whose name ends in .tar or .tar.age.
        recipient: an age recipient to whom it is sealed.
        with_files: whether attached files go in; otherwise they are only listed.
        keep: how many backups a folder keeps.
        secrets: the server's own secrets, which go into a sealed backup.
        before_files: called between the database and the files.

    Raises:
        DatabaseInUse: the database lies on several nodes, and servers or workers are connected.
        MaintenanceError: another backup runs, the store does not answer, or it cannot be written there.
        DumpToolsMissing, DumpError: the database cannot be dumped.
        OSError, asyncpg.PostgresError: the database does not answer.
    """
    connection = await connect(asyncpg_url(url), timeout=20, server_settings=_SESSION)
    target: Target | None = None
    try:
        if not await connection.fetchval("SELECT pg_try_advisory_lock($1)", BACKUP_LOCK):
            raise MaintenanceError("Another backup of this database is under way. Wait until it is done.")
        if connection.distributed and (others := await connection.fetchval(OTHERS)):
            raise DatabaseInUse(
                f"This database lies on several nodes, which have no moment in common, and {others} connections of "
                "servers or workers are open to it: what they write meanwhile would be in the backup in part. Stop "
                "them, or back up the nodes themselves; see `many nodes` in the documentation."
            )
        tools = find_tools(connection.get_server_version().major)
        target = target_at(path, moment_name(datetime.now(UTC)), recipient=recipient, keep=keep)
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            snapshot: str = await connection.fetchval("SELECT pg_export_snapshot()")
            facts = await connection.fetchrow(_COUNTS)
            assert facts is not None
            heads = await _heads(connection)
            with target.part(DATABASE) as part:
                async for piece in dump(url, tools, snapshot=snapshot):
                    part.write(piece)
            if before_files is not None:
                await before_files()
            copying = _Copying(target, store, with_files)
            with target.part(FILES) as listed:
                async for row in connection.cursor(_STORED, prefetch=_AT_ONCE):
                    await copying.take(row["object_key"], row["size"], listed)
        if target.encrypted and secrets is not None:
            with target.part(SECRETS) as part:
                part.write(secrets)
        manifest = Manifest(
            taken_at=facts["at"].astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
            version=__version__,
            schema=facts["schema"],
            server=facts["server"].split()[0],
            installation=facts["installation"] or "",
            counts=Counts(facts["accounts"], facts["records"], facts["changes"], heads),
            files=copying.files,
            file_bytes=copying.bytes,
            with_files=with_files,
            encrypted=target.encrypted,
            missing=tuple(copying.missing),
            parts=target.parts(),
        )
        made = target.finish(manifest)
        encrypted, target = target.encrypted, None
        await connection.execute(_MADE, manifest.taken_at)
        return BackupMade(made, manifest, copying.copied, copying.reused, encrypted, encrypted and secrets is not None)
    except OSError as error:
        if error.errno in _OF_THE_DISK:
            raise unwritable(path, error) from None
        raise
    finally:
        if target is not None:
            target.abandon()
        await connection.close()


async def _heads(connection: asyncpg.Connection) -> str:
    digest = hashlib.sha256()
    async for row in connection.cursor(_HEADS, prefetch=_AT_ONCE):
        digest.update(f"{row['user_id']} {row['epoch']} {row['seq']} {row['head'].hex()}\n".encode())
    return digest.hexdigest()


class _Copying:
    """Copies attached files, and lists them."""

    def __init__(self, target: Target, store: ObjectStore, with_files: bool) -> None:
        self._target, self._store, self._with_files = target, store, with_files
        self.files = self.bytes = self.copied = self.reused = 0
        self.missing: list[str] = []

    async def take(self, key: str, size: int, listed: PartWriter) -> None:
        """Copy a file unless it is there, and add it to the list."""
        self.files += 1
        self.bytes += size
        digest: str | None = None
        if self._with_files:
            digest = self._target.digest_of(key, size)
            if digest is not None:
                self.reused += 1
            else:
                digest = await self._copy(key, size)
                if digest is None:
                    self.missing.append(key)
                else:
                    self.copied += 1
        line: dict[str, Any] = {"key": key, "size": size, "sha256": digest}
        listed.write(json.dumps(line).encode() + b"\n")

    async def _copy(self, key: str, size: int) -> str | None:
        """Copy a file, and return its digest; None if the store does not have it, or not whole."""
        try:
            with self._target.file(key, size) as file:
                async for piece in self._store.download(key):
                    file.write(piece)
            made = file.part()
        except StoreUnavailable:
            try:
                await self._store.check()
            except StoreUnavailable:
                raise MaintenanceError(
                    "The store of attached files does not answer, so there is no backup. `lockleaf admin doctor` says "
                    "more; run the backup again when it answers."
                ) from None
            return None
        return made.sha256 if made.bytes == size else None
