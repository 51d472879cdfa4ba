"""What a server claims and devices signed, as it is put before a person."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Claim", "RememberedCheckpoint"]


@dataclass(frozen=True, slots=True)
class RememberedCheckpoint:
    """A device's signed word on a history: its ``head`` at ``seq`` of the ``epoch``."""

    device_id: str
    epoch: str
    seq: int
    head: bytes

    def sentence(self) -> str:
        """Return it as a person reads it, where the server shows something else."""
        return (
            f"Device {self.device_id[:8]} signed a history up to change {self.seq:,} that is not the one that the "
            "server shows now. Sync that device too, and repair it if it stops."
        )


@dataclass(frozen=True, slots=True)
class Claim:
    """What a server says of its history, beside what this device and others had verified.

    Args:
        epoch: the epoch in which the server is now.
        from_seq: from where it goes on, it says.
        ends_at: where its history ends now.
        verified: where the history ended that this device had verified; None if it had seen nothing yet.
        last_sync: when that was, RFC 3339.
        checkpoints: (device id, sequence number, time) of devices that signed a history which the server does not show.
        confirmed: a device of yours has confirmed it.
        declared: the server itself says that it was put back.
    """

    epoch: str
    from_seq: int
    ends_at: int
    verified: int | None = None
    last_sync: str | None = None
    checkpoints: tuple[tuple[str, int, str | None], ...] = ()
    confirmed: bool = False
    declared: bool = True

    def sentences(self) -> tuple[str, ...]:
        """Return the claim as a person reads it."""
        said = f"goes on from change {self.from_seq:,}" if self.declared else "does not have what this device has seen"
        lines = [f"The server says: its history {said}, and ends at change {self.ends_at:,} now."]
        if self.verified is not None:
            when = f", last on {self.last_sync[:16].replace('T', ' ')} UTC" if self.last_sync is not None else ""
            lines.append(f"This device had verified the history up to change {self.verified:,}{when}.")
        for device_id, seq, time in self.checkpoints:
            when = f" on {time[:16].replace('T', ' ')}" if time is not None else ""
            lines.append(f"Device {device_id[:8]} signed a history up to change {seq:,}{when}; the server hides it.")
        if self.confirmed:
            lines.append("Another device of yours has confirmed this.")
        return tuple(lines)
