"""An entry of an end-to-end encrypted account as it travels, in the form in which it came."""

from __future__ import annotations

from lockleaf.server.features.content import sealed
from lockleaf.server.features.content.common_fields import common_fields
from lockleaf.server.records.diary import CurrentRecord
from lockleaf.server.records.opaque import opaque_map
from lockleaf.wire.entries import SealedEntry
from lockleaf.wire.opaque_entries import OpaqueEntry

__all__ = ["as_stored", "shown"]


def as_stored(current: CurrentRecord) -> SealedEntry | OpaqueEntry:
    """Return an e2e account's entry as it travels, in the form in which it came."""
    said = current.last if current.last is not None and not current.record.payload else current.record
    return sealed.shown(current.record) if opaque_map(said.payload) is None else shown(current)


def shown(current: CurrentRecord) -> OpaqueEntry:
    """Return an entry as it travels: of a deleted one what it held, where that is known."""
    record = current.record
    source = current.last if record.deleted else record
    fields = {"encrypted_content": None, **({} if source is None else opaque_map(source.payload) or {})}
    return OpaqueEntry.model_validate(
        {
            **fields,
            **common_fields(record),
            "source": fields.get("source") or record.source,
        }
    )
