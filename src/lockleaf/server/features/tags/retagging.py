"""Giving every entry of a uce account that has a tag another one instead, or none: each is a revision of its own."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Any

from lockleaf.server.features.content import plain
from lockleaf.server.identity.custody.keyrings import ContentUnreadable, OpenedContent, OpenKeyring
from lockleaf.server.records.diary import Wanted
from lockleaf.server.records.writer import AccountRecords
from lockleaf.wire.content import tag_names
from lockleaf.wire.names import distinct_names
from lockleaf.wire.sync import MAX_BATCH_CHANGES, Change, Record

__all__ = ["retag"]


async def retag(store: AccountRecords, keys: OpenKeyring, name: str, new_name: str | None) -> None:
    """Put ``new_name``, or nothing, in place of the tag ``name``, in every entry that is not deleted.

    Page by page, within the transaction of the caller, who holds the lock of the history. Entries that do not open stay
    as they are.

    Raises:
        PayloadTooLarge: an entry with the longer name is too large.
    """
    labels, label = keys.labels([("tag", name)]), keys.label("tag", name)
    after = None
    while True:
        wanted = Wanted(labels=labels, after=after)
        page = await store.page(wanted, limit=MAX_BATCH_CHANGES)
        current = [each.record for each in page.items]
        changes, contents = await asyncio.to_thread(_changes, store, keys, current, label, new_name)
        if changes:
            await store.put_all(changes, within_quota=False, opened=OpenedContent(keys, contents))
        if page.end is None:
            return
        after = page.end


def _changes(
    store: AccountRecords, keys: OpenKeyring, current: list[Record], label: bytes, new_name: str | None
) -> tuple[list[Change], dict[str, dict[str, Any]]]:
    changes = []
    contents = {}
    for record in current:
        try:
            found = keys.open(record)
        except ContentUnreadable:
            continue
        new = {name: value for name, value in found.items() if name != plain.SEEN}
        # Not held to the limits of tags: what another program wrote beyond them is not this request's to refuse.
        kept = [tag if keys.label("tag", tag) != label else new_name for tag in tag_names(found)]
        tags = list(distinct_names(tag for tag in kept if tag is not None))
        if isinstance(found.get("tags"), list):
            del new["tags"]
        if tags:
            new["tags"] = tags
        changes.append(
            store.change(
                record.collection,
                record.record_id,
                record,
                partial(keys.seal, content=new),
                labels=plain.labels_of(keys, new),
                source=record.source,
                occurred_at=record.occurred_at,
            )
        )
        contents[record.record_id] = new
    return changes, contents
