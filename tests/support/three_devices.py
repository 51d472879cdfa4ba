"""Three devices of one account, what their user may do with them, and what has to be true of them in the end.

Every text that is written is a word of its own, so that it can be looked for: a word that the server acknowledged has
to be found there whatever happened afterwards, in a record, in an earlier revision of it, or in a conflict.
"""

from __future__ import annotations

import asyncio
import itertools
import uuid
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import Any

import asyncpg
import httpx

from lockleaf.client.errors import ServerUnreachable, TagNotFound
from lockleaf.client.records.entries import Entry
from lockleaf.client.store import LocalStore
from lockleaf.client.sync.synchroniser import SyncReport
from lockleaf.crypto.envelope import RecordContext, open_record
from lockleaf.crypto.history import meta
from lockleaf.wire.codec import unpack
from lockleaf.wire.names import known_as
from tests.support.journal_devices import JournalDevice, TestAccount
from tests.support.networks import Network
from tests.support.thin_client import ThinClient

__all__ = ["COUNT", "TAG_NAMES", "Household", "changed", "household", "texts_at_the_server", "words_kept", "words_of"]

COUNT = 3
TAG_NAMES = ("sea", "Sea", "sun", "hill")
"""Names that every device may think of; two are one tag."""
COLORS = ("#112233", "#445566")
_ROUNDS = 12


class FailingNetwork(Network):
    """Carries so many requests, and then nothing until it is mended."""

    def __init__(self) -> None:
        super().__init__()
        self.left: int | None = None
        self.loses_answer = False

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if self.left is not None:
            self.left -= 1
            if self.left < 0:
                if self.left == -1 and self.loses_answer:
                    response = await super().handle_async_request(request)
                    await response.aclose()
                raise httpx.ConnectError("the network is down", request=request)
        return await super().handle_async_request(request)


class Household:
    """The devices, the words written on them, and those that were acknowledged."""

    def __init__(self, account: TestAccount, folder: Path, stack: AsyncExitStack, count: int = COUNT) -> None:
        self.account = account
        self.count = count
        self.acknowledged: set[str] = set()
        self.typed: set[str] = set()
        self.ids: list[str] = []
        self._folder = folder
        self._stack = stack
        self._rooms = [AsyncExitStack() for _ in range(count)]
        self._networks: list[FailingNetwork] = []
        self.devices: list[JournalDevice] = []
        self._numbers = itertools.count(1)

    async def move_in(self) -> None:
        """Open every device for the first time."""
        for number, room in enumerate(self._rooms):
            await self._stack.enter_async_context(room)
            await self._open(number)

    async def _open(self, number: int) -> None:
        network = FailingNetwork()
        device = await self._rooms[number].enter_async_context(
            self.account.device(self._folder / f"device{number}", http_transport=network)
        )
        self._networks[number : number + 1] = [network]
        self.devices[number : number + 1] = [device]

    def word(self, kind: str) -> str:
        """A word that was never written before."""
        word = f"{kind}{next(self._numbers)}"
        if kind != "entry":
            self.typed.add(word)
        return word

    async def reopen(self, number: int) -> None:
        """Close a device's store and everything about it, and open it again."""
        await self._rooms[number].aclose()
        await self._open(number)

    async def entry(self, number: int, choice: int, *, deleted: bool = False) -> Entry | None:
        """The entry that ``choice`` falls on among those that the device shows as deleted, or not."""
        shown = {entry.id: entry for entry in await self.devices[number].journal.list(include_deleted=True)}
        known = [shown[id] for id in self.ids if id in shown and shown[id].deleted == deleted]
        return known[choice % len(known)] if known else None

    async def write(self, number: int) -> None:
        """Write an entry of three lines."""
        lines = [self.word("line") for _ in range(3)]
        written = await self.devices[number].journal.write(
            body="\n".join(lines),
            tags=[self.word("tag")],
            date="2026-01-01",
            # Always the same ids: an order that depends on them must not change from one try of an example to the next.
            entry_id=str(uuid.uuid5(uuid.NAMESPACE_OID, self.word("entry"))),
        )
        self.ids.append(written.id)

    async def edit(self, number: int, choice: int, field: str, place: int) -> None:
        """Change one field of an entry as it is now, the body in one line of it."""
        entry = await self.entry(number, choice)
        if entry is None:
            return
        await self.devices[number].journal.edit(entry.id, **self.changed(entry, field, place))

    def changed(self, entry: Entry, field: str, place: int) -> dict[str, Any]:
        """The fields by which an edit changes what its writer saw."""
        return changed(entry, field, place, self.word)

    async def delete(self, number: int, choice: int) -> None:
        """Delete an entry."""
        entry = await self.entry(number, choice)
        if entry is not None:
            await self.devices[number].journal.delete(entry.id)

    async def restore(self, number: int, choice: int) -> bool:
        """Bring a deleted entry back; False if there is none."""
        entry = await self.entry(number, choice, deleted=True)
        if entry is not None:
            await self.devices[number].journal.restore(entry.id)
        return entry is not None

    async def meet(self, numbers: Iterable[int], choice: int, field: str) -> None:
        """Change the same in an entry on several devices that know it alike, and let each synchronise."""
        for number in numbers:
            await self.sync(number)
        for number in numbers:
            await self.edit(number, choice, field, 0)
        for number in numbers:
            await self.sync(number)

    async def resolve(self, number: int, choice: int, version: str) -> bool:
        """Decide one of the open conflicts that a device shows; False if it shows none."""
        journal = self.devices[number].journal
        waiting = sorted(await journal.conflicts(), key=lambda conflict: conflict.entry_id)
        if waiting:
            conflict = waiting[choice % len(waiting)]
            merged = self.word("line") if version == "merged" else None
            await journal.resolve(conflict.id, version, merged_body=merged)
        return bool(waiting)

    async def tag(self, number: int, name: str, other: int) -> None:
        """Change a tag that more than one device may know, or many tags at once."""
        journal = self.devices[number].journal
        with suppress(TagNotFound):
            match name:
                case "recolor":
                    await journal.recolor_tag(TAG_NAMES[other], COLORS[number % 2])
                case "rename":
                    await journal.rename_tag(TAG_NAMES[other], TAG_NAMES[(other + 1) % len(TAG_NAMES)])
                case "remove":
                    await journal.remove_tag(TAG_NAMES[other])
                case "clean up":
                    await journal.clean_up_tags()

    async def sync(self, number: int) -> SyncReport:
        """Synchronise one device, after which nothing waits on it."""
        written = self._unconfirmed(number)
        report = await self.devices[number].sync()
        assert (report.pending, report.rejected) == (0, ())
        for words in written.values():
            self.acknowledged |= words
        return report

    async def sync_cut_short(self, number: int, after: int, *, loses_answer: bool) -> None:
        """Synchronise one device with a network that fails after so many requests."""
        written = self._unconfirmed(number)
        network, store = self._networks[number], self.devices[number].store
        network.left, network.loses_answer = after, loses_answer
        try:
            await self.devices[number].sync()
        except ServerUnreachable:
            pass
        finally:
            network.left = None
        still = self._unconfirmed(number).keys() | store.outbox.of_records(written).keys()
        for key in written.keys() - still:
            self.acknowledged |= written[key]

    async def sync_together(self, numbers: Iterable[int]) -> None:
        """Synchronise several devices at the same time."""
        await asyncio.gather(*(self.sync(number) for number in numbers))

    def _unconfirmed(self, number: int) -> dict[tuple[str, str], set[str]]:
        """The words in each edit that waits on a device."""
        records = self.devices[number].store.records.entries()
        return {record.key: words_of(record.doc.content) for record in records if record.pending and record.doc}

    async def act_at_the_server(self, thin: ThinClient, what: str, choice: int, field: str) -> None:
        """Let a client that keeps nothing do something, which the server acknowledges at once."""
        match what:
            case "write":
                fields: dict[str, Any] = {"content": self.word("line"), "tags": [TAG_NAMES[choice]]}
                self.ids.append(await thin.write(**fields, occurred_at="2026-01-01"))
                self.acknowledged.add(fields["content"])
            case "change":
                if entry := await thin.chosen(choice):
                    fields = self.changed(_as_shown(entry), field, choice)
                    if "body" in fields:
                        fields["content"] = fields.pop("body")
                    await thin.change(entry, **fields)
                    self.acknowledged |= words_of({**fields, "body": fields.pop("content", "")})
            case "delete":
                if entry := await thin.chosen(choice):
                    await thin.step("DELETE", f"/entries/{entry['id']}")
            case "restore":
                if entry := await thin.chosen(choice, deleted="true"):
                    await thin.step("POST", f"/entries/{entry['id']}/restore")
            case version:
                text = self.word("line")
                if await thin.resolve(choice, version, text) and version == "merged":
                    self.acknowledged.add(text)

    async def come_to_rest(self) -> None:
        """Synchronise in turn until no device has anything to tell another; it may not go on for ever."""
        before: object = None
        for _ in range(_ROUNDS):
            reports = [await self.sync(number) for number in range(self.count)]
            ends = [(report.seq, report.head, report.conflicts) for report in reports]
            if before == ends and not any(report.pulled + report.pushed + report.merged for report in reports):
                return
            before = ends
        raise AssertionError("the devices go on telling each other news")

    async def state(self, number: int) -> dict[str, Any]:
        """All that a device shows, without what it may know better than another: what was in deleted entries."""
        journal = self.devices[number].journal
        return {
            "entries": [(*_shown(entry), entry.revision, entry.conflict) for entry in await journal.list()],
            "conflicts": {
                conflict.id: (conflict.entry_id, conflict.device_id, _shown(conflict.local), _shown(conflict.remote))
                for conflict in await journal.conflicts()
            },
            "tags": [(tag.name, tag.color, tag.count) for tag in await journal.tags()],
            "pending": await journal.pending_count(),
        }


def _shown(entry: Entry | None) -> tuple[Any, ...] | None:
    if entry is None or entry.deleted:
        return None
    return (entry.id, entry.date, entry.title, entry.body, entry.mood, entry.tags, entry.time_zone, entry.source)


def _as_shown(item: dict[str, Any]) -> Entry:
    """An entry as the server opened it, in the form in which a device shows one."""
    at = datetime.fromisoformat(item["created_at"])
    names = ("id", "title", "mood", "revision")
    return Entry(
        **{name: item[name] for name in names},
        date=item["occurred_at"] or "",
        body=item["content"] or "",
        tags=tuple(item["tags"]),
        created_at=at,
        updated_at=at,
    )


@asynccontextmanager
async def household(account: TestAccount, folder: Path, *, count: int = COUNT) -> AsyncIterator[Household]:
    """Three devices of ``account``, or ``count``, each with its folder in ``folder``."""
    async with AsyncExitStack() as stack:
        home = Household(account, folder, stack, count)
        await home.move_in()
        yield home


async def texts_at_the_server(database_url: str, account: TestAccount) -> set[str]:
    """Every word in the account's records, earlier revisions and conflicts, opened with its keyring."""
    connection = await asyncpg.connect(database_url)
    try:
        packed = await connection.fetch(
            "SELECT packed FROM records WHERE user_id = $1 UNION ALL SELECT packed FROM revisions WHERE user_id = $1",
            account.user_id,
        )
        refused = await connection.fetch("SELECT * FROM conflicts WHERE user_id = $1", account.user_id)
    finally:
        await connection.close()
    found: set[str] = set()
    for row in packed:
        record = unpack(row["packed"])
        found |= _opened(account, record, record["revision"], record.get("occurred_at"))
    for row in refused:
        found |= _opened(account, dict(row), row["base_revision"] + 1, row["occurred_text"])
    return found


def _opened(account: TestAccount, sealed: dict[str, Any], revision: int, occurred_at: str | None) -> set[str]:
    context = RecordContext(
        account.user_id,
        sealed["collection"],
        sealed["record_id"],
        revision,
        sealed["parent"],
        sealed["deleted"],
        meta(sealed["labels"], sealed.get("source"), occurred_at),
    )
    return words_of(open_record(account.keyring, context, sealed["payload"]))


def words_of(content: dict[str, Any]) -> set[str]:
    """The words in the fields of an entry that these tests write; a tag is the same word in every spelling."""
    named = {content.get("title"), content.get("mood"), *map(known_as, content.get("tags", ()))} - {None}
    return named | set(content.get("body", "").split("\n")) - {""}


def words_kept(store: LocalStore) -> set[str]:
    """The words in a store: in entries, deleted ones too, in replaced texts, in conflicts, decided or not."""
    contents = [record.doc.content for record in store.records.entries(deleted=True) if record.doc is not None]
    contents += [each.content or {} for each in store.conflicts.in_state("open", "resolved", "closed")]
    for record in store.records.entries(deleted=True):
        contents += [text.doc.content for text in store.earlier.of_record(record.record_id)]
    return set().union(*map(words_of, contents))


def changed(entry: Entry, field: str, place: int, word: Callable[[str], str]) -> dict[str, Any]:
    """The fields by which an edit changes what its writer saw; ``word`` gives a new word of a kind."""
    lines, tags = entry.body.split("\n"), list(entry.tags)
    match field:
        case "line":
            lines[place % len(lines)] = word("line")
        case "new line":
            lines.insert(place % (len(lines) + 1), word("line"))
        case "cut line":
            del lines[place % len(lines)]
        case "new tag":
            return {"tags": [*tags, word("tag")]}
        case "known tag":
            return {"tags": [*tags, TAG_NAMES[place]]}
        case "cut tag":
            return {"tags": tags[: place % (len(tags) + 1)]}
        case _:
            return {field: word(field)}
    return {"body": "\n".join(lines)}
