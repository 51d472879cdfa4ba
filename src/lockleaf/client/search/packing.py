"""Making a segment of the index of words: the words of some entries, in pages.

The words of a text are a string of one character for each: which one stands for which stem is the segment's own affair,
and in its dictionary. So the places of a stem are those of a character, and finding them is what Python does fastest.
A segment is never changed. Its pages are

- ``ids``, ``digests`` and ``facts`` of its entries, in the order in which they are numbered;
- ``words-0``, ``words-1`` and so on: the dictionary in parts. A stem's character, and in which texts it stands;
- ``texts-0``, ``texts-1`` and so on: the words of a few entries each.
"""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from lockleaf.client.search.filters import Facts
from lockleaf.crypto.encoding import pack
from lockleaf.search.languages import Language
from lockleaf.search.words import surfaces

__all__ = [
    "DIGEST",
    "FULL",
    "FULL_TEXTS",
    "IndexedEntry",
    "Packed",
    "Pages",
    "Shape",
    "UnusableIndex",
    "packed",
    "part_of",
]

FULL = 2_048
"""So many entries a segment has at most."""
FULL_TEXTS = 4_000_000
_TOGETHER = 32
"""The words of so many entries are opened together at most,"""
_TOGETHER_WORDS = 16_384
"""and unless it is one entry, not many more words than these."""
_PARTS, _SMALL = 16, 512
DIGEST = 16

_STOP_WORD = "\x00"
_FIRST = 1
# What lies between has no form in UTF-8. Of all the words that go into a segment there are fewer than what is beyond.
_SURROGATES = range(0xD800, 0xE000)

Pages = dict[str, bytes]


class UnusableIndex(Exception):
    """It was made by another version of the program, of another store, in another language, or is damaged."""


@dataclass(frozen=True, slots=True)
class IndexedEntry:
    """An entry, as it is to be indexed."""

    entry_id: str
    title: str
    body: str
    facts: Facts

    @property
    def digest(self) -> bytes:
        """What tells whether anything of it has changed."""
        facts = self.facts
        parts = "\0".join((self.title, facts.date, facts.mood, facts.source, facts.tags, self.body))
        return hashlib.sha256(parts.encode(errors="surrogatepass")).digest()[:DIGEST]


@dataclass(frozen=True, slots=True)
class Shape:
    """What is to be known of a segment before any page of it is read.

    Attributes:
        count: how many entries it has.
        size: of their texts, in characters.
        parts: of the dictionary.
    """

    count: int
    size: int
    parts: int


@dataclass(frozen=True, slots=True)
class Packed:
    """A segment as it was made."""

    shape: Shape
    pages: Pages

    def read(self, page: str) -> bytes:
        """Return a page."""
        return self.pages[page]


class _Characters(dict[str, str]):
    """The character of each word that was met, by the word as it stands in the text."""

    def __init__(self, language: Language) -> None:
        super().__init__()
        self._forms = language.forms
        self.of_stems: dict[str, str] = {}

    def __missing__(self, surface: str) -> str:
        stem = self._forms[surface]
        found = _STOP_WORD if stem is None else self.of_stems.get(stem)
        if found is None:
            code = _FIRST + len(self.of_stems)
            code += len(_SURROGATES) if code >= _SURROGATES.start else 0
            found = self.of_stems[stem or ""] = chr(code)
        self[surface] = found
        return found


@dataclass(slots=True)
class _Texts:
    """The words of the entries of one page."""

    words: list[str] = field(default_factory=list)
    lengths: list[tuple[int, int]] = field(default_factory=list)
    size: int = 0


def packed(entries: Iterable[IndexedEntry], language: Language) -> Iterator[Packed]:
    """Yield segments of the entries, as few as may be."""
    waiting: list[IndexedEntry] = []
    size = 0
    for each in entries:
        waiting.append(each)
        size += len(each.title) + len(each.body)
        if len(waiting) == FULL or size > FULL_TEXTS:
            yield _packed(waiting, size, language)
            waiting, size = [], 0
    if waiting:
        yield _packed(waiting, size, language)


def _packed(entries: list[IndexedEntry], size: int, language: Language) -> Packed:
    characters = _Characters(language)
    texts = [_Texts()]
    for each in entries:
        page = texts[-1]
        if len(page.lengths) == _TOGETHER or page.size > _TOGETHER_WORDS:
            page = _Texts()
            texts.append(page)
        title, body = (
            "".join(map(characters.__getitem__, surfaces(text))) if text else "" for text in (each.title, each.body)
        )
        page.words += (title, body)
        page.lengths.append((len(title), len(body)))
        page.size += len(title) + len(body)
    pages: Pages = {}
    where = dict.fromkeys(characters.of_stems.values(), 0)
    for number, page in enumerate(texts):
        words = "".join(page.words)
        for character in set(words) - {_STOP_WORD}:
            where[character] |= 1 << number
        pages[f"texts-{number}"] = words.encode()
    dictionary = _dictionary(characters.of_stems, where)
    pages |= dictionary
    traits: dict[tuple[str, str, str], int] = {}
    facts = [each.facts for each in entries]
    numbers = [traits.setdefault((each.mood, each.source, each.tags), len(traits)) for each in facts]
    pages["ids"] = pack([each.entry_id for each in entries])
    pages["digests"] = b"".join(each.digest for each in entries)
    pages["facts"] = pack([[each.date for each in facts], numbers, list(traits), [page.lengths for page in texts]])
    return Packed(Shape(len(entries), size, len(dictionary)), pages)


def _dictionary(stems: Mapping[str, str], where: Mapping[str, int]) -> Pages:
    count = _PARTS if len(stems) > _SMALL else 1
    parts: list[tuple[list[str], list[str], list[bytes]]] = [([], [], []) for _ in range(count)]
    for stem, character in stems.items():
        names, characters, pages = parts[part_of(stem, count)]
        names.append(stem)
        characters.append(character)
        pages.append(where[character].to_bytes(-(-where[character].bit_length() // 8), "little"))
    return {f"words-{at}": pack([names, "".join(held), pages]) for at, (names, held, pages) in enumerate(parts)}


def part_of(stem: str, count: int) -> int:
    """Return in which of so many parts of a dictionary a stem stands."""
    return zlib.crc32(stem.encode(errors="surrogatepass")) % count
