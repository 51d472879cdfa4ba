"""The local store: the journal in one SQLite file, its content sealed at rest."""

from __future__ import annotations

from lockleaf.client.store.database import account_of
from lockleaf.client.store.local_store import LocalStore, holds_alone, local_keys

__all__ = ["LocalStore", "account_of", "holds_alone", "local_keys"]
