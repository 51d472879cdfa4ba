"""This machine."""

from __future__ import annotations

from lockleaf.client.errors.base import LockleafError
from lockleaf.exit_codes import ExitCode

__all__ = [
    "AccountDeleted",
    "AccountHasKeys",
    "AlreadyLoggedIn",
    "ConflictNotFound",
    "DiskFull",
    "DraftNotFound",
    "EditConflict",
    "EntryChanged",
    "EntryNotFound",
    "EntryTooLarge",
    "ImportRefused",
    "InboxItemNotFound",
    "InboxItemUnreadable",
    "InvalidAccountDetail",
    "InvalidDeviceName",
    "InvalidEntry",
    "InvalidFolder",
    "InvalidLinkCode",
    "InvalidLoginName",
    "InvalidProfileName",
    "InvalidTag",
    "JournalLocked",
    "KeychainSilent",
    "KeychainUnavailable",
    "KeysChangedElsewhere",
    "LabelsBelongToCustody",
    "LocalError",
    "LocalStoreError",
    "MetricsOff",
    "MetricsOutdated",
    "NotLoggedIn",
    "NotYetSynced",
    "PasswordKnown",
    "PasswordNotText",
    "PasswordRequired",
    "PasswordTooWeak",
    "PasswordUnsuitable",
    "ProfileDamaged",
    "ProfileNotFound",
    "ReadOnlyFolder",
    "RecoveryCodesUnconfirmed",
    "RevisionMissing",
    "StoreDamaged",
    "StoreLocked",
    "SyncAlreadyRunning",
    "TagChanged",
    "TagNotFound",
    "WithoutLinkCodes",
    "WrongPassword",
]


class LocalError(LockleafError):
    """Something is not as it should be on this device."""

    exit_code = ExitCode.LOCAL


class NotLoggedIn(LocalError):
    """No account is logged in here. Use login, or register to make an account."""

    exit_code = ExitCode.CREDENTIALS
    hint = "lockleaf login --server URL --email you@example.org"


class AlreadyLoggedIn(LocalError):
    """An account is logged in here already. Log out first, or use another profile."""

    exit_code = ExitCode.CONFLICT
    hint = "lockleaf logout, or another profile: lockleaf --profile NAME ..."


class AccountHasKeys(LocalError):
    """This account has keys of its own already, by what the server says or by what this device remembers. Log in."""

    exit_code = ExitCode.CONFLICT
    hint = "lockleaf login --server URL --email you@example.org"


class PasswordKnown(LocalError):
    """The new password is the one that the other application sends to the server, which could open your journal by it.

    Use another one, which never leaves this device.
    """

    exit_code = ExitCode.INPUT


class DraftNotFound(LocalError):
    """There is no such draft on this device, or a program works on it at the moment."""

    exit_code = ExitCode.NOT_FOUND
    hint = "lockleaf drafts shows the ids"


class AccountDeleted(LocalError):
    """The account is deleted, so no login could open the journal on this device again after a logout.

    It stays as it is: read it, write in it, or take it elsewhere with an export. Lock it instead of logging out.
    """

    exit_code = ExitCode.CONFLICT
    hint = "lockleaf export FOLDER takes everything out; lockleaf lock locks it"


class WrongPassword(LocalError):
    """Wrong email address or name, or wrong password."""

    exit_code = ExitCode.CREDENTIALS
    hint = "lockleaf recovery use, if the password is lost"


class PasswordNotText(LocalError):
    """The password is not text in UTF-8. It may come from a file in another encoding: convert it first."""

    exit_code = ExitCode.INPUT


class PasswordRequired(LocalError):
    """This deletes what the server holds, so it needs the account's password. Try again with it; nothing is lost."""

    exit_code = ExitCode.CREDENTIALS


class PasswordUnsuitable(LocalError):
    """A password has 8 to 1024 characters. Choose another one."""

    exit_code = ExitCode.INPUT


class PasswordTooWeak(LocalError):
    """This password is too easy to guess, and it is all that protects your journal if the server's database is stolen.

    Use several words that have nothing to do with each other.
    """

    exit_code = ExitCode.INPUT
    hint = "--allow-weak-password, if you mean it"

    def __init__(self, reason: str | None = None) -> None:
        super().__init__()
        self.reason = reason
        if reason:
            first, rest = str(self).split(". ", 1)
            self.args = (f"{first}. {reason} {rest}",)


class KeysChangedElsewhere(LocalError):
    """The keys or the password were changed on another device. Log in again; what you wrote here is still here."""

    exit_code = ExitCode.CREDENTIALS
    hint = "lockleaf logout, then lockleaf login"


class RecoveryCodesUnconfirmed(LocalError):
    """The server's answer was lost, so it is not known whether the new recovery codes are in force.

    Make a new set before you rely on any.
    """

    exit_code = ExitCode.UNREACHABLE
    hint = "lockleaf recovery new"


class InvalidLoginName(LocalError):
    """Neither an email address nor a name. A name has no @, no blank, and at most 254 characters."""


class InvalidAccountDetail(LocalError):
    """Invalid detail of the account. Nothing was sent.

    A name has at most 128 characters, all of them printable. A time zone is written as Europe/Berlin, a locale as de
    or de-CH, a time of day as 20:30; a daily goal is a number of words from 0 to 100000.
    """

    exit_code = ExitCode.INPUT


class InvalidDeviceName(LocalError):
    """A device's name has at most 128 characters, all of them printable."""


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


class StoreDamaged(LocalStoreError):
    """The file of the local journal is damaged. Log in again: it is set aside, and what the server has is fetched.

    Then repair this device, which takes in what can still be read of the damaged file.
    """

    hint = "lockleaf login, then lockleaf repair"


class StoreLocked(LocalStoreError):
    """Another program is using the local journal. Close it and try again."""


class DiskFull(LocalStoreError):
    """The disk is full, or takes no more. Nothing was lost that was saved before; make room and try again."""


class ReadOnlyFolder(LocalStoreError):
    """The folder of the journal is read-only for you, so nothing was changed.

    Reading works: list, show, search, export. To write or sync, use a folder that you may write to (--home).
    """


class InvalidFolder(LocalError):
    """There is no home folder to keep the journal in: HOME is not set, and the system does not know this user.

    Name a folder: --home FOLDER or LOCKLEAF_HOME, for a server --data-dir FOLDER or LOCKLEAF_DATA_DIR.
    """

    exit_code = ExitCode.USAGE


class SyncAlreadyRunning(LocalError):
    """Another program is syncing this profile at the moment. Wait until it has finished."""


class EntryNotFound(LocalError):
    """There is no such entry on this device, or the beginning of its id fits several."""

    exit_code = ExitCode.NOT_FOUND
    hint = "lockleaf list shows the ids"


class EntryChanged(LocalError):
    """The entry changed since you looked at it, so nothing was done. Look at it again, then decide."""

    exit_code = ExitCode.CONFLICT
    hint = "lockleaf show ID"


class EditConflict(LocalError):
    """The entry changed in the same place since you opened it, or before it was deleted. It stays as it is now.

    Your version is kept as a conflict, and nothing of it is lost. Compare both, then choose one or merge them.
    """

    exit_code = ExitCode.CONFLICT
    hint = "lockleaf conflicts compares both; lockleaf resolve ID local, remote or merged decides"

    def __init__(self, entry_id: str, conflict_id: str) -> None:
        super().__init__()
        self.entry_id = entry_id
        self.conflict_id = conflict_id


class RevisionMissing(LocalError):
    """There is no such revision of this entry, or the server does not keep it any more. Check the list of them."""

    exit_code = ExitCode.NOT_FOUND
    hint = "lockleaf history ID shows those that there are"


class MetricsOff(LocalError):
    """The server keeps no sums for this account.

    Use `lockleaf stats --local`, which needs no server, or have it add up encrypted numbers: `lockleaf stats on`.
    """


class MetricsOutdated(LocalError):
    """Another device began to count anew, and this one has not heard of the new key.

    Sync again, then ask again: `lockleaf sync`.
    """


class TagNotFound(LocalError):
    """There is no such tag on this device: no entry has it, and none is kept without one."""

    exit_code = ExitCode.NOT_FOUND
    hint = "lockleaf tags shows them"


class TagChanged(LocalError):
    """The tag changed since you looked at it: its name, its colour, or how many entries have it. Look at it again."""

    exit_code = ExitCode.CONFLICT
    hint = "lockleaf tags"


class LabelsBelongToCustody(LocalError):
    """In this account the server can read while a session is in use, and makes the labels itself.

    Taking them away would hide nothing from it. An end-to-end encrypted account can do without them.
    """

    exit_code = ExitCode.CONFLICT


class InvalidTag(LocalError):
    """This is no tag: a name is one line of at most 200 characters, a colour is written as #0377d2."""

    exit_code = ExitCode.INPUT


class InvalidLinkCode(LocalError):
    """This is no link code, or not the whole of one: a character is missing or was changed. Copy it again."""


class NotYetSynced(LocalError):
    """This device has verified nothing of the account's history yet, so it has nothing to vouch for. Sync first."""


class WithoutLinkCodes(LocalError):
    """In this account the server makes the keys, so that a device has nothing to hold it to. Log in without a code."""


class ImportRefused(LocalError):
    """This cannot be imported, and nothing was."""

    exit_code = ExitCode.INPUT


class InvalidEntry(LocalError):
    """An entry has an invalid field: a date that does not exist, a tag or mood that is empty or too long."""

    exit_code = ExitCode.INPUT


class EntryTooLarge(LocalError):
    """The entry is too long: at most 4,032 KiB fit into one. Split it."""

    exit_code = ExitCode.INPUT


class ConflictNotFound(LocalError):
    """There is no such open conflict on this device."""

    exit_code = ExitCode.NOT_FOUND
    hint = "lockleaf conflicts shows the ids"


class InboxItemNotFound(LocalError):
    """No such item waits in the inbox on this device, or the beginning of its id fits several."""

    exit_code = ExitCode.NOT_FOUND
    hint = "lockleaf inbox shows the ids"


class InboxItemUnreadable(LocalError):
    """The item cannot be accepted: your keys do not open it, or what is inside is no entry. It stays in the inbox.

    A newer version of this program may open it. If you are sure that you do not want it, refuse it.
    """

    exit_code = ExitCode.INPUT
