"""A client takes an honest history over, however it is paged, and catches every lie about it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lockleaf.client.errors import HistoryForked
from lockleaf.client.history.changes import EpochsChanged, VerifiedChange
from lockleaf.client.history.verification import Chain
from lockleaf.client.store.verified_history import Acknowledgement, Position
from lockleaf.crypto.history import ZERO, epoch_head, payload_hash
from lockleaf.wire.sync import Epoch, Feed, Record
from tests.support.histories import HistoryBuilder, meta_of, superseded

Writes = list[tuple[str, str, bytes, bool]]

writes = st.lists(
    st.tuples(
        st.sampled_from(["a", "b", "c"]), st.sampled_from(["entries", "vault"]), st.binary(max_size=4), st.booleans()
    ),
    min_size=1,
    max_size=30,
)


def built(items: Writes) -> HistoryBuilder:
    history = HistoryBuilder()
    for number, (record_id, collection, payload, deleted) in enumerate(items):
        history.write(record_id, payload + bytes([number]), collection=collection, deleted=deleted)
    return history


def walked(history: HistoryBuilder, chain: Chain | None = None, *, after: int = 0, limit: int = 500) -> Chain:
    chain = chain or Chain()
    while True:
        page = chain.extend(history.page(after, limit))
        if page.complete:
            return chain
        after = page.position.seq


@given(writes, st.integers(1, 7))
def test_an_honest_history_is_accepted_in_pages_of_any_size(items: Writes, limit: int) -> None:
    history = built(items)
    chain = walked(history, limit=limit)
    assert chain.position == Position("first", history.seq, history.head)
    for seq, head in enumerate(history.heads):
        assert chain.head_at("first", seq) == head


@given(writes, st.data())
def test_a_history_goes_on_from_where_it_was_left(items: Writes, data: st.DataObject) -> None:
    history = built(items)
    start = data.draw(st.integers(0, history.seq))
    early = HistoryBuilder(records=history.records[:start], heads=history.heads[: start + 1])
    chain = walked(early)
    assert walked(history, chain, after=start).position == Position("first", history.seq, history.head)


def alter(feed: Feed, index: int, **fields: object) -> Feed:
    changes = list(feed.changes)
    changes[index] = changes[index].model_copy(update=fields)
    return feed.model_copy(update={"changes": tuple(changes)})


def example() -> HistoryBuilder:
    history = HistoryBuilder()
    history.write("a", b"a1", labels=(b"l" * 16,), occurred_at="2020-01-01T00:00:00Z")
    history.write("b", b"b1")
    history.write("a", b"a2", labels=(b"l" * 16,), occurred_at="2020-01-02T00:00:00Z")
    history.write("c", b"c1")
    return history


def without(feed: Feed, index: int) -> Feed:
    return feed.model_copy(update={"changes": feed.changes[:index] + feed.changes[index + 1 :]})


def swapped_payloads(feed: Feed) -> Feed:
    first, second = feed.changes[1], feed.changes[3]
    assert isinstance(first, Record)
    assert isinstance(second, Record)
    return alter(alter(feed, 1, payload=second.payload), 3, payload=first.payload)


def hidden_behind_a_bare_leaf(feed: Feed) -> Feed:
    last = feed.changes[3]
    assert isinstance(last, Record)
    return feed.model_copy(update={"changes": (*feed.changes[:3], superseded(last))})


def reordered(feed: Feed) -> Feed:
    changes = list(feed.changes)
    changes[1], changes[3] = changes[3].model_copy(update={"seq": 2}), changes[1].model_copy(update={"seq": 4})
    return feed.model_copy(update={"changes": tuple(changes)})


LIES: dict[str, Callable[[Feed], Feed]] = {
    "swaps two payloads": swapped_payloads,
    "replays an old payload": lambda feed: alter(feed, 2, payload=b"a1"),
    "drops a change": lambda feed: without(feed, 1),
    "drops a change and renumbers": lambda feed: alter(alter(without(feed, 1), 1, seq=2), 2, seq=3),
    "drops the last change": lambda feed: without(feed, 3),
    "drops the last change and says that is all": lambda feed: without(feed, 3).model_copy(update={"seq": 3}),
    "hides a payload behind a bare leaf": hidden_behind_a_bare_leaf,
    "forges a deletion": lambda feed: alter(feed, 1, deleted=True),
    "alters a label": lambda feed: alter(feed, 2, labels=(b"m" * 16,)),
    "drops a label": lambda feed: alter(feed, 2, labels=()),
    "alters a date": lambda feed: alter(feed, 2, occurred_at="2021-01-02T00:00:00Z"),
    "gives a label twice": lambda feed: alter(feed, 2, labels=(b"l" * 16, b"l" * 16)),
    "renumbers a revision": lambda feed: alter(feed, 2, revision=3),
    "forges a parent": lambda feed: alter(feed, 2, parent=bytes(32)),
    "moves a payload to another record": lambda feed: alter(feed, 1, record_id="d"),
    "moves a payload to another collection": lambda feed: alter(feed, 1, collection="x-other"),
    "reorders changes": reordered,
    "gives another head": lambda feed: feed.model_copy(update={"head": bytes(32)}),
    "names another epoch at the end": lambda feed: feed.model_copy(update={"epoch": "other"}),
    "names no epoch": lambda feed: feed.model_copy(update={"epochs": ()}),
    "begins its first epoch in the middle": lambda feed: feed.model_copy(
        update={"epochs": (Epoch(epoch="first", from_seq=0, from_head=b"x" * 32),)}
    ),
    "announces more and gives none": lambda feed: feed.model_copy(update={"changes": (), "has_more": True}),
    "narrows the feed": lambda feed: feed.model_copy(update={"verifiable": False}),
    "claims a later end": lambda feed: feed.model_copy(update={"seq": 9}),
    "claims an epoch that never begins": lambda feed: feed.model_copy(
        update={"epoch": "next", "epochs": (*feed.epochs, Epoch(epoch="next", from_seq=9, from_head=bytes(32)))}
    ),
    "claims an epoch that goes on from elsewhere": lambda feed: feed.model_copy(
        update={"epoch": "next", "epochs": (*feed.epochs, Epoch(epoch="next", from_seq=4, from_head=bytes(32)))}
    ),
}


@pytest.mark.parametrize("lie", LIES)
def test_a_server_is_caught_that(lie: str) -> None:
    feed = example().page()
    Chain().extend(feed)
    with pytest.raises(HistoryForked):
        Chain().extend(LIES[lie](feed))


@given(writes, st.data())
def test_no_other_history_leads_to_the_same_head(items: Writes, data: st.DataObject) -> None:
    history = built(items)
    index = data.draw(st.integers(0, history.seq - 1))
    field = data.draw(st.sampled_from(["payload", "deleted", "labels", "occurred_at", "source"]))
    feed = history.page()
    change = feed.changes[index]
    altered: dict[str, object]
    if isinstance(change, Record):
        altered = {
            "payload": {"payload": change.payload + b"x"},
            "deleted": {"deleted": not change.deleted},
            "labels": {"labels": (b"n" * 16,)},
            "occurred_at": {"occurred_at": "2020-01-01T00:00:00Z"},
            "source": {"source": "elsewhere"},
        }[field]
    else:
        altered = {"deleted": not change.deleted} if field == "deleted" else {"payload_hash": payload_hash(b"other")}
    with pytest.raises(HistoryForked):
        Chain().extend(alter(feed, index, **altered))


def test_a_rolled_back_server_is_caught() -> None:
    history = example()
    chain = walked(history)
    rolled_back = HistoryBuilder(records=history.records[:2], heads=history.heads[:3])
    with pytest.raises(HistoryForked):
        chain.extend(rolled_back.page(2))


def test_a_server_that_rewrites_what_was_verified_is_caught() -> None:
    history = example()
    early = HistoryBuilder(records=history.records[:2], heads=history.heads[:3])
    chain = walked(early)
    rewritten = HistoryBuilder()
    rewritten.write("a", b"other")
    rewritten.write("b", b"b1")
    rewritten.write("d", b"d1")
    with pytest.raises(HistoryForked):
        chain.extend(rewritten.page(2))


def confirmed(record: Record, **fields: object) -> Acknowledgement:
    return Acknowledgement(
        **{
            "seq": record.seq,
            "collection": record.collection,
            "record_id": record.record_id,
            "revision": record.revision,
            "payload_hash": payload_hash(record.payload),
            **fields,
        }
    )


def test_what_was_confirmed_must_be_shown_at_its_place() -> None:
    history = example()
    chain = Chain(acknowledged={4: confirmed(history.records[3])})
    walked(history, chain)
    assert chain.acknowledged == {}
    with pytest.raises(HistoryForked):
        walked(history, Chain(acknowledged={4: confirmed(history.records[3], payload_hash=payload_hash(b"mine"))}))
    with pytest.raises(HistoryForked):
        walked(history, Chain(acknowledged={2: confirmed(history.records[3], seq=2)}))


def as_verified(record: Record) -> VerifiedChange:
    return VerifiedChange(
        record.seq,
        record.collection,
        record.record_id,
        record.revision,
        record.parent,
        meta_of(record),
        payload_hash(record.payload),
        record.deleted,
        None,
    )


def test_own_changes_extend_the_history_only_if_they_alone_lead_to_its_end() -> None:
    history = example()
    start = HistoryBuilder(records=history.records[:2], heads=history.heads[:3])
    end = Position("first", 4, history.head)
    own = [as_verified(record) for record in history.records[2:]]

    chain = walked(start)
    heads = chain.extend_own(own, end)
    assert heads is not None
    assert [head for _, _, head in heads] == history.heads[3:]
    assert chain.position == end
    history.write("a", b"a3")
    assert walked(history, chain, after=4).position == Position("first", 5, history.head)

    for changes, claimed in (
        (own[1:], end),
        (own[:1], end),
        (own, Position("first", 4, bytes(32))),
        (own, Position("other", 4, history.heads[4])),
        (own, Position("first", 2**62, history.head)),
        ([], end),
    ):
        untouched = walked(start)
        assert untouched.extend_own(changes, claimed) is None
        assert untouched.position == Position("first", 2, history.heads[2])


def test_a_new_epoch_goes_on_where_the_one_before_ended() -> None:
    history = example()
    behind = walked(HistoryBuilder(records=history.records[:2], heads=history.heads[:3]))
    restored = history.restore(3, "second")
    restored.write("c", b"another c")
    for chain in (Chain(), behind):
        after = 0 if chain.position is None else chain.position.seq
        assert walked(restored, chain, after=after, limit=1).position == Position("second", 4, restored.head)
        assert chain.head_at("second", 3) == epoch_head("second", 3, history.heads[3])
        assert chain.head_at("first", 3) == history.heads[3]


def test_an_epoch_that_begins_before_the_verified_end_is_a_restored_server() -> None:
    history = example()
    chain = walked(history)
    with pytest.raises(EpochsChanged):
        chain.extend(history.restore(2, "second").page(2))


def test_epochs_that_were_known_may_not_change() -> None:
    history = example()
    chain = walked(history)
    renamed = history.page(4).model_copy(
        update={"epoch": "other", "epochs": (Epoch(epoch="other", from_seq=0, from_head=bytes(32)),)}
    )
    with pytest.raises(EpochsChanged):
        chain.extend(renamed)


def test_what_a_writer_saw_must_lie_on_the_own_history() -> None:
    history = example()
    chain = walked(history)
    chain.check_seen(["first", 2, history.heads[2]], 3, "device")
    chain.check_seen(None, 3, "device")
    for seen in (["first", 2, bytes(32)], ["first", 3, history.heads[3]], ["first", 9, bytes(32)], ["x", 1, bytes(32)]):
        with pytest.raises(HistoryForked):
            chain.check_seen(seen, 3, "device")


def test_what_a_writer_saw_in_a_branch_that_a_restore_cut_off_proves_nothing() -> None:
    history = example()
    restored = history.restore(2, "second")
    restored.write("d", b"d1")
    chain = walked(restored)
    chain.check_seen(["first", 4, history.heads[4]], 3, "device")
    chain.check_seen(["second", 2, restored.heads[2]], 3, "device")
    with pytest.raises(HistoryForked):
        chain.check_seen(["first", 1, history.heads[2]], 3, "device")


def test_what_was_sealed_before_anything_was_seen_accuses_nobody() -> None:
    """The account was emptied between the sealing and the sending; its epoch had no leaves, so nothing leads to it."""
    emptied = HistoryBuilder(
        epochs=[Epoch(epoch="second", from_seq=0, from_head=ZERO)], heads=[epoch_head("second", 0, ZERO)]
    )
    emptied.write("a", b"a1")
    chain = walked(emptied)
    chain.check_seen(["first", 0, epoch_head("first", 0, ZERO)], 1, "device")
    for at in (1, -1):
        with pytest.raises(HistoryForked):
            chain.check_seen(["first", at, bytes(32)], 1, "device")


def test_the_head_of_another_device_is_judged_only_where_it_can_be() -> None:
    history = example()
    chain = walked(history)
    assert chain.judge("first", 4, history.head) is True
    assert chain.judge("first", 4, bytes(32)) is False
    assert chain.judge("first", 5, bytes(32)) is None
    assert chain.judge("unheard of", 4, history.head) is False
