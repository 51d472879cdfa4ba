"""How hard a password is to guess, and a passphrase for who wants a better one.

The estimate is zxcvbn's (Wheeler, USENIX Security 2016): the number of guesses until a good attacker comes to the
password. Why the floor is where it is stands in docs/decisions/0027-a-floor-under-passwords.md.
"""

from __future__ import annotations

import asyncio
import math
import re
import secrets
import threading
from collections.abc import Iterable, Sequence
from functools import lru_cache

from lockleaf.client.errors import PasswordTooWeak
from lockleaf.crypto.normalise import normalise_password

__all__ = ["FEWEST_GUESSES", "PASSPHRASE_BITS", "check_strength", "new_passphrase", "require_strength", "weakness"]

FEWEST_GUESSES = 10**10
"""A password that falls to fewer guesses is refused."""

PASSPHRASE_BITS = 60
"""A suggested passphrase has at least so many random bits."""

_LOOKED_AT = 72
"""Characters that are judged. The estimate takes time that grows faster than the length; a longer password is at least
as strong as its beginning."""

_KNOWN = ("lockleaf", "journal", "diary", "correct horse battery staple", "correcthorsebatterystaple")
"""Guessed before all else by who attacks a journal, beside what is known of its owner."""

_ANYTHING_BUT_WORDS = re.compile(r"[\W_]+")
_one_at_a_time = threading.Lock()


async def require_strength(
    password: str, *, about: Iterable[str | None] = (), allow_weak_password: bool = False
) -> None:
    """Refuse a new password that is too easy to guess; off the event loop. For the arguments see `check_strength`.

    Args:
        allow_weak_password: the caller insists.

    Raises:
        PasswordTooWeak: it says why.
    """
    if not allow_weak_password:
        await asyncio.to_thread(check_strength, password, about)


def check_strength(password: str, about: Iterable[str | None] = ()) -> None:
    """Refuse a new password that falls to fewer than `FEWEST_GUESSES` guesses.

    Args:
        password: as the user types it.
        about: what an attacker knows of its user: email address, name.

    Raises:
        PasswordTooWeak: it says why.
    """
    reason = weakness(password, about)
    if reason is not None:
        raise PasswordTooWeak(reason)


def weakness(password: str, about: Iterable[str | None] = ()) -> str | None:
    """Return why a password is too easy to guess, in a sentence, or None where it is not.

    Args:
        password: as the user types it.
        about: what an attacker knows of its user: email address, name.
    """
    from zxcvbn import zxcvbn  # noqa: PLC0415  (its lists take a while to load: only who sets a password pays)
    from zxcvbn.matching import RANKED_DICTIONARIES  # noqa: PLC0415

    judged = normalise_password(password)[:_LOOKED_AT]
    if not judged:
        return "It is empty."
    with _one_at_a_time:
        # The library keeps what it is told of the user in a variable of its module.
        try:
            found = zxcvbn(judged, user_inputs=_guessed_first(about))
        finally:
            RANKED_DICTIONARIES.pop("user_inputs", None)
    if found["guesses"] >= FEWEST_GUESSES:
        return None
    if any(match.get("dictionary_name") == "user_inputs" for match in found["sequence"]):
        return "It contains your email address, your name, or a word that anybody would try for a journal."
    return str(found["feedback"]["warning"]) or "It is too short, or too regular."


def _guessed_first(about: Iterable[str | None]) -> Sequence[str]:
    known = [text for text in about if text]
    # The part of an address before the @ is a word of its own, with its dots and without them.
    names = [text.partition("@")[0] for text in known]
    joined = [_ANYTHING_BUT_WORDS.sub("", name) for name in names]
    parts = [part for text in known for part in _ANYTHING_BUT_WORDS.split(text)]
    return [*_KNOWN, *known, *(word for word in (*names, *joined, *parts) if len(word) > 2)]


def new_passphrase() -> str:
    """Return a fresh passphrase of random words, with at least `PASSPHRASE_BITS` bits of chance in it."""
    words = _words()
    count = math.ceil(PASSPHRASE_BITS / math.log2(len(words)))
    return " ".join(secrets.choice(words) for _ in range(count))


@lru_cache(maxsize=1)
def _words() -> Sequence[str]:
    """The long list of the Electronic Frontier Foundation: 7,776 English words that are told apart easily."""
    from xkcdpass.xkcd_password import generate_wordlist  # noqa: PLC0415

    return tuple(sorted(generate_wordlist(wordfile="eff-long", min_length=3, max_length=9)))
