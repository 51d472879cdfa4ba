"""How it stands with the journal, its account and its synchronisation."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from lockleaf.app.models.base import Answer, Body

__all__ = ["AccountState", "Counts", "State", "SyncState", "Unlock"]


class AccountState(Answer):
    """The account that this profile belongs to."""

    name: str
    server: str
    custody: Literal["e2e", "uce"]
    device_name: str
    logged_in: bool
    deleted: bool = False


class SyncState(Answer):
    """How it stands with synchronisation; ``local``: there is no session to synchronise by."""

    state: Literal["local", "idle", "syncing", "offline", "error"]
    last_sync: datetime | None = None
    pending: int = 0
    message: str | None = None
    code: str | None = None


class Counts(Answer):
    """How many there are of each."""

    entries: int = 0
    conflicts: int = 0
    drafts: int = 0
    inbox: int = 0


class State(Answer):
    """How it stands.

    Attributes:
        first_run: nothing was written in this profile yet.
        can_lock: locking asks for a password afterwards, and not only for a click.
        keys_in: where the key of the journal is; ``file``: whoever copies the folder can read it.
    """

    profile: str
    first_run: bool
    locked: bool
    can_lock: bool
    keys_in: Literal["keychain", "password", "file", "elsewhere"] | None
    account: AccountState | None
    sync: SyncState
    counts: Counts
    daily_goal: int | None
    words_today: int
    app_version: str


class Unlock(Body):
    """What opens a locked journal."""

    password: str = ""
