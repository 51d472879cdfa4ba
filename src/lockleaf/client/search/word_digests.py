"""The keyed digests of an entry's words, by which a server finds what it cannot read (PROTOCOL section 4)."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from lockleaf.crypto.labels import token
from lockleaf.search.languages import Language
from lockleaf.search.terms import stems
from lockleaf.wire.sync import MAX_TOKENS

__all__ = ["token_of", "tokens_of"]


@lru_cache(maxsize=65536)
def token_of(index_key: bytes, field: str, stem: str) -> bytes:
    """Return the digest (8 bytes) of a stem in a field, ``title`` or ``body``."""
    return token(index_key, field, stem)


def tokens_of(index_key: bytes, language: Language, content: Mapping[str, Any]) -> tuple[bytes, ...]:
    """Return the digests of an entry's words, each once and in their order, which says nothing of the words'.

    Args:
        index_key: of the account.
        language: of the server's index.
        content: the entry's map.
    """
    found: set[bytes] = set()
    for field in ("title", "body"):
        text = content.get(field)
        if isinstance(text, str):
            found.update(token_of(index_key, field, stem) for stem in stems(text, language))
    return tuple(sorted(found)[:MAX_TOKENS])
