"""What devices of the account signed about its epochs, and which changes of epoch that covers (PROTOCOL section 5).

Pure: a book holds the statements that this device keeps, and is asked about what a server offers. No device believes a
new epoch on the server's word: what is not covered is asked of the user.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from lockleaf.client.errors import HistoryForked
from lockleaf.client.history.signers import may_leave, signer_of
from lockleaf.crypto.epochs import ACCEPTED, END, StatementKind, statement_id, statement_message
from lockleaf.crypto.errors import Malformed
from lockleaf.crypto.identity import sign
from lockleaf.crypto.keyring import KeyEntry, Keyring
from lockleaf.wire.epochs import Epoch, Statement, place_of

__all__ = ["Offer", "StatementBook", "Transition", "first_held", "offer_of", "require_consistent", "transitions"]


@dataclass(frozen=True, slots=True)
class Transition:
    """A change of epoch that a server shows.

    Args:
        old_epoch: None where the server names no epoch before its first.
        seq, head: where the old epoch is left.
        ends: what the old epoch held is gone, which takes the signed end of it.
    """

    old_epoch: str | None
    seq: int
    head: bytes
    new_epoch: str
    ends: bool


@dataclass(frozen=True, slots=True)
class Offer:
    """How the epochs that a server shows differ from the known ones.

    Args:
        kept: of the known epochs, how many stand as they were.
        left: the known epochs end elsewhere than the server's: one was left altogether.
        common: up to which sequence number both can be the same; None where nothing was known.
        held: the first epoch whose leaves the server still has.
        transitions: what is new, in the order of the history; what was left altogether comes last.
    """

    kept: int
    left: bool
    common: int | None
    held: int
    transitions: tuple[Transition, ...]


def first_held(offered: Sequence[Epoch]) -> int:
    """Return the index of the first epoch whose leaves the feed still has."""
    ended = [index for index, epoch in enumerate(offered) if epoch.ended]
    return min(ended[-1] + 1, len(offered) - 1) if ended else 0


def transitions(offered: Sequence[Epoch], start: int) -> list[Transition]:
    """Return the changes of epoch from the index ``start`` on."""
    held = first_held(offered)
    found = []
    for index in range(start, len(offered)):
        epoch = offered[index]
        if index or epoch.from_seq:
            old = offered[index - 1].epoch if index else None
            ends = index == held and (index > 0 or epoch.from_seq > 0)
            found.append(Transition(old, epoch.from_seq, epoch.from_head, epoch.epoch, ends))
    return found


def require_consistent(offered: Sequence[Epoch]) -> None:
    """Make sure that epochs have names of their own, and come in the order of the history.

    Raises:
        HistoryForked: they do not.
    """
    names = {epoch.epoch for epoch in offered}
    in_order = all(later.from_seq >= earlier.from_seq for earlier, later in pairwise(offered))
    if len(names) != len(offered) or not in_order:
        raise HistoryForked("the server's epochs contradict each other")


def offer_of(known: Sequence[Epoch], offered: Sequence[Epoch]) -> Offer:
    """Compare the epochs that a server shows with the ``known`` ones.

    Raises:
        HistoryForked: they contradict each other, or the server went back and names no new epoch.
    """
    require_consistent(offered)
    kept = 0
    while kept < min(len(known), len(offered)) and place_of(known[kept]) == place_of(offered[kept]):
        kept += 1
    if {epoch.epoch for epoch in known[kept:]} & {epoch.epoch for epoch in offered[kept:]}:
        raise HistoryForked("the server's epochs contradict each other")
    found = transitions(offered, kept)
    left = kept < len(known)
    if left:
        if kept == len(offered):
            raise HistoryForked("the server went back to an older state and names no new epoch")
        if kept == 0:
            raise HistoryForked("the server's history has another beginning than yours")
        mine, theirs = known[kept], offered[kept]
        earlier = min(mine, theirs, key=lambda epoch: epoch.from_seq)
        if mine.from_seq == theirs.from_seq and mine.from_head != theirs.from_head:
            raise HistoryForked(f"the server's new epoch does not follow what was written up to {mine.from_seq}")
        found.append(Transition(known[-1].epoch, earlier.from_seq, earlier.from_head, theirs.epoch, ends=False))
    places = [epoch.from_seq for epoch in (*known[kept : kept + 1], *offered[kept : kept + 1])]
    common = min(places) if known and places else None
    return Offer(kept, left, common, first_held(offered), tuple(found))


class StatementBook:
    """The statements of one account.

    Args:
        user_id: the account's UUID as lower-case text.
        keyring: the account's keyring; its keys alone sign.
        known: what this device keeps.
    """

    def __init__(self, user_id: str, keyring: Keyring, known: Iterable[Statement] = ()) -> None:
        self._user_id = user_id
        self._keyring = keyring
        self._known = {self.id_of(each): each for each in known}

    @property
    def known(self) -> tuple[Statement, ...]:
        """What this device keeps."""
        return tuple(self._known.values())

    @property
    def highest(self) -> int:
        """The highest number of a statement that this device keeps."""
        return max((each.n for each in self._known.values()), default=0)

    def id_of(self, statement: Statement) -> bytes:
        """Return what is equal for statements that say the same."""
        fields = (statement.n, statement.old_epoch, statement.seq, statement.head, statement.new_epoch)
        return statement_id(statement.kind, self._user_id, *fields)

    def learn(self, statements: Iterable[Statement]) -> None:
        """Keep ``statements``; those that are known stay as they are."""
        for each in statements:
            self._known.setdefault(self.id_of(each), each)

    def has_left(self, epoch: str) -> bool:
        """Tell whether a device's user agreed to leave ``epoch``."""
        return any(each.old_epoch == epoch for each in self._known.values())

    def fresh(self, offered: Iterable[Epoch]) -> list[Statement]:
        """Return the statements that a server shows and this device does not keep.

        Raises:
            HistoryForked: no device of the account signed one of them.
        """
        found: dict[bytes, Statement] = {}
        for epoch in offered:
            for each in epoch.statements:
                identity = self.id_of(each)
                if identity in self._known or identity in found:
                    continue
                if each.new_epoch != epoch.epoch or self._signer(each) is None:
                    raise HistoryForked("the server gave a statement about an epoch that no device of yours has signed")
                found[identity] = each
        return list(found.values())

    def uncovered(self, needed: Sequence[Transition], offered: Sequence[Epoch]) -> tuple[Transition, ...]:
        """Return those of ``needed`` for which there is no statement that counts.

        One counts that this device keeps, or that has a higher number than all it keeps and than those before it in
        the history: a lower number is a replay of what was decided before.

        Raises:
            HistoryForked: see `fresh`.
        """
        fresh, floor, last = self.fresh(offered), self.highest, 0
        missing = []
        names = [epoch.epoch for epoch in offered]
        for transition in needed:
            if any(self._covers(each, transition, names) for each in self._known.values()):
                continue
            higher = [each for each in fresh if each.n > max(floor, last)]
            numbers = [each.n for each in higher if self._covers(each, transition, names)]
            if numbers:
                last = min(numbers)
            else:
                missing.append(transition)
        return tuple(missing)

    def contradictions(self, offered: Sequence[Epoch]) -> tuple[Statement, ...]:
        """Return the statements of a server that were made by somebody who did not know of others, or was kept so.

        They have a number that another one has, or a lower one than this device knows, and are about another change.

        Raises:
            HistoryForked: see `fresh`.
        """
        fresh, floor = self.fresh(offered), self.highest
        said = {_about(each) for each in self._known.values()}
        found = [each for each in fresh if each.n <= floor and _about(each) not in said]
        by_number: dict[int, Statement] = {}
        for each in fresh:
            other = by_number.setdefault(each.n, each)
            if _about(other) != _about(each):
                found.append(each)
        return tuple(found)

    def signed(
        self, needed: Sequence[Transition], offered: Sequence[Epoch], *, device_id: str, now: Callable[[], str]
    ) -> list[Statement]:
        """Return statements by this device's user for the transitions ``needed``, numbered behind all that is shown."""
        number = max([self.highest, *(each.n for epoch in offered for each in epoch.statements)])
        made = []
        for transition in needed:
            number += 1
            made.append(self.sign(transition, number, device_id=device_id, time=now()))
        return made

    def sign(self, transition: Transition, number: int, *, device_id: str, time: str) -> Statement:
        """Return the statement about ``transition``, signed with the account's newest key."""
        kind: StatementKind = END if transition.ends else ACCEPTED
        # A server that names nothing before its first epoch is taken at its word as far as that goes.
        old = transition.old_epoch or transition.new_epoch
        fields = (number, old, transition.seq, transition.head, transition.new_epoch, device_id, time)
        message = statement_message(kind, self._user_id, *fields)
        return Statement(
            kind=kind,
            n=number,
            old_epoch=old,
            seq=transition.seq,
            head=transition.head,
            new_epoch=transition.new_epoch,
            device_id=device_id,
            time=time,
            signature=sign(self._keyring.newest.signing_seed, message),
        )

    def _covers(self, statement: Statement, transition: Transition, names: Sequence[str]) -> bool:
        if (statement.seq, statement.head, statement.new_epoch) != (
            transition.seq,
            transition.head,
            transition.new_epoch,
        ):
            return False
        if transition.old_epoch is not None and statement.old_epoch != transition.old_epoch:
            return False
        if transition.ends and statement.kind != END:
            return False
        # What a retired key signed counts only for what was before its end.
        signer = self._signer(statement)
        place = (statement.old_epoch, statement.seq, statement.new_epoch)
        return signer is not None and may_leave(self._keyring, signer, names, *place)

    def _signer(self, statement: Statement) -> KeyEntry | None:
        fields = (statement.n, statement.old_epoch, statement.seq, statement.head, statement.new_epoch)
        try:
            message = statement_message(statement.kind, self._user_id, *fields, statement.device_id, statement.time)
        except Malformed:
            return None
        return signer_of(self._keyring, message, statement.signature)


def _about(statement: Statement) -> tuple[str, str, int, bytes, str]:
    """What a statement is about, whatever its number."""
    return statement.kind, statement.old_epoch, statement.seq, statement.head, statement.new_epoch
