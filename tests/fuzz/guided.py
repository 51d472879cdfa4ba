"""A process that looks for inputs of one parser, led by which lines they reach; ``python -m tests.fuzz`` starts it."""

from __future__ import annotations

import contextlib
import sys


def main(name: str, arguments: list[str]) -> None:
    """Fuzz until libFuzzer, which takes the ``arguments``, has enough; it ends the process itself."""
    import atheris

    with atheris.instrument_imports(include=["lockleaf"], enable_loader_override=False):
        from tests.fuzz.targets import TARGETS

    target = TARGETS[name]

    def run(data: bytes) -> None:
        with contextlib.suppress(target.refusals):
            target.parse(data)

    atheris.Setup([sys.argv[0], *arguments], run)
    atheris.Fuzz()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
