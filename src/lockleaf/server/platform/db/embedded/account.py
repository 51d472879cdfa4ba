"""Who runs PostgreSQL: ourselves, or an unprivileged account where we are root, since PostgreSQL refuses root."""

from __future__ import annotations

import os
import pwd
from dataclasses import dataclass
from pathlib import Path

from lockleaf.server.platform.db.embedded.errors import EmbeddedPostgresError

__all__ = ["Account", "choose_account"]

_PREFERRED = ("lockleaf", "postgres", "nobody")


@dataclass(frozen=True, slots=True)
class Account:
    """An unprivileged system account by its numbers."""

    uid: int
    gid: int


def choose_account(cluster: Path) -> Account | None:
    """Choose the account that runs PostgreSQL on the folder `cluster`; None means: the one we are.

    As root, the owner of an existing cluster comes first: PostgreSQL refuses a folder that another account owns, and
    the preferred account can change when a package that brings a `postgres` account is installed.

    Raises:
        EmbeddedPostgresError: we are root, and the system has no account to drop to.

    """
    if os.geteuid() != 0:
        return None
    try:
        owner = cluster.stat()
    except FileNotFoundError:
        pass
    else:
        if owner.st_uid != 0:
            return Account(uid=owner.st_uid, gid=owner.st_gid)
    for name in _PREFERRED:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        if entry.pw_uid != 0:
            return Account(uid=entry.pw_uid, gid=entry.pw_gid)
    raise EmbeddedPostgresError(
        "Lockleaf runs as root, but PostgreSQL refuses to, and this system has none of the accounts "
        f"{', '.join(_PREFERRED)} to run it as. Run Lockleaf as an ordinary user, or create a system user 'lockleaf'."
    )
