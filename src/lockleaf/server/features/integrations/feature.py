"""Social networks: their posts come in, entries go out."""

from __future__ import annotations

from collections.abc import Mapping

from lockleaf.server.features.integrations.archive import SECTIONS
from lockleaf.server.features.integrations.jobs import KIND, handle, sync
from lockleaf.server.features.integrations.models import ExternalPost, Integration, IntegrationApplication
from lockleaf.server.features.integrations.routes import router
from lockleaf.server.features.integrations.service import HOLDING
from lockleaf.server.platform.feature import Archive, Feature
from lockleaf.server.platform.http.examples import Examples
from lockleaf.server.platform.jobs.worker import Schedule

__all__ = ["feature"]


def _examples() -> Mapping[str, Examples]:
    from lockleaf.server.features.integrations.examples import EXAMPLES  # noqa: PLC0415  (the OpenAPI document alone)

    return EXAMPLES


feature = Feature(
    router=router,
    jobs=lambda archive: {KIND: handle},
    schedules=(Schedule("integrations.sync", "13 * * * *", sync),),
    tables=(Integration, ExternalPost, IntegrationApplication),
    archive=Archive(sections=SECTIONS),
    deletion=(HOLDING,),
    examples=_examples,
)
