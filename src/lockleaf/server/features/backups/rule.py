"""What becomes of a backup that meets another one under its id: the older rule of this endpoint (PROTOCOL section 6).

Older clients name no revision. They are told apart by their devices: a device replaces what it wrote itself, and never
what another one wrote. No clock decides; ``updated_at`` only tells a text that went round from one that differs.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Any

from lockleaf.wire.codec import canonical, unpack

__all__ = ["Verdict", "judge"]


class Verdict(Enum):
    """What becomes of an offered backup."""

    WRITE = "write"
    SAME = "same"
    CONFLICT = "conflict"
    """Unless it was accepted before, and is only sent again."""


def judge(present: bytes | None, revision: int, fields: Mapping[str, Any], base_revision: int | None) -> Verdict:
    """Decide on an offered backup.

    Arguments:
        present: the payload that the server has, None for none (never written, or deleted).
        revision: of the record, its deletion included; 0 for none.
        fields: what is offered, as it would be stored.
        base_revision: the revision that it follows; None for a client that names none.
    """
    offered = canonical(fields)
    if present == offered:
        return Verdict.SAME
    if base_revision is not None:
        return Verdict.WRITE if base_revision == revision else Verdict.CONFLICT
    if present is None:
        return Verdict.WRITE
    there, sent = unpack(present), unpack(offered)
    if there["device_id"] == sent["device_id"]:
        return Verdict.WRITE
    # Another device. What it only passes on, unchanged, leaves nothing to choose between.
    return Verdict.SAME if {**sent, "device_id": there["device_id"]} == there else Verdict.CONFLICT
