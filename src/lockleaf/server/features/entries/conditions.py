"""Which revision a change says that it follows: in its body, by ``If-Match``, or by both."""

from __future__ import annotations

from dataclasses import dataclass

from lockleaf.server.platform.errors import DomainError
from lockleaf.server.platform.preconditions import matches, named
from lockleaf.server.records.errors import PreconditionFailed, RevisionConflict, RevisionRequired

__all__ = ["Condition"]


@dataclass(frozen=True, slots=True)
class Condition:
    """What a change says of the revision that it follows.

    Attributes:
        bases: the revisions that its body names as that one: none, one, or contradicting ones.
        if_match: the header, if there is one.
    """

    bases: frozenset[int]
    if_match: str | None

    @classmethod
    def of(cls, *, base: int | None = None, revision: int | None = None, if_match: str | None) -> Condition:
        """Return the condition of a body that names the revision before (``base``) or the new one (``revision``).

        Raises:
            RevisionRequired: nobody says what is replaced.
        """
        bases = frozenset(each for each in (base, None if revision is None else revision - 1) if each is not None)
        if not bases and if_match is None:
            raise RevisionRequired
        return cls(bases, if_match)

    def holds(self, current: int) -> bool:
        """Tell whether the change follows the ``current`` revision."""
        return self.bases <= {current} and matches(self.if_match, current)

    @property
    def base(self) -> int | None:
        """The one revision that is named; None where none is, or several are."""
        found = self.bases | ({at} if (at := named(self.if_match)) is not None else set())
        return next(iter(found)) if len(found) == 1 else None

    def refusal(self, current: int) -> DomainError:
        """Return why a change that does not follow the ``current`` revision is refused."""
        if not matches(self.if_match, current):
            return PreconditionFailed(current_revision=current)
        return RevisionConflict(current_revision=current)
