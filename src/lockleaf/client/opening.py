"""What a change of the feed holds, for the collections that this program reads; all others stay closed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from lockleaf.client.metrics.marks import MARK, Mark, valid
from lockleaf.client.sealer import Sealer
from lockleaf.client.store.records import ENTRIES, SETTINGS, TAGS
from lockleaf.client.tag_records import legacy_tag, well_formed_tag
from lockleaf.client.verify import Chain, VerifiedChange
from lockleaf.crypto.keyring import Keyring

__all__ = ["OPENED", "Opened", "open_change"]

OPENED = frozenset({ENTRIES, SETTINGS, TAGS})
"""The collections whose records are opened. Vault, backups and those of other programs are verified and left alone."""


@dataclass(frozen=True, slots=True)
class Opened:
    """The content of a change, None for a deletion.

    ``sealed`` tells whether a device of the account (or, with uce, its server in a session) said so. What is not
    sealed, anybody who can write to the server's database can have made. ``usable`` is False for a tag whose name is
    none, or does not belong to its record. ``mark``: what its writer counted of it.
    """

    content: dict[str, Any] | None
    sealed: bool = True
    usable: bool = True
    mark: Mark | None = None


def open_change(sealer: Sealer, keyring: Keyring, chain: Chain, change: VerifiedChange) -> Opened | None:
    """Return what ``change`` holds, None where it came without content or is not for this program.

    Raises:
        SealBroken: it is sealed, and not by this account for this place.
        HistoryForked: its writer saw another history.
    """
    if change.record is None or change.collection not in OPENED:
        return None
    payload = change.record.payload
    if change.deleted and not payload:
        return Opened(None, sealed=False)
    if change.collection == TAGS and not change.deleted and (found := legacy_tag(payload)) is not None:
        return Opened(found, sealed=False, usable=well_formed_tag(keyring, change.record_id, found))
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
    chain.check_seen(content.pop("seen", None), change.seq)
    mark = valid(content.get(MARK)) if change.collection == ENTRIES else None
    if change.deleted:
        return Opened(None, mark=mark)
    usable = change.collection != TAGS or well_formed_tag(keyring, change.record_id, content)
    return Opened(content, usable=usable, mark=mark)
