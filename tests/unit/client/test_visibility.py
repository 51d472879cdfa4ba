"""What is said of what a server can see, by custody, tier and what the account has switched."""

from __future__ import annotations

import itertools
from typing import Literal

import pytest

from lockleaf.client.disclosure.visibility import Circumstances, visibility_of

TIERS: tuple[Literal["local_only", "analytics_sync", "full_sync"], ...] = (
    "local_only",
    "analytics_sync",
    "full_sync",
)
CONTENT = "Text, title, mood, weather, place and tags of your entries, and the names of attached files"
DATES = "Date and source of your entries"
SHARED_WORD = "Which entries share a word, and how many"
SHARED_LABEL = "Which entries share a mood, a tag or a source, and how many"


def sights(now: Circumstances) -> dict[str, str]:
    return {each.what: each.seen for each in visibility_of(now)}


@pytest.mark.parametrize(("tier", "by_server"), list(itertools.product(TIERS, (False, True))))
def test_everything_is_said_once_and_why(tier: Literal["full_sync"], by_server: bool) -> None:
    said = visibility_of(Circumstances(tier, by_server, index=True, networks=True))
    assert len({each.what for each in said}) == len(said)
    assert all(each.how.endswith(".") for each in said)


def test_content_and_secrets_are_read_in_use_with_uce_and_never_without() -> None:
    sealed, opened = sights(Circumstances("full_sync", False)), sights(Circumstances("full_sync", True))
    for what in (CONTENT, "Your password", "Your keys and recovery codes", "What you search for"):
        assert (sealed[what], opened[what]) == ("never", "in_use")
    assert sealed["What is in attached files"] == opened["What is in attached files"] == "never"
    assert (sealed[DATES], opened[DATES]) == ("never", "always")


@pytest.mark.parametrize("tier", ["local_only", "analytics_sync"])
def test_below_full_sync_nothing_of_the_journal_is_seen(tier: Literal["local_only", "analytics_sync"]) -> None:
    said = sights(Circumstances(tier, False, dates=True, index=True, networks=True))
    assert said["Your entries, tags, attached files and conflicts"] == "here"
    assert not said.keys() & {CONTENT, DATES, SHARED_WORD, SHARED_LABEL}
    numbers = said["Numbers of your journal, one by one or summed up"]
    assert numbers == ("here" if tier == "local_only" else "never")


def test_what_the_account_switched_is_said() -> None:
    least = sights(Circumstances("full_sync", False, labels=False))
    assert not least.keys() & {SHARED_WORD, SHARED_LABEL, "What you publish, and posts that come in"}
    assert least[DATES] == "never"
    most = sights(Circumstances("full_sync", False, labels=True, dates=True, index=True, networks=True))
    assert [most[what] for what in (SHARED_LABEL, DATES, SHARED_WORD)] == ["always"] * 3
    assert most["What you publish, and posts that come in"] == "in_use"
    assert most[CONTENT] == "never"
