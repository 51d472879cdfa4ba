"""The diary, entry by entry."""

from __future__ import annotations

from lockleaf.server.features.entries.archive import SECTIONS
from lockleaf.server.features.entries.models import EntryPublication
from lockleaf.server.features.entries.publications import HOLDING
from lockleaf.server.features.entries.routes import router
from lockleaf.server.platform.feature import Archive, Feature, examples_of

__all__ = ["feature"]


feature = Feature(
    router=router,
    tables=(EntryPublication,),
    archive=Archive(sections=SECTIONS),
    deletion=(HOLDING,),
    examples=examples_of(__package__),
)
