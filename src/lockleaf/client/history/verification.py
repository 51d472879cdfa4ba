"""The verifiable history, as a client checks it (PROTOCOL section 5).

Pure: what was verified before is asked for through functions, and what is new is given back to be kept. Nothing of a
page may be taken over before `Chain.extend` has returned.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Any

from lockleaf.client.errors import HistoryForked
from lockleaf.client.errors.claims import RememberedCheckpoint
from lockleaf.client.history import signers
from lockleaf.client.history.changes import (
    EpochsChanged,
    Key,
    VerifiedChange,
    VerifiedPage,
    following,
    leaf_hash,
    verified_change,
)
from lockleaf.client.history.statements import StatementBook, first_held, require_consistent, transitions
from lockleaf.client.store.records import Leaf
from lockleaf.client.store.verified_history import Acknowledgement, Position
from lockleaf.crypto.history import ZERO, epoch_head, next_head
from lockleaf.crypto.history_place import HistoryPlace
from lockleaf.crypto.keyring import KeyEntry
from lockleaf.wire.epochs import place_of
from lockleaf.wire.sync import Epoch, Feed, Record, SupersededLeaf

__all__ = ["Chain"]


class Chain:
    """The verified history of an account, extended page by page.

    Args:
        position: its end, None before anything was verified.
        epochs: the epochs known so far, oldest first.
        head_at: gives the verified head at (epoch, seq), or None.
        leaf_of: gives the last leaf of a record (collection, record id) within the verified history, or None.
        bare: records whose last leaf came without its payload.
        acknowledged: what the server confirmed and the history has not shown, by seq.
        retirements: the places at which keys of the account were retired, or before which there was none.
        book: what devices signed about epochs; without one, every new epoch that follows is taken.
    """

    def __init__(
        self,
        *,
        position: Position | None = None,
        epochs: Sequence[Epoch] = (),
        head_at: Callable[[str, int], bytes | None] = lambda epoch, seq: None,
        leaf_of: Callable[[str, str], Leaf | None] = lambda collection, record_id: None,
        bare: AbstractSet[Key] = frozenset(),
        acknowledged: Mapping[int, Acknowledgement] | None = None,
        retirements: Sequence[HistoryPlace] = (),
        book: StatementBook | None = None,
        passed_over: Collection[RememberedCheckpoint] = (),
    ) -> None:
        self._position = position
        self._epochs = tuple(epochs)
        self._head_at = head_at
        self._leaf_of = leaf_of
        self._leaves: dict[Key, Leaf] = {}
        self._heads: dict[tuple[str, int], bytes] = {}
        self._bare = set(bare)
        self.acknowledged = dict(acknowledged or {})
        self._retirements = tuple(retirements)
        self._book = book
        self.passed_over = frozenset(passed_over)
        self._offered: tuple[Epoch, ...] = ()

    @property
    def position(self) -> Position | None:
        """The end of the verified history."""
        return self._position

    @property
    def epochs(self) -> tuple[Epoch, ...]:
        """The known epochs, oldest first."""
        return self._epochs

    def head_at(self, epoch: str, seq: int) -> bytes | None:
        """Return the verified head at ``seq`` within ``epoch``, None where there is none."""
        head = self._heads.get((epoch, seq))
        return head if head is not None else self._head_at(epoch, seq)

    def may_write(self, entry: KeyEntry, epoch: str, seq: int) -> bool:
        """Tell whether a key may have sealed or signed what stands at, or is about, a place of this history."""
        return signers.may_write(entry, [item.epoch for item in self._epochs], epoch, seq)

    def precedes(self, place: HistoryPlace | None, epoch: str, seq: int) -> bool:
        """Tell whether what stands at (``epoch``, ``seq``) of this history was written up to ``place``."""
        names = [item.epoch for item in self._epochs]
        return place is not None and not signers.is_after(place, names, epoch, seq)

    def forget_kept(self) -> None:
        """Drop from memory what has been kept: from now on ``head_at`` and ``leaf_of`` give it."""
        self._leaves.clear()
        self._heads.clear()

    def extend(self, feed: Feed) -> VerifiedPage:
        """Verify one page of the feed, and go on to its end.

        Raises:
            HistoryForked: the page does not follow what was verified; the chain must not be used any more.
            EpochsChanged: the page is of an epoch that begins before the end of the verified history.
        """
        if not feed.verifiable:
            raise HistoryForked("the server left changes out of its history")
        self._take_epochs(feed)
        walk = _Walk(self, feed.epochs)
        changes = [walk.step(change) for change in feed.changes]
        position = walk.position
        # A server that gave up early leaves may count from 0 to its end and call that more, though nothing follows.
        complete = not feed.has_more or (not changes and feed.seq == position.seq)
        if complete:
            position = walk.finish()
            if feed.seq < position.seq:
                raise HistoryForked(f"the server's history ends at {feed.seq}, yours at {position.seq}")
            if feed.seq > position.seq:
                raise HistoryForked(f"the server withholds the changes after {position.seq}")
            if feed.head != position.head or feed.epoch != position.epoch:
                raise HistoryForked(f"the histories differ at or before {position.seq}")
            self._require_payloads()
            self._require_acknowledged(position)
            self._position = position
            self._require_retirements()
        elif not changes or feed.seq < position.seq:
            raise HistoryForked(f"the server announces changes after {position.seq} and gives none")
        self._position = position
        return VerifiedPage(tuple(changes), tuple(walk.heads), tuple(feed.epochs), position, complete)

    def extend_own(self, changes: Sequence[VerifiedChange], end: Position) -> tuple[tuple[str, int, bytes], ...] | None:
        """Go on by changes that this device made, if they alone lead to ``end``; give the heads, or None.

        None is no accusation: another device may have written between them, which the feed will show.
        """
        start = self._position
        if start is None or start.epoch != end.epoch or not changes:
            return None
        # The end is what a server says, and may be any number.
        if end.seq - start.seq != len(changes):
            return None
        if any(change.seq != seq for seq, change in enumerate(changes, start.seq + 1)):
            return None
        head, heads = start.head, []
        leaves: dict[Key, Leaf] = {}
        for change in changes:
            before = leaves.get(change.key) or self.leaf_of(change.key)
            if (change.revision, change.parent) != following(before):
                return None
            head = next_head(head, leaf_hash(change))
            heads.append((end.epoch, change.seq, head))
            leaves[change.key] = Leaf(change.revision, change.payload_hash)
        if head != end.head:
            return None
        self._leaves.update(leaves)
        self._heads.update({(epoch, seq): value for epoch, seq, value in heads})
        self._position = end
        for change in changes:
            self.acknowledged.pop(change.seq, None)
        return tuple(heads)

    def has_left(self, epoch: str) -> bool:
        """Tell whether a device's user agreed to leave ``epoch``."""
        return self._book is not None and self._book.has_left(epoch)

    def leaf_of(self, key: Key) -> Leaf | None:
        """Return a record's last leaf within the verified history."""
        return self._leaves.get(key) or self._leaf_of(*key)

    def check_seen(self, seen: Any, seq: int, device_id: str) -> bool:
        """Check the ``seen`` of an opened record: its writer's history must be this one.

        Args:
            seq: the record's own place in the history, before which its writer saw what it saw.
            device_id: its writer.

        Returns:
            False if it is not, and the user of this device goes on in spite of it.

        Raises:
            HistoryForked: it is not, so the server shows different histories to different devices.
        """
        match seen:
            case [str(epoch), int(at), bytes(head)]:
                present = self._position is not None and epoch == self._position.epoch
                if (present and at >= seq) or self.judge(epoch, at, head) is False:
                    saw = RememberedCheckpoint(device_id, epoch, at, head)
                    if saw in self.passed_over:
                        return False
                    raise HistoryForked(f"another device saw a different history at {at}", saw)
            case _:
                pass  # foreign writers have none; a server cannot take it away from under the seal
        return True

    def judge(self, epoch: str, seq: int, head: bytes) -> bool | None:
        """Tell whether a writer's (epoch, seq, head) lies on this history.

        Returns:
            True or False, or None where it cannot be told: it lies beyond the end, in a branch that a restore cut off,
            or before the first leaf that the server still holds.
        """
        known = self.head_at(epoch, seq)
        if known is not None:
            return known == head
        names = [item.epoch for item in self._epochs]
        if epoch not in names:
            # One that was left altogether, by consent; or one from before a server that shows only what it still has.
            if self.has_left(epoch):
                return None
            return None if self._epochs and 0 <= seq <= self._epochs[0].from_seq else False
        index = names.index(epoch)
        if index + 1 < len(names):
            following = self._epochs[index + 1]
            if seq == following.from_seq:
                return head == following.from_head
            if seq > following.from_seq:
                return None
            return None if index < first_held(self._offered or self._epochs) else False
        return None if self._position is None or seq > self._position.seq else False

    def _take_epochs(self, feed: Feed) -> None:
        if not feed.epochs or feed.epochs[-1].epoch != feed.epoch:
            raise HistoryForked("the server does not name its epochs")
        offered = tuple(feed.epochs)
        require_consistent(offered)
        if tuple(map(place_of, offered[: len(self._epochs)])) != tuple(map(place_of, self._epochs)):
            raise EpochsChanged
        if self._book is not None and offered != self._offered:
            needed = transitions(offered, len(self._epochs))
            if self._book.uncovered(needed, offered) or self._book.contradictions(offered):
                raise EpochsChanged
        self._offered = offered
        if self._position is not None:
            if first_held(offered) >= len(self._epochs):
                raise EpochsChanged  # the leaves on the way there are gone
            # What was confirmed beyond the verified end is lost as well, where an epoch begins before it.
            reached = max(self._position.seq, *self.acknowledged, 0)
            if any(item.from_seq < reached for item in offered[len(self._epochs) :]):
                raise EpochsChanged

    def _require_acknowledged(self, end: Position) -> None:
        beyond = [seq for seq in self.acknowledged if seq > end.seq]
        if beyond:
            raise HistoryForked(f"the server confirmed change {min(beyond)} to this device and does not show it")

    def _require_retirements(self) -> None:
        """Make sure that each place that the keyring names lies on this history, where its epoch is still shown."""
        end = self._position
        for place in self._retirements:
            beyond = end is not None and place.epoch == end.epoch and place.seq > end.seq
            if beyond or self.judge(place.epoch, place.seq, place.head) is False:
                raise HistoryForked(f"a key of the account began or ended at {place.seq} in a history that differs")

    def _require_payloads(self) -> None:
        hidden = sorted(self._bare)
        if hidden:
            raise HistoryForked(f"the server withholds the content of record {hidden[0][1]}")


class _Walk:
    """One page, leaf by leaf."""

    def __init__(self, chain: Chain, epochs: Sequence[Epoch]) -> None:
        self._chain = chain
        self._epochs = tuple(epochs)
        self.heads: list[tuple[str, int, bytes]] = []
        if chain.position is None:
            first = self._epochs[0]
            if first.from_seq == 0 and first.from_head != ZERO:
                raise HistoryForked("the server's first epoch does not begin at the beginning")
            held = first_held(epochs)
            chain._epochs = self._epochs[: held + 1]
            self._begin(self._epochs[held])
        else:
            self.position = chain.position

    def _begin(self, epoch: Epoch) -> None:
        self._reach(Position(epoch.epoch, epoch.from_seq, epoch_head(epoch.epoch, epoch.from_seq, epoch.from_head)))

    def _reach(self, position: Position) -> None:
        self.position = position
        self.heads.append((position.epoch, position.seq, position.head))
        self._chain._heads[position.epoch, position.seq] = position.head

    def _cross(self) -> None:
        """Pass into the epochs that begin where the history has come to."""
        chain = self._chain
        while len(chain._epochs) < len(self._epochs):
            following = self._epochs[len(chain._epochs)]
            if following.from_seq != self.position.seq:
                return
            if following.from_head != self.position.head:
                raise HistoryForked(
                    f"the server's new epoch does not follow what was written up to {following.from_seq}"
                )
            chain._epochs = (*chain._epochs, following)
            self._begin(following)

    def finish(self) -> Position:
        """Return the end of the history, every epoch entered."""
        self._cross()
        if len(self._chain._epochs) < len(self._epochs):
            raise HistoryForked(f"the server's history ends at {self.position.seq}, before its last epoch begins")
        return self.position

    def step(self, item: Record | SupersededLeaf) -> VerifiedChange:
        """Verify one change as the next leaf."""
        self._cross()
        change = verified_change(item, self.position.epoch)
        chain, key = self._chain, change.key
        if change.seq != self.position.seq + 1:
            raise HistoryForked(f"change {self.position.seq + 1} is missing")
        if (change.revision, change.parent) != following(chain.leaf_of(key)):
            raise HistoryForked(f"change {change.seq} does not follow the record's revision before it")
        promised = chain.acknowledged.pop(change.seq, None)
        if promised is not None and (
            promised.collection,
            promised.record_id,
            promised.revision,
            promised.payload_hash,
        ) != (*key, change.revision, change.payload_hash):
            raise HistoryForked(f"change {change.seq} is not the one that the server confirmed to this device")
        bare = change.record is None
        chain._leaves[key] = Leaf(change.revision, change.payload_hash, bare)
        if bare:
            chain._bare.add(key)
        else:
            chain._bare.discard(key)
        self._reach(Position(self.position.epoch, change.seq, next_head(self.position.head, leaf_hash(change))))
        return change
