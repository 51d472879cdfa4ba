"""The server: a store that orders, keeps and delivers what it cannot read."""

from __future__ import annotations

import sys
from typing import Any, cast

if not {"rich", "structlog"} & sys.modules.keys():
    # structlog would load Rich and Pygments, 5 MB, to draw tracebacks with the values of variables: nobody wants those.
    sys.modules["rich"] = cast(Any, None)  # taken for not installed
    try:
        import structlog.dev  # noqa: F401
    finally:
        del sys.modules["rich"]
