"""Searching what a server may know of words."""

from __future__ import annotations

from lockleaf.server.features.search.archive import FACTS
from lockleaf.server.features.search.indexer import Indexer
from lockleaf.server.features.search.models import SearchDocument, SearchIndex
from lockleaf.server.features.search.routes import router
from lockleaf.server.features.search.service import HOLDING
from lockleaf.server.identity.custody.custodian import Custodian
from lockleaf.server.platform.clock import Clock
from lockleaf.server.platform.feature import Archive, Feature, examples_of

__all__ = ["feature"]


feature = Feature(
    router=router,
    tables=(
        SearchIndex,
        SearchDocument,
    ),
    archive=Archive(FACTS),
    deletion=(HOLDING,),
    observers=(lambda parts: Indexer(parts[Clock], parts[Custodian]),),
    examples=examples_of(__package__),
)
