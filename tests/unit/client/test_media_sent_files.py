"""Sealed files that were sent stay on the device for a while, so many and so long, and not once they are deleted."""

from __future__ import annotations

import os
from pathlib import Path

from lockleaf.client.media.sent_files import SECONDS, SentFiles


def sent(folder: Path, name: str, size: int, written: float) -> Path:
    file = folder / f"{name}.made"
    file.write_bytes(bytes(size))
    SentFiles(folder / "sent", bytes_kept=1000).keep(name, file)
    kept = folder / "sent" / f"{name}.age"
    if kept.exists():
        os.utime(kept, (written, written))
    return kept


def test_the_oldest_go_when_there_are_too_many_and_all_when_they_are_old(tmp_path: Path) -> None:
    files = SentFiles(tmp_path / "sent", bytes_kept=1000)
    now = 10 * SECONDS
    old, one, two = (
        sent(tmp_path, "old", 1, 1.0),
        sent(tmp_path, "one", 600, now - 2),
        sent(tmp_path, "two", 600, now - 1),
    )
    too_large = sent(tmp_path, "large", 1001, now)
    files.clean(now)
    assert [each.exists() for each in (old, one, two, too_large)] == [False, False, True, False]
    assert files.of("two") == two
    assert files.of("one") is None
    assert (tmp_path / "sent").stat().st_mode & 0o777 == 0o700
    files.forget("two")
    assert files.of("two") is None
    assert [each.name for each in tmp_path.iterdir()] == ["sent"]


def test_another_epoch_is_noticed_once_there_was_one_before(tmp_path: Path) -> None:
    files = SentFiles(tmp_path / "sent")
    files.note_epoch("first")
    assert not (tmp_path / "sent").exists()
    sent(tmp_path, "one", 1, 1.0)
    assert not files.were_sent_before("first")
    files.note_epoch("first")
    assert not files.were_sent_before("first")
    assert files.were_sent_before("second")
    files.note_epoch("second")
    assert not files.were_sent_before("second")
