"""What a server can see of an account, by custody and privacy tier.

In short sentences for a person; docs/explanation/what-the-server-sees.md is the whole.
"""

from __future__ import annotations

from dataclasses import dataclass

from lockleaf.client.disclosure.facts import Visibility
from lockleaf.wire.tiers import PrivacyTier

__all__ = ["Circumstances", "visibility_of"]

_CONTENT = "Text, title, mood, weather, place and tags of your entries, and the names of attached files"
_JOURNAL = "Your entries, tags, attached files and conflicts"


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What decides what a server can see.

    Attributes:
        opened_by_server: the custody is ``uce``.
        labels: labels of mood, tags and source go with each entry.
        dates: date and source of entries written here are shared.
        index: the server keeps a search index.
        networks: a social network is connected.
    """

    tier: PrivacyTier
    opened_by_server: bool
    labels: bool = True
    dates: bool = False
    index: bool = False
    networks: bool = False


def visibility_of(now: Circumstances) -> tuple[Visibility, ...]:
    """Return what the server can see and what it cannot, what matters most first."""
    said = _journal(now) if now.tier == "full_sync" else [_stays(_JOURNAL)]
    return (*said, _numbers(now.tier), *_secrets(now.opened_by_server), *_account())


def _stays(what: str) -> Visibility:
    return Visibility(what, "here", "The privacy tier leaves them on your devices: the server has none of them.")


def _journal(now: Circumstances) -> list[Visibility]:
    sees = [_content(now), _files(now), _search(now)]
    if now.opened_by_server or now.dates:
        why = (
            "With this custody the server sorts by them." if now.opened_by_server else "You share them on this device."
        )
        sees.append(Visibility("Date and source of your entries", "always", why))
    else:
        sees.append(
            Visibility(
                "Date and source of your entries",
                "never",
                "They are within the seal. The server sees when a change reached it, which tells the day of what is "
                "sent as it is written.",
            )
        )
    if now.labels:
        sees.append(
            Visibility(
                "Which entries share a mood, a tag or a source, and how many",
                "always",
                "Each bears labels: keyed digests of 16 bytes, which tell no word. Equal words have equal labels.",
            )
        )
    if now.index:
        sees.append(
            Visibility(
                "Which entries share a word, and how many",
                "always",
                "The search index holds keyed digests of words. They tell no word, but common ones can be guessed from "
                "how often they are used.",
            )
        )
    sees.append(
        Visibility(
            "Size, time and order of changes, and the device of each",
            "always",
            "Sizes are padded, so that they say less. How many entries and tags there are shows too.",
        )
    )
    if now.networks:
        sees.append(
            Visibility(
                "What you publish, and posts that come in",
                "in_use",
                "They pass through it. It keeps the network's access token, sealed under a key of its own.",
            )
        )
    return sees


def _content(now: Circumstances) -> Visibility:
    if now.opened_by_server:
        return Visibility(
            _CONTENT,
            "in_use",
            "The server opens them for a request that carries your session's token, and keeps them sealed otherwise. "
            "Without a token or your password it cannot open them.",
        )
    return Visibility(
        _CONTENT,
        "never",
        "They are sealed on your devices before they are sent. The server has no key that opens them.",
    )


def _files(now: Circumstances) -> Visibility:
    kept = "The server has their size, their media type, the entry of each, and when they were sent and fetched."
    if now.opened_by_server:
        kept = f"It keeps them sealed and opens none, though in your session it has the key that would. {kept}"
    return Visibility("What is in attached files", "never", kept)


def _search(now: Circumstances) -> Visibility:
    if now.opened_by_server:
        return Visibility(
            "What you search for",
            "in_use",
            "Words that are searched for through the server; it neither stores nor logs them. Search on this device "
            "sends none.",
        )
    if now.index:
        return Visibility(
            "What you search for",
            "never",
            "Search on this device sends nothing. Of a search through the server it sees keyed digests, and which "
            "entries hold them.",
        )
    return Visibility("What you search for", "never", "Search runs on this device.")


def _numbers(tier: PrivacyTier) -> Visibility:
    what = "Numbers of your journal, one by one or summed up"
    if tier == "local_only":
        return _stays(what)
    return Visibility(
        what,
        "never",
        "With statistics on, the server adds up ciphertexts, and only your devices open the result. It sees the names "
        "of your own metrics, in which months values lie, and which changes they came from.",
    )


def _secrets(opened_by_server: bool) -> list[Visibility]:
    if opened_by_server:
        return [
            Visibility(
                "Your password",
                "in_use",
                "At sign-up, at each login and where you change it. The server keeps only a hash of it (Argon2id).",
            ),
            Visibility(
                "Your keys and recovery codes",
                "in_use",
                "The server makes them. It opens your keyring for a request that carries your session's token, and "
                "keeps hashes of the codes.",
            ),
        ]
    return [
        Visibility(
            "Your password",
            "never",
            "The server gets a secret derived from it, and keeps only a hash of that (Argon2id).",
        ),
        Visibility(
            "Your keys and recovery codes",
            "never",
            "The server keeps your keyring sealed, and hashes by which it recognises a code.",
        ),
    ]


def _account() -> list[Visibility]:
    return [
        Visibility(
            "Who has the account, and with what",
            "always",
            "Email address or name, display name, time zone, language, preferences; devices by name, sessions, second "
            "factors, and when each was used.",
        ),
        Visibility(
            "Your network address",
            "in_use",
            "While a request lasts, and as a keyed digest while requests are counted. It is not stored; an operator "
            "can have it logged where a login is refused.",
        ),
    ]
