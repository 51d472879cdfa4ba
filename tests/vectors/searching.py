"""The search language read plainly, a character at a time: what the vectors are made with, and slow answers to compare.

Nothing here imports ``lockleaf``. Stems are Snowball's; each case says which of its words are stop words.
"""

from __future__ import annotations

import unicodedata
from typing import Any

import snowballstemmer

APOSTROPHES = "'‘’\u02bc\u05f3\u05f4"
ELIDED = set("l d j m t s n c qu un all coll dall dell nell sull jusqu quell quest lorsqu puisqu".split())
VOWELS = set("aeiouyhàáâäæèéêëìíîïòóôöùúûüœ")
ENDINGS = ("'s", "'ll", "'d", "'re", "'ve", "'m")
UNSPACED = [(0xE00, 0xEFF), (0x1000, 0x109F), (0x1780, 0x17FF), (0x3005, 0x3007), (0x3041, 0x312F), (0x31A0, 0x31BF)]
UNSPACED += [(0x31F0, 0x31FF), (0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0xF900, 0xFAFF), (0x1B000, 0x1B16F)]
UNSPACED += [(0x20000, 0x323AF)]
EMOJI = [(0x231A, 0x23FF), (0x25AA, 0x25FF), (0x2600, 0x2775), (0x2794, 0x27BF), (0x2934, 0x2935), (0x2B05, 0x2B55)]
EMOJI += [(0x3030, 0x3030), (0x303D, 0x303D), (0x1F000, 0x1F0FF), (0x1F10D, 0x1F1E5), (0x1F201, 0x1FAFF)]
IGNORED = [(0xAD, 0xAD), (0x34F, 0x34F), (0x61C, 0x61C), (0x180B, 0x180F), (0x200B, 0x200F), (0x202A, 0x202E)]
IGNORED += [(0x2060, 0x2064), (0x2066, 0x206F), (0xFE00, 0xFE0F), (0xFEFF, 0xFEFF), (0xE0100, 0xE01EF)]
TONES, FLAGS, TAGS = [(0x1F3FB, 0x1F3FF)], [(0x1F1E6, 0x1F1FF)], [(0xE0020, 0xE007F)]
JOINER = "\u200d"


def within(character: str, ranges: list[tuple[int, int]]) -> bool:
    return any(first <= ord(character) <= last for first, last in ranges)


def is_mark(character: str) -> bool:
    return unicodedata.category(character)[0] == "M" or within(character, IGNORED)


def is_letter(character: str) -> bool:
    return character.isalnum() and character != "\u02bc" and not within(character, UNSPACED)


def folded(surface: str) -> str:
    """The form in which a word is compared."""
    text = unicodedata.normalize("NFKC", surface.casefold())
    sequence = JOINER in text and not text[0].isalnum()
    kept = [c for c in text if not within(c, IGNORED) or (sequence and c == JOINER)]
    if not text[0].isalnum():
        kept = [c for at, c in enumerate(kept) if not within(c, TONES) or at == 0 or kept[at - 1] == JOINER]
    text = "".join("'" if c in APOSTROPHES else c for c in kept)
    for ending in ENDINGS:
        if text.endswith(ending):
            text = text.removesuffix(ending)
            break
    return text.replace("'", "").strip(JOINER)[:128]


class Reader:
    """Finds the words of a normalised text."""

    def __init__(self, text: str) -> None:
        self.text = text + "\n\n"
        self.at = 0

    def run(self) -> None:
        while is_letter(self.text[self.at]) or is_mark(self.text[self.at]):
            self.at += 1

    def goes_on(self, start: int) -> bool:
        """Whether what stands at a word's end joins it to what follows."""
        before, joint, after = self.text[self.at - 1 : self.at + 2]
        if joint in ".,\u066b\u066c":
            return before.isdecimal() and after.isdecimal()
        if joint in APOSTROPHES and is_letter(after):
            prefix = self.text[start : self.at].lower()
            elided = prefix in ELIDED and joint in APOSTROPHES[:4] and after.lower() in VOWELS
            return not elided
        return joint == "·" and is_letter(after)

    def emoji(self) -> None:
        self.at += 1
        while is_mark(self.text[self.at]) or within(self.text[self.at], TONES):
            self.at += 1
        if self.text[self.at - 1] == JOINER and within(self.text[self.at], EMOJI):
            self.emoji()

    def words(self) -> list[tuple[int, int]]:
        found = []
        while self.at < len(self.text) - 2:
            start, character = self.at, self.text[self.at]
            if is_letter(character):
                self.run()
                piece = start
                while self.goes_on(piece):
                    self.at += 1
                    self.run()
                    piece = start if self.text[start : self.at].isalnum() else -1
            elif within(character, UNSPACED) and character.isalnum():
                self.at += 1
                while is_mark(self.text[self.at]):
                    self.at += 1
            elif within(character, FLAGS):
                self.at += 2 if within(self.text[self.at + 1], FLAGS) else 1
            elif within(character, EMOJI):
                self.emoji()
                while within(self.text[self.at], TAGS):
                    self.at += 1
            else:
                self.at += 1
                continue
            found.append((start, self.at))
        return found


def plain_words(text: str) -> list[str]:
    """The words of a text in the form in which they are compared."""
    normal = unicodedata.normalize("NFKC", text)
    return [folded(normal[start:end]) for start, end in Reader(normal).words()]


def plain_positions(text: str, language: str, stop: set[str]) -> list[str | None]:
    stem = (lambda word: word) if language == "simple" else snowballstemmer.stemmer(language).stemWord
    return [None if word in stop or not word else stem(word) or word for word in plain_words(text)]


# A query is nested: {"word": w}, {"phrase": [w, ...]}, {"and": [...]}, {"or": [...]}, {"not": part}, or None.


def plain_holds(part: Any, title: list[str | None], body: list[str | None]) -> bool:
    """Whether a query over stems, with None for any word in a phrase, holds of an entry's positions."""
    ((kind, inner),) = part.items()
    if kind == "word":
        return inner in title or inner in body
    if kind == "phrase":
        return any(
            all(stem is None or text[at + offset] == stem for offset, stem in enumerate(inner))
            for text in (title, body)
            for at in range(len(text) - len(inner) + 1)
        )
    if kind == "not":
        return not plain_holds(inner, title, body)
    return (all if kind == "and" else any)(plain_holds(each, title, body) for each in inner)


def word(stem: str) -> Any:
    return {"any": [["title", stem], ["body", stem]]}
