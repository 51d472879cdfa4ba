"""Who lives in the demonstration, and what they wrote."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

__all__ = ["LETTER", "PASSWORD", "PEOPLE", "WALK", "Page", "Person", "pages"]

PASSWORD = "a demonstration, not a secret"  # noqa: S105  (shown to everybody who runs the demonstration)


WALK = "5eed0a1c-0000-4000-8000-000000000001"
LETTER = "5eed1e77-0000-4000-8000-000000000002"
"""Ids of the entries that have files, so that the tour can name them."""


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody with an account.

    Attributes:
        profiles: their devices, by the names of their profiles.
        about: what there is to see, in one sentence.
    """

    email: str
    display_name: str
    custody: Literal["e2e", "uce"]
    privacy_tier: Literal["local_only", "analytics_sync", "full_sync"]
    profiles: Sequence[str]
    about: str

    @property
    def searches_blindly(self) -> bool:
        """Whether the server keeps an index of keyed digests, which an account of this kind has to ask for."""
        return self.custody == "e2e" and self.privacy_tier == "full_sync"


@dataclass(frozen=True, slots=True)
class Page:
    """An entry to be written, ``days_ago`` days before today.

    ``entry_id`` is its id, if the tour names it; ``files`` are the names of sample files that are attached to it.
    """

    days_ago: int
    title: str
    body: str
    mood: str
    tags: tuple[str, ...]
    entry_id: str | None = None
    files: tuple[str, ...] = ()

    def day(self, today: date) -> date:
        """Return the day that it is about."""
        return today - timedelta(days=self.days_ago)


PEOPLE = (
    Person(
        "ada@demo.example",
        "Ada",
        "e2e",
        "full_sync",
        ("ada-laptop", "ada-phone"),
        "End-to-end encrypted, on two devices: a conflict waits for a decision, something lies in the inbox, and two "
        "entries have files.",
    ),
    Person(
        "ben@demo.example",
        "Ben",
        "uce",
        "full_sync",
        ("ben",),
        "The server opens the content while a session is in use: read and search it with nothing but curl.",
    ),
    Person(
        "cleo@demo.example",
        "Cleo",
        "uce",
        "analytics_sync",
        ("cleo",),
        "Entries stay on the device; only encrypted numbers may leave it.",
    ),
    Person(
        "dora@demo.example",
        "Dora",
        "e2e",
        "local_only",
        ("dora",),
        "An account and nothing else: every word stays on the device.",
    ),
)


def pages(person: Person) -> Sequence[Page]:
    """Return what ``person`` wrote, oldest first."""
    return _PAGES[person.display_name]


_PAGES = {
    "Ada": (
        Page(41, "First frost", "Frost on the allotment. Lifted the last beetroot before breakfast.", "calm",
             ("garden",)),
        Page(20, "Rehearsal", "The second movement holds together now.\nThe slow one does not.", "hopeful",
             ("music", "work")),
        Page(12, "A letter", "A letter from Henrike, six pages, about the house by the canal.", "happy", ("friends",),
             LETTER, ("letter.txt",)),
        Page(5, "Long walk", "Twelve kilometres along the dyke, wind from the side.\nSaw two herons.", "calm",
             ("walks",), WALK, ("herons.png",)),
        Page(1, "Plans for the house", "We will paint the kitchen first.\nThe shelves can wait.", "busy", ("home",)),
    ),
    "Ben": (
        Page(30, "New bicycle", "Blue, second-hand, too tall by a finger's breadth.", "happy", ("town",)),
        Page(9, "Rain", "Read all day. Finished the book about lighthouses.", "calm", ("books",)),
        Page(2, "Market", "Pears, bread, a very small cheese.", "happy", ("town", "food")),
    ),
    "Cleo": (
        Page(6, "Slept badly", "Awake at four. Wrote lists until it was light.", "tired", ("sleep",)),
        Page(3, "Slept well", "Eight hours, no lists.", "calm", ("sleep",)),
    ),
    "Dora": (
        Page(8, "Only here", "This page has never left this machine.", "calm", ("home",)),
    ),
}  # fmt: skip
