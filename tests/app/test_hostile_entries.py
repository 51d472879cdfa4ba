"""An entry from an import or an inbox runs nothing and loads nothing, whatever it holds."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest

from lockleaf.app.rendering import render
from tests.support.local_page import Page

HOSTILE = (
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<svg/onload=alert(1)>",
    "<svg><animate onbegin=alert(1) attributeName=x dur=1s>",
    "<math><mtext><table><mglyph><style><!--</style><img title=\"--&gt;&lt;img src=1 onerror=alert(1)&gt;\">",
    "<iframe srcdoc='<script>alert(1)</script>'></iframe>",
    "<a href=javascript:alert(1)>x</a>",
    "<form action=https://evil.example><input name=x><button>go</button></form>",
    "<meta http-equiv=refresh content='0;url=https://evil.example'>",
    "<link rel=stylesheet href=https://evil.example/a.css>",
    "<base href=https://evil.example/>",
    "<style>@import 'https://evil.example/a.css';</style>",
    "<div style='background:url(https://evil.example/a.png)'>x</div>",
    "[x](javascript:alert(1))",
    "[x](JaVaScRiPt:alert(1))",
    "[x](&#106;avascript:alert(1))",
    "[x](java\tscript:alert(1))",
    "[x](\x01javascript:alert(1))",
    "[x](data:text/html;base64,PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg==)",
    "[x](vbscript:msgbox(1))",
    "[x](file:///etc/passwd)",
    "[x](//evil.example/a)",
    "[x](./api/lock)",
    "[x](../../control/token)",
    "[x](/open?token=1)",
    "![x](https://evil.example/a.png)",
    "![x](//evil.example/a.png)",
    "![x](./api/state)",
    "![x](data:image/svg+xml;base64,PHN2Zy8+)",
    "![x](attachment:../../../etc/passwd)",
    "![x\" onerror=\"alert(1)](attachment:photo.jpg)",
    "![x](attachment:photo.jpg \"t\" onerror=alert(1))",
    "[x]: javascript:alert(1)\n\n[x]",
    "<javascript:alert(1)>",
    "<https://evil.example/\"onmouseover=alert(1)>",
    "```\"><script>alert(1)</script>\nx\n```",
    "```html onmouseover=alert(1)\nx\n```",
    "|<img src=x onerror=alert(1)>|\n|-|\n|x|",
    "[x](https://evil.example \"\"onmouseover=alert(1)\")",
    "<noscript><p title=\"</noscript><img src=x onerror=alert(1)>\">",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "\u202e<script>alert(1)</script>",
    "<scr\x00ipt>alert(1)</scr\x00ipt>",
    "> " * 200 + "<script>alert(1)</script>",
    "[" * 5000 + "x" + "](javascript:alert(1))" * 100,
    "*" * 20_000,
)  # fmt: skip
TAGS = {
    "a", "blockquote", "br", "code", "del", "em", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "img", "li", "ol", "p",
    "pre", "s", "span", "strong", "table", "tbody", "td", "th", "thead", "tr", "ul",
}  # fmt: skip
OWN = re.compile(r"\./api/entries/[0-9a-f-]{36}/attachments/[0-9a-f-]{36}")
ID = "00000000-0000-4000-8000-000000000000"


class Elements(HTMLParser):
    """Looks at every element as a browser's parser finds it."""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in TAGS, tag
        for name, value in attrs:
            assert name in {"href", "src", "class", "title", "alt", "rel", "target", "start", "data-src", "loading"}, (
                name
            )
            if name == "src":
                assert OWN.fullmatch(value or ""), value
            if name == "href":
                assert re.match(r"https?://|mailto:", value or "") or OWN.fullmatch(value or ""), value
        if tag == "a" and any(name == "href" for name, _ in attrs):
            assert ("rel", "noopener noreferrer nofollow") in attrs


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_no_text_becomes_a_script_or_a_request(text: str) -> None:
    shown = render(text, {"photo.jpg": f"./api/entries/{ID}/attachments/{ID}"})
    Elements(convert_charrefs=True).feed(shown)
    assert "<script" not in shown.lower()


def test_a_picture_from_elsewhere_is_a_link_until_somebody_follows_it() -> None:
    shown = render("![a bay](https://example.org/bay.png)")
    assert "<img" not in shown
    assert 'data-src="https://example.org/bay.png"' in shown
    assert ">a bay</a>" in shown


async def test_hostile_titles_tags_moods_and_file_names_are_given_as_text(page: Page) -> None:
    bad = "<img src=x onerror=alert(1)>"
    entry = await page.write(bad, title=bad, mood=bad, tags=[bad], location=bad, weather=bad)
    headers = {"X-File-Name": "%3Cimg%20src%3Dx%20onerror%3Dalert(1)%3E.png", "Content-Type": "image/png"}
    attached = await page.ask("POST", f"/entries/{entry['id']}/attachments", content=b"x", headers=headers)
    assert attached.json()["name"] == f"{bad}.png"
    answer = await page.ask("GET", f"/entries/{entry['id']}")
    # As JSON, which no browser takes for a page; only `html` is meant to be one.
    assert (answer.headers["content-type"], answer.headers["x-content-type-options"]) == ("application/json", "nosniff")
    shown = answer.json()
    assert (shown["title"], shown["mood"], shown["tags"]) == (bad, bad, [bad])
    Elements(convert_charrefs=True).feed(shown["html"])
    assert "<img" not in shown["html"]
