"""Encrypted metrics."""

from __future__ import annotations

from collections.abc import Mapping

from lockleaf.server.features.analytics.archive import SECTIONS
from lockleaf.server.features.analytics.models import Metric, MetricCause, MetricDelta, MetricKey, MetricPack, MetricSum
from lockleaf.server.features.analytics.routes import router
from lockleaf.server.features.analytics.service import HOLDING, KEYS_HOLDING
from lockleaf.server.platform.feature import Archive, Feature
from lockleaf.server.platform.http.examples import Examples

__all__ = ["feature"]


def _examples() -> Mapping[str, Examples]:
    from lockleaf.server.features.analytics.examples import EXAMPLES  # noqa: PLC0415  (only the OpenAPI document needs them)

    return EXAMPLES


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
    examples=_examples,
)
