"""Encrypted metrics."""

from __future__ import annotations

from lockleaf.server.features.analytics.archive import SECTIONS
from lockleaf.server.features.analytics.models import Metric, MetricCause, MetricDelta, MetricKey, MetricPack, MetricSum
from lockleaf.server.features.analytics.routes import router
from lockleaf.server.features.analytics.service import HOLDING, KEYS_HOLDING
from lockleaf.server.platform.feature import Archive, Feature, examples_of

__all__ = ["feature"]


feature = Feature(
    router=router,
    tables=(
        Metric,
        MetricSum,
        MetricPack,
        MetricDelta,
        MetricCause,
        MetricKey,
    ),
    archive=Archive(sections=SECTIONS),
    deletion=(HOLDING, KEYS_HOLDING),
    examples=examples_of(__package__),
)
