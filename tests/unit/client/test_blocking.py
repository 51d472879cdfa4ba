import inspect
from typing import Any

import pytest

from lockleaf.client import (
    AccountService,
    BlockingAccount,
    BlockingClient,
    BlockingFactors,
    BlockingInbox,
    BlockingJournal,
    BlockingMedia,
    BlockingMetrics,
    BlockingPrivacy,
    BlockingServerSearch,
    BlockingSync,
    Client,
    Factors,
    Inbox,
    Journal,
    Media,
    Metrics,
    PrivacyChoices,
    ServerSearch,
    Sync,
)


def public(kind: type[Any]) -> set[str]:
    return {name for name in dir(kind) if not name.startswith("_")}


PLAIN = [
    (BlockingAccount, AccountService),
    (BlockingFactors, Factors),
    (BlockingJournal, Journal),
    (BlockingInbox, Inbox),
    (BlockingMetrics, Metrics),
    (BlockingServerSearch, ServerSearch),
]


@pytest.mark.parametrize(("plain", "original"), PLAIN)
def test_the_plain_face_has_every_method_of_the_original(plain: type[Any], original: type[Any]) -> None:
    assert public(plain) == public(original)
    for name in public(plain):
        method = vars(plain)[name]
        assert method._method is inspect.getattr_static(original, name)
        assert method.__doc__ == inspect.getattr_static(original, name).__doc__


def test_the_plain_client_has_everything_of_the_original() -> None:
    parts = {"account", "factors", "inbox", "journal", "media", "metrics", "networks", "privacy", "search", "sync"}
    assert public(Client) - public(BlockingClient) == {"aclose", *parts}
    assert public(BlockingClient) - public(Client) == {"close"}
    assert public(Media) - public(BlockingMedia) == {"carried", "sealed_file"}
    assert public(BlockingPrivacy) == public(PrivacyChoices)
    assert public(BlockingSync) == public(Sync)
    original, plain = inspect.signature(Sync.watch), inspect.signature(BlockingSync.watch)
    assert list(original.parameters) == list(plain.parameters)
