"""Keys, metric types and the packed layout: what a client encrypts is what it decrypts."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lockleaf.he import codec, decrypt, encrypt, evaluate, keys, metric_types, seal_keys
from lockleaf.he.errors import (
    ImplausibleResult,
    InvalidCiphertext,
    InvalidKeys,
    TooManyValues,
    UnsupportedOperation,
    ValueOutOfBounds,
)
from lockleaf.he.layout import DayTotal, Delta, Layout, Month
from lockleaf.he.metric_types import MOOD, SENTIMENT, STANDARD, WORD_COUNT, MetricType
from lockleaf.he.params import CKKS_4096, CKKS_8192, PARAMETER_SETS
from tests.support.metrics import holder

SETS = list(PARAMETER_SETS)


@pytest.mark.parametrize("name", SETS)
def test_another_device_decrypts_with_the_key_as_it_travelled(name: str) -> None:
    them = holder(name)

    other = keys.SecretKey.from_bytes(them.key.to_bytes())

    assert other.parameters is them.parameters
    assert decrypt.decrypt_slots(other, them.blob(1.5, 2.5)) == pytest.approx([1.5, 2.5], abs=1e-3)


def test_the_server_is_sent_a_context_that_it_takes() -> None:
    key, public = keys.make_keys("ckks-8192")

    assert codec.check_public_context(public) == "ckks-8192"
    assert len(public) < 600_000
    assert "residues" not in repr(key)
    with pytest.raises(UnsupportedOperation):
        keys.make_keys("ckks-4096", relinearisation=True)


def test_the_public_key_that_the_server_holds_belongs_to_the_secret_one() -> None:
    import tenseal

    key, public = keys.make_keys("ckks-4096")
    encrypted = tenseal.ckks_vector(tenseal.context_from(public), [12.0]).serialize()

    assert decrypt.decrypt_slots(key, encrypted) == pytest.approx([12.0], abs=CKKS_4096.fresh_error)


def test_bytes_that_are_no_key_are_refused() -> None:
    key = holder("ckks-4096").key
    data = key.to_bytes()
    large = holder("ckks-8192")

    for wrong in (b"", data[:-1], data + b"\0", holder("ckks-4096").public, bytes(100)):
        with pytest.raises(InvalidKeys):
            keys.SecretKey.from_bytes(wrong)
    mixed = data.replace(
        seal_keys.write_secret_key(key.residues, CKKS_4096, "4.3"),
        seal_keys.write_secret_key(large.key.residues, CKKS_8192, "4.3"),
    )
    with pytest.raises(InvalidKeys):
        keys.SecretKey.from_bytes(mixed)


@pytest.mark.parametrize("name", SETS)
def test_what_another_key_encrypted_is_not_taken_for_a_result(name: str) -> None:
    stranger, _ = keys.make_keys(name)

    with pytest.raises(ImplausibleResult):
        decrypt.decrypt_slots(stranger, holder(name).blob(1.0))


def test_a_ciphertext_of_another_scale_level_or_size_is_not_decrypted() -> None:
    them = holder("ckks-8192")
    sent = them.ciphertext(1.0, 2.0)
    third = codec.write_ciphertext(evaluate.divide(sent, 3))

    assert decrypt.decrypt_slots(them.key, third, scale=sent.scale * 3) == pytest.approx([1 / 3, 2 / 3], abs=1e-3)
    lower = replace(sent, residues=sent.residues[:, :-1], level=1)
    for wrong, values in ((third, 2), (codec.write_ciphertext(lower), 2), (codec.write_ciphertext(sent), 3)):
        with pytest.raises(InvalidCiphertext):
            decrypt.decrypt_slots(them.key, wrong, values=values)


def test_a_ciphertext_of_another_set_is_not_decrypted() -> None:
    with pytest.raises(InvalidCiphertext):
        decrypt.decrypt_slots(holder("ckks-8192").key, holder("ckks-4096").blob(1.0))


@pytest.mark.parametrize("name", SETS)
@pytest.mark.parametrize("kind", [*STANDARD, metric_types.metric_type("cups_of_tea")])
def test_the_limits_of_every_metric_stay_within_every_set(name: str, kind: MetricType) -> None:
    parameters = PARAMETER_SETS[name]

    assert kind.largest * kind.factor(parameters) <= parameters.largest
    assert kind.largest**2 * kind.square_factor(parameters) <= parameters.largest
    for factor in (kind.factor(parameters), kind.square_factor(parameters)):
        assert math.frexp(factor)[0] == 0.5  # a power of two


@pytest.mark.parametrize("name", SETS)
@pytest.mark.parametrize("kind", STANDARD)
def test_a_value_of_a_metric_comes_back_within_the_scaled_error(name: str, kind: MetricType) -> None:
    key = holder(name).key
    for value in (kind.lowest, kind.highest, (kind.lowest + kind.highest) / 3):
        found = decrypt.decrypt_value(key, encrypt.encrypt_value(key, value, kind), kind)
        assert abs(found - value) <= key.parameters.sum_error(1, kind.largest) / kind.factor(key.parameters)


def test_in_the_large_set_a_value_is_itself_as_simple_clients_send_it() -> None:
    assert {kind.factor(CKKS_8192) for kind in STANDARD} == {1.0}


@pytest.mark.parametrize("kind", STANDARD)
def test_a_value_outside_of_its_metric_is_refused_before_it_is_encrypted(kind: MetricType) -> None:
    key = holder("ckks-4096").key
    for value in (math.nextafter(kind.highest, math.inf), math.nextafter(kind.lowest, -math.inf), math.nan, math.inf):
        with pytest.raises(ValueOutOfBounds) as caught:
            encrypt.encrypt_value(key, value, kind)
        assert repr(value) not in str(caught.value)
        with pytest.raises(ValueOutOfBounds):
            encrypt.encrypt_values(key, [kind.highest, value], kind)


def test_a_metric_of_ones_own_has_a_plain_name_and_limits_that_devices_agree_on() -> None:
    assert metric_types.metric_type("cups_of_tea").largest == metric_types.OWN_LARGEST
    assert metric_types.metric_type("mood") is MOOD
    for name in ("", "Mood", "cups of tea", "7up", "x" * 65, "naïve", "mood\n"):
        with pytest.raises(ValueError, match="name"):
            metric_types.metric_type(name)
    for limits in ((1, 1), (2, 1), (0, math.inf), (math.nan, 1)):
        with pytest.raises(ValueError, match="limits"):
            MetricType("tea", *limits)


def test_a_batch_is_one_ciphertext_a_value() -> None:
    key = holder("ckks-4096").key

    blobs = encrypt.encrypt_values(key, [1, 2, 3], MOOD)

    assert [round(decrypt.decrypt_value(key, blob, MOOD), 3) for blob in blobs] == [1.0, 2.0, 3.0]


def test_a_ciphertext_holds_as_many_values_as_it_has_slots() -> None:
    them = holder("ckks-4096")

    assert len(them.read(them.ciphertext(*range(1000), *range(1000), *range(48)))) == 2048
    for count in (0, 2049):
        with pytest.raises(TooManyValues):
            them.blob(*[1.0] * count)


@given(st.sampled_from(SETS), st.integers(1, 22), st.data())
def test_each_slot_is_for_one_metric_day_and_row(name: str, count: int, data: st.DataObject) -> None:
    layout = Layout(PARAMETER_SETS[name], tuple(MetricType(f"m{index}", -1, 1) for index in range(count)))

    slot = data.draw(st.integers(0, layout.width - 1))

    assert layout.slot(*layout.place(slot)) == slot
    assert layout.width <= layout.parameters.slots


def test_a_layout_has_a_name_and_no_more_metrics_than_slots() -> None:
    assert Layout(CKKS_4096).identifier == "month-1:word_count,characters,mood,sentiment"
    for parameters, most in ((CKKS_4096, 22), (CKKS_8192, 44)):
        many = tuple(MetricType(f"m{index}", -1, 1) for index in range(most + 1))
        assert Layout(parameters, many[:-1]).width <= parameters.slots
        with pytest.raises(TooManyValues):
            Layout(parameters, many)
    with pytest.raises(ValueError, match="one place"):
        Layout(CKKS_4096, (MOOD, MOOD))
    layout = Layout(CKKS_4096)
    for name, day, row in (("tea", 1, 0), ("mood", 0, 0), ("mood", 32, 0), ("mood", 1, 3)):
        with pytest.raises(ValueError, match="no such slot"):
            layout.slot(name, day, row)
    with pytest.raises(ValueError, match="not use"):
        layout.place(layout.width)


days = st.dates(date(2024, 1, 1), date(2024, 3, 31))
changes = st.lists(st.tuples(days, st.sampled_from(STANDARD), st.floats(0, 1), st.booleans()), max_size=12)


@settings(max_examples=20)
@given(st.sampled_from(SETS), changes)
def test_deltas_of_edits_and_deletions_leave_what_is_there_by_day(name: str, written: list[tuple]) -> None:
    """Each value is added in a delta of its own, as by syncs; some are deleted again in later ones."""
    them, layout = holder(name), Layout(PARAMETER_SETS[name])
    months: dict[Month, codec.Ciphertext] = {}

    def apply(delta: Delta) -> None:
        for month, blob in encrypt.encrypt_delta(them.key, delta).items():
            uploaded = codec.check_ciphertext(blob, name)
            months[month] = evaluate.add(months[month], uploaded) if month in months else uploaded

    values = [
        (day, kind, kind.lowest + share * (kind.highest - kind.lowest), kept) for day, kind, share, kept in written
    ]
    for day, kind, value, _ in values:
        delta = Delta(layout)
        delta.add(day, kind.name, value)
        apply(delta)
    for day, kind, value, kept in values:
        if not kept:
            delta = Delta(layout)
            delta.remove(day, kind.name, value)
            apply(delta)

    wanted: dict[tuple[Month, str, int], list[float]] = {}
    for day, kind, value, kept in values:
        if kept:
            wanted.setdefault((Month.of(day), kind.name, day.day), []).append(value)
    found: dict[tuple[Month, str, int], DayTotal] = {}
    for month, ciphertext in months.items():
        read = decrypt.decrypt_months(them.key, codec.write_ciphertext(ciphertext), layout)
        found |= {(month, *place): total for place, total in read.items()}
    assert found.keys() == wanted.keys()
    by_name = {kind.name: kind for kind in STANDARD}
    for place, numbers in wanted.items():
        kind, total = by_name[place[1]], found[place]
        bound = layout.parameters.sum_error(24, layout.parameters.largest_sum)
        assert total.count == len(numbers)
        assert abs(total.total - math.fsum(numbers)) <= bound / kind.factor(layout.parameters)
        squares = math.fsum(number**2 for number in numbers)
        assert abs(total.squares - squares) <= bound / kind.square_factor(layout.parameters)


def test_an_edit_within_one_delta_is_one_change_and_an_undone_one_none() -> None:
    delta = Delta(Layout(CKKS_8192))
    delta.add(date(2024, 5, 1), "mood", 3)
    delta.remove(date(2024, 5, 1), "mood", 3)
    delta.add(date(2024, 6, 2), "word_count", 100)
    delta.remove(date(2024, 6, 2), "word_count", 100)
    delta.add(date(2024, 6, 2), "word_count", 120)

    months = delta.months()

    assert [str(month) for month in months] == ["2024-06"]
    slots = months[Month(2024, 6)]
    assert slots[delta.layout.slot("word_count", 2)] == 120
    assert sum(map(bool, slots)) == 3


def test_a_delta_takes_no_value_outside_of_its_metric_nor_more_than_a_slot_holds() -> None:
    delta = Delta(Layout(CKKS_4096))
    with pytest.raises(ValueOutOfBounds):
        delta.add(date(2024, 1, 1), "sentiment", 1.5)
    with pytest.raises(ValueError, match="no such slot"):
        delta.add(date(2024, 1, 1), "tea", 1)
    assert delta.months() == {}
    for _ in range(CKKS_4096.most_values + 1):
        delta.add(date(2024, 1, 1), "sentiment", 1)
    with pytest.raises(ValueOutOfBounds):
        delta.months()
    with pytest.raises(ValueError, match="another parameter set"):
        encrypt.encrypt_delta(holder("ckks-8192").key, delta)


def test_a_sum_whose_counts_are_none_is_implausible() -> None:
    layout = Layout(CKKS_4096)
    for count in (0.5, -1.0, math.nan):
        slots = [0.0] * layout.width
        slots[layout.slot("mood", 3, 2)] = count
        with pytest.raises(ImplausibleResult):
            layout.read(slots)
    with pytest.raises(ImplausibleResult):
        layout.read([0.0])
    with pytest.raises(ValueError, match="another parameter set"):
        decrypt.decrypt_months(holder("ckks-8192").key, b"", layout)


def test_a_variance_comes_of_sum_and_squares_and_is_never_negative() -> None:
    assert decrypt.variance(6.0, 14.0, 3) == pytest.approx(2 / 3)
    assert decrypt.variance(2.0, 3.9999999, 1) == 0.0
    with pytest.raises(ImplausibleResult):
        decrypt.variance(0.0, 0.0, 0)
    assert WORD_COUNT.largest == 2**16 and SENTIMENT.largest == 1
