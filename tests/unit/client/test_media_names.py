"""Names of files: whatever an entry says becomes one harmless component of a path, or it is no name."""

from __future__ import annotations

from pathlib import Path, PurePath, PurePosixPath, PureWindowsPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lockleaf.client.media.file_names import MAX_NAME, checked_type, clean_name, guessed_type, safe_name

ANYTHING = st.text(max_size=400) | st.lists(
    st.sampled_from(
        ["../", "..\\", "/", "\\", "C:", "con", "NUL", ".", " ", "-", "~", "\x00", "\u202e", "é", "🌿", "x"]
    )
).map("".join)


@given(ANYTHING)
def test_a_safe_name_is_one_visible_component_on_every_system(name: str) -> None:
    safe = safe_name(name, "image/png")
    assert 0 < len(safe.encode()) <= 200
    assert safe.isprintable()
    assert safe[0] not in " .-~"
    assert safe[-1] not in " ."
    assert PurePosixPath("/folder", safe).parent == PurePosixPath("/folder")
    assert PureWindowsPath("C:/folder", safe).parent == PureWindowsPath("C:/folder")
    assert not PureWindowsPath(safe).is_reserved()
    assert safe_name(safe, "image/png") == safe


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("river.jpg", "river.jpg"),
        ("Reise nach Köln – Tag 1.pdf", "Reise nach Köln – Tag 1.pdf"),
        ("../../etc/passwd", "passwd"),
        ("C:\\Windows\\notes.txt", "notes.txt"),
        (".bashrc", "bashrc"),
        ("-rf", "rf"),
        ("CON.txt", "_CON.txt"),
        ("com1 .txt", "_com1 .txt"),
        ("gpj.\u202eexe", "gpj.exe"),
        ("a\x00b\x1b[2J\n.txt", "ab[2J.txt"),
        ("what?.txt", "what_.txt"),
        ("...", "attachment.png"),
        ("", "attachment.png"),
        ("\ud800", "_"),
    ],
)
def test_what_becomes_of_names(name: str, safe: str) -> None:
    assert safe_name(name, "image/png") == safe


def test_a_long_name_keeps_its_ending() -> None:
    assert PurePath(safe_name("é" * 500 + ".jpeg")).suffix == ".jpeg"
    assert len(safe_name("x" * 500 + "." + "y" * 300).encode()) <= 200


@given(ANYTHING)
def test_a_name_of_an_entry_is_one_line_without_folders(name: str) -> None:
    try:
        clean = clean_name(name)
    except ValueError:
        return
    assert 0 < len(clean) <= MAX_NAME
    assert clean.isprintable()
    assert clean == clean.strip()
    assert not set("/\\") & set(clean)
    assert clean_name(clean) == clean


@pytest.mark.parametrize(
    ("name", "media_type"),
    [
        ("a.JPG", "image/jpeg"),
        ("b.pdf", "application/pdf"),
        ("c", "application/octet-stream"),
        ("d.tar.gz", "application/octet-stream"),
    ],
)
def test_a_type_is_guessed_by_the_ending(name: str, media_type: str) -> None:
    assert guessed_type(name) == media_type


def test_a_type_is_checked() -> None:
    assert checked_type(" Image/JPEG; charset=x") == "image/jpeg"
    for wrong in ("", "image", "image/", "/jpeg", "a b/c", "a/b/c", "ä/b"):
        with pytest.raises(ValueError, match="no media type"):
            checked_type(wrong)


def test_a_folder_of_this_name_is_left_alone(tmp_path: Path) -> None:
    assert (tmp_path / safe_name("a/../../b")).parent == tmp_path
