"""What becomes of changes."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from lockleaf.wire.codec import unpack
from lockleaf.wire.sync import Record

__all__ = ["Outcome", "Pushed"]


@dataclass(slots=True)
class Outcome:
    """What became of one change."""

    status: str
    seq: int | None = None
    revision: int | None = None
    code: str | None = None
    limit_bytes: int | None = None
    current: dict[str, Any] | None = None
    conflict_id: str | None = None
    packed: bytes | None = None
    """The record that an applied change has made."""

    def record(self) -> Record:
        """Return the record that an applied change has made."""
        assert self.packed is not None, "the change was applied"
        return Record.model_validate(unpack(self.packed))

    def as_dict(self) -> dict[str, Any]:
        """Return what is known, as it travels."""
        found = {
            "status": self.status,
            "seq": self.seq,
            "revision": self.revision,
            "code": self.code,
            "limit_bytes": self.limit_bytes,
            "current": self.current,
            "conflict_id": self.conflict_id,
        }
        return {name: value for name, value in found.items() if value is not None}


@dataclass(slots=True)
class Pushed:
    """What became of a batch, and the end of the history after it."""

    outcomes: list[Outcome]
    epoch: str
    seq: int
    head: bytes
    at: datetime
    """When, as the records say."""
    moved: bool = field(default=False)
    """Whether anything was written that listeners should hear of."""
