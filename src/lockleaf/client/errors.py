"""Every error of the SDK, in one tree under `LockleafError`.

- `ApiError`: what the server refused; one subclass for each error code, in `lockleaf.client.refusals`.
- `TransportError`: the way to the server.
- `IntegrityError`: the server, or somebody on the way, is not honest. Nothing of its answer was taken over.
- `LocalError`: this machine.

The docstring of a class is the message that a person reads: what happened, what it means, what to do. Messages hold
no content, email address, token or key.
"""

from __future__ import annotations

from lockleaf.client.refusals import (
    AlreadyCounted,
    ApiError,
    BackupConflict,
    BatchRefused,
    BodyTooLarge,
    ChangeNotAccepted,
    ChangeRejected,
    CheckpointOutdated,
    ConflictResolved,
    ConsentRequired,
    ContentRequired,
    ContentUnreadable,
    CustodyRequired,
    DatabaseBusy,
    DatabaseUnavailable,
    EmailTaken,
    EntryDeleted,
    EntryPurged,
    EpochChanged,
    EvaluationUnavailable,
    HeKeyRequired,
    IdTaken,
    InboxFull,
    InsufficientScope,
    InternalError,
    InvalidCiphertext,
    InvalidCredentials,
    InvalidCursor,
    InvalidHePublicKey,
    InvalidRecipient,
    InvalidRecordId,
    InvalidRecoveryCode,
    InvalidRecoveryToken,
    InvalidRequest,
    InvalidSignature,
    KeyDerivationRequired,
    KeyringConflict,
    KeyringRequired,
    KeysRequired,
    LockleafError,
    MalformedBody,
    MalformedPayload,
    MethodNotAllowed,
    MetricIdTaken,
    NoMetrics,
    NotAcceptable,
    NotAuthenticated,
    NotFound,
    ParentMismatch,
    PayloadTooLarge,
    PreconditionFailed,
    RecipientRequired,
    RefreshTokenReused,
    RevisionConflict,
    RevisionNotFound,
    RevisionRequired,
    RouteNotFound,
    SecretKeyReceived,
    SessionRevoked,
    SquaresRequired,
    StorageFull,
    TierRequired,
    TokenExpired,
    TokenInvalid,
    TooManyRequests,
    TooManyStreams,
    TooManyValues,
    UnsupportedMediaType,
    UnsupportedOperation,
    VersionConflict,
    WeightsMismatch,
    WrongDoor,
    error_for,
)

__all__ = [
    "AccountMismatch",
    "AlreadyCounted",
    "AlreadyLoggedIn",
    "ApiError",
    "ArchiveNotBegun",
    "BackupConflict",
    "BatchRefused",
    "BodyTooLarge",
    "ChangeNotAccepted",
    "ChangeRejected",
    "CheckpointOutdated",
    "ConflictNotFound",
    "ConflictResolved",
    "ConsentRequired",
    "ContentRequired",
    "ContentUnreadable",
    "CustodyMismatch",
    "CustodyRequired",
    "DatabaseBusy",
    "DatabaseUnavailable",
    "DiskFull",
    "EmailTaken",
    "EntryDeleted",
    "EntryNotFound",
    "EntryPurged",
    "EntryTooLarge",
    "EpochChanged",
    "EvaluationUnavailable",
    "HeKeyRequired",
    "HistoryForked",
    "IdTaken",
    "InboxFull",
    "InboxItemNotFound",
    "InboxItemUnreadable",
    "InsecureServer",
    "InsufficientScope",
    "IntegrityError",
    "InternalError",
    "InvalidAnswer",
    "InvalidCiphertext",
    "InvalidCredentials",
    "InvalidCursor",
    "InvalidDeviceName",
    "InvalidEmail",
    "InvalidHePublicKey",
    "InvalidProfileName",
    "InvalidRecipient",
    "InvalidRecordId",
    "InvalidRecoveryCode",
    "InvalidRecoveryToken",
    "InvalidRequest",
    "InvalidServerAddress",
    "InvalidSignature",
    "InvalidTag",
    "KdfWeakened",
    "KeyDerivationRequired",
    "KeySubstituted",
    "KeychainUnavailable",
    "KeyringConflict",
    "KeyringMissing",
    "KeyringRequired",
    "KeyringRolledBack",
    "KeysChangedElsewhere",
    "KeysRequired",
    "LocalError",
    "LocalStoreError",
    "LockleafError",
    "MalformedBody",
    "MalformedImport",
    "MalformedPayload",
    "MethodNotAllowed",
    "MetricIdTaken",
    "MetricKeyRolledBack",
    "MetricsOff",
    "MetricsOutdated",
    "MetricsUnreadable",
    "NoMetrics",
    "NotAcceptable",
    "NotAuthenticated",
    "NotFound",
    "NotLoggedIn",
    "ParentMismatch",
    "PasswordUnsuitable",
    "PayloadTooLarge",
    "PreconditionFailed",
    "ProfileDamaged",
    "ProfileNotFound",
    "RecipientRequired",
    "RecoveryCodesUnconfirmed",
    "RefreshTokenReused",
    "RevisionConflict",
    "RevisionNotFound",
    "RevisionRequired",
    "RouteNotFound",
    "SealBroken",
    "SecretKeyReceived",
    "ServerEmptied",
    "ServerRestored",
    "ServerUnreachable",
    "SessionRevoked",
    "SquaresRequired",
    "StorageFull",
    "StoreDamaged",
    "StoreLocked",
    "SyncAlreadyRunning",
    "TagNotFound",
    "TierRequired",
    "TokenExpired",
    "TokenInvalid",
    "TooManyRequests",
    "TooManyStreams",
    "TooManyValues",
    "TransportError",
    "UnsupportedMediaType",
    "UnsupportedOperation",
    "VersionConflict",
    "WeightsMismatch",
    "WrongDoor",
    "WrongPassword",
    "error_for",
]


# ---- the way to the server ---------------------------------------------------------------------------------------


class TransportError(LockleafError):
    """The conversation with the server failed."""


class InvalidServerAddress(TransportError):
    """The server's address is not a URL such as https://journal.example.org."""


class ServerUnreachable(TransportError):
    """The server cannot be reached. What you wrote is kept on this device; check the address and the network."""


class InvalidAnswer(TransportError):
    """The server's answer is not one that a Lockleaf server gives. Check the server's URL, and proxies on the way."""


class ArchiveNotBegun(TransportError):
    """The server has not begun to make the archive. Nothing was written; it is still to be made, so ask again later.

    If that lasts, no worker runs beside the server: its operator starts one with `lockleaf worker`.
    """


class InsecureServer(TransportError):
    """The server's address begins with http://, so anybody on the way could read the session and change answers.

    Use https://. Plain http is for this machine alone (localhost), unless you allow it explicitly.
    """


# ---- a server, or somebody on the way, that is not honest --------------------------------------------------------


class IntegrityError(LockleafError):
    """The server's answer contradicts what this device knows. Nothing of it was taken over."""


class HistoryForked(IntegrityError):
    """The server's history is not the one that this device, or another device of yours, has seen.

    Changes were dropped, altered, replayed or reordered. What you wrote on this device is untouched, and nothing more
    is sent. Do not trust this server until its operator has explained it. See first whether your other devices still
    sync: if they all do, only what this device remembers is at odds. Then keep a copy of what was never synced here,
    log out and forget the journal on this device, and log in again.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class SealBroken(IntegrityError):
    """The server gave sealed bytes that your keys do not open, or not as this.

    They were altered, or stand in a place where you did not put them. Nothing was taken over; do not trust this
    server until its operator has explained it.
    """


class KeyringRolledBack(IntegrityError):
    """The server gave an older keyring than this device has seen.

    Its database may have been restored from an old backup, or somebody wants you to write under a key that you
    have given up. Nothing was taken over; ask the operator.
    """


class MetricKeyRolledBack(IntegrityError):
    """The server gave an older key for encrypted metrics than this device has seen.

    Its database may have been restored from an old backup, or somebody wants you to count under a key that you have
    given up. Nothing was taken over; ask the operator, or use `lockleaf stats rebuild`, which begins anew from the
    entries on this device.
    """


class MetricsUnreadable(IntegrityError):
    """The server's sums are none that your devices can have made: they are wrong, or another device is still counting.

    Sync again, on your other devices too, and ask again. If it stays, `lockleaf stats --local` shows what the entries
    on this device come to, and `lockleaf stats rebuild` has everything counted anew.
    """


class KeyringMissing(IntegrityError):
    """The server gave no keyring for this account, so nothing can be read with it.

    The account was made by a program that keeps its keys to itself, or the server holds the keyring back: log in with
    that program, or ask the operator. Nothing was taken over.
    """


class KdfWeakened(IntegrityError):
    """The server asked to derive your keys in a way that is not safe, or weaker than before.

    Weak parameters make a password easier to guess, and absurd ones stop the device that tries them. Nothing was
    derived; do not log in to this server until its operator has explained it.
    """


class CustodyMismatch(IntegrityError):
    """The account is encrypted in another way than you chose, by what the server says or by what this device remembers.

    The choice is yours alone, made with the account, and is never changed by an answer. Nothing was taken over. If you
    chose rightly, do not trust this server until its operator has explained it.
    """


class KeySubstituted(IntegrityError):
    """The server gave a public key for your account that is not yours.

    Whoever made it could read what others seal to you. Nothing was taken over; do not trust this server.
    """


class AccountMismatch(IntegrityError):
    """The server answered for another account than yours. Nothing of its answer was taken over.

    Check the server's address; if it is right, do not trust this server until its operator has explained it.
    """


class ServerRestored(IntegrityError):
    """The server was restored from an older state and lacks changes that it had confirmed.

    You still have them on this device. If the operator confirms the restore, sync again and accept it: what the
    server lost is sent again, what differs is merged or becomes a conflict, and nothing is deleted.
    """

    def __init__(self, epoch: str, from_seq: int, missing: tuple[tuple[str, str], ...]) -> None:
        super().__init__(f"{len(missing)} records differ")
        self.epoch = epoch
        self.from_seq = from_seq
        self.missing = missing


class ServerEmptied(ServerRestored):
    """The server no longer holds this account's journal: it was deleted there, as happens when the tier is lowered.

    Everything that this device had is still here. If you lowered the privacy tier in between, sync again and accept
    it: what is here is sent again, what other devices have differently is merged or becomes a conflict, and nothing is
    deleted. If you did not, ask the operator.
    """


# ---- this machine ------------------------------------------------------------------------------------------------


class LocalError(LockleafError):
    """Something is not as it should be on this device."""


class NotLoggedIn(LocalError):
    """No account is logged in here. Use login, or register to make an account."""


class AlreadyLoggedIn(LocalError):
    """An account is logged in here already. Log out first, or use another profile."""


class WrongPassword(LocalError):
    """The email address or the password is wrong."""


class PasswordUnsuitable(LocalError):
    """A password has 8 to 1024 characters. Choose another one."""


class KeysChangedElsewhere(LocalError):
    """The keys or the password were changed on another device. Log in again; what you wrote here is still here."""


class RecoveryCodesUnconfirmed(LocalError):
    """The server's answer was lost, so it is not known whether the new recovery codes are in force.

    Make a new set before you rely on any.
    """


class InvalidEmail(LocalError):
    """This is not an email address."""


class InvalidDeviceName(LocalError):
    """A device's name has at most 128 characters, all of them printable."""


class InvalidProfileName(LocalError):
    """A profile's name is 1 to 64 of the characters a-z A-Z 0-9 . _ - and does not begin with a dot."""


class ProfileNotFound(LocalError):
    """There is no profile of this name."""


class ProfileDamaged(LocalError):
    """The file that describes the profile cannot be read. Log in again to make a new one; the journal is not in it."""


class KeychainUnavailable(LocalError):
    """The key of the local journal is not in the keychain.

    Unlock the system's keychain and try again. If the key is gone, log in again: your password brings it back, and
    what you wrote here is still here.
    """


class LocalStoreError(LocalError):
    """The local journal cannot be used."""


class StoreDamaged(LocalStoreError):
    """The file of the local journal is damaged. Keep a copy of it, then log in anew to fetch what the server has."""


class StoreLocked(LocalStoreError):
    """Another program is using the local journal. Close it and try again."""


class DiskFull(LocalStoreError):
    """The disk is full, or takes no more. Nothing was lost that was saved before; make room and try again."""


class SyncAlreadyRunning(LocalError):
    """Another program is syncing this profile at the moment. Wait until it has finished."""


class EntryNotFound(LocalError):
    """There is no such entry on this device, or the beginning of its id fits several."""


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


class InvalidTag(LocalError):
    """This is no tag: a name is one line of at most 200 characters, a colour is written as #0377d2."""


class EntryTooLarge(LocalError):
    """The entry is too long: at most 960 KiB fit into one. Split it."""


class ConflictNotFound(LocalError):
    """There is no such open conflict on this device."""


class InboxItemNotFound(LocalError):
    """No such item waits in the inbox on this device, or the beginning of its id fits several."""


class InboxItemUnreadable(LocalError):
    """The item cannot be accepted: your keys do not open it, or what is inside is no entry. It can be refused."""


class MalformedImport(LocalError):
    """The file to import has a line that cannot be read as an entry. Correct it and import again: nothing doubles."""

    def __init__(self, line: int, detail: str | None = None) -> None:
        super().__init__(f"line {line}: {detail}" if detail else f"line {line}")
        self.line = line
