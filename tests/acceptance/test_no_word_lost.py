"""Whatever is done on two devices, and however long an editor stays open meanwhile: no word that was typed is lost.

Each is in an entry, in a revision of one, in a conflict, or in the draft that stays where a text could not be saved.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from lockleaf.client.errors import ConflictNotFound, EditConflict, EntryChanged
from lockleaf.client.journal.revisions import replaced_here
from lockleaf.client.records.entries import Entry, EntryDraft
from lockleaf.client.records.views import Conflict
from tests.support.journal_devices import new_account
from tests.support.process import RunningServer
from tests.support.three_devices import Household, household, texts_at_the_server, words_kept, words_of

DEVICES = 2
THOROUGHLY = os.environ.get("LOCKLEAF_TESTS_THOROUGHLY")
"""Try hundreds of examples instead of the few that are the same in every run; one that fails is then made shorter."""

device = st.integers(0, DEVICES - 1)
choice = st.integers(0, 2)
changed = st.sampled_from(["line", "line", "new line", "cut line", "title", "mood", "new tag", "cut tag"])
version = st.sampled_from(["local", "remote", "merged"])

sync = st.tuples(st.just("sync"), device)
opens = st.tuples(st.just("open the editor"), device, choice)
closes = st.tuples(st.just("close the editor"), device, changed, choice)
action = st.one_of(
    sync,
    sync,
    opens,
    opens,
    closes,
    closes,
    st.tuples(st.just("write"), device),
    st.tuples(st.just("edit"), device, choice, changed, choice),
    st.tuples(st.just("delete"), device, choice),
    st.tuples(st.just("restore"), device, choice),
    st.tuples(st.just("look at a conflict"), device, choice),
    st.tuples(st.just("decide"), device, version),
    st.tuples(st.just("import"), device, choice),
    st.tuples(st.just("tag"), device, st.sampled_from(["rename", "remove"]), choice),
    st.tuples(st.just("bring back"), device, choice, choice),
    st.tuples(st.just("reopen"), device),
)


@dataclass
class Desk:
    """What lies open before the person at each device, and what they typed."""

    home: Household
    editors: dict[int, Entry] = field(default_factory=dict)
    conflicts: dict[int, Conflict] = field(default_factory=dict)
    typed: set[str] = field(default_factory=set)
    drafts: set[str] = field(default_factory=set)

    async def open_editor(self, number: int, chosen: int) -> None:
        """Show an entry in an editor, unless one is open."""
        if number not in self.editors and (entry := await self.home.entry(number, chosen)) is not None:
            self.editors[number] = entry

    async def close_editor(self, number: int, name: str, place: int) -> None:
        """Save what somebody made of the entry as the editor showed it."""
        shown = self.editors.pop(number, None)
        if shown is None:
            return
        fields = self.home.changed(shown, name, place)
        self.typed |= words_of(fields)
        journal = self.home.devices[number].journal
        stands = await journal.get(shown.id)
        try:
            saved = await journal.edit(shown.id, base=shown, **fields)
        except EditConflict as error:
            assert error.conflict_id in {conflict.id for conflict in await journal.conflicts()}
            saved = await journal.get(shown.id)
            assert saved.version == stands.version
        else:
            assert saved.merged or all(_same(getattr(saved, part), value) for part, value in fields.items())
        # What its writer never saw, an edit leaves where it is.
        assert _words_in(stands) - _words_in(shown) <= _words_in(saved)

    async def look(self, number: int, chosen: int) -> None:
        """Show one of the open conflicts."""
        waiting = sorted(await self.home.devices[number].journal.conflicts(), key=lambda each: each.id)
        if waiting:
            self.conflicts[number] = waiting[chosen % len(waiting)]

    async def decide(self, number: int, side: Any) -> None:
        """Decide the conflict that was looked at, perhaps long ago."""
        shown = self.conflicts.pop(number, None)
        if shown is None:
            return
        text = self.home.word("line") if side == "merged" else None
        self.typed |= {text} - {None}
        journal = self.home.devices[number].journal
        try:
            await journal.resolve(shown.id, side, base=shown.remote, merged_body=text)
        except EntryChanged:
            assert side != "merged"
        except EditConflict:
            assert side == "merged"
        except ConflictNotFound:
            # Somebody else decided. The command line leaves the draft, and says where.
            self.drafts |= {text} - {None}

    async def bring_back(self, number: int, chosen: int, which: int) -> None:
        """Take the words of a text that was replaced here."""
        entry = await self.home.entry(number, chosen)
        if entry is None:
            return
        earlier = replaced_here(self.home.devices[number].store, entry.id)
        if earlier:
            await self.home.devices[number].journal.restore(entry.id, revision=earlier[which % len(earlier)])

    async def import_one(self, number: int, which: int) -> None:
        """Import an entry, on one device or on both, once or again."""
        draft = EntryDraft(
            body=f"imported{which}", date="2025-01-01", external_id=f"{which}", provider="jsonl", tags=("sea",)
        )
        await self.home.devices[number].journal.import_entries([draft])
        self.typed.add(draft.body)
        ids = {entry.id for entry in await self.home.devices[number].journal.list() if entry.source == "jsonl"}
        self.home.ids += sorted(ids - set(self.home.ids))

    def kept_here(self) -> set[str]:
        """The words in both stores: in entries, deleted ones too, in replaced texts, in conflicts, decided or not."""
        return set().union(*(words_kept(each.store) for each in self.home.devices))


def _words_in(entry: Entry) -> set[str]:
    return words_of({"title": entry.title, "body": entry.body, "mood": entry.mood, "tags": entry.tags})


def _same(one: Any, other: Any) -> bool:
    return list(one) == list(other) if isinstance(other, list) else one == other


async def do(desk: Desk, step: tuple[Any, ...]) -> None:
    """Do what ``step`` says."""
    home = desk.home
    match step:
        case ("sync", number):
            await home.sync(number)
        case ("open the editor", number, chosen):
            await desk.open_editor(number, chosen)
        case ("close the editor", number, name, place):
            await desk.close_editor(number, name, place)
        case ("write", number):
            await home.write(number)
        case ("edit", number, chosen, name, place):
            await home.edit(number, chosen, name, place)
        case ("delete", number, chosen):
            await home.delete(number, chosen)
        case ("restore", number, chosen):
            await home.restore(number, chosen)
        case ("look at a conflict", number, chosen):
            await desk.look(number, chosen)
        case ("decide", number, side):
            await desk.decide(number, side)
        case ("bring back", number, chosen, which):
            await desk.bring_back(number, chosen, which)
        case ("import", number, which):
            await desk.import_one(number, which)
        case ("tag", number, what, which):
            await home.tag(number, what, which)
        case ("reopen", number):
            await home.reopen(number)
        case _:
            raise AssertionError(step)


@settings(
    max_examples=400 if THOROUGHLY else 15,
    derandomize=not THOROUGHLY,
    phases=[phase for phase in Phase if THOROUGHLY or phase is not Phase.shrink],
    suppress_health_check=[HealthCheck.too_slow],
)
@given(steps=st.lists(action, min_size=8, max_size=40 if THOROUGHLY else 25))
async def test_every_word_that_was_typed_is_somewhere_in_the_end(
    server: RunningServer, database_url: str, tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[Any, ...]]
) -> None:
    account = await new_account(server.url)
    async with household(account, tmp_path_factory.mktemp("desk", numbered=True), count=DEVICES) as home:
        desk = Desk(home)
        await home.write(0)
        await home.come_to_rest()
        for step in steps:
            await do(desk, step)
        # Whoever left an editor open comes back to it.
        for number in range(DEVICES):
            await desk.close_editor(number, "line", 0)
        await home.come_to_rest()

        states = [await home.state(number) for number in range(DEVICES)]
        assert states[0] == states[1]
        assert states[0]["pending"] == 0
        found = await texts_at_the_server(database_url, account) | desk.kept_here() | desk.drafts
        assert desk.typed | home.typed <= found
