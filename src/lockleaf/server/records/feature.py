"""The encrypted store."""

from __future__ import annotations

from lockleaf.server.platform.feature import Archive, Feature
from lockleaf.server.platform.jobs.worker import Schedule
from lockleaf.server.records.archive import FACTS, SECTIONS
from lockleaf.server.records.models import Change, Checkpoint, Conflict, Epoch, EpochStatement, Head, Record, Revision
from lockleaf.server.records.purge import purge

__all__ = ["feature"]


feature = Feature(
    schedules=(Schedule("records.purge", "17 3 * * *", purge),),
    tables=(
        Head,
        Epoch,
        EpochStatement,
        Change,
        Record,
        Revision,
        Conflict,
        Checkpoint,
    ),
    archive=Archive(FACTS, SECTIONS),
)
