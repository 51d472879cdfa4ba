"""Profiles: which account a folder belongs to, and what this device remembers of it.

A profile is a folder ``<home>/profiles/<name>`` with ``profile.json`` and the local store beside it. What is
remembered here is what a server's answers are held against: custody, key derivation, the highest keyring version,
the account's public keys.
"""

from __future__ import annotations

import os
import re
import shutil
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from uuid import UUID

import platformdirs

from lockleaf.client.errors import InvalidFolder, InvalidProfileName, ProfileDamaged, ProfileNotFound
from lockleaf.client.profile.json_files import Fields, InvalidFile, as_json
from lockleaf.client.profile.private_files import make_private_folder, write_private
from lockleaf.crypto.kdf import KdfParameters
from lockleaf.paths import StrPath
from lockleaf.wire.forms import DEVICE_ID, DIGEST_LENGTH
from lockleaf.wire.login_names import Identification, identification
from lockleaf.wire.tiers import Custody as CustodyName

__all__ = ["CustodyName", "Profile", "ProfileFolder", "default_home", "expanded", "profile_names"]

_ASIDE = "aside-"
_DAMAGED = "damaged-"
_EXCHANGE = "exchange"

_NAME = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,63}", re.ASCII)
_DEVICE_ID = re.compile(DEVICE_ID, re.ASCII)
_ENTRY = re.compile("[0-9a-f]{32}", re.ASCII)
_CUSTODIES: dict[str, CustodyName] = {"e2e": "e2e", "uce": "uce"}


@dataclass(frozen=True, kw_only=True)
class Profile:
    """What this device remembers of its account. Holds no secret.

    Before there is an account, ``server`` and ``login_name`` are empty; see `is_local`.
    """

    server: str
    allow_insecure: bool = False
    login_name: str
    """What the account is known by: an email address, or a name without an @."""
    user_id: UUID
    device_id: str
    device_name: str
    custody: CustodyName
    kdf: KdfParameters | None = None
    keyring_version: int
    recipient: str
    signing_key: bytes
    share_dates: bool = False
    logged_out: bool = False
    account_deleted: bool = False
    keychain_entry: str
    """The name under which the keychain holds the key of the journal: the profile's own, wherever its folder lies."""

    @property
    def is_local(self) -> bool:
        """Whether there is no account yet: a journal on this device, with keys of its own."""
        return not self.server

    @property
    def has_account(self) -> bool:
        """Whether there is an account, as far as this device knows, so that a login goes on."""
        return not self.is_local and not self.account_deleted

    @property
    def opened_by_server(self) -> bool:
        """Whether the server can open the account's content while a session is in use, and so filters by it itself."""
        return self.custody == "uce"

    @property
    def identification(self) -> Identification:
        """The login name as ``email`` or ``username``, as it travels; the other is None."""
        return identification(self.login_name)


def _profile(fields: Fields) -> Profile:
    """Return the profile that a file describes.

    Raises:
        InvalidFile: it describes none.
    """
    return Profile(
        server=fields.text("server"),
        allow_insecure=fields.flag("allow_insecure"),
        login_name=fields.text("login_name"),
        user_id=fields.uuid("user_id"),
        device_id=fields.text("device_id", _DEVICE_ID),
        device_name=fields.text("device_name"),
        custody=fields.choice("custody", _CUSTODIES),
        kdf=fields.optional("kdf", fields.kdf),
        keyring_version=fields.number("keyring_version"),
        recipient=fields.text("recipient"),
        signing_key=fields.data("signing_key", DIGEST_LENGTH),
        share_dates=fields.flag("share_dates"),
        logged_out=fields.flag("logged_out"),
        account_deleted=fields.flag("account_deleted"),
        keychain_entry=fields.text("keychain_entry", _ENTRY),
    )


def default_home() -> Path:
    """Return the folder of all profiles: ``LOCKLEAF_HOME``, else the user's data folder of the platform."""
    chosen = os.environ.get("LOCKLEAF_HOME")
    try:
        return expanded(Path(chosen or platformdirs.user_data_dir("lockleaf", appauthor=False)))
    except RuntimeError:
        raise InvalidFolder from None


def expanded(path: StrPath) -> Path:
    """Return ``path`` with a ``~`` at its beginning replaced by the user's home folder.

    Raises:
        InvalidFolder: there is no home folder: no HOME is set, and the system knows no such user, as in a container.
    """
    try:
        return Path(path).expanduser()
    except RuntimeError:
        raise InvalidFolder from None


def profile_names(home: StrPath) -> list[str]:
    """Return the names of the profiles under ``home``, sorted."""
    return sorted(path.parent.name for path in (Path(home) / "profiles").glob("*/profile.json"))


def _spelled_otherwise(path: Path) -> Path | None:
    """Return the profile whose name is that of ``path`` in another case, None where there is none."""
    folders = path.parent.iterdir() if path.parent.is_dir() else ()
    return next((folder for folder in sorted(folders) if folder.name.casefold() == path.name.casefold()), None)


class ProfileFolder:
    """The folder of one profile.

    Args:
        home: the folder of all profiles.
        name: 1 to 64 of ``A-Z a-z 0-9 . _ -``, not beginning with a dot.

    Raises:
        InvalidProfileName: the name is invalid; it becomes part of a path.
    """

    def __init__(self, home: StrPath, name: str) -> None:
        if not _NAME.fullmatch(name):
            raise InvalidProfileName
        self.home = Path(home).absolute()
        self.path = self.home / "profiles" / name
        if not self.path.exists():
            # Where names differ by case alone some file systems have one folder, and so has a person one profile.
            self.path = _spelled_otherwise(self.path) or self.path
        self.name = self.path.name

    def within(self, name: str) -> ProfileFolder:
        """Return a folder of the same profile inside this one, for a store that is still to take its place."""
        inner = ProfileFolder(self.home, self.name)
        inner.path = self.path / name
        return inner

    @property
    def memory(self) -> Path:
        """The folder of what is remembered although the profile is forgotten."""
        return self.home / "memory" / self.name

    @property
    def store(self) -> Path:
        """The file of the local store."""
        return self.path / "store.sqlite3"

    @property
    def media(self) -> Path:
        """The folder of sealed attachments that are on their way."""
        return self.path / "media"

    @property
    def drafts(self) -> Path:
        """The folder that knows of unsaved drafts."""
        return self.path / "drafts"

    @property
    def file(self) -> Path:
        """The file that describes the profile."""
        return self.path / "profile.json"

    def load(self) -> Profile | None:
        """Return the profile, or None where there is none yet.

        Raises:
            ProfileDamaged: there is a file, and it describes no profile.
        """
        try:
            return _profile(Fields.read(self.file.read_bytes()))
        except FileNotFoundError:
            return None
        except InvalidFile:
            raise ProfileDamaged from None

    def save(self, profile: Profile) -> None:
        """Replace the profile, whole or not at all.

        Raises:
            DiskFull: there is no space; the old profile is untouched.
        """
        self.make()
        kdf = None if profile.kdf is None else profile.kdf.to_wire()
        write_private(self.file, as_json(vars(profile) | {"kdf": kdf}))

    def make(self) -> None:
        """Make the folder, for its owner alone."""
        make_private_folder(self.path)

    def set_store_aside(self, now: datetime, *, damaged: bool = False) -> Path:
        """Rename the local store, with what lies beside it, and return its new place; nothing is deleted."""
        aside = self.path / f"{_DAMAGED if damaged else _ASIDE}{now:%Y%m%dT%H%M%S%f}"
        make_private_folder(aside)
        self._move(self.path, aside)
        return aside

    def stores_aside(self) -> list[Path]:
        """Return the folders of stores that were set aside, oldest first."""
        found = (*self.path.glob(f"{_ASIDE}*"), *self.path.glob(f"{_DAMAGED}*"))
        return sorted((path for path in found if path.is_dir()), key=lambda path: path.name.partition("-")[2])

    def exchange(self, other: ProfileFolder, now: datetime) -> Path:
        """Set the store aside, and put the one of ``other`` in its place; return where the old one is.

        Where this ends half-way, `finish_exchange` does the rest.
        """
        aside = self.path / f"{_ASIDE}{now:%Y%m%dT%H%M%S%f}"
        write_private(self.path / _EXCHANGE, f"{aside.name}\n{other.path.name}\n".encode())
        self.finish_exchange()
        return aside

    @property
    def has_account(self) -> bool:
        """Whether the profile that is kept names an account."""
        kept = self.load()
        return kept is not None and not kept.is_local

    def finish_exchange(self) -> None:
        """Go on with an exchange that was begun, if one was."""
        try:
            aside_name, other_name = (self.path / _EXCHANGE).read_text().split()
        except (FileNotFoundError, ValueError):
            return
        aside, other = self.path / aside_name, self.path / other_name
        make_private_folder(aside)
        if (other / self.store.name).exists():
            # The main file goes last both times: as long as it is there, what lies beside it still has to follow it.
            if not (aside / self.store.name).exists():
                self._move(self.path, aside)
            self._move(other, self.path)
        shutil.rmtree(other, ignore_errors=True)
        (self.path / _EXCHANGE).unlink(missing_ok=True)

    def _move(self, source: Path, target: Path) -> None:
        beside = [*source.glob(f"{self.store.name}?*"), *source.glob(self.media.name)]
        for file in (*beside, *source.glob(self.store.name)):
            file.rename(target / file.name)

    def remove(self) -> None:
        """Delete the folder and everything in it but stores that were set aside, and drafts that are in no journal.

        Raises:
            ProfileNotFound: there is no such profile.
        """
        if not self.path.exists():
            raise ProfileNotFound
        kept = set(self.stores_aside())
        if self.drafts.is_dir() and any(self.drafts.iterdir()):
            kept.add(self.drafts)
        if not kept:
            shutil.rmtree(self.path)
            return
        for found in self.path.iterdir():
            if found not in kept:
                shutil.rmtree(found) if found.is_dir() else found.unlink()
