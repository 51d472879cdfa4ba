"""Whether labels leave the account's devices: what is chosen, for all of them, and that it is carried out.

The choice is a sealed record of the account (collection ``x-lockleaf``), so that every device obeys it and no server
can make or undo it: it stands in the verified history. Where two devices chose differently, "off" stands.

Labels are bound by what is sealed, so taking them away, or giving them, is a new revision of each entry. Each device
remembers of each entry whether the server's revision bears labels, and makes that good with the next sync.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

from lockleaf.client.records import preferences
from lockleaf.client.records.merge import Version
from lockleaf.client.store import LocalStore
from lockleaf.wire.content import labelled

__all__ = ["BORNE", "NONE", "WITHHELD", "carry_out", "choose", "is_on", "merge_settings", "state_of"]

_LABELS: Final = "labels"
_PORTION: Final = 200

NONE, BORNE, WITHHELD = 0, 1, 2
"""Of an entry at the server: it has no mood, tag or source; it bears their labels; it has them, and bears no labels."""


def state_of(labels: tuple[bytes, ...], content: dict[str, Any] | None) -> int:
    """Return what the server has of an entry that bears ``labels`` and says ``content`` (None: it is deleted)."""
    if labels:
        return BORNE
    return WITHHELD if content is not None and any(True for _ in labelled(content)) else NONE


def is_on(store: LocalStore) -> bool:
    """Return whether labels leave the account's devices; they do unless somebody chose otherwise."""
    return preferences.chosen(store, _LABELS) != "off"


def choose(store: LocalStore, *, on: bool, now: str) -> None:
    """Make the choice, as an edit that is sent with the next sync."""
    preferences.choose(store, _LABELS, "on" if on else "off", now=now)


def merge_settings(base: Version | None, local: Version, remote: Version) -> Version:
    """Merge two choices: one that did not change gives way, and of two that did "off" stands; lists are joined."""
    if local.content is None or remote.content is None:
        return remote if local.content is None else local
    ours, theirs = local.content.get("value"), remote.content.get("value")
    before = base.content.get("value") if base is not None and base.content is not None else None
    if ours in (theirs, before):
        return remote
    if theirs == before:
        return local
    if isinstance(ours, list) and isinstance(theirs, list):
        return replace(
            local, content={**local.content, "value": theirs + [each for each in ours if each not in theirs]}
        )
    return local if ours == "off" else remote


def carry_out(store: LocalStore, *, on: bool) -> None:
    """Have every entry that bears labels against the choice sealed again; sealed bytes that wait with labels, too."""
    if not on:
        with store.transaction():
            for change in store.outbox.labelled():
                # It may have reached the server: then what is sealed next follows it.
                store.outbox.absorb(change)
    after = ""
    while True:
        with store.transaction():
            portion = store.records.in_label_state(WITHHELD if on else BORNE, _PORTION, after=after)
            for record in portion:
                if record.doc is None:
                    continue
                record.send_as_it_is()
            store.records.put_many(portion)
        if not portion:
            return
        after = portion[-1].record_id
