"""A text cut into words, each with its place in the original.

A word is a run of letters, digits and the marks and joiners inside it. Words are compared in one form: NFKC,
case-folded, without what is invisible, so that a word written composed, decomposed, in full width or in capitals is one
word.

- An apostrophe inside a word is left out ("don't" is "dont"), and so are the endings that stand for a possessive or
  for an auxiliary: "John's" is "john", "I'll" is "i", "we're" is "we". Otherwise "I'll" would be found by "ill".
- An elided article or pronoun before a vowel is a word of its own: "l'amour" is "l" and "amour".
- A hyphen parts words. Points and commas between digits do not: "3.14" and "1,000" are words.
- Scripts written without spaces (Han, Kana, Thai, Lao, Burmese, Khmer) give a word for each character.
- An emoji is a word, with all that is joined to it; shades of skin and variants of presentation are left out of it.
"""

from __future__ import annotations

import functools
import re
import sys
import unicodedata
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

__all__ = ["LONGEST_WORD", "Word", "bounds", "surfaces", "text_of", "words"]

# What is longer is compared by its beginning: a megabyte without a space must not become one key.
LONGEST_WORD = 128

_APOSTROPHES = "'\u2018\u2019\u02bc\u05f3\u05f4"
_IGNORED = "\u00ad\u034f\u061c\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufe00-\ufe0f\ufeff"
_TONES = "\U0001f3fb-\U0001f3ff"
_EMOJI = (
    "\u231a-\u23ff\u25aa-\u25ff\u2600-\u2775\u2794-\u27bf\u2934\u2935\u2b05-\u2b55\u3030\u303d"
    "\U0001f000-\U0001f0ff\U0001f10d-\U0001f1e5\U0001f201-\U0001faff"
)
_UNSPACED = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3005-\u3007\u3041-\u312f\u31a0-\u31bf\u31f0-\u31ff\u3400-\u4dbf"
    "\u4e00-\u9fff\uf900-\ufaff\U0001b000-\U0001b16f\U00020000-\U000323af"
)
_VOWELS = "aeiouyh\u00e0\u00e1\u00e2\u00e4\u00e6\u00e8\u00e9\u00ea\u00eb\u00ec\u00ed\u00ee\u00ef\u00f2\u00f3"
_VOWELS += "\u00f4\u00f6\u00f9\u00fa\u00fb\u00fc\u0153"
# l' d' j' m' t' s' n' c' qu' quell' quest' un' all' coll' dall' dell' nell' sull' jusqu' lorsqu' puisqu'. Each branch
# begins with a class of characters, so that most words leave it at the first.
_BEFORE_VOWEL = rf"(?=['\u2018\u2019\u02bc][{_VOWELS}{_VOWELS.upper()}])"
_ELIDED = (
    rf"[ldjmtsncLDJMTSNC]{_BEFORE_VOWEL}"
    r"|[quacdnsjlpQUACDNSJLP](?ai:(?<=q)u(?:ell|est)?+|(?<=u)n|(?<=a)ll|(?<=c)oll|(?<=d)[ae]ll|(?<=n)ell|(?<=s)ull"
    rf"|(?<=j)usqu|(?<=l)orsqu|(?<=p)uisqu){_BEFORE_VOWEL}"
)

# Quotes, dashes and spaces of typography, which are all that most texts have beyond Latin letters: one for one, so that
# places stay. (An ellipsis is three points, which part words as a space does.)
_TYPED = (
    ("\u2019", "'"),
    ("\u2018", "'"),
    ("\u201c", '"'),
    ("\u201d", '"'),
    ("\u2013", "-"),
    ("\u2014", "-"),
    ("\u2026", " "),
    ("\u00a0", " "),
    ("\u202f", " "),
)

_ASCII = re.compile(
    rf"{_ELIDED}|[A-Za-z0-9]++(?:(?:'(?=[A-Za-z0-9])|[.,](?<=[0-9].)(?=[0-9]))[A-Za-z0-9]++)*+",
    re.ASCII,
)
_ENDING = re.compile("'(?:s|ll|d|re|ve|m)$")
_FOLLOWED = {ord(c): "'" for c in _APOSTROPHES}
_CHUNK = re.compile(r"\S+")

# In Latin-1 words are what stands between characters of which no word has any: but for a point or a comma between
# digits, what is invisible, and what is not NFKC.
_SEPARATED = bytes(c if re.match(r"[^\W_]|'", chr(c)) else 0x20 for c in range(256))
_WITHIN_WORDS = (b"0.0", b"\xad")
_SHOWN = bytes.maketrans(
    b"123456789,\xa8\xaa\xaf\xb2\xb3\xb4\xb5\xb7\xb8\xb9\xba\xbc\xbd\xbe",
    b"000000000." + b"\xad" * 14,
)
# Of a text that has them more often than every so many characters, all is cut by expression.
_SELDOM = 128


class Word(NamedTuple):
    """One word of a text."""

    text: str
    """The form in which words are compared."""
    start: int
    """Where it begins, in code points of the original text."""
    end: int
    """Where it ends, exclusive."""


@functools.cache
def _marks() -> str:
    """The class of combining marks and of what is invisible inside a word, in the syntax of regular expressions."""
    ranges: list[str] = []
    first = None
    for code in range(0x300, 0x1E950):
        if unicodedata.category(chr(code))[0] == "M":
            first = code if first is None else first
        elif first is not None:
            ranges.append(f"{chr(first)}-{chr(code - 1)}")
            first = None
    return "".join(ranges) + "\U000e0100-\U000e01ef" + _IGNORED


@functools.cache
def _pattern() -> re.Pattern[str]:
    """Words of a text that is NFKC already; compiled when the first text beyond ASCII comes."""
    marks, letter = _marks(), rf"[^\W_\u02bc{_UNSPACED}]"
    # Letters and marks in turn, and nothing given back: the time is linear whatever the text.
    run = rf"{letter}++(?:[{marks}]++{letter}*+)*+"
    joint = rf"[{_APOSTROPHES}\u00b7](?={letter})|[.,\u066b\u066c](?<=\d.)(?=\d)"
    emoji = rf"[{_EMOJI}][{marks}{_TONES}]*+"
    return re.compile(
        rf"{_ELIDED}|{run}(?:(?:{joint}){run})*+"
        rf"|[{_UNSPACED}](?<=\w)[{marks}]*+"
        rf"|[\U0001f1e6-\U0001f1ff]{{1,2}}"
        rf"|{emoji}(?:(?<=\u200d){emoji})*+[\U000e0020-\U000e007f]*+"
    )


@functools.cache
def _left_out() -> re.Pattern[str]:
    return re.compile(f"[{_IGNORED}\U000e0100-\U000e01ef]")


def text_of(surface: str) -> str:
    """The form in which a word is compared.

    Args:
        surface: the word as it stands in a text, NFKC.

    Returns:
        Case-folded, NFKC, without apostrophes and without what is invisible; at most LONGEST_WORD code points. Empty
        where nothing remains.
    """
    if surface.isascii():
        text = surface.lower()
        if "'" in text:
            text = _ENDING.sub("", text).replace("'", "")
        return text[:LONGEST_WORD]
    text = unicodedata.normalize("NFKC", surface.casefold())
    if "\u200d" in text and text[0] >= "\u2000" and not text[0].isalnum():
        parts = [_plain(part) for part in text.split("\u200d")]
        return "\u200d".join(part for part in parts if part)[:LONGEST_WORD]
    return _plain(text)


def _plain(text: str) -> str:
    text = _left_out().sub("", text).translate(_FOLLOWED)
    if "'" in text:
        text = _ENDING.sub("", text).replace("'", "")
    if len(text) > 1 and not text[0].isalnum():
        text = re.sub(f"(?<=.)[{_TONES}]", "", text)
    # Letters that what was left out kept apart are one letter now.
    return unicodedata.normalize("NFKC", text)[:LONGEST_WORD]


def surfaces(text: str) -> list[str]:
    """The words of a text as they stand in it, which is all that an index needs, and several times faster than words().

    Args:
        text: any text.

    Returns:
        Each word in order, not yet in the form in which it is compared, and at the same positions as in words().
    """
    rest = _typed(text)
    found: list[str] = []
    for _ in range(2 + len(text) // _SELDOM):
        plain, at = _latin(rest)
        if at is None:
            return found + _separated(plain)
        # Around it, all that has no space is cut by expression, and what is before by replacing and splitting.
        start = plain.rfind(b" ") + 1
        end = rest.find(" ", at)
        end = len(rest) if end < 0 else end
        found += _separated(plain[:start])
        found += _cut(rest[start:end])
        rest = rest[end:]
    return found + _cut(rest)


def _latin(text: str) -> tuple[bytes, int | None]:
    """A text in Latin-1 up to where something else is, or something that may be within a word; and where that is."""
    at: int | None = None
    try:
        plain = text.encode("latin-1")
    except UnicodeEncodeError as beyond:
        at = beyond.start
        plain = text[:at].encode("latin-1")
    shown = plain.translate(_SHOWN)
    if within := [place for each in _WITHIN_WORDS if (place := shown.find(each)) >= 0]:
        at = min(within)
        plain = plain[:at]
    return plain, at


def _separated(plain: bytes) -> list[str]:
    """The words of a text in Latin-1 without _WITHIN_WORDS, in a tenth of the time that an expression takes."""
    chunks = plain.translate(_SEPARATED).replace(b" '", b"  ").replace(b"' ", b"  ").decode("latin-1").split()
    quoted = {chunk for chunk in chunks if "'" in chunk} if b"'" in plain else ()
    if all(_cut(chunk) == [chunk] for chunk in quoted):
        return chunks
    return [found for chunk in chunks for found in (_cut(chunk) if "'" in chunk else (chunk,))]


def _cut(text: str) -> list[str]:
    if unicodedata.is_normalized("NFKC", text):
        return _pattern_of(text).findall(text)
    return [word.text for word in _normalising(text)]


def _typed(text: str) -> str:
    """A text with the quotes and dashes of a keyboard, each at the place of the printer's."""
    for printed, typed in _TYPED:
        text = text.replace(printed, typed)
    return text


def _pattern_of(text: str) -> re.Pattern[str]:
    return _ASCII if text.isascii() else _pattern()


def words(text: str) -> list[Word]:
    """The words of a text, in order.

    Args:
        text: any text.

    Returns:
        Each word with its form and its place. Two words can have the same place where one character stands for both.
    """
    text = _typed(text)
    if not unicodedata.is_normalized("NFKC", text):
        return list(_normalising(text))
    return [Word(text_of(m[0]), m.start(), m.end()) for m in _pattern_of(text).finditer(text)]


def bounds(text: str, positions: Collection[int]) -> dict[int, tuple[int, int]]:
    """Where some of the words of a text are, which is all that marks need, and several times faster than words().

    Args:
        text: any text.
        positions: those of words of words().

    Returns:
        By position the place of each: where it begins, and where it ends, exclusive.
    """
    typed = _typed(text)
    if not unicodedata.is_normalized("NFKC", typed):
        exact = list(islice(_normalising(typed), max(positions, default=-1) + 1))
        return {at: (exact[at].start, exact[at].end) for at in positions}
    found = surfaces(typed)
    places: dict[int, tuple[int, int]] = {}
    end = 0
    for at in range(max(positions, default=-1) + 1):
        # What stands between two words has no character with which a word begins.
        start = typed.index(found[at], end)
        end = start + len(found[at])
        if at in positions:
            places[at] = (start, end)
    return places


def _normalising(text: str) -> Iterator[Word]:
    """Words of a text that is not NFKC: what lies between spaces is normalised by itself, so that most of it is not."""
    pattern, done = _pattern(), 0
    for chunk in _CHUNK.finditer(text):
        if chunk[0].isascii() or unicodedata.is_normalized("NFKC", chunk[0]):
            continue
        for m in pattern.finditer(text, done, chunk.start()):
            yield Word(text_of(m[0]), m.start(), m.end())
        starts: list[int] = []
        ends: list[int] = []
        normal: list[str] = []
        for start, end in _clusters(chunk[0]):
            piece = unicodedata.normalize("NFKC", chunk[0][start:end])
            normal.append(piece)
            starts += [chunk.start() + start] * len(piece)
            ends += [chunk.start() + end] * len(piece)
        for m in pattern.finditer("".join(normal)):
            yield Word(text_of(m[0]), starts[m.start()], ends[m.end() - 1])
        done = chunk.end()
    for m in pattern.finditer(text, done, sys.maxsize):
        yield Word(text_of(m[0]), m.start(), m.end())


def _clusters(chunk: str) -> Iterator[tuple[int, int]]:
    """The pieces of a chunk that are normalised each by itself with the same outcome as the whole."""
    start = 0
    for at in range(1, len(chunk)):
        if not _joins(chunk[at]):
            yield start, at
            start = at
    yield start, len(chunk)


@functools.lru_cache(4096)
def _joins(character: str) -> bool:
    """Whether a character can be composed with, or reordered against, the one before it."""
    first = unicodedata.normalize("NFKD", character)[0]
    return unicodedata.category(first)[0] == "M" or "\u1161" <= first <= "\u1175" or "\u11a8" <= first <= "\u11c2"
