"""The server's own secrets in a backup, and what becomes of them at a restore."""

from __future__ import annotations

from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path

from lockleaf.server.main.maintenance.errors import MaintenanceError
from lockleaf.server.platform.db.connections import asyncpg_url, connect
from lockleaf.server.platform.server_keys import (
    FILE_NAME,
    RootSecrets,
    SecretsMissing,
    are_kept_in_file,
    fresh_root,
    root_secrets,
    write_secrets,
)
from lockleaf.server.platform.settings import Settings

__all__ = ["LEFT_BESIDE", "Adopted", "add_root", "adopt", "drop_old_roots", "secrets_of", "sessions_of_old_roots"]

LEFT_BESIDE = "secrets.from-backup.json"


class Adopted(StrEnum):
    """What became of the secrets of a backup."""

    IN_FORCE = "in_force"
    """The server has had them already, or has them now."""
    LEFT_BESIDE = "left_beside"
    """They lie in a file of their own: the server's secrets are settings, which only its operator changes."""
    KEPT = "kept"
    """The backup has none, and the server goes on with its own."""
    ABSENT = "absent"
    """The backup has none, and neither had the server: it makes new ones."""


def secrets_of(settings: Settings) -> bytes | None:
    """Return the server's secrets, to go into a sealed backup; None where these settings do not have them."""
    try:
        return root_secrets(settings).written()
    except SecretsMissing:
        return None


def adopt(settings: Settings, written: bytes | None) -> Adopted:
    """Let a server have the secrets of a backup, so that what was sealed and signed under them opens again.

    Raises:
        SecretsDamaged: they cannot be understood.
        OSError: they cannot be written.
    """
    if written is None:
        fresh = are_kept_in_file(settings) and not (settings.data_dir / FILE_NAME).exists()
        return Adopted.ABSENT if fresh else Adopted.KEPT
    given = RootSecrets.read(written)
    if are_kept_in_file(settings):
        path = settings.data_dir / FILE_NAME
        own = RootSecrets.read(path.read_bytes()).roots if path.exists() else ()
        kept = (*own, *(root for root in given.roots if root not in own))
        write_secrets(path, RootSecrets(kept, given.prelogin), replace=True)
        return Adopted.IN_FORCE
    try:
        own = root_secrets(settings).roots
    except SecretsMissing:
        own = ()
    if set(given.roots) <= set(own):
        return Adopted.IN_FORCE
    write_secrets(Path(settings.data_dir) / LEFT_BESIDE, given, replace=True)
    return Adopted.LEFT_BESIDE


def add_root(settings: Settings) -> None:
    """Make a new root secret in the data folder, in front of those that are there: it signs, and they still verify.

    Raises:
        MaintenanceError: the server's secrets are settings.
        SecretsDamaged: those in the data folder cannot be understood.
    """
    path, found = _kept(settings)
    since = datetime.now(UTC).isoformat(timespec="seconds")
    write_secrets(path, RootSecrets((fresh_root(), *found.roots), found.prelogin, since), replace=True)


def drop_old_roots(settings: Settings) -> int:
    """Keep the newest root secret alone; return how many others there were. Raises as `add_root`."""
    path, found = _kept(settings)
    if len(found.roots) > 1:
        write_secrets(path, RootSecrets(found.roots[:1], found.prelogin), replace=True)
    return len(found.roots) - 1


async def sessions_of_old_roots(settings: Settings, url: str) -> int:
    """Return how many sessions were not renewed since the newest root secret was made; raises as `add_root`."""
    _, found = _kept(settings)
    if len(found.roots) == 1:
        return 0
    since = datetime.max.replace(tzinfo=UTC) if found.since is None else datetime.fromisoformat(found.since)
    connection = await connect(asyncpg_url(url), timeout=20)
    try:
        count: int = await connection.fetchval(
            "SELECT count(*) FROM sessions WHERE NOT revoked AND expires_at > now() AND rotated_at <= $1", since
        )
        return count
    finally:
        await connection.close()


def _kept(settings: Settings) -> tuple[Path, RootSecrets]:
    if not are_kept_in_file(settings):
        raise MaintenanceError(
            "This server's root secrets are settings, which only you change: put a new one in front of "
            "LOCKLEAF_SECRETS__ROOTS, with the others behind it, and take an old one away when its sessions have ended."
        )
    return settings.data_dir / FILE_NAME, root_secrets(settings)
