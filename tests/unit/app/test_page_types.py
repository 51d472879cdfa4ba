"""The page knows what the local server answers: its types are those of the OpenAPI document."""

from __future__ import annotations

import runpy
from pathlib import Path

WEB = Path(__file__).parents[3] / "web"


def test_the_types_of_the_page_are_those_of_the_document_of_its_server() -> None:
    types: str = runpy.run_path(str(WEB / "generate_types.py"))["types"]()
    assert (WEB / "src/answers.ts").read_text() == types, "the models have changed: run `make page`"
