"""``If-Match``: a record's revision, as HTTP names it (RFC 9110, section 13)."""

from __future__ import annotations

from typing import Annotated

from fastapi import Header

__all__ = ["IfMatch"]

IfMatch = Annotated[str | None, Header(max_length=1024, description='The revision that this follows, as in `"3"`.')]
