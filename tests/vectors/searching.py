"""The search language read plainly, a character at a time: what the vectors are made with, and slow answers to compare.

Nothing here imports ``lockleaf``. Stems are Snowball's; each case says which of its words are stop words.
"""

from __future__ import annotations

import unicodedata
from typing import Any

import snowballstemmer

APOSTROPHES = "'‘’\u02bc\u05f3\u05f4"
ELIDED = {
    *"ldjmtsnc",
    "qu",
    "un",
    "all",
    "coll",
    "dall",
    "dell",
    "nell",
    "sull",
    "jusqu",
    "quell",
    "quest",
    "lorsqu",
    "puisqu",
}
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
    return unicodedata.normalize("NFKC", text.replace("'", "")).strip(JOINER)[:128]


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


def plain_expression(part: Any, *, surely: bool = False) -> Any:
    """What an index is asked for: {"all" | "any" | "none": [...]} over [field, stem]; True or False if it cannot tell.

    Where ``surely`` is asked, it selects nothing that might not match, otherwise everything that might. An index knows
    of a phrase only that its words are there. A part within one of its own kind is dissolved in it.
    """
    ((kind, inner),) = part.items()
    if kind == "word":
        return {"any": [["title", inner], ["body", inner]]}
    if kind == "phrase":
        stems = list(dict.fromkeys(stem for stem in inner if stem is not None))
        return False if surely else nested("all", [plain_expression({"word": stem}) for stem in stems])
    if kind == "not":
        found = plain_expression(inner, surely=not surely)
        return not found if isinstance(found, bool) else {"none": found.get("any", [found])}
    name, decides = ("all", False) if kind == "and" else ("any", True)
    found = [plain_expression(each, surely=surely) for each in inner]
    if any(each is decides for each in found):
        return decides
    known = [each for each in found if not isinstance(each, bool)]
    return nested(name, known) if known else not decides


def nested(kind: str, found: list[Any]) -> Any:
    if len(found) == 1:
        return found[0]
    return {kind: [part for each in found for part in each.get(kind, [each])]}


# Vectors -------------------------------------------------------------------------------------------------------------

FILTERS = {"mood": None, "tags": [], "source": None, "first": None, "last": None}
TEXTS = [
    ("english", "The gardens were flooding; we gardened on, and I'll say so again.", "the were we on and i so"),
    ("english", "John’s book isn't James's: it's 3.14, 1,000.50 or v1.2 — well-known.", "isnt it or"),
    ("english", "I can't; he’d looked, O'Brien and the look'd-for rock 'n' roll.", "i cant he and the for"),
    ("french", "L’amour d'été à l'École, c’est aujourd'hui qu'elle m'appelle.", "l d à c est qu elle m"),
    ("german", "Die Häuser in der Gartenstraße: GARTENSTRASSE, Ha\u0308user.", "die in der"),
    ("italian", "Nell’acqua dell'isola c'è un'altra storia.", "nell dell c è un"),
    ("russian", "Книги о книге", ""),
    ("simple", "Ｆｕｌｌ ｗｉｄｔｈ, ﬁne, so\u00adft, ŉ, x², ½ …", ""),
    ("simple", "cafe\u0301 café CAFÉ é\u0327 İstanbul Ω\u0301", ""),
    ("simple", "東京へ行く ｶﾞｷﾞ สวัสดี 가각 \u1100\u1161", ""),
    ("simple", "שלום עולם, צה״ל; السلام عليكم ﷺ می\u200cخواهم ١٢٫٥", ""),
    ("simple", "👍 👍🏽 👍🏿! 👩\u200d👩\u200d👧\u200d👦 ❤️ ❤️\u200d🔥 🇩🇪🇫🇷 1️⃣ 🏴\U000e0067\U000e0062\U000e007f a👍b", ""),
    ("simple", "a" * 200, ""),
]


def w(stem: str) -> Any:
    return {"word": stem}


QUERIES = [
    ("gardens", w("garden"), [], {}),
    ("the of", None, ["the", "of"], {}),
    ("", None, [], {}),
    ("garden dogs", {"and": [w("garden"), w("dog")]}, [], {}),
    ("garden OR dogs OR OR", {"or": [w("garden"), w("dog")]}, [], {}),
    ("cats dogs OR mice", {"or": [{"and": [w("cat"), w("dog")]}, w("mice")]}, [], {}),
    ("cats (dogs OR mice)", {"and": [w("cat"), {"or": [w("dog"), w("mice")]}]}, [], {}),
    ("cats -dogs", {"and": [w("cat"), {"not": w("dog")}]}, [], {}),
    ("-dogs", {"not": w("dog")}, [], {}),
    ("cats OR -dogs", {"or": [w("cat"), {"not": w("dog")}]}, [], {}),
    ("-(-cats)", {"not": {"not": w("cat")}}, [], {}),
    ('"the lord of the house"', {"phrase": ["lord", None, None, "hous"]}, ["the", "of"], {}),
    ('cats -"big dogs"', {"and": [w("cat"), {"not": {"phrase": ["big", "dog"]}}]}, [], {}),
    ('-(cats "big dogs") mice', {"and": [{"not": {"and": [w("cat"), {"phrase": ["big", "dog"]}]}}, w("mice")]}, [], {}),
    (
        '-(cats OR "big dogs") mice',
        {"and": [{"not": {"or": [w("cat"), {"phrase": ["big", "dog"]}]}}, w("mice")]},
        [],
        {},
    ),
    ("well-known 10:30", {"and": [{"phrase": ["well", "known"]}, {"phrase": ["10", "30"]}]}, [], {}),
    ('"cats (dogs', {"phrase": ["cat", "dog"]}, [], {}),
    (")cats( dogs", {"and": [w("cat"), w("dog")]}, [], {}),
    ("“big dogs”", {"phrase": ["big", "dog"]}, [], {}),
    ("don't -the - -- cats", w("cat"), ["dont", "the"], {}),
    ("mood:calm", None, [], {"mood": "calm"}),
    (
        'cats Mood:"very calm" tag:a tag:"b c" tag:a source:lockleaf from:2020 to:2020-02',
        w("cat"),
        [],
        {"mood": "very calm", "tags": ["a", "b c"], "source": "lockleaf", "first": "2020-01-01", "last": "2020-02-29"},
    ),
    (
        "from:2020-02-30 -mood:calm",
        {"and": [{"phrase": ["2020", "02", "30"]}, {"not": {"phrase": ["mood", "calm"]}}]},
        ["from"],
        {},
    ),
]


def search() -> dict[str, Any]:
    """The vectors: what a text holds, and what a query asks for."""
    texts = []
    for language, text, stop in TEXTS:
        positions = plain_positions(text, language, set(stop.split()))
        stems = sorted({stem for stem in positions if stem is not None})
        texts.append(
            {"language": language, "text": text, "words": plain_words(text)} | {"positions": positions, "stems": stems}
        )
    queries = []
    for query, part, ignored, filters in QUERIES:
        nothing: list[str | None] = []
        positive = part is not None and not plain_holds(part, nothing, nothing)
        tokens = plain_expression(part) if part is not None and positive else None
        queries.append(
            {"language": "english", "query": query, "ignored": ignored, "filters": FILTERS | filters, "tokens": tokens}
        )
    return {"texts": texts, "queries": queries}
