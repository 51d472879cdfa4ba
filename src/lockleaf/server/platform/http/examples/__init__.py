"""Examples for the OpenAPI document, by operation: what a client sends, and what it gets.

Whoever adds a route adds its examples to the module of its subject here, under its method and its path without the
prefix. They are plain data, loaded when the document is first asked for.
"""

from __future__ import annotations

from lockleaf.server.platform.http.examples import accounts, blobs, diary, media, metrics, records, search, users
from lockleaf.server.platform.http.examples.form import Examples

__all__ = ["EXAMPLES", "Examples"]

_SUBJECTS = (accounts, users, records, blobs, diary, search, media, metrics)

EXAMPLES: dict[str, Examples] = {name: found for subject in _SUBJECTS for name, found in subject.EXAMPLES.items()}
"""The examples of each operation, as in ``POST /vault``."""
