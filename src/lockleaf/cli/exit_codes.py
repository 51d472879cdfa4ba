"""Exit codes: what a script learns from a command without reading what it says."""

from __future__ import annotations

from enum import IntEnum

__all__ = ["MEANINGS", "ExitCode", "epilog", "exit_code_for"]


class ExitCode(IntEnum):
    """How a command ended."""

    OK = 0
    UNEXPECTED = 1
    USAGE = 2
    CREDENTIALS = 3
    NOT_FOUND = 4
    CONFLICT = 5
    UNREACHABLE = 6
    INTEGRITY = 7
    LOCAL = 8
    INPUT = 9
    INTERRUPTED = 130


MEANINGS: dict[ExitCode, str] = {
    ExitCode.OK: "done",
    ExitCode.UNEXPECTED: "an unexpected error",
    ExitCode.USAGE: "the command was not given rightly",
    ExitCode.CREDENTIALS: "not logged in, locked, or a wrong password or code",
    ExitCode.NOT_FOUND: "no such entry, conflict, device or profile",
    ExitCode.CONFLICT: "the server, or what is there already, refuses",
    ExitCode.UNREACHABLE: "the server cannot be reached, or cannot answer now",
    ExitCode.INTEGRITY: "the server is not honest: nothing was taken over",
    ExitCode.LOCAL: "the journal on this device, its key or the disk",
    ExitCode.INPUT: "a file or text that cannot be read as what it should be",
    ExitCode.INTERRUPTED: "interrupted",
}


def epilog() -> str:
    """Return the exit codes as the last paragraph of ``lockleaf --help``."""
    return "Exit codes: " + "; ".join(f"{code.value} {meaning}" for code, meaning in MEANINGS.items()) + "."


def exit_code_for(error: Exception) -> ExitCode:
    """Return the exit code of an error of the SDK; `ExitCode.UNEXPECTED` for any other exception."""
    from lockleaf.client import errors  # noqa: PLC0415  (only a command that failed pays for it)
    from lockleaf.client.records.entries import InvalidEntry  # noqa: PLC0415

    # The first class that fits decides, so what is special stands before what is general.
    by_class: tuple[tuple[tuple[type[Exception], ...], ExitCode], ...] = (
        (
            (
                errors.InvalidFolder,
                errors.InvalidProfileName,
                errors.InvalidServerAddress,
                errors.InsecureServer,
                errors.NoPlaceForRevisions,
            ),
            ExitCode.USAGE,
        ),
        (
            (
                errors.NotLoggedIn,
                errors.WrongPassword,
                errors.PasswordRequired,
                errors.JournalLocked,
                errors.KeysChangedElsewhere,
                errors.NotAuthenticated,
                errors.InvalidCredentials,
                errors.TokenExpired,
                errors.TokenInvalid,
                errors.SessionRevoked,
                errors.RefreshTokenReused,
                errors.ArchiveCodeUnknown,
                errors.InsufficientScope,
                errors.InvalidRecoveryCode,
                errors.InvalidRecoveryToken,
            ),
            ExitCode.CREDENTIALS,
        ),
        (
            (
                errors.EntryNotFound,
                errors.TagNotFound,
                errors.ConflictNotFound,
                errors.DraftNotFound,
                errors.InboxItemNotFound,
                errors.AttachmentNotFound,
                errors.AttachmentAwaited,
                errors.RevisionMissing,
                errors.ProfileNotFound,
                errors.NotFound,
            ),
            ExitCode.NOT_FOUND,
        ),
        (
            (
                errors.EntryTooLarge,
                errors.ImportRefused,
                errors.InboxItemUnreadable,
                errors.InvalidTag,
                errors.InvalidSearch,
                errors.QueryTooLong,
                errors.AttachmentTooLarge,
                errors.TooManyAttachments,
                errors.InvalidAttachment,
                errors.FileChanged,
                errors.NoSuchFile,
                errors.NotAnArchive,
                errors.ArchiveWithoutKeys,
                errors.PasswordTooWeak,
                errors.InvalidAccountDetail,
                errors.PasswordNotText,
                errors.PasswordUnsuitable,
                InvalidEntry,
            ),
            ExitCode.INPUT,
        ),
        (
            (
                errors.AlreadyLoggedIn,
                errors.AccountDeleted,
                errors.EditConflict,
                errors.SearchLanguageDiffers,
                errors.EntryChanged,
                errors.LabelsBelongToCustody,
                errors.TagChanged,
                errors.ExportRunning,
                errors.NotAnExportFolder,
                errors.OtherExport,
            ),
            ExitCode.CONFLICT,
        ),
        (
            (
                errors.TransportError,
                errors.StoreUnavailable,
                errors.DatabaseUnavailable,
                errors.DatabaseBusy,
                errors.TooManyRequests,
                errors.TooManyStreams,
                errors.InternalError,
                errors.RecoveryCodesUnconfirmed,
            ),
            ExitCode.UNREACHABLE,
        ),
        ((errors.IntegrityError,), ExitCode.INTEGRITY),
        ((errors.ApiError,), ExitCode.CONFLICT),
        ((errors.LocalError,), ExitCode.LOCAL),
    )
    return next((code for classes, code in by_class if isinstance(error, classes)), ExitCode.UNEXPECTED)
