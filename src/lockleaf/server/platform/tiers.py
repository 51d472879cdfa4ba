"""The privacy tiers, and the refusal of what an account's tier keeps on the device."""

from __future__ import annotations

from lockleaf.server.platform.errors import Forbidden
from lockleaf.wire.problems import ErrorCode

__all__ = ["TIERS", "TierRequired"]

TIERS = ("local_only", "analytics_sync", "full_sync")
"""The privacy tiers, each holding more on the server than the one before."""


class TierRequired(Forbidden):
    """The account's privacy tier keeps this on the device. `required` names the lowest tier that allows it."""

    code = ErrorCode.TIER_REQUIRED
