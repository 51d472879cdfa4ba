from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lockleaf.wire.palette import PALETTE, color_of


def luminance(color: str) -> float:
    """Relative luminance, WCAG 2.2."""
    channels = [int(color[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("color", PALETTE)
def test_every_colour_can_be_read_on_white_and_on_black(color: str) -> None:
    assert 1.05 / (luminance(color) + 0.05) >= 4.5
    assert (luminance(color) + 0.05) / 0.05 >= 4.5


def test_no_colour_occurs_twice() -> None:
    assert len(set(PALETTE)) == len(PALETTE) == 14


def test_the_colours_of_names_are_the_ones_that_were_given_before() -> None:
    assert {name: color_of(name) for name in ("work", "family", "été")} == {
        "work": "#657f03",
        "family": "#038838",
        "été": "#657f03",
    }


@given(st.text())
def test_spelling_and_case_do_not_change_a_colour(name: str) -> None:
    assert color_of(name) in PALETTE
    assert color_of(f" {name} ") == color_of(name)


def test_one_word_in_two_ways_of_composing_it_has_one_colour() -> None:
    assert color_of("E\u0301te\u0301") == color_of("\u00e9t\u00e9") == color_of("\u00c9T\u00c9")


def test_the_palette_of_the_protocol_is_this_one() -> None:
    page = (Path(__file__).parents[3] / "docs" / "reference" / "protocol.md").read_text()
    assert ", ".join(f"`{each}`" for each in PALETTE) in page
    assert f"`walks` is `{color_of('walks')}` and `Café` is `{color_of('Café')}`" in page
