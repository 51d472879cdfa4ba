"""Security keys at this machine, and what they ask of a person."""

from __future__ import annotations

from lockleaf import client as sdk
from lockleaf.cli import prompts
from lockleaf.cli.errors import Complaint
from lockleaf.cli.run import Run
from lockleaf.exit_codes import ExitCode

__all__ = ["found_key", "required_key"]


def found_key(run: Run) -> sdk.SecurityKey | None:
    """Return the security key that is plugged in; None where there is none, or nobody to touch it."""
    if not run.interactive:
        return None

    def touch() -> None:
        run.note("Touch your security key.")

    def pin() -> str | None:
        return prompts.hidden("PIN of your security key") or None

    keys = sdk.SecurityKey.plugged_in(touch=touch, pin=pin)
    if len(keys) > 1:
        run.note("Several security keys are plugged in: leave one.")
        return None
    return keys[0] if keys else None


def required_key(run: Run) -> sdk.SecurityKey:
    """Return the security key that is plugged in.

    Raises:
        Complaint: there is none, or more than one.
    """
    key = found_key(run)
    if key is None:
        raise Complaint(
            "Plug in one security key. It has to speak FIDO2, and to have a PIN or to read fingerprints. On Linux your "
            "user needs access to /dev/hidraw devices, which most systems give.",
            ExitCode.LOCAL,
            "NoSecurityKey",
        )
    return key
