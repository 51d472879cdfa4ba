"""The second factor of an account: what the server asks for, and who answers."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

from pydantic import ValidationError

from lockleaf.client.errors import ApiError, InvalidAnswer, InvalidFactor, SecondFactorRequired
from lockleaf.wire.factors import FactorAnswer, FactorChallenge

__all__ = ["Answering", "FactorQuestion", "SecondFactor", "answered"]

T = TypeVar("T")


@dataclass(frozen=True)
class FactorQuestion:
    """A server asks for the second factor of an account, having found its secret right.

    Args:
        server: the server's URL, as this device knows it.
        kinds: with what it may be answered: ``totp`` (six digits of an app), ``code`` (a factor code).
        refused: whether the answer before this one was wrong.
    """

    server: str
    kinds: tuple[str, ...]
    refused: bool
    challenge: str = field(repr=False)


SecondFactor = Callable[[FactorQuestion], str | Awaitable[str | None] | None]
"""Answers a question with the text of a code; None gives up, and the server's refusal is raised."""


class Answering(Protocol):
    """A way to a server, with whoever answers where it asks for a second factor."""

    @property
    def server(self) -> str:
        """The server's URL."""

    @property
    def second_factor(self) -> SecondFactor | None:
        """Who answers; nobody if None."""


async def answered(transport: Answering, send: Callable[[FactorAnswer | None], Awaitable[T]]) -> T:
    """Send a request, and where the server asks for the second factor, send it again with that.

    Args:
        transport: the way that ``send`` takes.
        send: sends the request with an answer, or without.

    Raises:
        SecondFactorRequired, InvalidFactor: nobody answers, or nobody any more.
        ApiError, TransportError: as ``send`` does.
    """
    answer = None
    while True:
        try:
            return await send(answer)
        except (SecondFactorRequired, InvalidFactor) as error:
            answer = await _answer(transport.second_factor, transport.server, error)


async def _answer(source: SecondFactor | None, server: str, error: ApiError) -> FactorAnswer:
    """Return the answer to what a refusal asks for, or raise the refusal."""
    if source is None:
        raise error
    try:
        asked = FactorChallenge.model_validate(error.facts)
    except ValidationError:
        raise InvalidAnswer from None
    refused = isinstance(error, InvalidFactor)
    while True:
        given = source(FactorQuestion(server, asked.kinds, refused, asked.challenge))
        code = await given if inspect.isawaitable(given) else given
        if code is None:
            raise error
        try:
            return FactorAnswer(code=code.strip(), challenge=asked.challenge)
        except ValidationError:  # too short or too long to be one: the server need not see it
            refused = True
