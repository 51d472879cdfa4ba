"""Languages: how words are brought to their stems, and which are left out."""

from __future__ import annotations

import functools
import threading
from typing import TYPE_CHECKING, Protocol

from lockleaf.search.stop_words import STOP_WORDS
from lockleaf.search.words import text_of

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["LANGUAGES", "SIMPLE", "Language", "UnknownLanguage", "language", "language_of"]

SIMPLE = "simple"
"""The language of those whose own is not known: words as they are, none left out."""

# ISO 639 codes. Snowball's "porter" and "dutch_porter" are older stemmers of languages that are here.
_CODES = {
    "ar": "arabic",
    "ca": "catalan",
    "cs": "czech",
    "da": "danish",
    "de": "german",
    "el": "greek",
    "en": "english",
    "eo": "esperanto",
    "es": "spanish",
    "et": "estonian",
    "eu": "basque",
    "fa": "persian",
    "fi": "finnish",
    "fr": "french",
    "ga": "irish",
    "hi": "hindi",
    "hu": "hungarian",
    "hy": "armenian",
    "id": "indonesian",
    "it": "italian",
    "lt": "lithuanian",
    "nb": "norwegian",
    "ne": "nepali",
    "nl": "dutch",
    "nn": "norwegian",
    "no": "norwegian",
    "pl": "polish",
    "pt": "portuguese",
    "ro": "romanian",
    "ru": "russian",
    "sr": "serbian",
    "st": "sesotho",
    "sv": "swedish",
    "ta": "tamil",
    "tr": "turkish",
    "yi": "yiddish",
}

LANGUAGES: tuple[str, ...] = (SIMPLE, *sorted(set(_CODES.values())))
"""Every name that language() knows."""

# Forms are remembered for the whole process: a diary uses few words, and uses them again. The bound keeps a stream of
# nonsense from filling the memory; words longer than the second are nonsense and not remembered at all.
_REMEMBERED = 32_768
_REMEMBERED_LENGTH = 40


class UnknownLanguage(ValueError):
    """No language of this name."""


class _Stemmer(Protocol):
    def stemWord(self, word: str) -> str: ...  # noqa: N802


class _Forms(dict[str, str | None]):
    """The stem of each word that was met, None for a stop word; works out what it does not hold."""

    def __init__(self, language: Language) -> None:
        super().__init__()
        self._language = language

    def __missing__(self, surface: str) -> str | None:
        text = text_of(surface)
        stem = None if not text or self._language.is_stop(text) else self._language.work_out(text)
        if len(surface) <= _REMEMBERED_LENGTH:
            if len(self) >= _REMEMBERED:
                self.clear()
            self[surface] = stem
        return stem


class Language:
    """One language. Shared by all threads: ask language() for it.

    Attributes:
        name: a Snowball algorithm's name, or "simple".
        forms: from a word as surfaces() or words() gives it to its stem, None for a stop word. Holds every word.
    """

    def __init__(self, name: str) -> None:
        """Make a language; its stemmer is made by each thread that needs it.

        Args:
            name: one of LANGUAGES.
        """
        self.name = name
        self._stop: frozenset[str] = STOP_WORDS.get(name, frozenset())
        self._threads = threading.local()
        self.forms: Mapping[str, str | None] = _Forms(self)

    def stem(self, word: str) -> str:
        """The stem of a word, of a stop word too.

        Args:
            word: as words() gives it.

        Returns:
            Its stem; the word itself in the simple language.
        """
        return self.forms[word] or self.work_out(word)

    def is_stop(self, word: str) -> bool:
        """Whether a word is too common to be searched by.

        Args:
            word: as words() gives it.

        Returns:
            True for a word of the language's list.
        """
        return word in self._stop

    def work_out(self, word: str) -> str:
        """The stem of a word, worked out anew.

        Args:
            word: as words() gives it.

        Returns:
            Its stem.
        """
        if self.name == SIMPLE:
            return word
        stemmer: _Stemmer | None = getattr(self._threads, "stemmer", None)
        if stemmer is None:
            import snowballstemmer  # noqa: PLC0415  (it loads the rules of every language, which most commands never need)

            # A stemmer keeps the word in itself while it works: two threads must not share one.
            stemmer = self._threads.stemmer = snowballstemmer.stemmer(self.name)
        return stemmer.stemWord(word) or word


@functools.cache
def _made(name: str) -> Language:
    return Language(name)


def language(name: str) -> Language:
    """The language of a name.

    Args:
        name: one of LANGUAGES.

    Returns:
        The one instance of it.

    Raises:
        UnknownLanguage: there is no such language.
    """
    if name not in LANGUAGES:
        raise UnknownLanguage("no language of this name")
    return _made(name)


def language_of(locale: str | None) -> Language:
    """The language of a locale.

    Args:
        locale: a BCP 47 tag or a POSIX locale, such as "en-GB" or "pt_BR"; None where it is not known.

    Returns:
        Its language; the simple one where there is no stemmer for it.
    """
    code = (locale or "").replace("_", "-").partition("-")[0].lower()
    return _made(_CODES.get(code, SIMPLE))
