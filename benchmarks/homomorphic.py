"""Encrypted metrics without a server: what each step costs, beside TenSEAL doing the same to the same bytes."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import tenseal

from benchmarks.report import Report
from lockleaf.he import codec, contexts, decrypt, encrypt, evaluate, keys, multiply, stored
from lockleaf.he.layout import Delta, Layout
from lockleaf.he.metric_types import STANDARD, WORD_COUNT
from lockleaf.he.params import PARAMETER_SETS, ParameterSet

__all__ = ["run"]

VALUES = 1000
REPEATS = 20
TEN_YEARS = 120
DAYS_OF_TEN_YEARS = 3653


def run(report: Report) -> None:
    """Measure each parameter set."""
    for parameters in PARAMETER_SETS.values():
        _client(parameters, report)
        _server(parameters, report)


def _milliseconds(step: Callable[[], Any], repeats: int = REPEATS) -> float:
    step()
    begin = time.perf_counter()
    for _ in range(repeats):
        step()
    return (time.perf_counter() - begin) / repeats * 1e3


def _client(parameters: ParameterSet, report: Report) -> None:
    name = parameters.name
    key, public = keys.make_keys(name)
    layout = Layout(parameters)

    def packed() -> dict[Any, bytes]:
        delta = Delta(layout)
        for day in range(31):
            for kind in STANDARD:
                delta.add(date(2024, 1, 1) + timedelta(days=day), kind.name, kind.highest)
        return encrypt.encrypt_delta(key, delta)

    blob = encrypt.encrypt_value(key, 500, WORD_COUNT)
    (month,) = packed().values()
    report.value(f"{name}: keys made", _milliseconds(lambda: keys.make_keys(name), 3), "ms")
    report.value(f"{name}: public context", len(public) / 1e3, "KB")
    report.value(f"{name}: secret key", len(key.to_bytes()) / 1e3, "KB")
    report.value(f"{name}: encrypt one value", _milliseconds(lambda: encrypt.encrypt_value(key, 500, WORD_COUNT)), "ms")
    report.value(f"{name}: encrypt a month of four metrics", _milliseconds(packed), "ms")
    report.value(
        f"{name}: decrypt one value", _milliseconds(lambda: decrypt.decrypt_value(key, blob, WORD_COUNT)), "ms"
    )
    report.value(f"{name}: decrypt a month", _milliseconds(lambda: decrypt.decrypt_months(key, month, layout)), "ms")


def _server(parameters: ParameterSet, report: Report) -> None:
    name = parameters.name
    context = tenseal.context(
        tenseal.SCHEME_TYPE.CKKS, parameters.degree, coeff_mod_bit_sizes=list(parameters.coeff_mod_bit_sizes)
    )
    context.global_scale = parameters.scale
    blobs = [tenseal.ckks_vector(context, [float(number % 500)]).serialize() for number in range(VALUES)]
    read = [codec.check_ciphertext(blob, name) for blob in blobs[:2]]
    kept = stored.dump(read[0])

    report.value(f"{name}: a ciphertext as TenSEAL sends it", len(blobs[0]) / 1e3, "KB")
    report.value(f"{name}: as it is answered", len(codec.write_ciphertext(read[0])) / 1e3, "KB")
    report.value(f"{name}: as it is stored", len(kept) / 1e3, "KB")
    year = "under 50" if parameters.levels > 1 else "under 10"
    report.value(f"{name}: ten years packed, stored", TEN_YEARS * len(kept) / 1e6, "MB", aim=year)
    single = DAYS_OF_TEN_YEARS * len(STANDARD) * len(blobs[0])
    report.value(f"{name}: ten years, one ciphertext a value", single / 1e6, "MB")
    check = _milliseconds(lambda: codec.check_ciphertext(blobs[0], name))
    load = _milliseconds(lambda: stored.load(kept))
    report.value(f"{name}: read and check an upload", check, "ms")
    report.value(f"{name}: add two", _milliseconds(lambda: evaluate.add(*read)), "ms")
    report.value(f"{name}: store", _milliseconds(lambda: stored.dump(read[0])), "ms")
    report.value(f"{name}: load", load, "ms")
    report.value(f"{name}: write an answer", _milliseconds(lambda: codec.write_ciphertext(read[0])), "ms")

    stores = [stored.dump(codec.check_ciphertext(blob, name)) for blob in blobs]
    begin = time.perf_counter()
    theirs = tenseal.ckks_vector_from(context, blobs[0])
    for blob in blobs[1:]:
        theirs += tenseal.ckks_vector_from(context, blob)
    plain = time.perf_counter() - begin
    begin = time.perf_counter()
    ours = evaluate.total(map(stored.load, stores))
    alone = time.perf_counter() - begin
    year_of_months = stores[:12]
    months = _milliseconds(lambda: codec.write_ciphertext(evaluate.total(map(stored.load, year_of_months)))) / 1e3
    assert codec.write_ciphertext(ours) == codec.with_version(theirs.serialize(), codec.NATIVE, parameters)
    what = "TenSEAL's plain loop over 1,000"
    report.compare(f"{name}: sums of {VALUES:,} stored values", 1 / alone, "/s", what, 1 / plain)
    report.compare(f"{name}: sums of a year's twelve months", 1 / months, "/s", what, 1 / plain, aim="10")
    report.value(f"{name}: sum of a year's twelve months", months * 1e3, "ms", aim="under 50")
    if "square" in parameters.operations:
        squarer = multiply.Squarer(contexts.read_public_context(context.serialize(save_secret_key=False)))
        report.value(f"{name}: square one", _milliseconds(lambda: squarer.square(read[0])), "ms")
        report.value(f"{name}: weigh one", _milliseconds(lambda: evaluate.weighted_sum(read[:1], [2.5])), "ms")
