"""The server's own secrets in a backup, and what becomes of them at a restore."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path

from lockleaf.server.platform.server_keys import (
    FILE_NAME,
    RootSecrets,
    SecretsMissing,
    are_kept_in_file,
    root_secrets,
    write_secrets,
)
from lockleaf.server.platform.settings import Settings

__all__ = ["LEFT_BESIDE", "Adopted", "adopt", "secrets_of"]

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
