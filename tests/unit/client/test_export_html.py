"""The journal as pages: read by a browser's parser, nothing that somebody wrote is more than text."""

from __future__ import annotations

from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from lockleaf.client import Client
from lockleaf.client.errors import NoPlaceForRevisions
from lockleaf.client.journal.exporters.text_links import target_of
from tests.support.offline_devices import offline_device

VOID = {"meta", "img", "link", "br"}
ATTACKS = (
    "<script>alert(1)</script>",
    "</div></article><img src=x onerror=alert(1)>",
    '" onmouseover="alert(1)',
    "' style='x",
    "<!-- --><![CDATA[ ]]> &lt;b&gt; &amp;",
    "</style></title></textarea>",
    "[x](javascript:alert(1))",
    "\x00\x1b[31m\x9b\u202e",
)


class Page(HTMLParser):
    """What a page is to a browser: its elements, what they lead to, and the words of each entry."""

    def __init__(self, page: bytes) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.texts: list[str] = []
        self.titles: list[str] = []
        self.feed(page.decode())
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self.elements.append((tag, found))
        if tag not in VOID:
            self.open.append(tag)
        if (tag, found.get("class")) == ("div", "text"):
            self.texts.append("")
        if tag == "h3":
            self.titles.append("")

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "div" in self.open:
            self.texts[-1] += data
        if "h3" in self.open:
            self.titles[-1] += data

    @property
    def ways(self) -> list[str]:
        """Where links and pictures lead."""
        return [str(found[name]) for _, found in self.elements for name in ("href", "src") if name in found]


async def exported(client: Client, folder: Path) -> dict[str, Page]:
    await client.export(folder, form="html", force=True)
    return {path.name: Page(path.read_bytes()) for path in folder.glob("*.html")}


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"])))
@example("".join(ATTACKS[:-1]))
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_whatever_somebody_wrote_is_text_to_a_browser(
    tmp_path_factory: pytest.TempPathFactory, text: str
) -> None:
    folder = tmp_path_factory.mktemp("html")
    async with offline_device(folder / "home") as (client, _):
        await client.journal.write(body=text, title=text[:100], tags=[text[:50]], mood=text[:50], date="2026-11-21")
        pages = await exported(client, folder / "out")
    assert pages["2026.html"].texts == [text]
    assert pages["2026.html"].titles == ([text[:100].strip()] if text[:100].strip() else [])


async def test_there_is_a_page_a_year_and_nothing_on_it_but_what_it_shows(tmp_path: Path) -> None:
    async with offline_device(tmp_path / "home") as (client, _):
        for number, attack in enumerate(ATTACKS):
            entry = await client.journal.write(
                body=attack, title=attack, location=attack, tags=[attack], date=f"{2020 + number % 3}-11-21T10:30:00Z"
            )
            file = tmp_path / f"{number}.png"
            file.write_bytes(b"x")
            name = f'"><script>{number}.png'
            await client.media.attach(entry.id, file, name=name, media_type="image/png")
            await client.media.attach(entry.id, file, name="page.html", media_type="text/html")
        pages = await exported(client, tmp_path / "out")
    assert pages.keys() == {"index.html", "2020.html", "2021.html", "2022.html"}
    assert pages["index.html"].ways == ["2020.html", "2021.html", "2022.html"]
    allowed = {"html", "head", "meta", "title", "style", "body", "nav", "a", "h1", "article", "h2", "time", "h3", "p"}
    allowed |= {"div", "img", "ul", "li", "bdi"}
    for page in pages.values():
        assert {tag for tag, _ in page.elements} <= allowed
        assert not [name for _, found in page.elements for name in found if name.startswith("on") or name == "style"]
        policy = next(found["content"] for tag, found in page.elements if "http-equiv" in found)
        assert policy is not None
        assert "script-src 'none'" in policy
        for way in page.ways:
            assert urlsplit(way)[:2] == ("", "")
            assert (tmp_path / "out" / unquote(way)).is_file()
    assert sum(len(page.texts) for page in pages.values()) == len(ATTACKS)


async def test_a_picture_stands_where_the_text_names_it(tmp_path: Path) -> None:
    photo = tmp_path / "a photo.png"
    photo.write_bytes(b"x")
    async with offline_device(tmp_path / "home") as (client, _):
        body = f"before ![the \\[sea\\]]({target_of(photo.name)}) after, and [gone]({target_of('gone.png')})"
        entry = await client.journal.write(body=body, date="2026-11-21")
        await client.media.attach(entry.id, photo)
        page = (await exported(client, tmp_path / "out"))["2026.html"]
    pictures = [found for tag, found in page.elements if tag == "img"]
    assert [found["alt"] for found in pictures] == ["the [sea]"]
    assert page.texts == [f"before \n after, and [gone]({target_of('gone.png')})"]


async def test_pages_have_no_place_for_revisions(tmp_path: Path) -> None:
    async with offline_device(tmp_path / "home") as (client, _):
        with pytest.raises(NoPlaceForRevisions):
            await client.export(tmp_path / "out", form="html", revisions=True)
    assert not (tmp_path / "out").exists()
