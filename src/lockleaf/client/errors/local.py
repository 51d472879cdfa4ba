"""This machine."""

from __future__ import annotations

from lockleaf.client.errors.base import LockleafError
from lockleaf.exit_codes import ExitCode

__all__ = [
    "DiskFull",
    "IdAmbiguous",
    "IdTooShort",
    "InvalidFolder",
    "InvalidProfileName",
    "JournalLocked",
    "JournalMoved",
    "KeychainSilent",
    "KeychainUnavailable",
    "LocalError",
    "LocalStoreError",
    "ProfileDamaged",
    "ProfileNotFound",
    "ReadOnlyFolder",
    "StoreDamaged",
    "StoreLocked",
    "SyncAlreadyRunning",
]


class LocalError(LockleafError):
    """Something is not as it should be on this device."""

    exit_code = ExitCode.LOCAL


class InvalidProfileName(LocalError):
    """A profile's name is 1 to 64 of the characters a-z A-Z 0-9 . _ - and does not begin with a dot."""

    exit_code = ExitCode.USAGE


class ProfileNotFound(LocalError):
    """There is no profile of this name."""

    exit_code = ExitCode.NOT_FOUND


class ProfileDamaged(LocalError):
    """The file that describes the profile cannot be read. Log in again to make a new one; the journal is not in it."""


class KeychainUnavailable(LocalError):
    """The key of the local journal is not in the keychain.

    Unlock the system's keychain and try again. If the key is gone, log in again: your password brings it back, and
    what you wrote here is still here.
    """


class KeychainSilent(KeychainUnavailable):
    """The system's keychain does not answer, and the key of the local journal is in it. Nothing is lost.

    Unlock the keychain, or log out of the desktop and in again, then try again.
    """


class JournalLocked(LocalError):
    """The journal on this device is locked. Unlock it with your password, which works without a server too."""

    exit_code = ExitCode.CREDENTIALS
    hint = "lockleaf unlock, or set LOCKLEAF_PASSWORD"


class LocalStoreError(LocalError):
    """The local journal cannot be used."""


class JournalMoved(LocalStoreError):
    """Another program logged this journal in to an account meanwhile. What was written before that is in the account.

    Start this program again to go on; what you have typed here since then is not saved, so copy it first.
    """

    exit_code = ExitCode.CONFLICT


class StoreDamaged(LocalStoreError):
    """The file of the local journal is damaged. Log in again: it is set aside, and what the server has is fetched.

    Then repair this device, which takes in what can still be read of the damaged file.
    """

    hint = "lockleaf login, then lockleaf repair"


class StoreLocked(LocalStoreError):
    """Another program is using the local journal. Close it and try again."""


class DiskFull(LocalStoreError):
    """The disk is full, or takes no more. Nothing was lost that was saved before; free some space and try again."""


class ReadOnlyFolder(LocalStoreError):
    """The folder of the journal is read-only for you, so nothing was changed.

    Reading works: list, show, search, export. To write or sync, use a folder that you may write to (--home).
    """


class IdAmbiguous(LocalError):
    """The beginning of the id fits several. Type more of it."""

    exit_code = ExitCode.NOT_FOUND

    def __init__(self, details: tuple[str, ...]) -> None:
        super().__init__()
        self.details = details
        """Beginnings of the ids that fit, or of the first of them, long enough to tell them apart."""


class IdTooShort(LocalError):
    """The first four characters of an id, at least, are needed to ask for something by it."""

    exit_code = ExitCode.NOT_FOUND


class InvalidFolder(LocalError):
    """There is no home folder to keep the journal in: HOME is not set, and the system does not know this user.

    Name a folder: --home FOLDER or LOCKLEAF_HOME, for a server --data-dir FOLDER or LOCKLEAF_DATA_DIR.
    """

    exit_code = ExitCode.USAGE


class SyncAlreadyRunning(LocalError):
    """Another program is syncing this profile at the moment. Wait until it has finished."""
