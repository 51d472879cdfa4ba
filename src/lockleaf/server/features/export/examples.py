"""Examples of ``/users/me/export``."""

from __future__ import annotations

from lockleaf.server.features.people import JOB
from lockleaf.server.platform.http.examples import Examples

__all__ = ["EXAMPLES"]


EXAMPLES = {
    "POST /users/me/export": Examples(answer={"a job": JOB}),
}
