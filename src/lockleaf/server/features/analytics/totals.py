"""Adding up what comes in pieces, in the memory of a few, and asking for so little at once that nobody waits long."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

from lockleaf.server.features.analytics.errors import TooManyValues
from lockleaf.server.features.analytics.evaluators import Evaluators, Form, Sum
from lockleaf.server.features.analytics.ranges import Term
from lockleaf.server.features.analytics.sums import AT_ONCE

__all__ = ["Total", "added", "weighted"]


@dataclass(frozen=True, slots=True)
class Total:
    """A sum, not finished yet.

    Attributes:
        terms: stored ciphertexts, that still have to be added.
        count: how many values they hold.
    """

    terms: list[bytes]
    count: int

    async def finish(
        self, evaluators: Evaluators, operation: str, *, form: Form, divisor: float | None = None
    ) -> bytes:
        """Return the sum as a client reads it."""
        [data] = await evaluators.combine(operation, [Sum(self.terms, divisor=divisor, form=form)])
        return data


async def added(evaluators: Evaluators, operation: str, pieces: AsyncIterator[list[Term]], *, most: int) -> Total:
    """Return the sum of all pieces.

    Raises:
        TooManyValues: they hold more than ``most`` values.
    """
    terms: list[bytes] = []
    count = 0
    async for piece in pieces:
        for term in piece:
            count += term.count
            terms.append(term.ciphertext)
        if count > most:
            raise TooManyValues(count=count, most=most)
        if len(terms) > AT_ONCE:
            terms = await evaluators.combine(operation, [Sum(terms)])
    return Total(terms, count)


async def weighted(
    evaluators: Evaluators, operation: str, pieces: AsyncIterator[list[Term]], weights: Sequence[float]
) -> tuple[Total, Total]:
    """Return the sum of single values times their weights, and their plain sum."""
    heavy: list[bytes] = []
    plain: list[bytes] = []
    count = 0
    async for piece in pieces:
        values = [term.ciphertext for term in piece]
        sums = await evaluators.combine(
            operation, [Sum(values, weights=weights[count : count + len(values)]), Sum(values)]
        )
        heavy.append(sums[0])
        plain.append(sums[1])
        count += len(values)
    return Total(heavy, count), Total(plain, count)
