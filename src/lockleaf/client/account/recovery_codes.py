"""Recovery codes: making a set, and coming back with one when the password is lost."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from pydantic import ValidationError

from lockleaf.client.errors import InvalidAnswer, InvalidRecoveryCode, KeyringMissing, KeyringRolledBack, SealBroken
from lockleaf.client.transport.http import Transport
from lockleaf.client.transport.second_factor import answered
from lockleaf.crypto import recovery
from lockleaf.crypto.errors import BadRecoveryCode, CryptoError
from lockleaf.crypto.keyring import RECOVERY_LABEL, Keyring, open_keyring, seal_keyring
from lockleaf.wire.account_fields import RecoveryEntry
from lockleaf.wire.factors import FactorAnswer
from lockleaf.wire.login_names import identification
from lockleaf.wire.problem_documents import Problem
from lockleaf.wire.problems import ErrorCode
from lockleaf.wire.recovery import VerifyRecoveryCode, VerifyRecoveryCodeAnswer

__all__ = ["CODES", "RecoveredKeyring", "RecoveryCodes", "drawn_codes", "new_recovery_set", "open_with_code"]

CODES = 10
"""How many recovery codes make a set."""
_CODE = re.compile(r"[0-9A-HJKMNP-TV-Z]{5}(-[0-9A-HJKMNP-TV-Z]{5}){3}", re.ASCII)


@dataclass(frozen=True)
class RecoveryCodes:
    """A set of recovery codes, to be shown to their user once and kept nowhere.

    Each is ``XXXXX-XXXXX-XXXXX-XXXXX`` and works once. Whoever has one can read the journal.
    """

    codes: tuple[str, ...] = field(repr=False)

    def __iter__(self) -> Iterator[str]:
        return iter(self.codes)

    def __len__(self) -> int:
        return len(self.codes)


def new_recovery_set(keyring: Keyring, user_id: UUID, version: int) -> tuple[RecoveryCodes, tuple[RecoveryEntry, ...]]:
    """Return fresh codes, and what the server keeps of them.

    Args:
        keyring: what the codes shall open.
        user_id: the account.
        version: the keyring version that is in force once the set is.
    """
    codes = RecoveryCodes(tuple(recovery.new_code() for _ in range(CODES)))
    entries = tuple(
        RecoveryEntry(
            verifier_hash=recovery.verifier_hash(recovery.verifier(code)),
            keyring=seal_keyring(
                keyring, recovery.recovery_key(code), label=RECOVERY_LABEL, user_id=str(user_id), version=version
            ),
        )
        for code in codes
    )
    return codes, entries


def drawn_codes(codes: Iterable[str] | None) -> RecoveryCodes:
    """Return the recovery codes that the server drew, once they have the form of such.

    Raises:
        InvalidAnswer: they are not such codes: they are shown to a person, and must be worth the paper.
    """
    drawn = tuple(codes or ())
    if len(set(drawn)) != CODES or len(drawn) != CODES or not all(_CODE.fullmatch(code) for code in drawn):
        raise InvalidAnswer
    return RecoveryCodes(drawn)


@dataclass(frozen=True)
class RecoveredKeyring:
    """What a recovery code opened, and the right to set new credentials."""

    keyring: Keyring
    current_version: int
    user_id: UUID
    recovery_token: str = field(repr=False)


async def open_with_code(
    transport: Transport, login_name: str, code: str, fields: Callable[[str], Mapping[str, Any]]
) -> RecoveredKeyring:
    """Fetch the sealed keyring of a recovery code and open it. The code is not spent by this.

    Args:
        transport: the way to the server; no session is needed.
        login_name: the account's email address or name.
        code: as a person types it.
        fields: give what shows the server that there is such a code.

    Raises:
        InvalidRecoveryCode: it is no code, or not one of this account's.
        KeyringMissing: the server says that the account has none.
        SealBroken: the server's keyring does not open with the code.
        KeyringRolledBack: the account's keyring is older than the one that the code opens.
    """
    try:
        key = recovery.recovery_key(code)
        body = VerifyRecoveryCode(**identification(login_name), **fields(code))
    except (BadRecoveryCode, ValidationError):
        raise InvalidRecoveryCode(_not_a_code()) from None

    async def send(factor: FactorAnswer | None) -> VerifyRecoveryCodeAnswer:
        return await transport.request(
            "POST",
            "/auth/verify-recovery-code",
            body=body.model_copy(update={"factor": factor}),
            answer=VerifyRecoveryCodeAnswer,
            authenticated=False,
        )

    answer = await answered(transport, send)
    keyring = _open(answer, key)
    current = answer.keyring_version if answer.current_keyring_version is None else answer.current_keyring_version
    if current < answer.keyring_version:
        raise KeyringRolledBack
    return RecoveredKeyring(keyring, current, answer.user_id, answer.recovery_token)


def _open(answer: VerifyRecoveryCodeAnswer, key: bytes) -> Keyring:
    if answer.keyring is None:
        raise KeyringMissing
    try:
        return open_keyring(
            answer.keyring, key, label=RECOVERY_LABEL, user_id=str(answer.user_id), version=answer.keyring_version
        )
    except CryptoError:
        raise SealBroken("the keyring of the recovery code") from None


def _not_a_code() -> Problem:
    """Name the mistake as the server would, without asking it."""
    return Problem(
        type="about:blank",
        title="Not a recovery code",
        status=422,
        detail="Twenty letters and digits are wanted.",
        code=ErrorCode.INVALID_RECOVERY_CODE,
    )
