"""All parsers that are fuzzed, by name."""

from __future__ import annotations

from tests.fuzz import bodies, files, numbers, sealed, texts

__all__ = ["TARGETS"]

TARGETS = {
    target.name: target
    for targets in (sealed.TARGETS, numbers.TARGETS, bodies.TARGETS, texts.TARGETS, files.TARGETS)
    for target in targets
}
