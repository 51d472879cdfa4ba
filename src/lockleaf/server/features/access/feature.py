"""The history of access to uce content."""

from __future__ import annotations

from lockleaf.server.features.access.routes import router
from lockleaf.server.features.access.service import HOLDING
from lockleaf.server.platform.feature import Feature, examples_of

__all__ = ["feature"]


feature = Feature(router=router, deletion=(HOLDING,), examples=examples_of(__package__))
