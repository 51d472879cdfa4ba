"""Puts the server together and runs it."""

from __future__ import annotations

import sys
from typing import Any, cast

if not {"rich", "structlog"} & sys.modules.keys():
    # structlog would load Rich and Pygments, 5 MB, to draw tracebacks with the values of variables: nobody wants those.
    # Here, and not where all of the server begins: what looks at hostile bytes in a process of its own logs nothing.
    sys.modules["rich"] = cast(Any, None)  # taken for not installed
    try:
        import structlog.dev  # noqa: F401
    finally:
        del sys.modules["rich"]
