"""The configuration file: what a person does not want to say each time. Options and the environment win over it."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from lockleaf.cli.errors import Complaint
from lockleaf.exit_codes import ExitCode

__all__ = ["Configuration", "configuration", "configuration_file"]

_PROFILE = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,63}")
_MOST_MINUTES = 60 * 24 * 7
_MOST_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class Configuration:
    """What the file says; None where it says nothing.

    Attributes:
        profile: the profile that is meant where none is named.
        home: the folder of all profiles.
        server: the server's URL, for ``register``, ``login`` and the like.
        color: whether there are colours.
        editor: the command of an editor.
        unlock_minutes: how long a journal without a keychain stays unlocked.
    """

    profile: str | None = None
    home: str | None = None
    server: str | None = None
    color: bool | None = None
    editor: str | None = None
    unlock_minutes: float | None = None


def configuration_file() -> Path | None:
    """Return where the file is, or would be: ``LOCKLEAF_CONFIG``, else in the platform's folder for configuration.

    None where there is no such folder, as in a container, or the variable is set and empty.
    """
    given = os.environ.get("LOCKLEAF_CONFIG")
    if given is not None:
        return Path(given).absolute() if given else None
    import platformdirs  # noqa: PLC0415  (loaded by the SDK anyway, later)

    try:
        folder = Path(platformdirs.user_config_dir("lockleaf", appauthor=False)).expanduser()
    except RuntimeError:
        return None
    return folder / "config.toml"


def configuration() -> Configuration:
    """Read the file; without one everything is as it is by itself.

    Raises:
        Complaint: it cannot be read, or has a key or value that means nothing. It is named with its line.
    """
    path = configuration_file()
    if path is None:
        return Configuration()
    try:
        data = path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return Configuration()
    except OSError as error:
        raise _wrong(f"{path} cannot be read: {error.strerror}.") from None
    import tomllib  # noqa: PLC0415  (most have no file)

    try:
        if len(data) > _MOST_BYTES:
            raise _wrong(f"{path} is no configuration file: it is longer than one can be.")
        text = data.decode()
        found = tomllib.loads(text)
    except UnicodeDecodeError:
        raise _wrong(f"{path} is not text in UTF-8.") from None
    except tomllib.TOMLDecodeError as error:
        raise _wrong(f"{path} is not TOML: {error}.") from None
    for key, value in found.items():
        if (reason := _refusal(key, value)) is not None:
            raise _wrong(f"{path}, line {_line_of(key, text)}: {reason}")
    return Configuration(**found)


def _refusal(key: str, value: Any) -> str | None:
    known = [field.name for field in fields(Configuration)]
    if key not in known:
        import difflib  # noqa: PLC0415

        close = difflib.get_close_matches(key, known, 1)
        return f"there is no key {key}. " + (f"Did you mean {close[0]}?" if close else f"Keys are {', '.join(known)}.")
    wants = {
        "profile": (_is_profile, 'the name of a profile, such as "work"'),
        "home": (_is_text, 'a folder, such as "~/journals"'),
        "server": (_is_server, 'a URL, such as "https://journal.example.org"'),
        "color": (lambda given: isinstance(given, bool), "true or false"),
        "editor": (_is_text, 'a command, such as "vim"'),
        "unlock_minutes": (_is_minutes, f"a number of minutes from 0 to {_MOST_MINUTES}"),
    }
    fits, what = wants[key]
    return None if fits(value) else f"{key} wants {what}."


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and bool(value.strip()) and "\0" not in value


def _is_profile(value: Any) -> bool:
    return isinstance(value, str) and _PROFILE.fullmatch(value) is not None


def _is_server(value: Any) -> bool:
    return isinstance(value, str) and re.match(r"https?://[^\s/]", value) is not None


def _is_minutes(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= _MOST_MINUTES


def _line_of(key: str, text: str) -> int:
    """Return the line on which a key of the top level stands."""
    wanted = re.compile(rf"\s*\[*\s*[\"']?{re.escape(key)}[\"']?\s*[\].=]")
    return next((number for number, line in enumerate(text.splitlines(), 1) if wanted.match(line)), 1)


def _wrong(message: str) -> Complaint:
    return Complaint(message, ExitCode.USAGE, "InvalidConfiguration")
