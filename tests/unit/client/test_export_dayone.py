"""The journal as Day One imports it."""

from __future__ import annotations

import json
import zipfile
from hashlib import md5
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from lockleaf.client.journal.exporters.text_links import target_of
from tests.support.offline_devices import offline_device


def read(path: Path) -> tuple[list[dict[str, Any]], dict[str, bytes]]:
    """The entries of a Day One ZIP, and its other files."""
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        files = {name: archive.read(name) for name in archive.namelist()}
        assert len(files) == len(archive.namelist())
    journal = json.loads(files.pop("Journal.json"))
    assert journal["metadata"] == {"version": "1.0"}
    return journal["entries"], files


async def test_an_entry_has_its_id_its_place_in_time_and_its_files(tmp_path: Path) -> None:
    photo, sound, paper, table = (tmp_path / name for name in ("p.jpg", "s.m4a", "d.pdf", "t.csv"))
    for file in (photo, sound, paper, table):
        file.write_bytes(b"of " + file.name.encode())
    async with offline_device(tmp_path / "home") as (client, _):
        entry = await client.journal.write(
            body=f"See ![the sea]({target_of('p.jpg')}).",
            title="A title",
            tags=["walk", "starred"],
            weather="fog",
            location="on a pier",
            mood="calm",
            date="2026-11-20T23:30:00+01:00",
            time_zone="Europe/Berlin",
        )
        for file in (photo, sound, paper, table):
            await client.media.attach(entry.id, file)
        await client.media.attach(entry.id, photo, name="again.jpg")
        report = await client.export(tmp_path / "out.zip", form="dayone")
        entry = await client.journal.get(entry.id)
    assert (report.entries, report.attachments, report.missing) == (1, 5, ())
    [shown], files = read(tmp_path / "out.zip")
    assert UUID(shown["uuid"]) == UUID(entry.id)
    assert shown["uuid"].isupper() or shown["uuid"].isdigit()
    assert (shown["creationDate"], shown["timeZone"], shown["isAllDay"]) == (
        "2026-11-20T22:30:00Z",
        "Europe/Berlin",
        False,
    )
    assert (shown["starred"], shown["tags"]) == (True, ["walk"])
    assert shown["weather"]["conditionsDescription"] == "fog"
    assert shown["location"]["placeName"] == "on a pier"
    [first, again] = shown["photos"]
    [heard], [printed] = shown["audios"], shown["pdfAttachments"]
    assert shown["text"] == (
        f"# A title\n\nSee ![the sea](dayone-moment://{first['identifier']}).\n\n"
        f"![](dayone-moment:/audio/{heard['identifier']})\n\n"
        f"![](dayone-moment:/pdfAttachment/{printed['identifier']})\n\n"
        f"![](dayone-moment://{again['identifier']})"
    )
    for listed, folder, name in ((first, "photos", "p.jpg"), (heard, "audios", "s.m4a"), (printed, "pdfs", "d.pdf")):
        data = files[f"{folder}/{listed['md5']}.{listed['type']}"]
        assert (data, md5(data).hexdigest(), listed["filename"]) == (f"of {name}".encode(), listed["md5"], name)
    assert again["md5"] == first["md5"]
    whole = shown["lockleaf"]
    assert (whole["id"], whole["body"], whole["mood"]) == (entry.id, entry.body, "calm")
    assert [files[each["file"]] for each in whole["attachments"]] == [
        f"of {name}".encode() for name in ("p.jpg", "s.m4a", "d.pdf", "t.csv", "p.jpg")
    ]


@pytest.mark.parametrize(
    ("date", "zone", "instant", "whole_day"),
    [
        ("2026-11-21", None, "2026-11-21T12:00:00Z", True),
        ("2026-11-21", "Pacific/Kiritimati", "2026-11-20T22:00:00Z", True),
        ("1660-01-11", "Europe/London", "1660-01-11T12:01:15Z", True),
        ("2026-11-21T18:30:00", "America/New_York", "2026-11-21T23:30:00Z", False),
        ("2026-11-21T18:30:00", None, "2026-11-21T18:30:00Z", False),
        ("0001-01-01T00:00:00+14:00", None, "0001-01-01T00:00:00Z", False),
        ("9999-12-31", "Pacific/Pago_Pago", "9999-12-31T23:00:00Z", True),
    ],
)
async def test_a_day_stays_the_day_where_it_was_written(
    tmp_path: Path, date: str, zone: str | None, instant: str, whole_day: bool
) -> None:
    async with offline_device(tmp_path / "home") as (client, _):
        await client.journal.write(body="b", date=date, time_zone=zone)
        await client.export(tmp_path / "out.zip", form="dayone")
    [shown], _ = read(tmp_path / "out.zip")
    assert (shown["creationDate"], shown["isAllDay"]) == (instant, whole_day)
