"""The pages of the reference, and the manual page, say what the code says."""

from __future__ import annotations

import re
from pathlib import Path
from types import ModuleType

import pytest

import lockleaf
from docs.generate import GENERATORS
from docs.generate_errors import PAGE
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


def test_the_protocol_has_every_label_that_separates_one_key_or_digest_from_another() -> None:
    package = Path(lockleaf.__file__).parent
    told = (PAGE.parent / "protocol.md").read_text(encoding="utf-8")
    label = re.compile(r"lockleaf/1/[a-z-]+")
    sources = {part: "".join(path.read_text() for path in (package / part).rglob("*.py")) for part in (".", "crypto")}
    shared = set(label.findall(sources["crypto"]))
    assert len(shared) > 20
    # Those of one step stand there as the end of the one before: "lockleaf/1/records", "/sign".
    assert {each for each in shared if each not in told and f'"/{each.split("/")[-1]}"' not in told} == set()
    assert set(label.findall(told)) <= set(label.findall(sources["."]))
