"""Exports of a source to a path: which format, and whether into a folder or a ZIP file."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Literal

from lockleaf.client.errors import NoPlaceForRevisions
from lockleaf.client.journal.exporters.day_one import DayOneFormat
from lockleaf.client.journal.exporters.exporting import ExportReport, export_entries
from lockleaf.client.journal.exporters.folder import ExportFolder
from lockleaf.client.journal.exporters.formats import Format
from lockleaf.client.journal.exporters.html_pages import HtmlFormat
from lockleaf.client.journal.exporters.json_file import JsonFormat
from lockleaf.client.journal.exporters.manifest import Identity
from lockleaf.client.journal.exporters.markdown import MarkdownFormat
from lockleaf.client.journal.exporters.sources import ExportSource
from lockleaf.client.journal.exporters.zipped import ExportZip
from lockleaf.client.records.progress import ProgressCallback
from lockleaf.client.search.selection import Selection

__all__ = ["FORMATS", "ExportFormat", "export_to"]

ExportFormat = Literal["markdown", "json", "dayone", "html"]

FORMATS: Mapping[str, Callable[[bool], Format]] = {
    "markdown": lambda everything: MarkdownFormat(everything=everything),
    "json": lambda everything: JsonFormat(everything=everything),
    "dayone": lambda _: DayOneFormat(),
    "html": lambda _: HtmlFormat(),
}
"""What makes a format, told whether all entries are exported or some."""


async def export_to(
    path: Path,
    source: ExportSource,
    wanted: Selection,
    *,
    user_id: str,
    form: ExportFormat,
    revisions: bool,
    deleted: bool,
    force: bool,
    progress: ProgressCallback | None,
) -> ExportReport:
    """Export what is wanted of a source; see `Client.export`.

    Args:
        user_id: of the account whose entries they are.
    """
    made = FORMATS[form](wanted == Selection())
    if revisions and not made.carries_revisions:
        raise NoPlaceForRevisions
    identity = Identity.of(user_id, form, wanted, revisions=revisions, deleted=deleted)
    target: ExportZip | ExportFolder
    if path.suffix.lower() == ".zip":
        target = ExportZip(path, identity if made.has_manifest else None, force=force)
    else:
        target = ExportFolder(path, identity, force=force)
    with target:
        return await export_entries(
            source, target, made, wanted, revisions=revisions, deleted=deleted, progress=progress
        )
