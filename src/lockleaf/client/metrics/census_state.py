"""What this device remembers of the account's metrics: whether they are wanted, and under which census they are."""

from __future__ import annotations

from dataclasses import dataclass, replace

from lockleaf.client.errors import StoreDamaged
from lockleaf.client.metrics.census import PARAMETERS, Census
from lockleaf.client.metrics.native import require_native
from lockleaf.client.store import LocalStore
from lockleaf.crypto.encoding import pack, strict_unpack
from lockleaf.crypto.errors import Malformed

__all__ = ["State", "prepared_pair"]

_STATE = "metrics"
_KEY = f"he/{PARAMETERS.name}"
_PREPARED = f"he/{PARAMETERS.name}/next"


@dataclass(frozen=True, slots=True)
class State:
    """What is remembered.

    Attributes:
        wanted: a census is to be begun with the next sync.
        number: the highest number of a census that was seen.
        census: the present one.
        version: of its key at the server; 0 while the server has not confirmed it.
    """

    wanted: bool = False
    number: int = 0
    census: Census | None = None
    version: int = 0

    @classmethod
    def load(cls, store: LocalStore) -> State:
        """Return what the store remembers.

        Raises:
            StoreDamaged: it is not as it was written.
        """
        kept = store.get_secret(_STATE)
        if kept is None:
            return cls()
        try:
            wanted, number, version, found = strict_unpack(kept)
            census = None if found is None else Census.from_map(found, store.get_secret(_KEY) or b"")
        except (Malformed, TypeError, ValueError, KeyError):
            raise StoreDamaged from None
        return cls(bool(wanted), int(number), census, int(version))

    def save(self, store: LocalStore) -> None:
        """Keep it, in the transaction that is open or in its own."""
        found = None if self.census is None else self.census.to_map()
        with store.transaction():
            store.set_secret(_KEY, None if self.census is None else self.census.key)
            store.set_secret(_STATE, pack([self.wanted, self.number, self.version, found]))

    @classmethod
    def want(cls, store: LocalStore) -> None:
        """Have the account's sums begun with the next sync, if no device has begun them."""
        with store.transaction():
            replace(cls.load(store), wanted=True).save(store)

    def within(self, census: Census, version: int) -> State:
        """Return the state in which ``census`` is the present one."""
        return State(False, max(self.number, census.number), census, version)

    def without(self, *, wanted: bool) -> State:
        """Return the state with no census."""
        return replace(self, census=None, version=0, wanted=wanted)


def prepared_pair(store: LocalStore, *, spend: bool = False) -> tuple[bytes, bytes]:
    """Return a secret key and its public context, for the next census.

    They are kept before the public one is given away: metrics under a key that nobody has would be lost.

    Args:
        spend: they are used now, and others are made the next time.

    Raises:
        MetricsNotInstalled: the library for encrypted numbers is not here.
    """
    require_native()
    from lockleaf.he.keys import make_keys  # noqa: PLC0415  (native code, of which most runs have no need)

    with store.transaction():
        kept = store.get_secret(_PREPARED)
        if kept is None:
            secret, public = make_keys(PARAMETERS.name)
            kept = pack([secret.to_bytes(), public])
        store.set_secret(_PREPARED, None if spend else kept)
    key, context = strict_unpack(kept)
    return key, context
