"""What devices sign about epochs."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lockleaf.crypto.epochs import statement_id, statement_message
from lockleaf.crypto.errors import Malformed
from lockleaf.crypto.identity import sign, verify
from tests.support.vectors import vectors

VECTORS = vectors("epochs")

names = st.text(st.characters(codec="utf-8"), max_size=8)
said = st.tuples(
    st.sampled_from(["end", "accepted"]),
    names,
    st.integers(0, 2**64 - 1),
    names,
    st.integers(0, 2**64 - 1),
    st.binary(min_size=32, max_size=32),
    names,
    names,
    names,
)


@pytest.mark.parametrize("case", VECTORS["statements"], ids=lambda case: f"{case['kind']}-{case['device_id']}")
def test_a_statement_is_signed_as_its_vector_says(case) -> None:
    head = bytes.fromhex(case["head"])
    what = (case["kind"], case["user_id"], case["n"], case["old_epoch"], case["seq"], head, case["new_epoch"])
    message = statement_message(*what, case["device_id"], case["time"])
    assert message.hex() == case["message"]
    assert statement_id(*what).hex() == case["statement_id"]
    assert sign(bytes.fromhex(VECTORS["seed"]), message).hex() == case["signature"]
    assert verify(bytes.fromhex(VECTORS["signing_key"]), message, bytes.fromhex(case["signature"]))


@given(said, said)
def test_no_two_statements_share_their_bytes(one, other) -> None:
    assert (statement_message(*one) == statement_message(*other)) is (one == other)
    assert (statement_id(*one[:-2]) == statement_id(*other[:-2])) is (one[:-2] == other[:-2])


@pytest.mark.parametrize("head", [b"", bytes(31), bytes(33)])
def test_a_head_of_another_length_is_refused(head: bytes) -> None:
    with pytest.raises(Malformed):
        statement_message("end", "u", 1, "a", 1, head, "b", "d", "t")


def test_another_kind_is_refused() -> None:
    with pytest.raises(Malformed):
        statement_message("begin", "u", 1, "a", 1, bytes(32), "b", "d", "t")  # type: ignore[arg-type]
