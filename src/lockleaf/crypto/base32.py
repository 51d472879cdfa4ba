"""Crockford's base32: digits that a person can read off paper (https://www.crockford.com/base32.html)."""

from __future__ import annotations

from lockleaf.crypto.errors import Malformed

__all__ = ["ALPHABET", "decode", "encode", "value_of", "without_separators"]

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # no I, L, O, U

_VALUE = {digit: value for value, digit in enumerate(ALPHABET)}
_VALUE |= {digit.lower(): value for digit, value in _VALUE.items()}
_VALUE |= dict.fromkeys("oO", 0) | dict.fromkeys("iIlL", 1)  # read off paper, they are the digits they look like

# Hyphens, the dashes that word processors make of them, and white space.
_SEPARATORS = dict.fromkeys(map(ord, "-\u2010\u2011\u2012\u2013\u2014\u2015\u2212\u00a0 \t\r\n"))


def without_separators(text: str) -> str:
    """Return ``text`` without the dashes and blanks by which digits are grouped."""
    return text.translate(_SEPARATORS)


def value_of(digit: str) -> int | None:
    """Return the number from 0 to 31 that a digit stands for, as a person types it; None if it is no digit."""
    return _VALUE.get(digit)


def encode(data: bytes) -> str:
    """Return ``data`` in digits of five bits, the first the most significant, the last filled with zero bits."""
    digits = -(-len(data) * 8 // 5)
    number = int.from_bytes(data, "big") << (digits * 5 - len(data) * 8)
    return "".join(ALPHABET[number >> shift & 31] for shift in range((digits - 1) * 5, -1, -5))


def decode(text: str) -> bytes:
    """Return the bytes that ``encode`` made ``text`` of, dashes, blanks and lower case accepted.

    Raises:
        Malformed: it has other characters, a length that no bytes have, or a last digit that is not filled with zeros.
    """
    digits = without_separators(text)
    number = 0
    for digit in digits:
        value = value_of(digit)
        if value is None:
            raise Malformed("a character that is no digit")
        number = number << 5 | value
    size, rest = divmod(len(digits) * 5, 8)
    if rest >= 5 or number & ((1 << rest) - 1):
        raise Malformed("the last digit is not filled with zeros")
    return (number >> rest).to_bytes(size, "big")
