"""Accounts: who they are, their keys, and what they agreed to."""

from __future__ import annotations

from lockleaf.server.identity.accounts.archive import FACTS, SECTIONS
from lockleaf.server.identity.accounts.models import (
    Account,
    Consent,
    EmailDirectory,
    HePublicKey,
    Invitation,
    RecoveryCode,
    SigningKey,
)
from lockleaf.server.platform.feature import Archive, Feature

__all__ = ["feature"]


feature = Feature(
    tables=(
        EmailDirectory,
        Account,
        SigningKey,
        RecoveryCode,
        Consent,
        HePublicKey,
        Invitation,
    ),
    archive=Archive(FACTS, SECTIONS),
)
