"""No parser of untrusted bytes fails in a way that its documentation does not name, and each comes to an end.

``python -m tests.fuzz`` looks for longer, led by which lines an input reaches, and keeps what it finds in ``corpus``.
"""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings

from tests.fuzz.mutations import mutated
from tests.fuzz.target import CORPUS
from tests.fuzz.targets import TARGETS

_EXAMPLES, _LONG_EXAMPLES = 60, 15


@pytest.mark.parametrize("name", TARGETS)
def test_what_is_kept_is_read_or_refused_by_name(name: str) -> None:
    target = TARGETS[name]
    taken = [target.feed(seed) for seed in target.begin()]
    assert taken, "there is nothing to begin with"
    for data in target.corpus():
        target.feed(data)


@pytest.mark.parametrize("name", TARGETS)
def test_what_nobody_would_make_is_read_or_refused_by_name(name: str) -> None:
    target = TARGETS[name]
    checks = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example]

    @settings(max_examples=_LONG_EXAMPLES if target.long else _EXAMPLES, suppress_health_check=checks)
    @given(mutated(target.seeds))
    def hold(data: bytes) -> None:
        target.feed(data)

    hold()


def test_each_folder_of_the_corpus_has_a_parser() -> None:
    assert {path.name for path in CORPUS.iterdir()} <= TARGETS.keys()
