"""QR codes on a terminal, for what another device or a phone takes in."""

from __future__ import annotations

import io

from lockleaf.cli import screen
from lockleaf.cli.run import Run

__all__ = ["show_qr"]


def show_qr(run: Run, text: str) -> None:
    """Show ``text`` as a QR code, beside the results."""
    drawn = io.StringIO()
    screen.qr_code(text, error="l").terminal(drawn, compact=True)
    run.note(drawn.getvalue())
