"""Logging in and changing secrets, as far as this device finds out by itself."""

from __future__ import annotations

from lockleaf.client.errors.local import LocalError
from lockleaf.exit_codes import ExitCode

__all__ = [
    "AccountDeleted",
    "AccountHasKeys",
    "AlreadyLoggedIn",
    "HeldHereAlone",
    "InvalidAccountDetail",
    "InvalidDeviceName",
    "InvalidLinkCode",
    "InvalidLoginName",
    "KeysChangedElsewhere",
    "NotLoggedIn",
    "NotYetSynced",
    "PasswordKnown",
    "PasswordNotText",
    "PasswordRequired",
    "PasswordTooWeak",
    "PasswordUnsuitable",
    "RecoveryCodesUnconfirmed",
    "SignedOut",
    "WithoutLinkCodes",
    "WrongPassword",
]


class NotLoggedIn(LocalError):
    """No account is logged in here. Use login, or register to make an account."""

    exit_code = ExitCode.CREDENTIALS
    hint = "lockleaf login --server URL --email you@example.org"


class SignedOut(NotLoggedIn):
    """This device is signed out. Log in again; nothing that you wrote is lost.

    Everything but sync works until then. If the account was deleted elsewhere, an export takes the journal out.
    """

    hint = "lockleaf login"


class HeldHereAlone(LocalError):
    """This device was signed out before, and holds what may be nowhere else. It stays as it was.

    A login opens the journal again after a logout, unless the account was deleted. So log in and sync first, or take
    the journal out with an export.
    """

    exit_code = ExitCode.CONFLICT
    hint = "lockleaf login, then lockleaf sync; or lockleaf export FOLDER"


class AlreadyLoggedIn(LocalError):
    """This profile has an account already. Log out to log in to it again; for another account use another profile."""

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
    """Neither an email address (you@example.org) nor a name. A name has no @, no blank, and at most 254 characters."""

    exit_code = ExitCode.USAGE


class InvalidAccountDetail(LocalError):
    """Invalid detail of the account. Nothing was sent.

    A name has at most 128 characters, all of them printable. A time zone is written as Europe/Berlin, a locale as de
    or de-CH, a time of day as 20:30; a daily goal is a number of words from 0 to 100000.
    """

    exit_code = ExitCode.INPUT


class InvalidDeviceName(LocalError):
    """A device's name has at most 128 characters, all of them printable."""

    exit_code = ExitCode.USAGE


class InvalidLinkCode(LocalError):
    """This is no link code, or not the whole of one: a character is missing or was changed. Copy it again."""

    exit_code = ExitCode.USAGE


class NotYetSynced(LocalError):
    """This device has verified nothing of the account's history yet, so it has nothing to vouch for. Sync first."""


class WithoutLinkCodes(LocalError):
    """In this account the server makes the keys, so that a device has nothing to hold it to. Log in without a code."""
