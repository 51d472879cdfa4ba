"""What an operator asks a server."""

from __future__ import annotations

from lockleaf.server.features.operation.models import Installation
from lockleaf.server.features.operation.routes import router
from lockleaf.server.platform.feature import Feature

__all__ = ["feature"]


feature = Feature(router=router, tables=(Installation,))
