"""Resolutions of conflicts, as the change that carries one tells every device (PROTOCOL section 5).

A change of a record says which versions of it were decided, by their payload hashes, and later changes repeat that. A
server cannot make that up, so no device depends on what it lists.
"""

from __future__ import annotations

from collections.abc import Set as AbstractSet

from lockleaf.client.store.records import StoredRecord

__all__ = ["carry", "tell_decided"]


def carry(record: StoredRecord, payload_hashes: AbstractSet[bytes]) -> bool:
    """Have the next change of ``record`` say that versions of it were decided; tell whether any of them is new."""
    fresh = payload_hashes - record.resolves
    if fresh:
        record.resolves |= fresh
        record.send_as_it_is()
    return bool(fresh)


def tell_decided(record: StoredRecord, told: AbstractSet[bytes]) -> None:
    """Have a record sent whose content is settled, if its present revision says less than what was ``told`` here.

    Args:
        told: what that revision says.
    """
    if not record.pending and record.resolves - told:
        record.send_as_it_is()
