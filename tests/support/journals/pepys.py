"""The real diary, written as each program that keeps text would export it."""

from __future__ import annotations

import gzip
import json
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from tests.support.journals import dayone, diaries
from tests.support.journals.notes import JoplinNotes, keep_note, standard_note, write_keep, write_standard_notes

__all__ = ["WRITERS", "Diary", "diary_of", "words"]

Diary = list[tuple[str, str]]
"""Day and text of each entry, in order."""


def diary_of(folder: Path) -> Diary:
    """The diary."""
    with gzip.open(folder / "pepys.jsonl.gz", "rt", encoding="utf-8") as lines:
        return [(each["date"], each["text"]) for each in map(json.loads, lines)]


def words(*texts: str | None) -> str:
    """The words of texts, however they are broken into lines."""
    return " ".join(" ".join(text or "" for text in texts).split())


def _noon(day: str) -> datetime:
    return datetime.fromisoformat(f"{day}T12:00:00").replace(tzinfo=UTC)


def _jsonl(folder: Path, diary: Diary) -> Path:
    path = folder / "diary.jsonl"
    path.write_text("".join(json.dumps({"date": day, "text": text}) + "\n" for day, text in diary), "utf-8")
    return path


def _markdown(folder: Path, diary: Diary) -> Path:
    counts: Counter[str] = Counter()
    for day, text in diary:
        counts[day] += 1
        more = f" {counts[day]}" if counts[day] > 1 else ""
        path = folder / "vault" / day[:4] / f"{day}{more}.md"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"---\ntags: [diary]\n---\n\n{text}\n", "utf-8")
    return folder / "vault"


def _text(folder: Path, diary: Diary) -> Path:
    counts: Counter[str] = Counter()
    (folder / "texts").mkdir()
    for day, text in diary:
        counts[day] += 1
        (folder / "texts" / f"{day} {counts[day]}.txt").write_bytes(text.replace("\n", "\r\n").encode("utf-8-sig"))
    return folder / "texts"


def _dayone(folder: Path, diary: Diary) -> Path:
    made = [dayone.entry(text, f"{day}T12:00:00Z", timeZone="Europe/London") for day, text in diary]
    return dayone.write_dayone(folder / "dayone.zip", {"Journal": made})


def _jrnl_text(folder: Path, diary: Diary) -> Path:
    return diaries.write_jrnl_text(folder / "jrnl.txt", [diaries.jrnl_entry(*each) for each in diary])


def _jrnl_json(folder: Path, diary: Diary) -> Path:
    return diaries.write_jrnl_json(folder / "jrnl.json", [diaries.jrnl_entry(*each) for each in diary])


def _journey(folder: Path, diary: Diary) -> Path:
    made = [
        diaries.journey_entry(str(number), diaries.paragraphs(text), int(_noon(day).timestamp() * 1000))
        for number, (day, text) in enumerate(diary)
    ]
    return diaries.write_journey(folder / "journey.zip", made)


def _diarium(folder: Path, diary: Diary) -> Path:
    return diaries.write_diarium(
        folder / "diarium.zip", [diaries.diarium_entry(f"{day}T12:00:00", text) for day, text in diary]
    )


def _apple(folder: Path, diary: Diary) -> Path:
    pages = {
        f"{day}_{number}": diaries.apple_page(f"{_noon(day):%A, %B} {int(day[8:])}, {day[:4]}", text)
        for number, (day, text) in enumerate(diary)
    }
    return diaries.write_apple_journal(folder / "apple.zip", pages)


def _standard(folder: Path, diary: Diary) -> Path:
    return write_standard_notes(
        folder / "standard.zip", [standard_note("", text, f"{day}T12:00:00.000Z") for day, text in diary]
    )


def _joplin(folder: Path, diary: Diary) -> Path:
    notes = JoplinNotes()
    for day, text in diary:
        notes.note(day, text, user_created_time=f"{day}T12:00:00.000Z")
    return notes.write_jex(folder / "joplin.jex")


def _keep(folder: Path, diary: Diary) -> Path:
    return write_keep(
        folder / "keep.zip",
        {str(number): keep_note("", text, _noon(day)) for number, (day, text) in enumerate(diary)},
    )


def _csv(folder: Path, diary: Diary) -> Path:
    return diaries.write_csv(folder / "diary.csv", ["date", "text"], diary)


WRITERS: dict[str, Callable[[Path, Diary], Path]] = {
    "jsonl": _jsonl,
    "markdown": _markdown,
    "text files": _text,
    "dayone": _dayone,
    "jrnl text": _jrnl_text,
    "jrnl json": _jrnl_json,
    "journey": _journey,
    "diarium": _diarium,
    "apple-journal": _apple,
    "standard-notes": _standard,
    "joplin": _joplin,
    "google-keep": _keep,
    "csv": _csv,
}
"""What writes the diary in each format, by its name."""
