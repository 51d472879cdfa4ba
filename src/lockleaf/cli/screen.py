"""What commands draw with on a terminal, of Rich and segno: loaded when it is first used, and --help needs none."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lockleaf.lazy import lazily

if TYPE_CHECKING:
    from rich import box
    from rich.console import Console, Group, RenderableType
    from rich.padding import Padding
    from rich.progress import BarColumn, ProgressColumn, Task, TextColumn
    from rich.progress import Progress as Bars
    from rich.table import Table
    from rich.text import Text
    from segno import make_qr as qr_code

__all__ = [
    "BarColumn",
    "Bars",
    "Console",
    "Group",
    "Padding",
    "ProgressColumn",
    "RenderableType",
    "Table",
    "Task",
    "Text",
    "TextColumn",
    "box",
    "qr_code",
]

if not TYPE_CHECKING:
    __getattr__ = lazily(
        globals(),
        {
            "rich.box": "box=.",
            "rich.console": "Console Group RenderableType",
            "rich.padding": "Padding",
            "rich.progress": "BarColumn Bars=Progress ProgressColumn Task TextColumn",
            "rich.table": "Table",
            "rich.text": "Text",
            "segno": "qr_code=make_qr",
        },
    )
