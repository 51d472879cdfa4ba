"""Social networks: their posts come in, entries go out."""

from __future__ import annotations

from lockleaf.server.features.integrations.archive import SECTIONS
from lockleaf.server.features.integrations.jobs import KIND, handle, sync
from lockleaf.server.features.integrations.models import ExternalPost, Integration, IntegrationApplication
from lockleaf.server.features.integrations.routes import router
from lockleaf.server.features.integrations.service import HOLDING
from lockleaf.server.platform.feature import Archive, Feature, examples_of
from lockleaf.server.platform.jobs.worker import Schedule

__all__ = ["feature"]


feature = Feature(
    router=router,
    jobs=lambda archive: {KIND: handle},
    schedules=(Schedule("integrations.sync", "13 * * * *", sync, drops=False),),
    tables=(Integration, ExternalPost, IntegrationApplication),
    archive=Archive(sections=SECTIONS),
    deletion=(HOLDING,),
    examples=examples_of(__package__),
)
