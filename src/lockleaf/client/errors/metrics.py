"""What a server refuses of encrypted metrics."""

from __future__ import annotations

from lockleaf.client.errors.base import ApiError

__all__ = [
    "AlreadyCounted",
    "ChangeNotAccepted",
    "EvaluationUnavailable",
    "HeKeyRequired",
    "InvalidCiphertext",
    "InvalidHePublicKey",
    "MetricIdTaken",
    "NoMetrics",
    "SecretKeyReceived",
    "SquaresRequired",
    "TooManyValues",
    "UnsupportedOperation",
    "WeightsMismatch",
]


class InvalidHePublicKey(ApiError):
    """The server did not accept the key for encrypted metrics. This program and the server may differ in version."""


class SecretKeyReceived(ApiError):
    """A secret key for metrics was about to be registered with its public half. The server kept nothing of it."""


class HeKeyRequired(ApiError):
    """The server needs a public key for encrypted metrics first. Set the privacy tier on one of your devices."""


class InvalidCiphertext(ApiError):
    """A ciphertext is not one of its parameter set, or was damaged. Nothing was counted; encrypt the value anew."""


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
