"""The built page in the package comes from the sources in web/, and asks the network for nothing."""

from __future__ import annotations

import hashlib
import re
import subprocess
import zlib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
WEB = ROOT / "web"
PAGE = ROOT / "src/lockleaf/app/page"
VITE = WEB / "node_modules/.bin/vite"


def sources() -> list[Path]:
    named = [
        WEB / name for name in ("index.html", "package.json", "package-lock.json", "tsconfig.json", "vite.config.js")
    ]
    return named + [path for folder in ("public", "src") for path in (WEB / folder).rglob("*") if path.is_file()]


def digest_of_sources() -> str:
    digest = hashlib.sha256()
    for name in sorted(path.relative_to(WEB).as_posix() for path in sources()):
        digest.update(f"{name}\0{hashlib.sha256((WEB / name).read_bytes()).hexdigest()}\n".encode())
    return digest.hexdigest()


def built(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_the_built_page_was_made_from_the_sources_beside_it() -> None:
    assert (PAGE / "sources.sha256").read_text().strip() == digest_of_sources(), "web/ has changed: run `make page`"


@pytest.mark.skipif(not VITE.exists(), reason="the page's builder is not installed: make page")
def test_building_the_page_again_gives_the_same_bytes(tmp_path: Path) -> None:
    command = [VITE, "build", "--logLevel", "warn", "--outDir", tmp_path / "page", "--emptyOutDir"]
    subprocess.run(command, cwd=WEB, check=True, capture_output=True, timeout=120)
    assert built(tmp_path / "page") == built(PAGE)


def test_the_page_holds_no_inline_script_or_style_and_no_address_of_another_host() -> None:
    index = (PAGE / "index.html").read_text()
    assert not re.search(r"<style|\sstyle=|\son\w+=|<script(?![^>]*\ssrc=)", index)
    assert all(address.startswith("./") for address in re.findall(r'(?:src|href)="([^"]+)"', index))
    for path in PAGE.glob("assets/*.css"):
        assert not re.search(r"url\((?!\./|\"?data:)[^)]*//", path.read_text())


def test_the_scripts_of_the_page_are_below_200_kb_compressed() -> None:
    sizes = {path.name: len(zlib.compress(path.read_bytes(), 9)) for path in PAGE.rglob("*.js")}
    assert 0 < sum(sizes.values()) < 200_000, sizes


def test_the_lock_of_the_page_names_no_registry() -> None:
    assert '"resolved"' not in (WEB / "package-lock.json").read_text()
