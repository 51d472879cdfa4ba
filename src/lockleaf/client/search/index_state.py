"""What this device remembers for searches through the server: whether that keeps an index, and of which language."""

from __future__ import annotations

from dataclasses import dataclass

from lockleaf.client.errors import StoreDamaged
from lockleaf.client.store import LocalStore
from lockleaf.crypto.encoding import pack, strict_unpack
from lockleaf.crypto.errors import Malformed
from lockleaf.search.languages import LANGUAGES, Language, language

__all__ = ["SearchState"]

_STATE = "search"


@dataclass(frozen=True, slots=True)
class SearchState:
    """What is remembered.

    Attributes:
        indexed_in: the name of the language of the server's index, None where it keeps none.
        wanted: with e2e, whether the user of this device switched that index on. The server's word alone that there is
            one would have it fed.
    """

    indexed_in: str | None = None
    wanted: bool = False

    @classmethod
    def load(cls, store: LocalStore) -> SearchState:
        """Return what the store remembers.

        Raises:
            StoreDamaged: it is not as it was written.
        """
        kept = store.get_secret(_STATE)
        if kept is None:
            return cls()
        try:
            indexed_in, wanted = strict_unpack(kept)
        except (Malformed, TypeError, ValueError):
            raise StoreDamaged from None
        return cls(indexed_in if indexed_in in LANGUAGES else None, bool(wanted))

    def save(self, store: LocalStore) -> None:
        """Keep it, where it is another than the one that is kept."""
        with store.transaction():
            if self != self.load(store):
                store.set_secret(_STATE, pack([self.indexed_in, self.wanted]))

    @property
    def token_language(self) -> Language | None:
        """The language of the server's index; None where it keeps none."""
        return None if self.indexed_in is None else language(self.indexed_in)
