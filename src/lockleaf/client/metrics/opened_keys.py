"""The secret key for metrics, open for as long as the store that holds it is.

What TenSEAL works out of a key takes ten milliseconds, and one sum a third of one: a page of numbers asks for many.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from lockleaf.client.metrics.census import Census
from lockleaf.client.metrics.native import require_native
from lockleaf.client.store import LocalStore

if TYPE_CHECKING:
    from lockleaf.he.keys import SecretKey

__all__ = ["opened_key"]

_opened: WeakKeyDictionary[LocalStore, tuple[bytes, SecretKey]] = WeakKeyDictionary()


def opened_key(store: LocalStore, census: Census) -> SecretKey:
    """Return the secret key of the store's census.

    Raises:
        MetricsNotInstalled: the library for encrypted numbers is not here.
        InvalidKeys: it is no such key.
    """
    require_native()
    from lockleaf.he.keys import SecretKey  # noqa: PLC0415  (native code, of which most runs have no need)

    known = _opened.get(store)
    if known is None or known[0] != census.key:
        known = _opened[store] = census.key, SecretKey.from_bytes(census.key)
    return known[1]
