"""What encrypted metrics refuse. No fact holds a value, a key or a ciphertext."""

from __future__ import annotations

from lockleaf.server.platform.errors import Busy, Conflict, Invalid, NotFound, Unavailable
from lockleaf.wire.problems import ErrorCode

__all__ = [
    "AlreadyCounted",
    "ChangeNotAccepted",
    "EvaluationUnavailable",
    "EvaluatorsBusy",
    "InvalidCiphertext",
    "MetricIdTaken",
    "MetricNotFound",
    "NoMetrics",
    "SealedKeyConflict",
    "SealedKeyNotFound",
    "SquaresRequired",
    "TooManyValues",
    "UnsupportedOperation",
    "WeightsMismatch",
]


class InvalidCiphertext(Invalid):
    """A ciphertext is not one of its parameter set. Nothing of the request was counted.

    `item` is its place in the request, `field` which of its ciphertexts it is, and `reason` what is wrong with it.
    """

    code = ErrorCode.INVALID_CIPHERTEXT


class MetricIdTaken(Conflict):
    """A metric of this id was counted before, and it was another one. Nothing of the request was counted.

    `item` is its place in the request.
    """

    code = ErrorCode.METRIC_ID_TAKEN


class ChangeNotAccepted(Conflict):
    """A delta names changes that the server has not accepted. Nothing of the request was counted.

    Push them first. `changes` names them, each with the place of its delta in the request (`item`).
    """

    code = ErrorCode.CHANGE_NOT_ACCEPTED


class AlreadyCounted(Conflict):
    """Changes of a delta were counted before, perhaps by another device. Nothing of the request was counted.

    `changes` names them, each with the place of its delta in the request (`item`). Make the deltas without them.
    """

    code = ErrorCode.ALREADY_COUNTED


class TooManyValues(Invalid):
    """More than `most` would be added up: beyond it the result could be wrong without a sign. Ask for less at once.

    `count` says how many there are.
    """

    code = ErrorCode.TOO_MANY_VALUES


class UnsupportedOperation(Invalid):
    """The parameter set cannot do this. `operations` lists what it can."""

    code = ErrorCode.UNSUPPORTED_OPERATION


class WeightsMismatch(Invalid):
    """There are not as many weights as values in the range, which `count` says."""

    code = ErrorCode.WEIGHTS_MISMATCH


class SquaresRequired(Conflict):
    """Not every value in the range has a square, and a variance needs them.

    Upload metrics with `encrypted_square`, or register a public key with relinearisation keys before you upload them.
    """

    code = ErrorCode.SQUARES_REQUIRED


class NoMetrics(NotFound):
    """There is no value to compute with in this range."""

    code = ErrorCode.NO_METRICS


class MetricNotFound(NotFound):
    """There is no such metric in this account. A delta is not kept: take it back by one of the opposite sign."""

    code = ErrorCode.NOT_FOUND


class SealedKeyNotFound(NotFound):
    """No secret key of this parameter set is kept for the account's devices."""

    code = ErrorCode.NOT_FOUND


class SealedKeyConflict(Conflict):
    """Another device has stored a key meanwhile: version `current_version`. Fetch it, and use or follow that one."""

    code = ErrorCode.VERSION_CONFLICT


class EvaluatorsBusy(Busy):
    """Too much is being computed. Nothing was done; wait as long as `Retry-After` says."""

    code = ErrorCode.TOO_MANY_REQUESTS


class EvaluationUnavailable(Unavailable):
    """What computes with metrics ended before it answered. Nothing was counted; try again, with less at once."""

    code = ErrorCode.EVALUATION_UNAVAILABLE
