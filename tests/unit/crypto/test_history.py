"""The hash chain over an account's changes."""

from __future__ import annotations

from itertools import permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lockleaf.crypto.errors import Malformed
from lockleaf.crypto.history import ZERO, epoch_head, leaf, meta, next_head, payload_hash
from tests.support.vectors import vectors

VECTORS = vectors("history")

hashes = st.binary(min_size=32, max_size=32)
numbers = st.integers(0, 2**64 - 1)
names = st.text(st.characters(codec="utf-8"), max_size=12)
leaves = st.tuples(numbers, names, names, numbers, hashes, hashes, hashes, st.booleans())


@pytest.mark.parametrize("case", VECTORS["meta"], ids=str)
def test_meta_agrees_with_its_vector(case) -> None:
    labels = [bytes.fromhex(label) for label in case["labels"]]
    assert meta(labels, case["source"], case["occurred_at"]).hex() == case["meta"]
    assert meta(labels[::-1], case["source"], case["occurred_at"]).hex() == case["meta"]


@pytest.mark.parametrize("case", VECTORS["epochs"], ids=lambda case: case["epoch"])
def test_an_epoch_begins_with_the_head_of_its_vector(case) -> None:
    assert epoch_head(case["epoch"], case["k"], bytes.fromhex(case["head_k"])).hex() == case["head"]


def test_the_chain_agrees_with_its_vector() -> None:
    head = bytes.fromhex(VECTORS["epochs"][0]["head"])
    parent = ZERO
    for case in VECTORS["chain"]:
        hashed = payload_hash(bytes.fromhex(case["payload"]))
        assert hashed.hex() == case["payload_hash"]
        assert parent.hex() == case["parent"]
        link = leaf(
            case["seq"],
            case["collection"],
            case["record_id"],
            case["revision"],
            parent,
            bytes.fromhex(case["meta"]),
            hashed,
            case["deleted"],
        )
        head = next_head(head, link)
        assert (link.hex(), head.hex()) == (case["leaf"], case["head"])
        parent = hashed
    assert head.hex() == VECTORS["epochs"][1]["head_k"]


@settings(max_examples=100, deadline=None)
@given(leaves, leaves)
def test_two_changes_share_a_leaf_only_if_they_are_the_same(one: tuple, other: tuple) -> None:
    assert (leaf(*one) == leaf(*other)) == (one == other)


@settings(max_examples=100, deadline=None)
@given(leaves, leaves, st.integers(0, 7))
def test_every_part_of_a_change_is_in_its_leaf(one: tuple, other: tuple, part: int) -> None:
    changed = (*one[:part], other[part], *one[part + 1 :])
    assert (leaf(*changed) == leaf(*one)) == (changed == one)


def test_letters_cannot_move_between_collection_and_record_id() -> None:
    rest = (1, ZERO, ZERO, ZERO, False)
    assert leaf(1, "x-ab", "c", *rest) != leaf(1, "x-a", "bc", *rest)


@settings(max_examples=100, deadline=None)
@given(st.lists(hashes, min_size=2, max_size=4, unique=True))
def test_every_order_of_changes_has_a_head_of_its_own(links: list[bytes]) -> None:
    heads = set()
    orders = list(permutations(links))
    for order in orders:
        head = epoch_head("e1", 0, ZERO)
        for link in order:
            head = next_head(head, link)
        heads.add(head)
    assert len(heads) == len(orders)


@settings(max_examples=100, deadline=None)
@given(names, names, numbers, numbers, hashes, hashes)
def test_epochs_differ_by_name_place_and_head(one: str, other: str, k: int, j: int, head: bytes, tail: bytes) -> None:
    assert (epoch_head(one, k, head) == epoch_head(other, j, tail)) == ((one, k, head) == (other, j, tail))


labels16 = st.lists(st.binary(min_size=16, max_size=16), max_size=4, unique=True)
texts = st.text(st.characters(codec="utf-8"), min_size=1, max_size=8) | st.none()


@settings(max_examples=100, deadline=None)
@given(labels16, labels16, texts, texts, texts, texts)
def test_meta_tells_apart_whatever_travels_in_the_open(
    one: list[bytes], other: list[bytes], source: str | None, origin: str | None, at: str | None, on: str | None
) -> None:
    same = (sorted(one), source, at) == (sorted(other), origin, on)
    assert (meta(one, source, at) == meta(other, origin, on)) == same


def test_a_label_given_twice_is_refused() -> None:
    with pytest.raises(Malformed):
        meta([b"a" * 16, b"b" * 16, b"a" * 16], None, None)


@pytest.mark.parametrize("part", [4, 5, 6])
@pytest.mark.parametrize("length", [0, 31, 33])
def test_a_hash_of_another_width_is_refused(part: int, length: int) -> None:
    change = [1, "entries", "a", 1, ZERO, ZERO, ZERO, False]
    change[part] = bytes(length)
    with pytest.raises(Malformed):
        leaf(*change)
    for pair in ((bytes(length), ZERO), (ZERO, bytes(length))):
        with pytest.raises(Malformed):
            next_head(*pair)
    with pytest.raises(Malformed):
        epoch_head("e1", 0, bytes(length))


@pytest.mark.parametrize("change", [(-1, "a", 1), (2**64, "a", 1), (1, "a", -1), (1, "a", 2**64), (1, "\ud800", 1)])
def test_a_change_that_cannot_be_is_refused(change: tuple[int, str, int]) -> None:
    seq, record_id, revision = change
    with pytest.raises(Malformed):
        leaf(seq, "entries", record_id, revision, ZERO, ZERO, ZERO, False)
