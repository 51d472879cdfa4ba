"""Encrypting values, on the client that holds the secret key."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from lockleaf.he.errors import TooManyValues, ValueOutOfBounds
from lockleaf.he.keys import SecretKey
from lockleaf.he.layout import Delta, Month
from lockleaf.he.metric_types import MetricType

__all__ = ["encrypt_delta", "encrypt_slots", "encrypt_value", "encrypt_values"]


def encrypt_slots(key: SecretKey, slots: Sequence[float], *, largest: float | None = None) -> bytes:
    """Return numbers, one in a slot, as a serialised ciphertext.

    Args:
        key: the secret key.
        slots: the numbers, already scaled; one at least, and as many at most as there are slots. They are repeated
            through the rest of the slots.
        largest: the magnitude that each may have; the parameter set's ``largest`` if it is left out.

    Raises:
        ValueOutOfBounds: one is larger, or no number.
        TooManyValues: there are more than slots.
    """
    parameters = key.parameters
    bound = parameters.largest if largest is None else largest
    if not 1 <= len(slots) <= parameters.slots:
        raise TooManyValues(f"a ciphertext of {parameters.name} holds 1 to {parameters.slots} values")
    if any(not abs(number) <= bound for number in slots):
        raise ValueOutOfBounds(f"{parameters.name} holds values up to {bound:g}")
    import tenseal  # noqa: PLC0415  (heavy)

    serialised: bytes = tenseal.ckks_vector(key.context, list(map(float, slots))).serialize()
    return serialised


def encrypt_value(key: SecretKey, value: float, kind: MetricType) -> bytes:
    """Return one value of a metric as a ciphertext of its own.

    Raises:
        ValueOutOfBounds: it is outside of the metric's limits.
    """
    kind.check(value)
    return encrypt_slots(key, [value * kind.factor(key.parameters)])


def encrypt_values(key: SecretKey, values: Iterable[float], kind: MetricType) -> list[bytes]:
    """Return a batch of values of a metric, each as a ciphertext of its own.

    Raises:
        ValueOutOfBounds: one is outside of the metric's limits; none is encrypted then.
    """
    batch = list(values)
    for value in batch:
        kind.check(value)
    return [encrypt_value(key, value, kind) for value in batch]


def encrypt_delta(key: SecretKey, delta: Delta) -> dict[Month, bytes]:
    """Return a ciphertext for each month that a delta changes.

    Raises:
        ValueOutOfBounds: the values of one day and metric add up to more than a slot of the set sums correctly.
        ValueError: the delta is laid out for another parameter set.
    """
    if delta.layout.parameters != key.parameters:
        raise ValueError("the delta is laid out for another parameter set")
    bound = key.parameters.largest_sum
    return {month: encrypt_slots(key, slots, largest=bound) for month, slots in delta.months().items()}
