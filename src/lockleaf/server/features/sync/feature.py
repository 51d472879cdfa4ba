"""Synchronising: pushes, the feed, conflicts, checkpoints."""

from __future__ import annotations

from collections.abc import Mapping

from lockleaf.server.features.sync.routes import router
from lockleaf.server.platform.feature import Feature
from lockleaf.server.platform.http.examples import Examples

__all__ = ["feature"]


def _examples() -> Mapping[str, Examples]:
    from lockleaf.server.features.sync.examples import EXAMPLES  # noqa: PLC0415  (only the OpenAPI document needs them)

    return EXAMPLES


feature = Feature(router=router, examples=_examples)
