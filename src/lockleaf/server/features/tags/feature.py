"""Tags."""

from __future__ import annotations

from lockleaf.server.features.tags.additions import new_tags
from lockleaf.server.features.tags.routes import router
from lockleaf.server.platform.feature import Feature, examples_of

__all__ = ["feature"]


feature = Feature(router=router, additions=(new_tags,), examples=examples_of(__package__))
