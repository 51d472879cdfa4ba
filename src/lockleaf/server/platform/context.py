"""What the parts of a running server share. ``main/app.py`` puts it together; nothing global holds any of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from lockleaf.server.features.analytics.evaluators import Evaluators
from lockleaf.server.features.operation.inventory import Inventory
from lockleaf.server.features.privacy.public_contexts import PublicContexts
from lockleaf.server.identity.custody.custodian import Custodian
from lockleaf.server.identity.hashing import VerifierHasher
from lockleaf.server.identity.tokens import TokenCodec
from lockleaf.server.platform.blobs.protocol import ObjectStore
from lockleaf.server.platform.blobs.removals import Removals
from lockleaf.server.platform.cursors import CursorCodec
from lockleaf.server.platform.db.engine import Database
from lockleaf.server.platform.events import EventHub
from lockleaf.server.platform.holdings import Holding
from lockleaf.server.platform.observability.metrics import Metrics
from lockleaf.server.platform.server_keys import ServerKeys
from lockleaf.server.platform.settings import Settings

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
    inventory: Inventory = field(default_factory=Inventory)
