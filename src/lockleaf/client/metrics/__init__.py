"""Numbers of a journal: made on this device as entries are written, added up by a server that cannot read them.

``readings`` says what is measured of an entry, ``counted`` what of it is in the sums already, ``census`` and
``layouts`` are about the key, ``sums`` and ``deltas`` carry changes to the server, ``stats`` asks for sums and works
out the rest.
"""

from __future__ import annotations

from lockleaf.client.metrics.summary import Period, Stats, Trend

__all__ = ["Period", "Stats", "Trend"]
