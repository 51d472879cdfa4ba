"""What names a file or a folder: text, or anything that stands for a path, such as `pathlib.Path`."""

from __future__ import annotations

import os
from typing import TypeAlias

__all__ = ["StrPath"]

StrPath: TypeAlias = str | os.PathLike[str]
