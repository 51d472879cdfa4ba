"""The records of the account that is asking, with its keyring where the server may open it."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager

from lockleaf.server.identity.custody import keyrings
from lockleaf.server.identity.custody.custodian import Custodian
from lockleaf.server.identity.custody.keyrings import OpenKeyring
from lockleaf.server.identity.principal import Principal
from lockleaf.server.platform.clock import Clock
from lockleaf.server.platform.db.transaction import Transaction
from lockleaf.server.records.writer import AccountRecords, Rules

__all__ = ["CallerRecords"]


class CallerRecords(AccountRecords):
    """The records of the account that a request speaks for. A function that takes them may open content.

    Args:
        principal: who is asking.
        custodian: opens the keyring of a uce account.
    """

    def __init__(self, tx: Transaction, principal: Principal, clock: Clock, rules: Rules, custodian: Custodian) -> None:
        super().__init__(tx, principal, clock, rules)
        self.principal = principal
        self._custodian = custodian

    def keyring(self, purpose: str) -> AbstractAsyncContextManager[OpenKeyring]:
        """Open the account's keyring for the length of a block; see `keyrings.opened`."""
        return keyrings.opened(self.clock, self._custodian, self.connection, self.principal, purpose=purpose)
