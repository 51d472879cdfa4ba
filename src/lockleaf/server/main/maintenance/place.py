"""Checks of the machine that a server runs on: settings, secrets, folders, disks, the store of attached files."""

from __future__ import annotations

import hashlib
import os
import secrets as randomness
import stat
from pathlib import Path

from lockleaf.server.main.maintenance.findings import Finding, Surroundings, good, problem, warning
from lockleaf.server.main.maintenance.secrets import LEFT_BESIDE
from lockleaf.server.platform.blobs.errors import StoreUnavailable
from lockleaf.server.platform.blobs.stores import open_store
from lockleaf.server.platform.clock import Clock
from lockleaf.server.platform.db.errors import StorageFull
from lockleaf.server.platform.server_keys import FILE_NAME, SecretsDamaged, SecretsMissing, are_kept_in_file, load_keys
from lockleaf.server.platform.settings import Settings

__all__ = ["disk", "permissions", "secrets", "settings", "store"]

LITTLE, VERY_LITTLE = 0.15, 0.05


async def settings(found: Surroundings) -> Finding:
    """Say which settings are unsafe. Those that are invalid stopped the command before."""
    given = found.settings
    if given.environment == "development":
        return warning(
            "LOCKLEAF_ENVIRONMENT is development: placeholder secrets are accepted, and `admin reset` may empty it",
            "Unset it on a server that anybody uses.",
        )
    if "*" in given.cors.origins:
        return warning(
            "pages of any origin may call the API", "Name those that shall in LOCKLEAF_CORS__ORIGINS, or unset it."
        )
    if given.metrics.open:
        return warning(
            "everybody may read the metrics", "Set LOCKLEAF_METRICS__TOKEN in place of LOCKLEAF_METRICS__OPEN."
        )
    database = "its own database" if given.database.url is None else "the database of DATABASE_URL"
    where = "a bucket" if given.blobs.kind == "s3" else "a folder"
    return good(f"valid; {database}, attached files in {where}")


async def secrets(found: Surroundings) -> Finding:
    """Say whether the server's root secrets are there, and for it alone."""
    beside = found.settings.data_dir / LEFT_BESIDE
    path = found.settings.data_dir / FILE_NAME
    if are_kept_in_file(found.settings) and not path.exists():
        return good("none yet; they are made at the first start")
    try:
        load_keys(found.settings)
    except (SecretsMissing, SecretsDamaged) as error:
        return problem("they are missing or damaged", str(error))
    except PermissionError:
        return problem(f"this user may not read {path}", "Run this as the user that runs the server.")
    if beside.exists():
        return warning(
            f"those of a backup lie in {beside}",
            "Put its roots behind yours in LOCKLEAF_SECRETS__ROOTS, its prelogin into LOCKLEAF_SECRETS__PRELOGIN; then "
            "delete the file.",
        )
    if not are_kept_in_file(found.settings):
        return good("set")
    if stat.S_IMODE(path.stat().st_mode) & 0o077:
        return problem(f"others may read {path}", f"chmod 600 {path}, then lockleaf admin rotate-secret.")
    return good("in the data folder, for its owner alone")


async def permissions(found: Surroundings) -> Finding:
    """Say whether the data folder is there, can be written, and is for the server alone."""
    folder = found.settings.data_dir
    try:
        facts = folder.stat()
    except FileNotFoundError:
        return good(f"{folder} is not there yet; it is made when it is needed")
    if not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
        return problem(f"this user may not write to {folder}", "Run this, and the server, as the owner of the folder.")
    # What lies in the folder is closed by itself; nobody else may put anything there.
    for path, allowed in ((folder, 0o755), *((folder / name, 0o700) for name in ("postgres", "blobs", "log"))):
        if path.exists() and stat.S_IMODE(path.stat().st_mode) & ~allowed & 0o777:
            return problem(f"others may look into {path}, or write there", f"chmod 700 {path}")
    if os.geteuid() not in (0, facts.st_uid):
        return warning(f"{folder} belongs to another user", "Run this, and the server, as its owner.")
    return good(f"{folder} is for the server alone")


async def disk(found: Surroundings) -> Finding:
    """Say how much is left of the disks with data and attached files."""
    told, least = [], 1.0
    for name, path in _places(found.settings).items():
        while not path.exists():
            path = path.parent  # noqa: PLW2901
        facts = os.statvfs(path)
        left = facts.f_bavail / max(facts.f_blocks, 1)
        least = min(least, left)
        told.append(f"{facts.f_bavail * facts.f_frsize / 2**30:,.1f} GiB ({left:.0%}) left for {name}")
    says = ", ".join(told)
    if least < VERY_LITTLE:
        return problem(says, "A full disk stops the database, and files cannot be attached. Free some space now.")
    if least < LITTLE:
        return warning(says, "Free some space: lockleaf admin compact says how much it could give back.")
    return good(says)


def _places(given: Settings) -> dict[str, Path]:
    places = {"data": given.data_dir}
    if given.blobs.kind == "file" and given.blobs.path is not None:
        places["files"] = given.blobs.path
    return places


async def store(found: Surroundings) -> Finding:
    """Write a small object into the store of attached files, read it, and delete it."""
    path = found.settings.data_dir / FILE_NAME
    if are_kept_in_file(found.settings) and not path.exists():
        return good("nothing is there yet; it is made at the first start")  # and not by whoever looks
    try:
        objects = open_store(found.settings, load_keys(found.settings), Clock())
    except (SecretsMissing, SecretsDamaged):
        return problem("not to be opened without the server's secrets", "See secrets above.")
    key, data = randomness.token_hex(20), randomness.token_bytes(64)
    where = "bucket" if found.settings.blobs.kind == "s3" else "folder"
    try:
        await objects.put(key, data, sha256=hashlib.sha256(data).digest())
        try:
            came = b"".join([piece async for piece in objects.download(key)])
        finally:
            await objects.delete([key])
    except StorageFull:
        return problem(f"the disk of the {where} of attached files is full", "Free some space now.")
    except StoreUnavailable:
        return problem(
            f"the {where} of attached files cannot be written, read or deleted from",
            "Check LOCKLEAF_BLOBS__*: the path and its owner, or the bucket's endpoint, name, keys and rights.",
        )
    finally:
        await objects.close()
    if came != data:
        return problem(f"the {where} gives back other bytes than it was given", "Check the disk, or change the store.")
    return good(f"the {where} of attached files was written, read and deleted from")
