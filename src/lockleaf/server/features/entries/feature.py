"""The diary, entry by entry."""

from __future__ import annotations

from collections.abc import Mapping

from lockleaf.server.features.entries.archive import SECTIONS
from lockleaf.server.features.entries.models import EntryPublication
from lockleaf.server.features.entries.publications import HOLDING
from lockleaf.server.features.entries.routes import router
from lockleaf.server.platform.feature import Archive, Feature
from lockleaf.server.platform.http.examples import Examples

__all__ = ["feature"]


def _examples() -> Mapping[str, Examples]:
    from lockleaf.server.features.entries.examples import EXAMPLES  # noqa: PLC0415  (only the OpenAPI document needs them)

    return EXAMPLES


feature = Feature(
    router=router,
    tables=(EntryPublication,),
    archive=Archive(sections=SECTIONS),
    deletion=(HOLDING,),
    examples=_examples,
)
