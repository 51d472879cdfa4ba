"""The stored vectors are what the protocol's second reading gives."""

from __future__ import annotations

import pytest

from tests.support.vectors import FOLDER
from tests.vectors.make import build


def test_the_stored_vectors_are_those_that_the_makers_give() -> None:
    assert {path.name: path.read_text() for path in FOLDER.glob("*.json")} == build()


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.py")), ids=lambda path: path.name)
def test_the_makers_do_not_lean_on_what_they_check(path) -> None:
    assert "import lockleaf" not in path.read_text()
    assert "from lockleaf" not in path.read_text()
