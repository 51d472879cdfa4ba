"""What this feature works with: the networks, and the parts of the server by which posts come in and go out."""

from __future__ import annotations

from dataclasses import dataclass

from lockleaf.server.features.integrations.networks import Networks
from lockleaf.server.identity.custody.custodian import Custodian
from lockleaf.server.platform.blobs.protocol import ObjectStore
from lockleaf.server.platform.blobs.removals import Removals
from lockleaf.server.platform.clock import Clock
from lockleaf.server.platform.db.engine import Database
from lockleaf.server.platform.server_keys import ServerKeys
from lockleaf.server.platform.settings import IntegrationSettings, LimitSettings
from lockleaf.server.records.quota import Quota

__all__ = ["Exchange"]


@dataclass(frozen=True, slots=True)
class Exchange:
    """Between accounts and networks.

    Attributes:
        store: where pictures go.
        removals: what is deleted there.
    """

    settings: IntegrationSettings
    limits: LimitSettings
    networks: Networks
    database: Database
    clock: Clock
    keys: ServerKeys
    custodian: Custodian
    store: ObjectStore
    removals: Removals
    quota: Quota
