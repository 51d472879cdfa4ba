"""What integrations put in for an account."""

from __future__ import annotations

from lockleaf.server.features.inbox.archive import SECTIONS
from lockleaf.server.features.inbox.models import InboxItem
from lockleaf.server.features.inbox.routes import router
from lockleaf.server.features.inbox.service import HOLDING
from lockleaf.server.platform.feature import Archive, Feature, examples_of

__all__ = ["feature"]


feature = Feature(
    router=router,
    tables=(InboxItem,),
    archive=Archive(sections=SECTIONS),
    deletion=(HOLDING,),
    examples=examples_of(__package__),
)
