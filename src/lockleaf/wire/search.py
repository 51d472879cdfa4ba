"""Bodies of ``/search``: a query in words where the server may open entries (uce), in tokens where it cannot (e2e)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, ClassVar, Literal, Self
from uuid import UUID

from annotated_types import Len
from pydantic import AfterValidator, AliasChoices, BeforeValidator, Field, StringConstraints, model_validator

from lockleaf.wire.base import Body, RefusesSome, SeveralNames
from lockleaf.wire.content import MAX_NAME, MAX_SOURCE, clean_tags
from lockleaf.wire.days import Bound, bound
from lockleaf.wire.entries import PlainEntry, SealedEntry
from lockleaf.wire.fields import Instant, RecordId, Sequence64, Token
from lockleaf.wire.jobs import Job
from lockleaf.wire.opaque_entries import OpaqueEntry
from lockleaf.wire.sync import MAX_BATCH_CHANGES, Labels, Tokens

__all__ = [
    "MAX_DEPTH",
    "MAX_LEAVES",
    "BlindDocument",
    "BlindIndexSlice",
    "BlindSearch",
    "Highlight",
    "IndexBuild",
    "IndexSlice",
    "IndexSwitch",
    "PlainSearch",
    "SearchHit",
    "SearchIndex",
    "SearchResult",
    "TokenExpression",
    "WantedDocument",
]

MAX_LEAVES = 256
"""Tokens in an expression: 64 words in two fields each, and as many that are excluded."""
MAX_DEPTH = 40
MAX_EXPRESSIONS = 1024
"""Expressions within one another: several for each token, which is more than any query needs."""

End = Annotated[Bound | None, BeforeValidator(bound)]
Limit = Annotated[int, Field(ge=1, le=500)]
Cursor = Annotated[str, StringConstraints(max_length=512)]
Name = Annotated[str, StringConstraints(min_length=1, max_length=MAX_NAME)]


# ---- asking ----


class _Search(RefusesSome):
    refused: ClassVar[Mapping[str, str]] = {
        "page": "go on with the `next_cursor` of the page before, as `cursor`",
        "page_size": "`limit` says how many hits there are on a page",
    }

    first: End = Field(
        default=None,
        alias="from",
        description="A day or a time; it belongs to the range. A day begins at midnight UTC.",
    )
    last: End = Field(
        default=None, alias="to", description="A day or a time; it belongs to the range, a day as a whole."
    )
    limit: Limit = 50
    cursor: Cursor | None = None


class PlainSearch(SeveralNames, _Search):
    """A query in words, for an account whose entries the server opens within the request."""

    query: str = Field(
        description='Words, "phrases", OR, -not, (groups), and mood: tag: source: from: to:. At most 4096 characters.'
    )
    mood: Name | None = Field(default=None, validation_alias=AliasChoices("mood", "mood_filter"))
    tags: Annotated[tuple[str, ...], AfterValidator(clean_tags)] = Field(
        default=(), description="An entry has all of them."
    )
    source: Annotated[str, StringConstraints(min_length=1, max_length=MAX_SOURCE)] | None = Field(
        default=None, validation_alias=AliasChoices("source", "source_filter")
    )


class TokenExpression(Body):
    """What an entry's tokens must be: all of these, any of them, or none of them."""

    all: tuple[Token | TokenExpression, ...] | None = None
    any: tuple[Token | TokenExpression, ...] | None = None
    none: tuple[Token | TokenExpression, ...] | None = None

    @property
    def operator(self) -> Literal["all", "any", "none"]:
        """Which of the three it is."""
        return "all" if self.all is not None else "any" if self.any is not None else "none"

    @property
    def parts(self) -> tuple[bytes | TokenExpression, ...]:
        """What it is made of."""
        return self.all or self.any or self.none or ()

    def leaves(self) -> Iterator[bytes]:
        """Yield its tokens, in order; one that occurs twice twice."""
        for part in self.parts:
            if isinstance(part, bytes):
                yield part
            else:
                yield from part.leaves()

    def depth(self) -> int:
        """Return how many expressions stand within one another."""
        return 1 + max((part.depth() for part in self.parts if not isinstance(part, bytes)), default=0)

    @model_validator(mode="after")
    def _is_one(self) -> Self:
        if sum(each is not None for each in (self.all, self.any, self.none)) != 1:
            raise ValueError("an expression is one of all, any and none")
        return self


def _few_expressions(value: object) -> object:
    """Let nothing pass that has a hundred thousand expressions in it, before a model is made of each."""
    waiting: list[object] = [value]
    expressions = 0
    while waiting:
        part = waiting.pop()
        if isinstance(part, list):
            waiting += part
        elif isinstance(part, dict):
            expressions += 1
            if expressions > MAX_EXPRESSIONS:
                raise ValueError("too many expressions")
            waiting += part.values()
    return value


class BlindSearch(_Search):
    """A query in tokens that a client made of its words (PROTOCOL section 4)."""

    tokens: Annotated[TokenExpression, BeforeValidator(_few_expressions)]
    labels: Labels = Field(default=(), description="Of mood, tags and source; an entry has all of them.")


# ---- what is found ----


class Highlight(Body):
    """A fragment of a found entry, and which of its characters were searched for."""

    field: Literal["title", "body"]
    text: str
    marks: tuple[tuple[int, int], ...] = Field(description="[start, end) of each, in code points of the fragment.")


class SearchHit(Body):
    """An entry that was found."""

    entry: PlainEntry | SealedEntry | OpaqueEntry
    score: float = Field(description="The more, the better: to be compared within one query only.")
    highlights: tuple[Highlight, ...] | None = None


class _Completeness(Body):
    complete: bool = Field(description="Whether every entry can be found; if not, build the index further.")


class SearchResult(Body):
    """A page of what was found, best first.

    It can have fewer items than asked for, even none, and yet a `next_cursor`: a request opens a limited number of
    entries.
    """

    items: tuple[SearchHit, ...]
    total: int = Field(ge=0)
    total_exact: bool = Field(description="False where `total` is an upper bound: not every candidate was looked into.")
    next_cursor: str | None = None
    took_ms: float
    ignored: tuple[str, ...] = Field(default=(), description="Words of the query that are too common to search for.")
    index: _Completeness


# ---- the index ----


class IndexSwitch(Body):
    """Whether the server keeps an index of the account's words. Switched off, it is deleted at once."""

    enabled: bool


class SearchIndex(Body):
    """The account's search index."""

    enabled: bool
    complete: bool = Field(description="Whether every entry can be found.")
    language: str = Field(description="By which words are brought to their stems; `simple`: by none.")
    stale: bool = Field(description="Whether the account has another language by now: build the index anew.")
    documents: int = Field(ge=0, description="Entries in the index.")
    tokens: int = Field(ge=0, description="Words of each entry, all in all.")
    pending: int = Field(ge=0, description="Entries that wait to be indexed.")
    built_at: Instant | None = Field(default=None, description="When it was last complete after having been built.")
    reveals: str = Field(description="What whoever reads the server's database can tell from it.")


class IndexSlice(Body):
    """Asks the server to index for a few seconds (uce)."""

    restart: bool = Field(default=False, description="Begin anew, with an empty index.")


class BlindDocument(Body):
    """The tokens of an entry as it is in one revision."""

    record_id: RecordId
    revision: Sequence64
    tokens: Tokens


class BlindIndexSlice(IndexSlice):
    """Brings the tokens of entries that wait (e2e). Those of another revision than the present one are left out."""

    documents: Annotated[tuple[BlindDocument, ...], Len(0, MAX_BATCH_CHANGES)] = ()


class WantedDocument(Body):
    """An entry that waits to be indexed, and its present revision."""

    record_id: UUID
    revision: Sequence64


class IndexBuild(Body):
    """What became of one slice of building an index, and how far the whole is. Send another until it has succeeded."""

    job: Job
    index: SearchIndex
    stored: int = Field(ge=0, description="Entries that this slice has indexed.")
    wanted: tuple[WantedDocument, ...] = Field(
        default=(), description="e2e: the next entries whose tokens are wanted, at most 500."
    )
