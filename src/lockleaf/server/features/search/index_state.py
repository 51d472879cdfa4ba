"""How an account's index stands: what its row says, or what its custody has by default where it has none."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from lockleaf.search.languages import Language, language, language_of
from lockleaf.server.features.search.errors import SearchOff
from lockleaf.server.features.search.repository import SearchRepository

__all__ = ["IndexState", "index_state", "require"]


@dataclass(frozen=True, slots=True)
class IndexState:
    """An account's index.

    Attributes:
        stored: whether the account has a row that says so.
        wanted: the language of the account's locale.
        built_at, job_id: of the build that made it complete last, and of the last one.
        documents: how many entries are in it, where that was asked for.
    """

    stored: bool
    enabled: bool
    complete: bool
    language: Language
    wanted: Language
    built_at: datetime | None
    job_id: UUID | None
    documents: int

    @property
    def stale(self) -> bool:
        """Whether the account has another language by now."""
        return self.language.name != self.wanted.name


async def index_state(repository: SearchRepository, custody: str, *, counted: bool = False) -> IndexState:
    """Return how the index stands: with uce there is one unless it was switched off, with e2e only if it was on."""
    found = await repository.index(counted=counted)
    wanted = language_of(found.locale)
    return IndexState(
        stored=found.stored,
        enabled=custody == "uce" if found.enabled is None else found.enabled,
        complete=found.complete,
        language=wanted if found.language is None else language(found.language),
        wanted=wanted,
        built_at=found.built_at,
        job_id=found.job_id,
        documents=found.documents,
    )


async def require(repository: SearchRepository, custody: str, *, counted: bool = False) -> IndexState:
    """Return how the index stands, where there is one.

    Raises:
        SearchOff: the account has no index.
    """
    found = await index_state(repository, custody, counted=counted)
    if not found.enabled:
        raise SearchOff
    return found
