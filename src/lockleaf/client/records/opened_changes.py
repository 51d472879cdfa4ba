"""What a change of the feed holds, for the collections that this program reads; all others stay closed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from lockleaf.client.errors import RetiredKey, UnsealedChange
from lockleaf.client.history.changes import VerifiedChange
from lockleaf.client.history.verification import Chain
from lockleaf.client.records.counted import MARK, Mark, valid
from lockleaf.client.records.foreign import foreign_content
from lockleaf.client.records.sealer import Sealer, resolves_of, sealed_under, writer_of
from lockleaf.client.records.tag_records import well_formed_tag
from lockleaf.client.store.records import ENTRIES, SETTINGS, TAGS
from lockleaf.crypto.history import payload_hash
from lockleaf.crypto.keyring import Keyring

__all__ = ["OPENED", "OpenedChange", "open_change"]

OPENED = frozenset({ENTRIES, SETTINGS, TAGS})
"""The collections whose records are opened, and sealed without exception.

Vault, backups and those of other programs are verified and left alone.
"""

_NOTHING = payload_hash(b"")
"""Of a deletion without a seal, told also where a later revision took its place."""


@dataclass(frozen=True, slots=True)
class OpenedChange:
    """The content of a change, None for a deletion.

    ``usable`` is False for a tag whose name is invalid, or does not belong to its record. ``mark``: what its writer
    counted of it. ``key_id`` is of the key that sealed it; ``device`` and ``written_at`` are its writer's word.
    ``contradicted``: its writer saw another history, and this device's user goes on in spite of that.
    ``resolves``: payload hashes of the conflicts about the record that were decided.
    """

    content: dict[str, Any] | None
    usable: bool = True
    mark: Mark | None = None
    key_id: int = 0
    device: str | None = None
    written_at: str | None = None
    contradicted: bool = False
    resolves: frozenset[bytes] = frozenset()


def open_change(sealer: Sealer, keyring: Keyring, chain: Chain, change: VerifiedChange) -> OpenedChange | None:
    """Return what ``change`` holds, None where it came without content or is not for this program.

    Raises:
        UnsealedChange: it is not sealed at all, so that anybody can have made it.
        SealBroken: it is sealed, and not by this account for this place.
        HistoryForked: its writer saw another history.
        RetiredKey: a retired key sealed it, and it stands after the end of that key.
    """
    if change.collection not in OPENED:
        return None
    if chain.precedes(keyring.first.begins_after, change.epoch, change.seq):
        return _before_the_keys(change)
    if change.record is None:
        if change.payload_hash == _NOTHING:
            raise UnsealedChange(f"change {change.seq}")
        return None
    payload = change.record.payload
    content = sealer.open(
        keyring,
        collection=change.collection,
        record_id=change.record_id,
        revision=change.revision,
        parent=change.parent,
        deleted=change.deleted,
        meta=change.meta,
        payload=payload,
    )
    entry = keyring.get(sealed_under(payload))
    if not chain.may_write(entry, change.epoch, change.seq):
        raise RetiredKey(f"change {change.seq}")
    device, written_at = writer_of(content)
    agrees = chain.check_seen(content.pop("seen", None), change.seq, device)
    resolves = resolves_of(content)
    mark = valid(content.get(MARK)) if change.collection == ENTRIES else None
    usable = change.deleted or change.collection != TAGS or well_formed_tag(entry, change.record_id, content)
    return OpenedChange(
        None if change.deleted else content,
        usable=usable,
        mark=mark,
        key_id=entry.key_id,
        device=device,
        written_at=written_at,
        contradicted=not agrees,
        resolves=resolves,
    )


def _before_the_keys(change: VerifiedChange) -> OpenedChange | None:
    """Return what another application wrote while the account had no keyring: an entry as it came, or a deletion.

    Its tags are names in a form of its own, and stay closed like other programs' collections.
    """
    if change.record is None or change.collection != ENTRIES:
        return None
    return OpenedChange(None if change.deleted else foreign_content(change.record.payload))
