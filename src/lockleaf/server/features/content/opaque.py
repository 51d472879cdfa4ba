"""An entry of an end-to-end encrypted account as it travels, in the form in which it came."""

from __future__ import annotations

from lockleaf.server.features.content import sealed
from lockleaf.server.features.content.common_fields import common_fields
from lockleaf.server.records.diary import Held
from lockleaf.server.records.opaque import opaque_map
from lockleaf.wire.entries import SealedEntry
from lockleaf.wire.opaque_entries import OpaqueEntry

__all__ = ["as_stored", "shown"]


def as_stored(held: Held) -> SealedEntry | OpaqueEntry:
    """Return an e2e account's entry as it travels, in the form in which it came."""
    said = held.last if held.last is not None and not held.record.payload else held.record
    return sealed.shown(held.record) if opaque_map(said.payload) is None else shown(held)


def shown(held: Held) -> OpaqueEntry:
    """Return an entry as it travels: of a deleted one what it held, where that is known."""
    record = held.record
    source = held.last if record.deleted else record
    fields = {"encrypted_content": None, **({} if source is None else opaque_map(source.payload) or {})}
    return OpaqueEntry.model_validate(
        {
            **fields,
            **common_fields(record),
            "source": fields.get("source") or record.source,
        }
    )
