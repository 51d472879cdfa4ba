"""Four people and their journals, made to be looked at. Each part is loaded when it is first used."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lockleaf.lazy import lazily

if TYPE_CHECKING:
    from lockleaf.cli.demonstration import documented
    from lockleaf.cli.demonstration.delivery import post_office
    from lockleaf.cli.demonstration.documented import DOCUMENTED
    from lockleaf.cli.demonstration.guide import guide
    from lockleaf.cli.demonstration.joining import unhindered
    from lockleaf.cli.demonstration.seeding import seed
    from lockleaf.cli.demonstration.within import within

__all__ = ["DOCUMENTED", "documented", "guide", "post_office", "seed", "unhindered", "within"]

if not TYPE_CHECKING:
    __getattr__ = lazily(
        globals(),
        {
            "lockleaf.cli.demonstration.delivery": "post_office",
            "lockleaf.cli.demonstration.documented": "DOCUMENTED documented=.",
            "lockleaf.cli.demonstration.guide": "guide",
            "lockleaf.cli.demonstration.joining": "unhindered",
            "lockleaf.cli.demonstration.seeding": "seed",
            "lockleaf.cli.demonstration.within": "within",
        },
    )
