"""A session of two devices or three whose server lies at random, and what has to be true of it whatever was said.

- Nothing that the server says ends in anything but an error with a name, and work on a device never fails of it.
- What a device shows was written by somebody of the account: every line, title, mood and tag, in the entry in which it
  is shown. Nothing is gone that nobody deleted, and no entry goes back to an earlier revision.
- Every text that a device ever held is still to be found on it, but for what its own writer replaced, or decided
  against.
- With an honest server afterwards, each device goes on or stops with an error that names what it was told, and its
  remedy ends that: then both show the same.
"""

from __future__ import annotations

import traceback
from collections import defaultdict
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from lockleaf.client import Client
from lockleaf.client.errors import (
    ConflictNotFound,
    EditConflict,
    EntryChanged,
    HistoryForked,
    IntegrityError,
    LocalError,
    LockleafError,
    ServerRestored,
)
from lockleaf.client.records.entries import Entry
from tests.support.diarist import PASSWORD, Diarist, diarist
from tests.support.lying_server import Lie, LyingServer, lying_server
from tests.support.mutations import Mutates
from tests.support.sentences import tells_what_to_do
from tests.support.three_devices import TAG_NAMES, changed, words_kept, words_of

__all__ = ["Broken", "Told", "lied_to"]

ROUNDS = 8
TAGS = TAG_NAMES[1:]
"""Without two spellings of one name, of which either may stand in the end."""


class Broken(AssertionError):
    """A session in which something was not as it has to be; its message has all that is needed to play it again."""


@dataclass
class Told:
    """How a session went: the lies that were told, and the errors that devices stopped with, by name."""

    lies: list[str] = field(default_factory=list)
    stops: list[str] = field(default_factory=list)
    repairs: int = 0


@dataclass
class _Session:
    """Two devices, what was typed on them, and what each has held."""

    random: Random
    devices: list[Client]
    told: Told
    done: list[str] = field(default_factory=list)
    typed: defaultdict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    deleted: set[str] = field(default_factory=set)
    held: list[set[str]] = field(default_factory=list)
    shown: list[dict[str, int]] = field(default_factory=list)
    replaced: set[str] = field(default_factory=set)
    consents: set[int] = field(default_factory=set)
    words: int = 0

    def word(self, kind: str) -> str:
        """A word that was never written before."""
        self.words += 1
        return f"{kind} of the journal, number {self.words}"

    async def act(self, number: int) -> None:
        """Do something on a device that needs no server."""
        journal = self.devices[number].journal
        entries = await journal.list()
        gone = [entry for entry in await journal.list(include_deleted=True) if entry.deleted]
        conflicts = await journal.conflicts()
        what = self.random.choice(["write", *["edit"] * 4, "delete", "restore", "resolve", "resolve"])
        self.done.append(f"{number} {what}")
        if what == "delete" and entries:
            entry = self.random.choice(entries)
            self.deleted.add(entry.id)
            await journal.delete(entry.id)
        elif what == "restore" and gone:
            # What a device never held of a deleted entry it cannot bring back, and says so.
            with suppress(LocalError):
                await journal.restore(self.random.choice(gone).id)
        elif what == "resolve" and conflicts:
            await self._resolve(number, self.random.choice(conflicts).id)
        elif what == "edit" and entries:
            entry = self.random.choice(entries)
            kind = self.random.choice(["line", "line", "new line", "cut line", "title", "mood", "known tag", "cut tag"])
            fields = changed(entry, kind, self.random.randrange(1, len(TAG_NAMES)), self.word)
            self.typed[entry.id] |= words_of(fields)
            self.replaced |= _words_in(entry) - _words_in(await journal.edit(entry.id, **fields))
        else:
            fields = {"body": "\n".join(self.word("line") for _ in range(3)), "tags": [self.random.choice(TAGS)]}
            entry = await journal.write(**fields)
            self.typed[entry.id] |= words_of(fields)

    async def _resolve(self, number: int, conflict_id: str) -> None:
        journal = self.devices[number].journal
        (conflict,) = [each for each in await journal.conflicts() if each.id == conflict_id]
        choice = self.random.choice(["local", "remote", "merged"])
        text = self.word("line") if choice == "merged" else None
        self.typed[conflict.entry_id] |= {text} - {None}
        if choice == "local" and conflict.local is None:
            self.deleted.add(conflict.entry_id)
        before = await journal.get(conflict.entry_id)
        with suppress(ConflictNotFound, EntryChanged, EditConflict):
            decided = await journal.resolve(conflict_id, choice, merged_body=text)
            # What its user decided against goes from the devices on which it only waited.
            against = _words_in(before) | (_words_in(conflict.local) if conflict.local is not None else set())
            self.replaced |= against - (_words_in(decided) if decided else set())

    def own(self, device: Client) -> None:
        """Have one more device."""
        self.devices.append(device)
        self.held.append(set())
        self.shown.append({})

    async def join(self, person: Diarist, server: str) -> None:
        """Log in on a device that knows nothing yet; where it is refused, it is put away."""
        if len(self.devices) > 2:
            return
        self.done.append("a tablet logs in")
        tablet = await person.open(f"tablet{len(self.done)}")
        try:
            await person.login(tablet, at=server)
        except LockleafError as error:
            self._stopped(error)
        else:
            self.own(tablet)

    async def rotate(self, number: int) -> None:
        """Take a fresh master key, under the same password."""
        self.done.append(f"{number} rotates")
        try:
            await self.devices[number].account.rotate_keyring(PASSWORD)
        except LockleafError as error:
            self._stopped(error)

    def _stopped(self, error: LockleafError) -> None:
        self.told.stops.append(type(error).__name__)
        self.done.append(f"  {type(error).__name__} ...{f'{error}'[-90:]}")
        if isinstance(error, IntegrityError):
            tells_what_to_do(error)

    async def sync(self, number: int, *, consent: bool = False) -> LockleafError | None:
        """Synchronise a device; the error that it stopped with."""
        self.done.append(f"{number} sync{' with consent' if consent else ''}")
        try:
            await self.devices[number].sync(accept_restore=consent)
        except LockleafError as error:
            self._stopped(error)
            return error
        finally:
            if consent:
                self.consents.add(number)
        return None

    async def check(self, number: int) -> None:
        """Hold what a device shows and keeps to what was done."""
        device = self.devices[number]
        entries = await device.journal.list(include_deleted=True)
        for entry in entries:
            invented = _words_in(entry) - self.typed[entry.id] - set(TAGS)
            assert not invented, f"device {number} shows what nobody wrote there: {invented}"
            assert not entry.deleted or entry.id in self.deleted, f"device {number} shows a deletion that nobody made"
        for conflict in await device.journal.conflicts():
            for side in (conflict.local, conflict.remote):
                assert side is None or words_of({"body": side.body}) <= self.typed[conflict.entry_id]
        now = {entry.id: entry.revision for entry in entries}
        before = self.shown[number]
        assert before.keys() <= now.keys(), f"device {number} lost an entry"
        if number not in self.consents:
            back = {id: (before[id], now[id]) for id in before if now[id] < before[id]}
            assert not back, f"device {number} went back: {back}"
        self.shown[number] = now
        kept = words_kept(device.journal._store)
        lost = self.held[number] - kept - self.replaced
        assert not lost, f"device {number} has no longer what it held: {lost}"
        self.held[number] = kept


def _words_in(entry: Entry) -> set[str]:
    return words_of({"title": entry.title, "body": entry.body, "mood": entry.mood, "tags": entry.tags})


async def lied_to(home: Path, server: str, seed: int, *, steps: int = 14) -> Told:
    """Play the session that ``seed`` names: some steps with an honest server, then some with a liar, then honesty.

    Raises:
        Broken: something was not as it has to be.
    """
    random = Random(seed)
    told = Told()
    async with lying_server(server) as liar, diarist(home, server) as person:
        session = _Session(random, [], told)
        lies = Mutates(random, random.choice((0.1, 0.3, 0.6)))
        told.lies = lies.told
        try:
            await _play(session, person, liar, lies, steps)
        except Exception as error:
            trace = "".join(traceback.format_exception(error, limit=-6))
            said = "\n".join(session.done + [f"  told: {lie}" for lie in lies.told])
            raise Broken(f"seed {seed}\n{said}\n{trace}") from error
    return told


async def _play(session: _Session, person: Diarist, liar: LyingServer, lies: Mutates, steps: int) -> None:
    session.own(await person.first("laptop", at=liar.url))
    session.own(await person.another("phone", at=liar.url))
    for _ in range(2):
        await session.act(0)
    for number in (0, 1):
        assert await session.sync(number) is None
        await session.check(number)
    liar.tell(lies)
    for _ in range(steps):
        number = session.random.randrange(len(session.devices))
        match session.random.choices(("act", "sync", "rotate", "join"), (10, 10, 1, 1))[0]:
            case "act":
                await session.act(number)
            case "rotate":
                await session.rotate(number)
            case "join":
                await session.join(person, liar.url)
            case _:
                error = await session.sync(number)
                if isinstance(error, ServerRestored) and session.random.random() < 0.3:
                    await session.sync(number, consent=True)
        await session.check(number)
    sent = b"\n".join(request.body + str(request).encode() for request in liar.seen)
    assert PASSWORD.encode() not in sent
    assert b"of the journal" not in sent
    liar.tell(Lie())
    session.done.append("the truth")
    await _rest(session)


async def _rest(session: _Session) -> None:
    """Synchronise with a server that is honest again, repairing whatever device stops, until both show the same."""
    before: object = None
    for _ in range(ROUNDS):
        ends = [await _come_back(session, number) for number in range(len(session.devices))]
        if before == ends and None not in ends:
            assert all(end == ends[0] for end in ends), f"the devices do not agree: {ends}"
            return
        before = ends
    raise AssertionError(f"the devices do not come to rest: {before}")


async def _come_back(session: _Session, number: int) -> object | None:
    """What a device shows once it has synchronised; None if it stopped, after the remedy that its error names."""
    error = await session.sync(number)
    if error is not None:
        session.done.append(f"{number} repair")
        session.told.repairs += 1
        session.consents.add(number)
        # It stops again for as long as another device still vouches for what it was told.
        with suppress(HistoryForked):
            await session.devices[number].sync.repair(PASSWORD, again=True)
    await session.check(number)
    if error is not None:
        return None
    journal = session.devices[number].journal
    shown = [(each.id, each.title, each.body, each.mood, each.tags) for each in await journal.list()]
    return sorted(shown, key=str), sorted(each.id for each in await journal.conflicts())
