"""The custody of uce keys, and the history of its use."""

from __future__ import annotations

from lockleaf.server.identity.custody.archive import SECTIONS
from lockleaf.server.identity.custody.models import Access
from lockleaf.server.platform.feature import Archive, Feature

__all__ = ["feature"]


feature = Feature(tables=(Access,), archive=Archive(sections=SECTIONS))
