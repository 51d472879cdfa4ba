"""Sign-up, login, sessions, credentials."""

from __future__ import annotations

from lockleaf.server.features.auth.routes import router
from lockleaf.server.platform.feature import Feature, examples_of

__all__ = ["feature"]


feature = Feature(router=router, examples=examples_of(__package__))
