"""Files attached to entries."""

from __future__ import annotations

from lockleaf.server.features.media import service, upkeep
from lockleaf.server.features.media.archive import SECTIONS
from lockleaf.server.features.media.models import Media, MediaRemoval
from lockleaf.server.features.media.routes import router
from lockleaf.server.platform.blobs.removals import Removals
from lockleaf.server.platform.feature import Archive, Feature, examples_of
from lockleaf.server.platform.jobs.worker import Schedule

__all__ = ["feature"]


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
    examples=examples_of(__package__),
)
