"""Objects under signed addresses."""

from __future__ import annotations

from lockleaf.server.features.objects.routes import router
from lockleaf.server.platform.feature import Feature

__all__ = ["feature"]


feature = Feature(router=router)
