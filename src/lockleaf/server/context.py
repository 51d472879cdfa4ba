"""What the parts of a running server share. ``app.py`` puts it together; nothing global holds any of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from lockleaf.server.accounts.public_contexts import PublicContexts
from lockleaf.server.analytics.evaluators import Evaluators
from lockleaf.server.auth.hashing import VerifierHasher
from lockleaf.server.auth.keys import ServerKeys
from lockleaf.server.auth.tokens import TokenCodec
from lockleaf.server.blobs.protocol import ObjectStore
from lockleaf.server.cursors import CursorCodec
from lockleaf.server.custody.custodian import Custodian
from lockleaf.server.db.engine import Database
from lockleaf.server.holdings import Holding
from lockleaf.server.media.removals import Removals
from lockleaf.server.observability.metrics import Metrics
from lockleaf.server.settings import Settings
from lockleaf.server.sync.events import EventHub

__all__ = ["Services"]


@dataclass(frozen=True, slots=True)
class Services:
    """The parts of one server process."""

    settings: Settings
    database: Database
    metrics: Metrics
    keys: ServerKeys
    tokens: TokenCodec
    cursors: CursorCodec
    hasher: VerifierHasher
    custodian: Custodian
    events: EventHub
    clock: Callable[[], datetime]
    public_contexts: PublicContexts
    evaluators: Evaluators
    blobs: ObjectStore
    removals: Removals
    holdings: tuple[Holding, ...]
