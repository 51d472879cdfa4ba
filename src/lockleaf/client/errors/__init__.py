"""Every error of the SDK, in one tree under `LockleafError`.

- `ApiError`: what the server refused; one subclass for each error code, named for it.
- `TransportError`: the way to the server.
- `IntegrityError`: what the server sent contradicts what this device knows. Nothing of its answer was taken over.
- `LocalError`: this machine.

The docstring of a class is the message that a person reads: what happened, what it means, what to do. Messages hold
no content, email address, token or key.
"""

# ruff: noqa: F403
from __future__ import annotations

from lockleaf.client.errors import (
    accounts,
    base,
    exports,
    factors,
    integrations,
    integrity,
    journal,
    local,
    logins,
    media,
    metrics,
    objects,
    records,
    requests,
    search,
    transport,
)
from lockleaf.client.errors.accounts import *
from lockleaf.client.errors.base import *
from lockleaf.client.errors.exports import *
from lockleaf.client.errors.factors import *
from lockleaf.client.errors.integrations import *
from lockleaf.client.errors.integrity import *
from lockleaf.client.errors.journal import *
from lockleaf.client.errors.local import *
from lockleaf.client.errors.logins import *
from lockleaf.client.errors.media import *
from lockleaf.client.errors.metrics import *
from lockleaf.client.errors.objects import *
from lockleaf.client.errors.records import *
from lockleaf.client.errors.requests import *
from lockleaf.client.errors.search import *
from lockleaf.client.errors.transport import *

__all__: list[str] = []
__all__ += accounts.__all__
__all__ += base.__all__
__all__ += exports.__all__
__all__ += factors.__all__
__all__ += integrations.__all__
__all__ += integrity.__all__
__all__ += journal.__all__
__all__ += local.__all__
__all__ += logins.__all__
__all__ += media.__all__
__all__ += metrics.__all__
__all__ += objects.__all__
__all__ += records.__all__
__all__ += requests.__all__
__all__ += search.__all__
__all__ += transport.__all__
