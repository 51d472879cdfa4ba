"""Files attached to entries."""

from __future__ import annotations

from collections.abc import Mapping

from lockleaf.server.features.media import service, upkeep
from lockleaf.server.features.media.archive import SECTIONS
from lockleaf.server.features.media.models import Media, MediaRemoval
from lockleaf.server.features.media.routes import router
from lockleaf.server.platform.blobs.removals import Removals
from lockleaf.server.platform.feature import Archive, Feature
from lockleaf.server.platform.http.examples import Examples
from lockleaf.server.platform.jobs.worker import Schedule

__all__ = ["feature"]


def _examples() -> Mapping[str, Examples]:
    from lockleaf.server.features.media.examples import EXAMPLES  # noqa: PLC0415  (only the OpenAPI document needs them)

    return EXAMPLES


feature = Feature(
    router=router,
    schedules=(
        Schedule("media.remove_staged", "*/10 * * * *", upkeep.remove_staged),
        Schedule("media.forget_unfinished", "27 * * * *", upkeep.forget_unfinished),
        Schedule("media.purge", "37 3 * * *", upkeep.purge),
        Schedule("media.sweep_orphans", "7 4 * * *", upkeep.sweep_orphans),
    ),
    tables=(
        Media,
        MediaRemoval,
    ),
    archive=Archive(sections=SECTIONS),
    deletion=(lambda parts: service.holding(parts[Removals]),),
    examples=_examples,
)
