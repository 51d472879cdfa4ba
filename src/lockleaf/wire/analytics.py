"""Bodies of ``/encryption``: numbers that are added up by who cannot read them (PROTOCOL section 9)."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal, Self

from annotated_types import Len
from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints, model_validator

from lockleaf.wire.base import Body, Listed
from lockleaf.wire.fields import Bytes, Instant, RecordId, Sequence64

__all__ = [
    "MAX_CHANGES",
    "MAX_METRICS",
    "MAX_PAGE_BYTES",
    "MAX_RESULTS",
    "MAX_SEALED_KEY_BYTES",
    "MAX_WEIGHTS",
    "Aggregate",
    "Aggregation",
    "Bucket",
    "BucketResult",
    "Cause",
    "ContextParams",
    "EncryptionContext",
    "Layout",
    "Metric",
    "MetricBatch",
    "MetricDetails",
    "MetricName",
    "Metrics",
    "MetricsStored",
    "NewMetric",
    "OperationName",
    "PackedResult",
    "ParameterSetFacts",
    "ParameterSetName",
    "SealVersionName",
    "SealedKey",
    "SealedKeyChange",
    "SealedKeyVersion",
    "TimeRange",
]

MAX_METRICS = 500
MAX_CHANGES = 500
"""How many changes may have caused one delta."""
MAX_CAUSES = 10_000
"""How many changes a whole request may name."""
MAX_WEIGHTS = 1000
"""How many single values may be weighted, or have a line drawn through them, in one request."""
MAX_RESULTS = 31
"""Results on one page: the days of a month."""
MAX_PAGE_BYTES = 8 * 1024 * 1024
MAX_SEALED_KEY_BYTES = 512 * 1024
"""More than the secret key of any named parameter set has, sealed."""

ParameterSetName = Literal["ckks-8192", "ckks-4096"]
SealVersionName = Literal["4.1", "4.3"]
OperationName = Literal["sum", "average", "weighted_sum", "variance", "trend"]
Bucket = Literal["day", "week", "month", "year"]
MetricName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.:-]{0,63}$")]
Layout = Annotated[
    str,
    StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,31}:[A-Za-z0-9_.:,-]{1,992}$"),
    Field(description="What stands in which slot, in the client's words, as in `month-1:word_count,mood`."),
]


def _countable(value: datetime) -> datetime:
    # The bucket in which a time lies has to end before the calendar does.
    if value.year > 9998:
        raise ValueError("not a time that can be counted")
    return value


def _as_list(value: Any) -> Any:
    return [value] if isinstance(value, dict | Cause) else value


MetricTime = Annotated[Instant, AfterValidator(_countable)]


class ContextParams(Body):
    """The parameters of ckks-8192, as TenSEAL takes them."""

    scheme: Literal["CKKS"] = "CKKS"
    poly_modulus_degree: int
    coeff_mod_bit_sizes: tuple[int, ...]
    scale: int


class ParameterSetFacts(ContextParams):
    """A parameter set, and within which bounds it adds up correctly."""

    slots: int = Field(description="How many values one ciphertext holds.")
    largest: float = Field(description="The largest magnitude of one value, after the client has scaled it.")
    most_values: int = Field(description="How many such values a slot adds up correctly.")
    most_additions: int = Field(description="How many ciphertexts are added into one.")
    fresh_error: float = Field(description="By how much a slot of a fresh ciphertext is off at most.")
    operations: tuple[str, ...]
    serialized_context: Bytes = Field(description="A TenSEAL context: parameters, no keys.")


class EncryptionContext(Body):
    """The parameter sets: the first one in full at the top, where clients look that know no other."""

    context_params: ContextParams
    serialized_context: Bytes = Field(description="A TenSEAL context of ckks-8192: parameters, no keys.")
    parameter_sets: dict[str, ParameterSetFacts]


class SealedKeyChange(Body):
    """The next version of the client's secret key, sealed under the account's own keys."""

    sealed_key: Annotated[Bytes, Len(1, MAX_SEALED_KEY_BYTES)]
    base_version: Sequence64 = Field(description="The version that this follows; 0 where there is none.")


class SealedKeyVersion(Body):
    """The answer to a sealed key that was stored, or had been."""

    parameter_set: ParameterSetName
    version: Sequence64
    updated_at: Instant


class SealedKey(SealedKeyVersion):
    """The sealed key as the client's devices stored it."""

    sealed_key: Bytes


class Cause(Body):
    """An accepted change of an entry."""

    record_id: RecordId
    revision: Annotated[int, Field(ge=1, le=2**62)]


class NewMetric(Body):
    """One encrypted value, or with ``layout`` a delta: what changed in the slots of a month."""

    metric_type: MetricName | None = Field(default=None, description="Needed without `layout`; unused with it.")
    encrypted_value: Annotated[Bytes, Len(1)] = Field(
        description="A serialised TenSEAL `CKKSVector`, or SEAL's own ciphertext (`CipherText.save()`)."
    )
    timestamp: MetricTime = Field(description="Decides in which day, week, month and year, in UTC, it is counted.")
    id: RecordId | None = Field(
        default=None, description="Chosen by the client: the same one with the same bytes counts once. Deltas need one."
    )
    parameter_set: ParameterSetName = "ckks-8192"
    layout: Layout | None = None
    encrypted_square: Annotated[Bytes, Len(1)] | None = Field(
        default=None, description="The square of a single value, for the variance."
    )
    change: Annotated[tuple[Cause, ...], Len(1, MAX_CHANGES), BeforeValidator(_as_list)] | None = Field(
        default=None,
        description="The accepted changes, one or a list, that caused a delta: each counts once a layout and month.",
    )

    @model_validator(mode="after")
    def _one_of_two_kinds(self) -> Self:
        if self.layout is None:
            if self.metric_type is None:
                raise ValueError("a single value needs its metric_type")
            if self.change is not None:
                raise ValueError("changes cause deltas: a single value is told apart by its id")
        elif self.id is None:
            raise ValueError("a delta needs an id")
        elif self.encrypted_square is not None:
            raise ValueError("squares have slots of their own in a layout")
        return self


class MetricBatch(Body):
    """Up to 500 metrics or 8 MiB: all of them are counted, or none."""

    metrics: Annotated[tuple[NewMetric, ...], Len(1, MAX_METRICS)]

    @model_validator(mode="after")
    def _within_reason(self) -> Self:
        if sum(len(each.change or ()) for each in self.metrics) > MAX_CAUSES:
            raise ValueError(f"more than {MAX_CAUSES} changes in one request")
        return self


class MetricDetails(Body):
    """How many metrics are counted now that were sent, and under which ids."""

    count: int
    ids: tuple[str, ...]


class MetricsStored(Body):
    """The answer to an upload."""

    success: bool = True
    message: str
    details: MetricDetails


class Metric(Body):
    """A single value that is stored, or with ``layout`` the accumulator of a month."""

    id: str | None = None
    metric_type: str | None = None
    parameter_set: str
    timestamp: Instant = Field(description="Of the value; of an accumulator the beginning of its month.")
    size: int = Field(description="Bytes that it takes on the server.")
    layout: str | None = None
    additions: int | None = Field(default=None, description="How many deltas an accumulator holds.")


class Metrics(Listed[Metric]):
    """A page of metrics, by time."""


class TimeRange(Body):
    """From ``start`` up to, and without, ``end``; open where one is absent."""

    start: Instant | None = None
    end: Instant | None = None

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.start is not None and self.end is not None and self.start >= self.end:
            raise ValueError("the range ends before it begins")
        return self


class Aggregation(Body):
    """What shall be computed, of the single values of a metric, or of the accumulators of a layout."""

    metric_type: MetricName | None = Field(default=None, description="Needed without `layout`; unused with it.")
    operation: OperationName
    time_range: TimeRange | None = None
    bucket: Bucket | None = Field(default=None, description="A result for each, in UTC; weeks begin on Monday.")
    weights: (
        Annotated[
            tuple[Annotated[float, Field(ge=-(2.0**20), le=2.0**20, allow_inf_nan=False)], ...], Len(1, MAX_WEIGHTS)
        ]
        | None
    ) = Field(default=None, description="`weighted_sum`: one for each value of the range, by time, then id.")
    parameter_set: ParameterSetName = "ckks-8192"
    layout: Layout | None = None
    seal_version: SealVersionName | None = Field(
        default=None, description="Of the answer; that of the ciphertext which was added last if it is left out."
    )
    limit: Annotated[int, Field(ge=1, le=MAX_RESULTS)] = Field(
        default=MAX_RESULTS, description="Results on a page of buckets, and fewer where they would exceed 8 MiB."
    )
    cursor: Annotated[str, StringConstraints(max_length=512)] | None = None

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        if self.layout is None and self.metric_type is None:
            raise ValueError("metric_type or layout is needed")
        if (self.operation == "weighted_sum") != (self.weights is not None):
            raise ValueError("weights belong to a weighted_sum")
        if self.operation in ("weighted_sum", "trend") and self.bucket is not None:
            raise ValueError("a weighted_sum or a trend is of the whole range")
        if self.layout is not None and (self.operation != "sum" or self.bucket in ("day", "week")):
            raise ValueError("packed months are summed, whole or by month or year: the slots tell the rest")
        if self.cursor is not None and self.bucket is None:
            raise ValueError("only buckets come in pages")
        return self


class BucketResult(Body):
    """The result of one bucket, or of the part of it that is in the range."""

    start: Instant
    count: int
    divisor: float
    encrypted_result: Bytes
    encrypted_sum_squares: Bytes | None = None


class PackedResult(Body):
    """A packed month that the range cuts: whole, since only the client can tell its slots apart."""

    start: Instant
    count: int
    divisor: float = 1
    encrypted_result: Bytes


class Aggregate(Body):
    """A result: ciphertexts, and what is known of them."""

    metric_type: str | None = None
    layout: str | None = None
    operation: OperationName
    parameter_set: ParameterSetName
    count: int = Field(
        default=0,
        description="How many values the result is of, or all buckets here; with a layout, how many deltas.",
    )
    divisor: float = Field(default=1, description="By what the client divides what it decrypts.")
    encrypted_result: Bytes | None = Field(
        default=None,
        description="Like every ciphertext here a `CKKSVector`; for an account that registered SEAL's own public key "
        "one of SEAL's own.",
    )
    encrypted_sum_squares: Bytes | None = None
    squares: Literal["uploaded", "multiplied"] | None = Field(
        default=None, description="Whether the squares are the client's own, scaled as it scales them, or the server's."
    )
    encrypted_average: Bytes | None = Field(default=None, description="`trend`: of all values.")
    mean_time: Instant | None = Field(
        default=None, description="`trend`: when the line, which rises by the result a day, has the average value."
    )
    partial: tuple[PackedResult, ...] | None = Field(
        default=None, description="Packed months that the range cuts; they are in no other result."
    )
    buckets: tuple[BucketResult, ...] | None = None
    next_cursor: str | None = None
