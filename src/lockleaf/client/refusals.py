"""What a server refuses: one exception for each error code.

The docstring of a class is the message that a person reads: what happened, what it means, what to do. Messages hold
no content, email address, token or key.
"""

from __future__ import annotations

import inspect
import re
from typing import Any, ClassVar

from lockleaf.wire.problems import ErrorCode, Problem

__all__ = [
    "AlreadyCounted",
    "ApiError",
    "BackupConflict",
    "BatchRefused",
    "BodyTooLarge",
    "ChangeNotAccepted",
    "ChangeRejected",
    "CheckpointOutdated",
    "ConflictResolved",
    "ConsentRequired",
    "ContentRequired",
    "ContentUnreadable",
    "CustodyRequired",
    "DatabaseBusy",
    "DatabaseUnavailable",
    "EmailTaken",
    "EntryDeleted",
    "EntryPurged",
    "EpochChanged",
    "EvaluationUnavailable",
    "HeKeyRequired",
    "IdTaken",
    "InboxFull",
    "InsufficientScope",
    "InternalError",
    "InvalidCiphertext",
    "InvalidCredentials",
    "InvalidCursor",
    "InvalidHePublicKey",
    "InvalidRecipient",
    "InvalidRecordId",
    "InvalidRecoveryCode",
    "InvalidRecoveryToken",
    "InvalidRequest",
    "InvalidSignature",
    "KeyDerivationRequired",
    "KeyringConflict",
    "KeyringRequired",
    "KeysRequired",
    "LockleafError",
    "MalformedBody",
    "MalformedPayload",
    "MethodNotAllowed",
    "MetricIdTaken",
    "NoMetrics",
    "NotAcceptable",
    "NotAuthenticated",
    "NotFound",
    "ParentMismatch",
    "PayloadTooLarge",
    "PreconditionFailed",
    "RecipientRequired",
    "RefreshTokenReused",
    "RevisionConflict",
    "RevisionNotFound",
    "RevisionRequired",
    "RouteNotFound",
    "SecretKeyReceived",
    "SessionRevoked",
    "SquaresRequired",
    "StorageFull",
    "TierRequired",
    "TokenExpired",
    "TokenInvalid",
    "TooManyRequests",
    "TooManyStreams",
    "TooManyValues",
    "UnsupportedMediaType",
    "UnsupportedOperation",
    "VersionConflict",
    "WeightsMismatch",
    "WrongDoor",
    "error_for",
]


class LockleafError(Exception):
    """Something went wrong in Lockleaf."""

    def __init__(self, detail: str | None = None) -> None:
        message = " ".join(inspect.cleandoc(type(self).__doc__ or type(self).__name__).split())
        super().__init__(f"{message} ({detail})" if detail else message)
        self.detail = detail


class ApiError(LockleafError):
    """The server refused the request."""

    by_code: ClassVar[dict[str, type[ApiError]]] = {}

    def __init_subclass__(cls) -> None:
        # The class is named for its code, and a name without a code fails here, at import.
        code = ErrorCode(re.sub(r"(?<!^)(?=[A-Z])", "_", cls.__name__).lower())
        ApiError.by_code[code.value] = cls

    def __init__(self, problem: Problem) -> None:
        # A known code has our own words. The server's words are shown only where there are no others, and never
        # raw: they may come from somebody who would like to write escape sequences to a terminal.
        known = type(self) is not ApiError
        super().__init__(None if known else _printable(f"{problem.code}: {problem.title}. {problem.detail}"))
        self.problem = problem

    @property
    def code(self) -> str:
        """The stable code of the error."""
        return self.problem.code

    @property
    def status(self) -> int:
        """The HTTP status."""
        return self.problem.status

    @property
    def facts(self) -> dict[str, Any]:
        """What the server said beside the standard fields."""
        return dict(self.problem.model_extra or {})


def _printable(text: str) -> str:
    return "".join(c for c in text[:300] if c.isprintable())


def error_for(problem: Problem) -> ApiError:
    """Return the exception of the problem's code; ``ApiError`` itself for a code of a newer server."""
    return ApiError.by_code.get(problem.code, ApiError)(problem)


class InvalidRequest(ApiError):
    """The server did not accept the form of the request. This program and the server may be of different versions."""


class MalformedBody(ApiError):
    """The server could not read the request's body. It may have been damaged on its way; try again."""


class UnsupportedMediaType(ApiError):
    """The server does not read the encoding that was sent. This program and the server may be of different versions."""


class NotAcceptable(ApiError):
    """The server does not write the encoding that was asked for. This program and the server may differ in version."""


class BodyTooLarge(ApiError):
    """The request was larger than the server accepts. Send less at once."""


class RouteNotFound(ApiError):
    """The server does not know this address. Check the server's URL; it may also be older than this program."""


class MethodNotAllowed(ApiError):
    """The server does not do this here. This program and the server may be of different versions."""


class InvalidCursor(ApiError):
    """The place in the list is not known to the server any more. Begin the list again."""


class InvalidRecipient(ApiError):
    """The server refused the account's public encryption key."""


class KeysRequired(ApiError):
    """An end-to-end encrypted account cannot be made without its keys."""


class KeyDerivationRequired(ApiError):
    """The request names a sealed keyring without the parameters by which its key is derived."""


class NotAuthenticated(ApiError):
    """You are not logged in. Log in and try again."""


class InvalidCredentials(ApiError):
    """The email address or the password is wrong."""


class TokenExpired(ApiError):
    """The session has expired. Log in again; nothing that you wrote is lost."""


class TokenInvalid(ApiError):
    """The server does not accept this session. Log in again; nothing that you wrote is lost."""


class SessionRevoked(ApiError):
    """This device was signed out, here or from another device. Log in again; nothing that you wrote is lost."""


class RefreshTokenReused(ApiError):
    """This session was used from two places, so the server ended it. Log in again.

    If you did not copy this profile to another machine, somebody may have stolen it: change your password.
    """


class InsufficientScope(ApiError):
    """This login was not given the right to do that. Log in again without limiting its scope."""


class TierRequired(ApiError):
    """The account's privacy tier keeps this off the server. What you wrote is kept on this device.

    If the server shall hold it too, set a higher tier, and try again.
    """


class CustodyRequired(ApiError):
    """The account's kind of encryption does not allow this."""


class InvalidRecoveryCode(ApiError):
    """The recovery code is wrong, was used before, or belongs to an older set. Check it, or try another one."""


class InvalidRecoveryToken(ApiError):
    """The time to set a new password is over. Start again with a recovery code; the code is not used up yet."""


class InvalidSignature(ApiError):
    """The server could not verify the signature of the new keys."""


class ConsentRequired(ApiError):
    """The server did not take the time of your consent. Check this device's clock, and try again."""


class SecretKeyReceived(ApiError):
    """A key for metrics was about to be registered together with its secret half. The server kept nothing of it."""


class InvalidHePublicKey(ApiError):
    """The server did not accept the key for encrypted metrics. This program and the server may differ in version."""


class NotFound(ApiError):
    """The server does not have what was asked for."""


class EmailTaken(ApiError):
    """There is an account with this email address already. Log in instead."""


class IdTaken(ApiError):
    """The id that was chosen for the account is taken. Try again."""


class KeyringConflict(ApiError):
    """Another device changed the keyring in the meantime. Try again: the new keyring is fetched first."""


class KeyringRequired(ApiError):
    """The account holds a sealed keyring, so new credentials must bring it sealed again."""


class HeKeyRequired(ApiError):
    """The server needs a public key for encrypted metrics first. Set the privacy tier on one of your devices."""


class InvalidCiphertext(ApiError):
    """A ciphertext is none of its parameter set, or was damaged. Nothing was counted; encrypt the value anew."""


class TooManyValues(ApiError):
    """More values would be added up than come out right. Ask for a shorter range."""


class UnsupportedOperation(ApiError):
    """The parameter set of these metrics cannot do this. Metrics under ckks-8192 can."""


class WeightsMismatch(ApiError):
    """There are not as many weights as values in the range: values have come or gone. Count them again."""


class NoMetrics(ApiError):
    """There is no metric of this kind in this range."""


class MetricIdTaken(ApiError):
    """Another metric was counted under this id before. Nothing was counted; send it under a new id."""


class ChangeNotAccepted(ApiError):
    """Metrics were sent for changes that the server does not have. Sync first, then send them again."""


class AlreadyCounted(ApiError):
    """These changes were counted before, perhaps by another device. Nothing was counted twice."""


class SquaresRequired(ApiError):
    """A variance needs the square of every value, and some were uploaded without. Upload squares with the values."""


class EvaluationUnavailable(ApiError):
    """The server could not finish computing with the metrics. Nothing was counted; try again."""


class RecipientRequired(ApiError):
    """The account has no public key that others could seal to, so nothing can be put into its inbox."""


class EpochChanged(ApiError):
    """The server's history goes on from another point: it was restored from a backup, or the account was emptied."""


class CheckpointOutdated(ApiError):
    """The server's history began anew since this device read it. The next sync tells whether it was restored."""


class RevisionConflict(ApiError):
    """Another device changed this in the meantime. Sync, look at both versions, and try again."""


class RevisionRequired(ApiError):
    """The server does not replace anything without being told which revision. This program should have said so."""


class PreconditionFailed(ApiError):
    """Another device changed this in the meantime. Read it again, and decide anew."""


class VersionConflict(ApiError):
    """The vault holds another version than the one that this would follow. Read it, and send the next one."""


class BackupConflict(ApiError):
    """Another device backed up another text under this id. Both are kept; resolve the conflict."""


class ConflictResolved(ApiError):
    """This conflict was resolved already, here or on another device."""


class ContentRequired(ApiError):
    """This choice needs the text that shall be kept."""


class RevisionNotFound(ApiError):
    """The server has no such version of the entry, or no longer."""


class EntryDeleted(ApiError):
    """The entry was deleted, here or on another device. Restore it, then change it."""


class EntryPurged(ApiError):
    """The entry was deleted so long ago that the server no longer has what it held."""


class ContentUnreadable(ApiError):
    """The server could not open this record with the account's keys. It is kept as it is."""


class WrongDoor(ApiError):
    """Records of this collection cannot be written by sync."""


class PayloadTooLarge(ApiError):
    """The record is larger than the server accepts (1 MiB sealed)."""


class MalformedPayload(ApiError):
    """The server did not take the sealed bytes for a record."""


class InvalidRecordId(ApiError):
    """The server refused the record's id."""


class ParentMismatch(ApiError):
    """The change does not follow the version that the server has. Sync and try again."""


class ChangeRejected(ApiError):
    """The server cannot store this change. It is kept on this device."""


class BatchRefused(ApiError):
    """Another change of the same batch was refused, so this one was not written either."""


class TooManyRequests(ApiError):
    """Too many attempts in a short time. Wait a little and try again."""


class TooManyStreams(ApiError):
    """This account listens for news in too many places at once. Close one of them."""


class DatabaseUnavailable(ApiError):
    """The server cannot reach its database at the moment. Nothing that you wrote is lost; try again later."""


class DatabaseBusy(ApiError):
    """The server is too busy at the moment. Nothing that you wrote is lost; try again later."""


class StorageFull(ApiError):
    """The server has no room left. What you wrote is kept on this device; tell whoever runs the server."""


class InboxFull(ApiError):
    """The inbox is full. Accept or refuse what waits there, then there is room again."""


class InternalError(ApiError):
    """The server failed. Nothing that you wrote is lost; try again later, and tell whoever runs the server."""
