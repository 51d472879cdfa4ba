"""Recovery codes."""

from __future__ import annotations

from lockleaf.server.features.recovery.routes import router
from lockleaf.server.platform.feature import Feature, examples_of

__all__ = ["feature"]


feature = Feature(router=router, examples=examples_of(__package__))
