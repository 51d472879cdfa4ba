"""Errors as they travel: RFC 9457 problem documents.

``code`` is stable: programs compare it. ``title`` and ``detail`` are for people, and may change.
"""

from __future__ import annotations

from pydantic import ConfigDict

from lockleaf.wire.base import Body

__all__ = ["PROBLEM", "Problem"]

PROBLEM = "application/problem+json"


class Problem(Body):
    """A problem document; it carries the facts of the error beside these fields."""

    model_config = ConfigDict(extra="allow")

    type: str
    title: str
    status: int
    detail: str
    code: str
