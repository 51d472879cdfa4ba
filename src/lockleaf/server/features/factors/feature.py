"""Second factors: the endpoints."""

from __future__ import annotations

from lockleaf.server.features.factors.routes import router
from lockleaf.server.platform.feature import Feature, examples_of

__all__ = ["feature"]


feature = Feature(router=router, examples=examples_of(__package__))
