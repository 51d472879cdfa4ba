"""Background jobs, as their users see them."""

from __future__ import annotations

from lockleaf.server.features.jobs.archive import SECTIONS
from lockleaf.server.features.jobs.routes import router
from lockleaf.server.platform.feature import Archive, Feature, examples_of
from lockleaf.server.platform.jobs.models import Job
from lockleaf.server.platform.jobs.service import HOLDING
from lockleaf.server.platform.jobs.upkeep import forget, mend
from lockleaf.server.platform.jobs.worker import Schedule

__all__ = ["feature"]


feature = Feature(
    router=router,
    schedules=(Schedule("jobs.mend", "*/10 * * * *", mend, drops=False), Schedule("jobs.forget", "47 4 * * *", forget)),
    tables=(Job,),
    archive=Archive(sections=SECTIONS),
    deletion=(HOLDING,),
    examples=examples_of(__package__),
)
