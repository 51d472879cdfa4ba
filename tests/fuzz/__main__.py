"""Look for inputs that a parser of ours does not stand, for as long as is wanted.

    python -m tests.fuzz                       # every parser for a minute
    python -m tests.fuzz --seconds 600 query   # one, for longer
    python -m tests.fuzz --keep                # and put what reached new lines into tests/fuzz/corpus

Led by coverage where ``atheris`` is installed (it has wheels for some machines only, so no lock names it); otherwise by
Hypothesis, which knows the shapes of what went wrong before, and no lines. What breaks a parser is written to
``build/fuzz``, and the command ends with 1: mend the parser, and put the input into the corpus.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import HealthCheck, given, settings

from tests.fuzz.mutations import mutated
from tests.fuzz.target import CORPUS, PATIENCE, Target
from tests.fuzz.targets import TARGETS

_FOUND = Path("build/fuzz")
_LONGEST = 4096
_MOST = 30
"""Of how many bytes an input of the corpus is, and how many a parser has: everybody's tests read them all."""


def _written(folder: Path, inputs: tuple[bytes, ...]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for data in inputs:
        (folder / sha256(data).hexdigest()[:16]).write_bytes(data)


def _keep(target: Target, work: Path) -> int:
    """Move inputs that reach lines which no other does into the corpus; return how many are new."""
    kept = CORPUS / target.name
    before = len(target.corpus())
    for path in sorted(work.iterdir(), key=lambda each: each.stat().st_size):
        data = path.read_bytes()
        if len(data) > _LONGEST or len(target.corpus()) >= _MOST:
            break
        if data not in target.begin():
            _written(kept, (data,))
    return len(target.corpus()) - before


def _guided(target: Target, seconds: int, *, keep: bool) -> bool:
    """Return whether the parser stood it."""
    _FOUND.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory() as folder:
        seeds, work = Path(folder) / "seeds", Path(folder) / "work"
        _written(seeds, target.seeds)
        work.mkdir()
        arguments = [f"-artifact_prefix={_FOUND / target.name}-", f"-timeout={PATIENCE}", "-rss_limit_mb=2048"]
        command = [sys.executable, "-m", "tests.fuzz.guided", target.name, *arguments]
        command += [f"-max_total_time={seconds}", "-verbosity=0", "-print_final_stats=1", str(work), str(seeds)]
        done = subprocess.run(command, check=False, capture_output=True, text=True)
        executed = next((line.split()[-1] for line in done.stderr.splitlines() if "executed_units" in line), "?")
        told = f"{target.name:24} {executed:>9} inputs"
        if done.returncode:
            print(told, "BROKEN", done.stderr[-3000:], sep="\n")
            return False
        if keep:
            told += f", {_keep(target, work)} kept"
        print(told, flush=True)
        return True


def _unguided(target: Target, seconds: int) -> bool:
    """Return whether the parser stood what Hypothesis makes of its seeds."""
    end, tried = time.monotonic() + seconds, 0
    last = b""

    @settings(max_examples=500, database=None, suppress_health_check=list(HealthCheck))
    @given(mutated(target.seeds))
    def hold(data: bytes) -> None:
        nonlocal last, tried
        last, tried = data, tried + 1
        target.feed(data)

    try:
        while time.monotonic() < end:
            hold()
    except BaseException as error:
        _written(_FOUND / target.name, (last,))
        print(f"{target.name:24} {tried:>9} inputs, BROKEN: {error!r}")
        if isinstance(error, KeyboardInterrupt):
            raise
        return False
    print(f"{target.name:24} {tried:>9} inputs", flush=True)
    return True


def main() -> int:
    """Fuzz what is asked for, and return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz")
    parser.add_argument("names", nargs="*", metavar="PARSER", help=", ".join(TARGETS))
    parser.add_argument("--seconds", type=int, default=60, help="for each parser")
    parser.add_argument("--keep", action="store_true", help="put what reached new lines into the corpus")
    asked = parser.parse_args()
    if unknown := set(asked.names) - TARGETS.keys():
        parser.error(f"no such parser: {', '.join(sorted(unknown))}")
    guided = find_spec("atheris") is not None
    targets = [TARGETS[name] for name in asked.names or TARGETS]
    stood = [
        _guided(each, asked.seconds, keep=asked.keep) if guided else _unguided(each, asked.seconds) for each in targets
    ]
    return 0 if all(stood) else 1


if __name__ == "__main__":
    sys.exit(main())
