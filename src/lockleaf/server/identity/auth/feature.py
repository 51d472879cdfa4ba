"""Sessions of accounts."""

from __future__ import annotations

from lockleaf.server.identity.auth.archive import SECTIONS
from lockleaf.server.identity.auth.models import Session, SessionKey
from lockleaf.server.identity.auth.upkeep import forget_expired
from lockleaf.server.platform.feature import Archive, Feature
from lockleaf.server.platform.jobs.worker import Schedule

__all__ = ["feature"]


feature = Feature(  # Often: what expired is a key that an old token still fits.
    schedules=(Schedule("auth.forget_expired", "*/5 * * * *", forget_expired),),
    tables=(
        Session,
        SessionKey,
    ),
    archive=Archive(sections=SECTIONS),
)
