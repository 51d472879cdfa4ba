"""The pages of the reference, and the manual page, say what the code says."""

from __future__ import annotations

from types import ModuleType

import pytest

from docs.generate import GENERATORS
from docs.marks import fill


@pytest.mark.parametrize("generator", GENERATORS, ids=lambda generator: generator.PAGE.stem)
def test_a_page_is_as_its_generator_writes_it(generator: ModuleType) -> None:
    assert generator.PAGE.read_text(encoding="utf-8") == generator.page(), "run: python -m docs.generate"


def test_what_the_code_gained_or_lost_is_named() -> None:
    page = "# A page\n\n<!-- from the code: kept -->\nold\n<!-- end -->\n\nBy hand.\n"
    assert fill(page, {"kept": "new"}) == (
        "# A page\n\n<!-- from the code: kept -->\n\nnew\n\n<!-- end -->\n\nBy hand.\n"
    )
    with pytest.raises(ValueError, match="'gained'"):
        fill(page, {"kept": "new", "gained": "more"})
    with pytest.raises(ValueError, match="'kept'"):
        fill(page, {})
