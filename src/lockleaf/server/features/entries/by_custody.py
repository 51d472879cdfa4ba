"""Writing an entry in the way that its account asks for: sealed by the client, by the server, or by neither.

What a body must be is known once it is known who sent it: with e2e it is sealed, with uce it is plain fields. In an e2e
account without a keyring it may be fields as they came, of a client that seals by a scheme of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol
from uuid import UUID

from lockleaf.server.features.entries import opaque, plain, purging, sealed
from lockleaf.server.features.entries.service import Entry
from lockleaf.server.identity.custody.caller_records import CallerRecords
from lockleaf.server.platform.errors import contradiction
from lockleaf.server.records.opaque import takes_opaque
from lockleaf.server.records.writer import AccountRecords
from lockleaf.wire.opaque_entries import OpaqueChange, OpaqueCreation

__all__ = ["Sent", "change", "create", "delete", "restore"]


class Sent(Protocol):
    """A body that is read as one of several models; each reading raises where it does not fit."""

    @property
    def fields(self) -> Mapping[str, Any] | None:
        """Its fields as they came; None where it is no map."""

    @property
    def is_empty(self) -> bool:
        """Whether it says nothing."""

    def plain(self) -> Any:
        """Return it as the body of a uce account."""

    def sealed(self) -> Any:
        """Return it as the body of a client that seals as Lockleaf does."""

    def read(self, model: type[Any]) -> Any:
        """Return it as another body."""


async def create(store: CallerRecords, sent: Sent) -> tuple[Entry, bool]:
    """Make an entry, and return it and whether it was made; False where it is known by its ``content_hash``.

    Raises:
        RevisionConflict, PayloadTooLarge, ChangeRejected, ...: as `plain`, `sealed` and `opaque` say.
    """
    if store.principal.custody == "uce":
        return await plain.create(store, sent.plain()), True
    if await _is_opaque(store, sent):
        return await opaque.create(store, sent.read(OpaqueCreation))
    return await sealed.create(store, sent.sealed()), True


async def change(store: CallerRecords, entry_id: UUID, sent: Sent, *, if_match: str | None) -> Entry:
    """Store the next revision of an entry.

    Raises:
        InvalidRequest: the body is about another entry.
        EntryNotFound, RevisionConflict, ...: as `plain`, `sealed` and `opaque` say.
    """
    _require_id(sent, entry_id)
    if store.principal.custody == "uce":
        return await plain.change(store, entry_id, sent.plain(), if_match=if_match)
    if await _is_opaque(store, sent):
        return await opaque.change(store, entry_id, sent.read(OpaqueChange), if_match=if_match)
    return await sealed.change(store, entry_id, sent.sealed(), if_match=if_match)


async def delete(store: CallerRecords, entry_id: UUID, sent: Sent, *, if_match: str | None, permanent: bool) -> Entry:
    """Delete an entry, so that it can be restored, or for good.

    Raises:
        InvalidRequest: for good, where a token alone must not be enough.
        EntryNotFound, RevisionConflict, ...: as `plain`, `sealed` and `opaque` say.
    """
    if permanent:
        await purging.require_allowed(store)
    entry: Entry | None = None
    if store.principal.custody == "uce":
        sent.plain()  # which asks for nothing
        entry = await plain.delete(store, entry_id, if_match=if_match)
    elif sent.is_empty and await opaque.holds(store, entry_id):
        entry = await opaque.delete(store, entry_id, if_match=if_match)
    elif permanent and sent.is_empty:
        entry = await purging.deleted_before(store, entry_id)
    if entry is None:
        entry = await sealed.delete(store, entry_id, sent.sealed(), if_match=if_match)
    return await purging.purge(store, entry, if_match=if_match) if permanent else entry


async def restore(store: CallerRecords, entry_id: UUID, sent: Sent, *, if_match: str | None) -> Entry:
    """Bring a deleted entry back.

    Raises:
        EntryNotFound, EntryPurged, RevisionConflict, ...: as `plain`, `sealed` and `opaque` say.
    """
    if store.principal.custody == "uce":
        sent.plain()  # which asks for nothing
        return await plain.restore(store, entry_id, if_match=if_match)
    if sent.is_empty and await opaque.holds(store, entry_id):
        return await opaque.restore(store, entry_id, if_match=if_match)
    return await sealed.restore(store, entry_id, sent.sealed(), if_match=if_match)


async def _is_opaque(store: AccountRecords, sent: Sent) -> bool:
    """Tell whether an e2e account's client sends fields as they are, and no payload that it sealed as Lockleaf does."""
    if sent.fields is None or "payload" in sent.fields:
        return False
    return "encrypted_content" in sent.fields or await takes_opaque(store.connection, store.user_id)


def _require_id(sent: Sent, entry_id: UUID) -> None:
    for name in ("id", "log_id"):
        given = (sent.fields or {}).get(name)
        if given is not None and _as_id(given) != entry_id:
            raise contradiction(name, "this is another entry than that of the path: an entry keeps its id")


def _as_id(given: object) -> UUID | None:
    try:
        return UUID(given) if isinstance(given, str) else None
    except ValueError:
        return None
