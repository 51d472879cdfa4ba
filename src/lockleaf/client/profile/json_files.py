"""The JSON files that this device keeps for itself: written by one rule, and read strictly.

A field is of its kind and of its form, or the file is refused: no text is taken for a number, and no number for a flag.
Models of Pydantic say the same in fewer words, and every command would wait a tenth of a second for them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any, TypeVar
from uuid import UUID

from lockleaf.crypto.encoding import decode_base64, encode_base64
from lockleaf.crypto.errors import Malformed, WeakKdf
from lockleaf.crypto.kdf import KdfParameters, check_limits
from lockleaf.text import is_utf8

__all__ = ["Fields", "InvalidFile", "as_json"]

T = TypeVar("T")


class InvalidFile(ValueError):
    """A file is not as this device writes it. The text names the field, and never what it held."""


class Fields:
    """The fields of one JSON object, each read as what it has to be; a field that nobody asks for is ignored.

    Every method raises `InvalidFile` where the field is absent or anything else.

    Args:
        found: the object.
        of: what it is called in an error.
    """

    def __init__(self, found: object, of: str = "the file") -> None:
        if not isinstance(found, dict):
            raise InvalidFile(f"{of} is not a JSON object")
        self._found = found

    @classmethod
    def read(cls, data: bytes) -> Fields:
        """Return the fields of the one object that ``data`` holds, JSON in UTF-8."""
        try:
            found = json.loads(data.decode())
        except (ValueError, RecursionError):
            raise InvalidFile("the file is not JSON") from None
        return cls(found)

    def optional(self, name: str, read: Callable[[str], T]) -> T | None:
        """Return what ``read`` finds under ``name``, or None where nothing is there."""
        return None if self._found.get(name) is None else read(name)

    def text(self, name: str, form: re.Pattern[str] | None = None) -> str:
        """Return a text, the whole of which matches ``form`` if one is given."""
        value = self._of(name, str)
        if not is_utf8(value) or (form is not None and not form.fullmatch(value)):
            raise InvalidFile(f"{name} has another form")
        return value

    def choice(self, name: str, choices: Mapping[str, T]) -> T:
        """Return what ``choices`` has for the text."""
        value = self._of(name, str)
        if value not in choices:
            raise InvalidFile(f"{name} is not a known one")
        return choices[value]

    def flag(self, name: str) -> bool:
        """Return a flag; one that is absent is off."""
        return name in self._found and self._of(name, bool)

    def number(self, name: str, most: int = 2**62) -> int:
        """Return a whole number from 0 to ``most``."""
        value = self._of(name, int)
        if not 0 <= value <= most:
            raise InvalidFile(f"{name} is outside 0..{most}")
        return value

    def data(self, name: str, length: int | None = None) -> bytes:
        """Return bytes, which are canonical base64 in the file; exactly ``length`` of them if that is given."""
        try:
            value = decode_base64(self._of(name, str))
        except (Malformed, ValueError):
            raise InvalidFile(f"{name} is not base64") from None
        if length is not None and len(value) != length:
            raise InvalidFile(f"{name} is not {length} bytes")
        return value

    def uuid(self, name: str) -> UUID:
        """Return a UUID, which is lower-case text with its hyphens in the file."""
        value = self._of(name, str)
        try:
            found = UUID(value)
        except ValueError:
            found = None
        if found is None or str(found) != value:
            raise InvalidFile(f"{name} is not a UUID")
        return found

    def kdf(self, name: str) -> KdfParameters:
        """Return parameters of a key derivation that this program could run; whether they are strong is not judged."""
        try:
            parameters = KdfParameters.from_wire(self._of(name, dict))
            check_limits(parameters, allow_pbkdf2=True, allow_test_parameters=True)
        except (Malformed, WeakKdf, ValueError):
            raise InvalidFile(f"{name} is not a key derivation") from None
        return parameters

    def fields(self, name: str) -> Fields:
        """Return the fields of an object within this one."""
        return Fields(self._found.get(name), name)

    def _of(self, name: str, kind: type[T]) -> T:
        value = self._found.get(name)
        if type(value) is not kind:  # to Python, True is a number
            raise InvalidFile(f"{name} is absent or not of its kind")
        return value


def as_json(fields: Mapping[str, Any]) -> bytes:
    """Return ``fields`` as `Fields` reads them: what is None is left out, bytes are base64, UUIDs text."""
    present = {name: value for name, value in fields.items() if value is not None}
    return json.dumps(present, indent=2, default=_plain).encode()


def _plain(value: object) -> object:
    if isinstance(value, bytes):
        return encode_base64(value)
    if isinstance(value, UUID):
        return str(value)
    raise TypeError(f"a file holds no {type(value).__name__}")
