"""Dockerfiles as they are written: their stages and steps, and which files a builder is sent."""

from __future__ import annotations

import fnmatch
import json
import re
import shlex
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

__all__ = ["Stage", "Step", "context_files", "copy_context", "parse"]

KNOWN = {
    *("FROM", "RUN", "COPY", "ENV", "WORKDIR", "USER", "LABEL", "VOLUME", "EXPOSE", "STOPSIGNAL", "HEALTHCHECK"),
    *("ENTRYPOINT", "CMD"),
}


@dataclass(frozen=True)
class Step:
    """One instruction: its name, the flags before its arguments, and these as they stand."""

    name: str
    flags: dict[str, str]
    text: str

    @property
    def words(self) -> list[str]:
        """The arguments: those of the JSON form, or what stands between spaces."""
        text = self.text.removeprefix("CMD ") if self.name == "HEALTHCHECK" else self.text
        return [str(word) for word in json.loads(text)] if text.startswith("[") else shlex.split(text)

    @property
    def pairs(self) -> dict[str, str]:
        """The arguments of ENV and LABEL."""
        return dict(word.split("=", 1) for word in self.words)


@dataclass
class Stage:
    """What begins with a FROM."""

    base: str
    name: str
    steps: list[Step] = field(default_factory=list)

    def last(self, name: str) -> Step:
        """The step of a name that counts: the last."""
        return [step for step in self.steps if step.name == name][-1]

    def environment(self) -> dict[str, str]:
        """Everything that ENV sets."""
        return {key: value for step in self.steps if step.name == "ENV" for key, value in step.pairs.items()}


def parse(text: str) -> list[Stage]:
    """Return the stages of a Dockerfile.

    Raises:
        ValueError: an instruction is one that is not run here.
    """
    stages: list[Stage] = []
    for line in _lines(text):
        name, _, rest = line.partition(" ")
        if name not in KNOWN:
            raise ValueError(f"this step is not known: {line}")
        flags: dict[str, str] = {}
        while found := re.match(r"\s*--([a-z-]+)=(\S+)\s*", rest):
            flags[found[1]] = found[2]
            rest = rest[found.end() :]
        if name == "FROM":
            base, *alias = rest.split()
            stages.append(Stage(base, alias[1] if alias else ""))
        else:
            stages[-1].steps.append(Step(name, flags, rest.strip()))
    return stages


def _lines(text: str) -> Iterator[str]:
    """The instructions, each in one line."""
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    yield from filter(None, (line.strip() for line in re.sub(r"\\\n", "", "\n".join(lines)).splitlines()))


def context_files(root: Path) -> list[Path]:
    """Return the files below ``root`` that a builder is sent by ``.dockerignore``: the last line that fits decides."""
    rules = [line for line in (root / ".dockerignore").read_text().splitlines() if line and not line.startswith("#")]
    kept = {rule[1:].split("/")[0] for rule in rules if rule.startswith("!")}
    tops = [root / name for name in sorted(kept)]
    files = [file for top in tops for file in ([top] if top.is_file() else top.rglob("*")) if file.is_file()]
    return [file for file in files if _is_sent(file.relative_to(root), rules)]


def _is_sent(path: Path, rules: list[str]) -> bool:
    sent = True
    names = [str(path), *map(str, path.parents)]
    for rule in rules:
        pattern = rule.removeprefix("!")
        if pattern.startswith("**/"):
            fits = any(fnmatch.fnmatch(part, pattern[3:]) for part in path.parts)
        else:
            fits = any(fnmatch.fnmatch(name, pattern) for name in names)
        if fits:
            sent = rule.startswith("!")
    return sent


def copy_context(root: Path, target: Path) -> Path:
    """Copy what a builder is sent to ``target``."""
    for file in context_files(root):
        place = target / file.relative_to(root)
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(file, place)
    return target
