"""Decrypting results, on the client that holds the secret key. What comes out never goes back to a server.

A result together with its ciphertext tells of the noise, and enough of them of the key (Li and Micciancio, "On the
Security of Homomorphic Encryption on Approximate Numbers", 2021). So does whatever a server can see that depends on it
(reaction attacks): fetch everything first, and take only a scale, level and size that you work out yourself.
"""

from __future__ import annotations

from dataclasses import replace

from lockleaf.he.codec import NATIVE, read_ciphertext, write_ciphertext
from lockleaf.he.errors import ImplausibleResult, InvalidCiphertext
from lockleaf.he.keys import SecretKey
from lockleaf.he.layout import DayTotal, Layout
from lockleaf.he.metric_types import MetricType

__all__ = ["decrypt_months", "decrypt_slots", "decrypt_value", "variance"]


def decrypt_slots(
    key: SecretKey,
    data: bytes,
    *,
    largest: float | None = None,
    scale: float | None = None,
    level: int = 0,
    values: int | None = None,
) -> list[float]:
    """Return the numbers in a serialised ciphertext, which may bear another version of SEAL.

    Args:
        key: the secret key.
        data: a ciphertext, or what a server made of some.
        largest: the largest magnitude that makes sense; the set's ``largest_sum`` if it is left out.
        scale: that it must have; the set's own, which sums keep, if it is left out. An average of n has n times that.
        level: at which it must be.
        values: how many slots it must have; any number if it is left out.

    Raises:
        InvalidCiphertext: it is not one of the key's parameter set, or has another scale, level or size. It is not
            decrypted.
        ImplausibleResult: a number is larger than makes sense: it was encrypted under another key, or is wrong.
    """
    import tenseal  # noqa: PLC0415  (heavy)

    ciphertext = read_ciphertext(data, key.parameters, level=None)
    if ciphertext.level != level:
        raise InvalidCiphertext("level")
    if ciphertext.scale != (key.parameters.scale if scale is None else scale):
        raise InvalidCiphertext("scale")
    if values is not None and ciphertext.values != values:
        raise InvalidCiphertext("slots")
    # Another key leaves numbers without measure in every slot: all are looked at, whatever is asked for.
    every = write_ciphertext(replace(ciphertext, values=key.parameters.slots), NATIVE)
    slots: list[float] = tenseal.ckks_vector_from(key.context, every).decrypt()
    bound = key.parameters.largest_sum if largest is None else largest
    if any(not abs(number) <= bound for number in slots):
        raise ImplausibleResult("the result is larger than what was encrypted can add up to")
    return slots[: ciphertext.values]


def decrypt_value(
    key: SecretKey,
    data: bytes,
    kind: MetricType,
    *,
    divisor: float = 1,
    largest: float | None = None,
    scale: float | None = None,
) -> float:
    """Return a sum or an average of single values of a metric.

    Args:
        key: the secret key.
        data: the server's answer.
        kind: the metric.
        divisor: by which the server asks to divide.
        largest: the largest magnitude that makes sense for the number that was encrypted, scaled and undivided.
        scale: that the answer must have, as for slots.

    Raises:
        InvalidCiphertext, ImplausibleResult: as for slots.
    """
    return decrypt_slots(key, data, largest=largest, scale=scale)[0] / kind.factor(key.parameters) / divisor


def decrypt_months(key: SecretKey, data: bytes, layout: Layout) -> dict[tuple[str, int], DayTotal]:
    """Return what a month's accumulator, or a sum of some, holds by metric and day of the month.

    Raises:
        InvalidCiphertext: it is not one of the key's parameter set.
        ImplausibleResult: it is wrong, or of another key or layout.
        ValueError: the layout is of another parameter set.
    """
    if layout.parameters != key.parameters:
        raise ValueError("the layout is of another parameter set")
    return layout.read(decrypt_slots(key, data, values=layout.width))


def variance(total: float, squares: float, count: int) -> float:
    """Return the variance of ``count`` values from their sum and the sum of their squares; noise makes none negative.

    Raises:
        ImplausibleResult: there are no values.
    """
    if count < 1:
        raise ImplausibleResult("there are no values")
    return max(0.0, squares / count - (total / count) ** 2)
