"""The inbox on this device: what arrived for the account, looked at and decided without a server.

Anybody who knows the account's public recipient can seal to it, the server first of all. So an item is what somebody
says, and becomes an entry only when its user accepts it.
"""

from __future__ import annotations

import asyncio
import builtins
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from lockleaf.client.errors import InboxItemNotFound, InboxItemUnreadable
from lockleaf.client.records.attachments import with_attachments
from lockleaf.client.records.beginnings import one_beginning
from lockleaf.client.records.edits import Edits
from lockleaf.client.records.entries import Entry, draft_content
from lockleaf.client.store import LocalStore
from lockleaf.client.store.inbox_items import StoredInboxItem
from lockleaf.client.store.records import ENTRIES
from lockleaf.crypto.encoding import strict_unpack
from lockleaf.crypto.errors import CryptoError
from lockleaf.crypto.identity import open_sealed
from lockleaf.crypto.keyring import Keyring
from lockleaf.lazy import late

if TYPE_CHECKING:
    import pydantic

    from lockleaf.client.journal import imports
    from lockleaf.wire import inbox as inbox_bodies
else:
    imports = late("lockleaf.client.journal.imports")  # for what is accepted
    # To open what came: how much did is known without.
    pydantic = late("pydantic")
    inbox_bodies = late("lockleaf.wire.inbox")

__all__ = ["Inbox", "InboxItem"]

_PREVIEW = 80


@dataclass(frozen=True, slots=True)
class InboxItem:
    """Something that waits for a decision.

    ``readable`` is False where it does not open with the account's keys or is no entry: it can only be refused, and
    has no text. ``received_at`` is when the server says it came. ``link`` is where it stands at the provider; ``files``
    come with it, and ``missing`` counts those that could not be had. ``authenticated`` is always False: nobody vouches
    for who made it.
    """

    id: str
    provider: str
    received_at: datetime
    readable: bool
    title: str | None = None
    body: str = ""
    mood: str | None = None
    weather: str | None = None
    location: str | None = None
    tags: tuple[str, ...] = ()
    date: str | None = None
    link: str | None = None
    files: int = 0
    missing: int = 0
    authenticated: bool = False

    @property
    def preview(self) -> str:
        """The title, or the first words of the text, in one line."""
        line = " ".join((self.title or self.body).split())
        return line if len(line) <= _PREVIEW else line[: _PREVIEW - 1] + "…"


class Inbox:
    """The items of one profile. What is decided here reaches the server with the next sync.

    Ids may be given by their first characters (at least 4, fitting one item).

    Args:
        store: the local store.
        clock: gives the present time, with a zone.
    """

    def __init__(self, store: LocalStore, *, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._store = store
        self._edits = Edits(store, clock)

    async def list(self) -> builtins.list[InboxItem]:
        """Return what waits, as the last sync found it, oldest first."""
        return await asyncio.to_thread(
            lambda: [_shown(self._store.keyring, item) for item in self._store.inbox.in_state("waiting")]
        )

    async def count(self) -> int:
        """Return how many items wait."""
        return await asyncio.to_thread(self._store.inbox.count)

    async def get(self, item_id: str) -> InboxItem:
        """Return one item.

        Raises:
            InboxItemNotFound: no such item waits here.
        """
        return await asyncio.to_thread(lambda: _shown(self._store.keyring, self._find(item_id)))

    async def accept(self, item_id: str) -> Entry:
        """Make an item an entry of the journal.

        Its id follows from the item, so that two devices which accept it make one entry. An entry that is there already
        stays as it is: if the item has other words, they become a conflict beside it. A deleted entry comes back.

        Raises:
            InboxItemNotFound: no such item waits here.
            InboxItemUnreadable: it does not open, or is no entry.
            InvalidEntry, EntryTooLarge: the journal holds no such entry.
        """
        return await asyncio.to_thread(self._accept, item_id)

    async def refuse(self, item_id: str) -> None:
        """Make nothing of an item; the server deletes it at the next sync.

        Raises:
            InboxItemNotFound: no such item waits here.
        """
        await asyncio.to_thread(self._refuse, item_id)

    def _accept(self, item_id: str) -> Entry:
        with self._store.transaction():
            item = self._find(item_id)
            keyring = self._store.keyring
            opened = _opened(keyring, item)
            content = draft_content(
                body=opened.body,
                title=opened.title,
                mood=opened.mood,
                weather=opened.weather,
                location=opened.location,
                tags=opened.tags,
                date=opened.occurred_at or item.received_at,
                time_zone=opened.time_zone,
                source=opened.provider,
            )
            # Its files lie in the store already, sealed to this account: the entry names them.
            content = with_attachments(content, [each.model_dump() for each in opened.attachments])
            entry_id = _present_id(self._store, opened.provider, opened.external_id)
            record = self._store.records.get(ENTRIES, entry_id)
            if record is None:
                entry = self._edits.insert(entry_id, content)
            elif record.deleted or record.doc is None:
                entry = self._edits.keep(record, content)
            elif all(content.get(name) == record.doc.content.get(name) for name in ("title", "body")):
                entry = self._edits.shown(record)
            else:
                # What it was accepted as before is not known any more, so nothing tells what changed.
                self._edits.settle(record, None, content)
                entry = self._edits.shown(record)
            self._store.inbox.decide(item.item_id, "accepted", entry_id)
            return entry

    def _refuse(self, item_id: str) -> None:
        with self._store.transaction():
            self._store.inbox.decide(self._find(item_id).item_id, "refused")

    def _find(self, item_id: str) -> StoredInboxItem:
        waiting = {item.item_id: item for item in self._store.inbox.in_state("waiting")}
        return waiting[one_beginning(item_id.strip().lower(), waiting, InboxItemNotFound)]


def _present_id(store: LocalStore, provider: str, external_id: str) -> str:
    """Return the id of an accepted item: that of the oldest key under which a record is here, else of the newest.

    So two devices make one entry of it, also where the keys were rotated in between. Deletions count.
    """
    ids = [imports.imported_id(entry.index_key, provider, external_id) for entry in store.keyring.entries]
    present = store.records.existing(tuple(ids))
    return next((each for each in ids if each in present), ids[-1])


def _opened(keyring: Keyring, item: StoredInboxItem) -> inbox_bodies.InboxContent:
    """Return what is inside an item; any of the account's keys, the earlier ones too, may open it."""
    try:
        content = inbox_bodies.InboxContent.model_validate(strict_unpack(open_sealed(keyring.identities, item.item)))
    except (CryptoError, pydantic.ValidationError):
        raise InboxItemUnreadable from None
    if content.provider != item.provider:
        raise InboxItemUnreadable
    return content


def _shown(keyring: Keyring, item: StoredInboxItem) -> InboxItem:
    received_at = datetime.fromisoformat(item.received_at)
    try:
        content = _opened(keyring, item)
    except InboxItemUnreadable:
        return InboxItem(item.item_id, item.provider, received_at, readable=False)
    return InboxItem(
        item.item_id,
        item.provider,
        received_at,
        readable=True,
        title=content.title,
        body=content.body,
        mood=content.mood,
        weather=content.weather,
        location=content.location,
        tags=tuple(content.tags),
        date=content.occurred_at,
        link=content.link,
        files=len(content.attachments),
        missing=content.missing or 0,
    )
