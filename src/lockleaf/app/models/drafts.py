"""Drafts: what was typed and is in no journal yet."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from lockleaf.app.models.base import Answer, Body
from lockleaf.app.models.entries import Short, Tags, Text

__all__ = ["DraftBody", "DraftFields", "DraftList", "DraftSummary", "DraftView", "Saved"]


class DraftFields(Body):
    """What was typed so far; what nobody touched is absent."""

    body: Text = ""
    title: Short | None = None
    entry_date: Short | None = None
    time_zone: Short | None = None
    mood: Short | None = None
    weather: Short | None = None
    location: Short | None = None
    tags: Tags | None = None
    metrics: Annotated[dict[Short, float | None], Field(max_length=100)] | None = None


class DraftBody(Body):
    """A draft: of a new entry, or of the edit of one. ``base``: the version that the writer saw."""

    entry_id: Annotated[str, Field(max_length=36)] | None = None
    base: Short | None = None
    fields: DraftFields


class DraftSummary(Answer):
    """A draft in a list."""

    key: str
    entry_id: str | None
    title: str | None
    excerpt: str
    saved_at: str
    words: int


class DraftView(Answer):
    """A whole draft."""

    key: str
    entry_id: str | None
    base: str | None
    fields: DraftFields
    saved_at: str


class DraftList(Answer):
    """All drafts, oldest first."""

    drafts: tuple[DraftSummary, ...]


class Saved(Answer):
    """It is sealed on disk."""

    key: str
    saved_at: str
