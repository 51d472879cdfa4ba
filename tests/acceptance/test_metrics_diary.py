"""A real diary's numbers: counted by a server that cannot read them, month by month over ten years."""

from __future__ import annotations

import gzip
import json
from collections import Counter
from datetime import date
from pathlib import Path

import pytest

from lockleaf.client.journal.importers.jsonl import read_jsonl
from tests.support.diarist import Diarist
from tests.support.statistics import agree


@pytest.mark.shared
async def test_words_by_month_and_year_are_those_of_the_text_within_the_stated_error(
    ada: Diarist, shared_data: Path
) -> None:
    diary = shared_data / "pepys.jsonl.gz"
    words: Counter[date] = Counter()
    entries: Counter[date] = Counter()
    with gzip.open(diary, "rt", encoding="utf-8") as lines:
        for line in lines:
            entry = json.loads(line)
            month = date.fromisoformat(entry["date"]).replace(day=1)
            words[month] += len(entry["text"].split())
            entries[month] += 1
    assert (min(words).year, max(words).year) == (1660, 1669)

    laptop = await ada.first()
    await laptop.journal.import_entries(read_jsonl(diary))
    await laptop.sync()
    report = await laptop.metrics.count()
    assert (report.error, report.sent) == (None, len(words))
    months = (await laptop.metrics.stats()).periods
    assert [period.start for period in months] == sorted(words)
    for period in months:
        assert period.count == entries[period.start]
        assert abs(period.total - words[period.start]) <= period.total_error < 0.1
    years = (await laptop.metrics.stats(by="year")).periods
    for period in years:
        plain = sum(count for month, count in words.items() if month.year == period.start.year)
        assert abs(period.total - plain) <= period.total_error < 1
    # A device that was never told the entries shows the same, and so does the one that has them.
    phone = await ada.another()
    await phone.sync()
    await agree(laptop, phone, since="1664-02-29", until="1666-09-02")
