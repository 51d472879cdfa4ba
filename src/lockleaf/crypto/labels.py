"""Keyed digests by which a server filters and searches what it cannot read (PROTOCOL section 4).

Both are HMAC-SHA-256 under the index key, cut short: equal values of one account share a digest, and nobody without the
key can tell or test which value it stands for.
"""

from __future__ import annotations

import hmac

from lockleaf.crypto.encoding import lp
from lockleaf.crypto.normalise import normalise_value

__all__ = ["FIELDS", "KINDS", "LABEL_LENGTH", "TOKEN_LENGTH", "label", "token"]

KINDS = frozenset({"mood", "tag", "source"})
FIELDS = frozenset({"title", "body"})
LABEL_LENGTH = 16
TOKEN_LENGTH = 8

_LABEL = b"lockleaf/1/label"
_TOKEN = b"lockleaf/1/token"


def label(index_key: bytes, kind: str, value: str) -> bytes:
    """Return the 16-byte label of a ``value``; its case and its way of composing letters do not matter.

    Raises:
        ValueError: ``kind`` is not mood, tag or source.
        Malformed: the value has no UTF-8 form.
    """
    if kind not in KINDS:
        raise ValueError("a label's kind is mood, tag or source")
    message = _LABEL + lp(kind) + lp(normalise_value(value))
    return hmac.digest(index_key, message, "sha256")[:LABEL_LENGTH]


def token(index_key: bytes, field: str, stem: str) -> bytes:
    """Return the 8-byte search token of a word in a ``field``.

    Arguments:
        stem: the word as the stemmer gave it, taken as it is.

    Raises:
        ValueError: ``field`` is not title or body.
        Malformed: the stem has no UTF-8 form.
    """
    if field not in FIELDS:
        raise ValueError("a token's field is title or body")
    return hmac.digest(index_key, _TOKEN + lp(field) + lp(stem), "sha256")[:TOKEN_LENGTH]
