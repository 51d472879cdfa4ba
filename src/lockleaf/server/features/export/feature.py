"""Archives of everything that the server holds of an account."""

from __future__ import annotations

from lockleaf.server.features.export.jobs import handler, sweep
from lockleaf.server.features.export.models import Archive, ArchivePart
from lockleaf.server.features.export.routes import router
from lockleaf.server.features.export.service import HOLDING, KIND
from lockleaf.server.platform.feature import Feature, examples_of
from lockleaf.server.platform.jobs.worker import Schedule

__all__ = ["feature"]


feature = Feature(
    router=router,
    jobs=lambda archive: {KIND: handler(archive.facts, archive.sections)},
    schedules=(Schedule("export.sweep", "7 * * * *", sweep),),
    tables=(
        Archive,
        ArchivePart,
    ),
    deletion=(HOLDING,),
    examples=examples_of(__package__),
)
