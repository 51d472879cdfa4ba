"""Searching what a server may know of words."""

from __future__ import annotations

from collections.abc import Mapping

from lockleaf.server.features.search.archive import FACTS
from lockleaf.server.features.search.indexer import Indexer
from lockleaf.server.features.search.models import SearchDocument, SearchIndex
from lockleaf.server.features.search.routes import router
from lockleaf.server.features.search.service import HOLDING
from lockleaf.server.identity.custody.custodian import Custodian
from lockleaf.server.platform.clock import Clock
from lockleaf.server.platform.feature import Archive, Feature
from lockleaf.server.platform.http.examples import Examples

__all__ = ["feature"]


def _examples() -> Mapping[str, Examples]:
    from lockleaf.server.features.search.examples import EXAMPLES  # noqa: PLC0415  (only the OpenAPI document needs them)

    return EXAMPLES


feature = Feature(
    router=router,
    tables=(
        SearchIndex,
        SearchDocument,
    ),
    archive=Archive(FACTS),
    deletion=(HOLDING,),
    observers=(lambda parts: Indexer(parts[Clock], parts[Custodian]),),
    examples=_examples,
)
