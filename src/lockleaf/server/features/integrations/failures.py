"""What may go wrong between us and a network, by what is to be done about it.

The text of none of these holds an address, a token, or a word of a post.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

__all__ = [
    "NetworkFailure",
    "NetworkRefusal",
    "ReconnectNeeded",
    "Throttled",
    "Unanswered",
    "Unintelligible",
    "Unreachable",
    "WorthRetrying",
    "before_publishing",
]


class NetworkFailure(Exception):
    """A call to a network did not come to its end."""

    in_doubt = False
    """Whether the network may have done what was asked all the same."""


class ReconnectNeeded(NetworkFailure):
    """The network does not take the token any more: its user has to connect again."""


class Throttled(NetworkFailure):
    """The network wants fewer calls.

    Args:
        retry_after: seconds until it may be asked again.
    """

    def __init__(self, retry_after: int) -> None:
        self.retry_after = max(1, retry_after)
        super().__init__("the network wants fewer calls")


class NetworkRefusal(NetworkFailure):
    """The network understood the request and will not do it.

    Args:
        status: of its answer.
        network_code: its own number for the reason, if it gave one.
    """

    def __init__(self, status: int, network_code: int | None = None) -> None:
        self.status = status
        self.network_code = network_code
        super().__init__(f"the network refused: {status}/{network_code}")


class Unreachable(NetworkFailure):
    """No connection came about, so nothing was asked."""


class WorthRetrying(NetworkFailure):
    """The network has a trouble of its own.

    Args:
        in_doubt: whether it may have done what was asked all the same.
    """

    def __init__(self, *, in_doubt: bool = True) -> None:
        self.in_doubt = in_doubt
        super().__init__("the network has a trouble of its own")


class Unanswered(NetworkFailure):
    """The request was sent, and no whole answer came."""

    in_doubt = True


class Unintelligible(NetworkFailure):
    """The answer is not what the network's documentation says: a page for people, half a document, too much."""

    in_doubt = True


@contextmanager
def before_publishing() -> Iterator[None]:
    """Leave no doubt about what fails within: it only prepares what another request publishes."""
    try:
        yield
    except NetworkFailure as error:
        if error.in_doubt:
            raise WorthRetrying(in_doubt=False) from None
        raise
