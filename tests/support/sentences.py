"""What a message for a person has to be."""

from __future__ import annotations

import re

_REMEDIES = re.compile(
    r"[Dd]o not (trust|log in)|ask the operator|[Ll]og in|[Tt]ry again|[Cc]heck |[Ss]ync again|[Uu]se |[Mm]ake room"
)


def tells_what_to_do(error: Exception) -> None:
    """The message says in whole sentences what happened, and then what to do about it."""
    text = str(error)
    sentences = re.sub(r" \([^)]*\)$", "", text)
    assert re.fullmatch(r"[A-Z].*\.", sentences, re.DOTALL), text
    assert len(re.findall(r"[.;](?: |$)", sentences)) > 1, text
    assert _REMEDIES.search(sentences), text
    assert "lockleaf." not in text
    assert "Traceback" not in text
