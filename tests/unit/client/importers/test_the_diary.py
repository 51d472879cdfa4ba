"""A real ten-year diary through every format of text: the same entries each time, and none twice.

Each format has every fourth of the 3,415 entries, and begins one further on than the one before it: all years come
through each format, and each entry through several.
"""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pytest

from lockleaf.client.journal.journal import Journal
from lockleaf.client.store import LocalStore
from lockleaf.crypto.keyring import Keyring
from tests.support.journals.pepys import WRITERS, diary_of, words

pytestmark = pytest.mark.shared

EVERY = 4


@pytest.mark.parametrize("form", WRITERS)
async def test_the_diary_is_the_same_through_every_format(form: str, shared_data: Path, tmp_path: Path) -> None:
    diary = diary_of(shared_data)[list(WRITERS).index(form) % EVERY :: EVERY]
    path = WRITERS[form](tmp_path, diary)
    with LocalStore.create(tmp_path / "store.sqlite3", Keyring.new("2026-01-01T00:00:00Z")) as store:
        journal = Journal(store, clock=lambda: datetime(2026, 1, 1, tzinfo=UTC))
        report = await journal.import_from(path)
        assert len(diary) > 850
        assert (report.added, report.of("skipped"), report.of("changed")) == (len(diary), (), ())
        kept = await journal.list()
        texts = Counter((each.day.isoformat(), words(each.body)) for each in kept)
        titles = {each.title for each in kept if each.title}
        if form in ("jrnl text", "jrnl json"):  # where a first line is a title
            texts = Counter((each.day.isoformat(), words(each.title, each.body)) for each in kept)
        elif form == "joplin":  # where every note has one
            assert titles == {day for day, _ in diary}
        elif form in ("markdown", "text files"):  # what tells two files of a day apart
            assert all(title.isdigit() for title in titles)
        else:
            assert titles == set()
        assert texts == Counter((day, words(text)) for day, text in diary)
        again = await journal.import_from(path)
        assert (again.added, again.present, again.of("skipped")) == (0, len(diary), ())
