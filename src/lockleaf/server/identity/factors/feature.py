"""Second factors of accounts."""

from __future__ import annotations

from lockleaf.server.identity.factors.archive import SECTIONS
from lockleaf.server.identity.factors.models import Factor, FactorAttempts, FactorChallenge, FactorCode
from lockleaf.server.identity.factors.service import delete_all
from lockleaf.server.identity.factors.upkeep import forget_unanswered
from lockleaf.server.platform.feature import Archive, Feature
from lockleaf.server.platform.holdings import Holding
from lockleaf.server.platform.jobs.worker import Schedule

__all__ = ["feature"]


feature = Feature(
    schedules=(Schedule("factors.forget_unanswered", "17 * * * *", forget_unanswered),),
    tables=(Factor, FactorCode, FactorChallenge, FactorAttempts),
    archive=Archive(sections=SECTIONS),
    deletion=(Holding("local_only", delete_all),),
)
