"""Colours of tags: a name without a chosen colour has one all the same, and the same one everywhere.

What this guarantees, to every client that shows a tag and to the server where it makes one: the colour of a name is a
pure function of its normalised form (`known_as`), so that two devices that never met, and a server,
give the same tag the same colour; and `PALETTE` keeps its order and its values for as long as version 1 of the
protocol lives, since a colour that was given is stored.
"""

from __future__ import annotations

from hashlib import sha256

from lockleaf.wire.names import known_as

__all__ = ["PALETTE", "color_of"]

PALETTE = (
    "#d53b4b",  # red
    "#c3530a",  # rust
    "#a26908",  # amber
    "#887504",  # mustard
    "#657f03",  # olive
    "#038838",  # green
    "#14846e",  # jade
    "#148287",  # teal
    "#057fa2",  # cyan
    "#0377d2",  # blue
    "#6266e6",  # indigo
    "#9357d6",  # violet
    "#b648b3",  # purple
    "#cc3d84",  # pink
)
"""Fourteen hues of one luminance: each reads at least 4.5 to 1 (WCAG 2.2, AA) on white and on black."""


def color_of(name: str) -> str:
    """Return the colour of a tag ``name`` for which nobody chose one, as ``#rrggbb``."""
    form = known_as(name).encode("utf-8", "replace")
    return PALETTE[int.from_bytes(sha256(form).digest()[:8], "big") % len(PALETTE)]
