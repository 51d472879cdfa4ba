"""The second factor of an account: what the server asks for, and who answers."""

from __future__ import annotations

import inspect
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol, TypeVar

from lockleaf.client.errors import ApiError, InvalidAnswer, InvalidFactor, SecondFactorRequired
from lockleaf.lazy import late

if TYPE_CHECKING:
    import pydantic

    from lockleaf.wire import factors
else:
    # For who is asked.
    pydantic = late("pydantic")
    factors = late("lockleaf.wire.factors")

__all__ = ["Answering", "FactorQuestion", "SecondFactor", "answered"]

T = TypeVar("T")


@dataclass(frozen=True)
class FactorQuestion:
    """A server asks for the second factor of an account, having found its secret right.

    Args:
        server: the server's URL, as this device knows it.
        kinds: with what it may be answered: ``totp`` (six digits of an app), ``passkey``, ``code`` (a factor code).
        refused: whether the answer before this one was wrong.
        rp_id, credentials: where a passkey may answer, what it is bound to, and which there are; see `SecurityKey`.
    """

    server: str
    kinds: tuple[str, ...]
    refused: bool
    challenge: str = field(repr=False)
    rp_id: str | None = None
    credentials: tuple[bytes, ...] = ()


class SecondFactor(Protocol):
    """Answers a question with the text of a code or what a passkey signed; None gives up: the refusal is raised."""

    def __call__(
        self, question: FactorQuestion, /
    ) -> str | factors.PasskeyAssertion | Awaitable[str | factors.PasskeyAssertion | None] | None:
        """Return the answer, or what is waited for until there is one."""


class Answering(Protocol):
    """A way to a server, with whoever answers where it asks for a second factor."""

    @property
    def server(self) -> str:
        """The server's URL."""

    @property
    def second_factor(self) -> SecondFactor | None:
        """Who answers; nobody if None."""


async def answered(transport: Answering, send: Callable[[factors.FactorAnswer | None], Awaitable[T]]) -> T:
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


async def _answer(source: SecondFactor | None, server: str, error: ApiError) -> factors.FactorAnswer:
    """Return the answer to what a refusal asks for, or raise the refusal."""
    if source is None:
        raise error
    try:
        asked = factors.FactorChallenge.model_validate_json(json.dumps(error.facts))
    except pydantic.ValidationError:
        raise InvalidAnswer from None
    refused = isinstance(error, InvalidFactor)
    where = (None, ()) if asked.passkey is None else (asked.passkey.rp_id, asked.passkey.credentials)
    while True:
        given = source(FactorQuestion(server, asked.kinds, refused, asked.challenge, *where))
        answer = await given if inspect.isawaitable(given) else given
        if answer is None:
            raise error
        try:
            if isinstance(answer, factors.PasskeyAssertion):
                return factors.FactorAnswer(passkey=answer, challenge=asked.challenge)
            return factors.FactorAnswer(code=answer.strip(), challenge=asked.challenge)
        except pydantic.ValidationError:  # too short or too long to be one: the server need not see it
            refused = True
