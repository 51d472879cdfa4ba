"""Tables of encrypted metrics: the values, what they add up to, and what was counted already."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from sqlalchemy import BigInteger, Boolean, CheckConstraint, Date, Index, Integer
from sqlalchemy.orm import Mapped, mapped_column

from lockleaf.server.platform.db.base import Base, Blob, Instant, Name, Now, Sequence

__all__ = ["Metric", "MetricCause", "MetricDelta", "MetricKey", "MetricPack", "MetricSum"]


class Metric(Base):
    """A single value. It is kept beside the sums that hold it, for ranges that cut a month, and to be taken back."""

    __tablename__ = "metrics"

    user_id: Mapped[UUID] = mapped_column(primary_key=True)
    metric_id: Mapped[Name] = mapped_column(primary_key=True)
    metric_type: Mapped[Name]
    parameter_set: Mapped[Name]
    at: Mapped[Instant]
    ciphertext: Mapped[Blob] = mapped_column(comment="in the form of lockleaf.he.stored, as all ciphertexts here")
    square: Mapped[Blob | None]
    multiplied: Mapped[bool] = mapped_column(Boolean, server_default="false", comment="whether the server squared it")
    fingerprint: Mapped[Blob] = mapped_column(comment="of all that was sent: the same again is a retry")
    created_at: Mapped[Now]


# Ranges of one metric are counted within this index alone.
Index(
    "ix_metrics_type",
    Metric.user_id,
    Metric.metric_type,
    Metric.at,
    Metric.metric_id,
    postgresql_include=["parameter_set"],
)
Index("ix_metrics_at", Metric.user_id, Metric.at, Metric.metric_id)


class MetricSum(Base):
    """What the values of a metric in a month or a year add up to."""

    __tablename__ = "metric_sums"
    __table_args__ = (
        CheckConstraint("kind IN ('values', 'squares', 'products')", name="kind"),
        CheckConstraint("period IN ('month', 'year')", name="period"),
    )

    user_id: Mapped[UUID] = mapped_column(primary_key=True)
    metric_type: Mapped[Name] = mapped_column(primary_key=True)
    parameter_set: Mapped[Name] = mapped_column(primary_key=True)
    kind: Mapped[Name] = mapped_column(
        primary_key=True, comment="values; squares that the client encrypted, or that the server multiplied"
    )
    period: Mapped[Name] = mapped_column(primary_key=True)
    start: Mapped[date] = mapped_column(Date, primary_key=True)
    ciphertext: Mapped[Blob]
    count: Mapped[Sequence]
    seal_version: Mapped[Name] = mapped_column(comment="of SEAL that wrote what was added last")
    updated_at: Mapped[Instant]


class MetricPack(Base):
    """The accumulator of a month: many values in the slots of one ciphertext, which only the client tells apart."""

    __tablename__ = "metric_packs"

    user_id: Mapped[UUID] = mapped_column(primary_key=True)
    parameter_set: Mapped[Name] = mapped_column(primary_key=True)
    layout: Mapped[Name] = mapped_column(primary_key=True)
    month: Mapped[date] = mapped_column(Date, primary_key=True)
    ciphertext: Mapped[Blob]
    slots: Mapped[int] = mapped_column(Integer)
    additions: Mapped[Sequence]
    seal_version: Mapped[Name]
    updated_at: Mapped[Instant]


class MetricDelta(Base):
    """That a delta was added to its month. What was in it is in the accumulator, and nowhere else."""

    __tablename__ = "metric_deltas"

    user_id: Mapped[UUID] = mapped_column(primary_key=True)
    delta_id: Mapped[Name] = mapped_column(primary_key=True)
    fingerprint: Mapped[Blob]
    created_at: Mapped[Now]


class MetricCause(Base):
    """That a change of an entry is counted in the accumulator of a month."""

    __tablename__ = "metric_causes"

    user_id: Mapped[UUID] = mapped_column(primary_key=True)
    pack: Mapped[bytes] = mapped_column(primary_key=True, comment="digest of parameter set and layout")
    month: Mapped[date] = mapped_column(Date, primary_key=True)
    record_id: Mapped[Name] = mapped_column(primary_key=True)
    revision: Mapped[int] = mapped_column(BigInteger, primary_key=True)


class MetricKey(Base):
    """A client's secret key, sealed by it for its account's other devices."""

    __tablename__ = "metric_keys"

    user_id: Mapped[UUID] = mapped_column(primary_key=True)
    parameter_set: Mapped[Name] = mapped_column(primary_key=True)
    version: Mapped[Sequence]
    sealed_key: Mapped[Blob]
    updated_at: Mapped[Instant]
