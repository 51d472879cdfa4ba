"""Sealed preferences: what the account's user chose for all devices, which no server can make, read or undo.

Each is a record of the collection ``x-lockleaf`` in the verified history.
"""

from __future__ import annotations

from typing import Final

from lockleaf.client.store import LocalStore
from lockleaf.client.store.records import SETTINGS, Document, StoredRecord

__all__ = ["choose", "choose_locale", "chosen", "locale_of"]

_LOCALE: Final = "locale"
_FIRST_LOCALE: Final = "en"
"""What accounts have until somebody chooses another one."""


def chosen(store: LocalStore, name: str) -> str | None:
    """Return what was chosen for a preference; None where nothing was."""
    record = store.records.get(SETTINGS, name)
    value = None if record is None or record.doc is None or record.deleted else record.doc.content.get("value")
    return value if isinstance(value, str) else None


def choose(store: LocalStore, name: str, value: str, *, now: str) -> None:
    """Make a choice, as an edit that is sent with the next sync.

    Args:
        now: the present time, RFC 3339.
    """
    content = {"type": "setting", "value": value}
    with store.transaction():
        record = store.records.get(SETTINGS, name) or StoredRecord(SETTINGS, name)
        present = None if record.doc is None else record.doc.content
        if present is not None and present.get("value") == value:
            return
        record.send_as_it_is()
        record.doc, record.deleted = Document(content, now, now), False
        store.records.put(record)


def locale_of(store: LocalStore) -> str:
    """Return the locale in whose language words are compared."""
    return chosen(store, _LOCALE) or _FIRST_LOCALE


def choose_locale(store: LocalStore, locale: str, *, now: str) -> None:
    """Choose the locale in whose language words are compared, on all devices; see `choose`."""
    choose(store, _LOCALE, locale, now=now)
