"""``search``: finding entries by their words, on this device or through the server."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lockleaf import client as sdk
from lockleaf.cli import screen
from lockleaf.cli.counting import number_of
from lockleaf.cli.options import command
from lockleaf.cli.reading import Everything, Limit
from lockleaf.cli.rendering import entry_json, headline, marks, printable, short_id, shown_date
from lockleaf.cli.run import Run

if TYPE_CHECKING:
    from collections.abc import Iterator


__all__ = ["install"]

PANEL = "Journal"
_USUAL = 20
_INDENT = 10
_QUOTED = re.compile(r'(:"[^"]*"?)|"[^"]*"?')
_DAYS = re.compile(r"(?<![^\s(-])((?:from|to):[^\s()]+)", re.IGNORECASE)
_REFUSED_FILTERS = re.compile(r'(?<![^\s(])(-(?:mood|tag|source|from|to):(?:"[^"]*"?|[^\s()]+))', re.IGNORECASE)


def install(app: typer.Typer) -> None:
    """Add the command to ``app``."""
    command(app, "search", panel=PANEL)(search)


async def search(
    run: Run,
    query: Annotated[
        list[str],
        typer.Argument(
            help='Words, "phrases", OR, -not, (groups), and mood: tag: source: from: to: with a value behind them.',
            metavar="QUERY...",
            show_default=False,
        ),
    ],
    limit: Limit = _USUAL,
    everything: Everything = False,
    remote: Annotated[
        bool,
        typer.Option(
            "--remote",
            help="Ask the server instead of this device: with uce it gets the words, with e2e keyed digests of them, "
            "if search-index is on. What it gives is not verified.",
        ),
    ] = False,
) -> None:
    """Find entries by their words, the best first; words are compared by their stems.

    An entry has all the words. Put the query in single quotes, so that double ones reach it:
    lockleaf search 'walk "old mill" -rain (sea OR lake) mood:calm tag:"long days" from:2019-05'. Write -- before one
    that begins with a minus. Without --remote it is looked for on this device alone, and no word of it leaves.
    """
    text = " ".join(query)
    most = None if everything else limit
    async with run.client() as client:
        found = await (client.search.find if remote else client.journal.search)(text, limit=most)
    _print(run, found)
    for note in _unread(text):
        run.note(note)
    if remote:
        run.note("As the server lists them: what is left out, only lockleaf sync would notice.")


def _print(run: Run, found: sdk.Found) -> None:
    if found.ignored:
        run.note(f"Too common to search for: {', '.join(found.ignored)}.")
    for hit in found.hits:
        if run.json:
            run.result(_json(hit))
        else:
            for line in _lines(hit, run.out.width):
                run.show(line)
    if not found.complete:
        run.note("The server's index lacks entries still; lockleaf sync brings them.")
    if run.json:
        return
    if not found.hits:
        run.note("No entry fits.")
    elif len(found.hits) < found.total:
        most = "" if found.exact else "at most "
        run.note(f"{len(found.hits):,} of {most}{number_of(found.total, 'entry', 'entries')}; --all shows all.")


def _unread(query: str) -> Iterator[str]:
    """Yield what to say of filters that are invalid, and of a query that asks for nothing."""
    if sdk.only_excludes(query):
        yield "A query that only says what must not be there finds nothing, unless a filter says where to look."
    outside = _QUOTED.sub(lambda found: found[1] or " ", query)
    for written in _DAYS.findall(outside):
        if not sdk.is_filter(written):
            yield f"{written} names no day, so it was taken for words. A day is 2019-05-31, 2019-05 or 2019."
    for written in _REFUSED_FILTERS.findall(outside):
        yield f"{written} was taken for words: there are no filters with a minus."


def _json(hit: sdk.Hit) -> dict[str, Any]:
    return entry_json(hit.entry) | {
        "score": hit.score,
        "highlights": [
            {"field": each.field, "text": each.text, "marks": [list(mark) for mark in each.marks]}
            for each in hit.highlights
        ],
    }


def _lines(hit: sdk.Hit, width: int) -> Iterator[screen.RenderableType]:
    """Yield a hit as a person reads it: what identifies it, its title or first words, and where the words stand."""
    entry = hit.entry
    title = next((each for each in hit.highlights if each.field == "title"), None)
    head = screen.Text(f"{short_id(entry.id)}  ", style="dim")
    head.append(shown_date(entry.date, entry.time_zone), style="not dim")
    head.append("  ")
    head.append_text(_marked(title) if title is not None else screen.Text(headline(entry, max(width - 30, 20))))
    if state := marks(entry):
        head.append(f"  {state}", style="not dim yellow")
    yield head
    for each in hit.highlights:
        if each.field == "body":
            before = "" if entry.body.startswith(each.text) else "… "
            behind = "" if entry.body.endswith(each.text) else " …"
            yield screen.Padding(screen.Text.assemble(before, _marked(each), behind), (0, 0, 0, _INDENT), expand=False)


def _marked(highlight: sdk.Highlight) -> screen.Text:
    """Return a piece of an entry on one line, what was found in it bold."""
    text, done = screen.Text(style="not dim"), len(highlight.text) - len(highlight.text.lstrip())
    for start, end in highlight.marks:
        text.append(_on_one_line(highlight.text[done:start]))
        text.append(_on_one_line(highlight.text[start:end]), style="bold yellow")
        done = end
    text.append(_on_one_line(highlight.text[done:].rstrip()))
    return text


def _on_one_line(text: str) -> str:
    # Cut apart before it is made printable: marks count the characters of the text as it was written.
    return "".join(" " if c in "\n\t" else c for c in printable(text))
