"""The SQL of accounts: directory, account, published keys, recovery codes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import delete, func, insert, select
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from lockleaf.server.identity.accounts.models import Account, EmailDirectory, RecoveryCode, SigningKey
from lockleaf.server.platform.db.scoped import OnSession

__all__ = [
    "AccountRepository",
    "FoundCode",
    "account_of_email",
    "derivation_of_email",
    "recovery_code_of_email",
    "user_of_email",
]

NOBODY = UUID(int=0)
"""The id of no account."""


async def user_of_email(session: AsyncSession, email: str) -> UUID:
    """Return the id of a normalised ``email``'s account, or `NOBODY`.

    The directory is asked in a step of its own: what is asked of the account then names it, and is answered by the node
    that has it. Whoever goes on asks the same of `NOBODY`, so that an unknown email takes as long as a known one.
    """
    found: UUID | None = await session.scalar(select(EmailDirectory.user_id).where(EmailDirectory.email == email))
    return NOBODY if found is None else found


async def account_of_email(session: AsyncSession, email: str) -> Account | None:
    """Return the account of a normalised ``email``, in as many statements whether there is one or not."""
    return await AccountRepository(session, await user_of_email(session, email)).get()


async def derivation_of_email(session: AsyncSession, email: str) -> tuple[dict[str, Any] | None, str | None]:
    """Return the key derivation parameters of a normalised ``email``, and its client's salt, where there are any."""
    user_id = await user_of_email(session, email)
    found = await session.execute(select(Account.kdf, Account.salt).where(Account.user_id == user_id))
    row = found.one_or_none()
    return (None, None) if row is None else (row.kdf, row.salt)


@dataclass(frozen=True, slots=True)
class FoundCode:
    """An unspent recovery code, and what matters of its account."""

    code: RecoveryCode
    current_version: int
    custody: str


async def recovery_code_of_email(session: AsyncSession, email: str, verifier_hash: bytes) -> FoundCode | None:
    """Return a recovery code with its account's present keyring version, in as many statements in either case."""
    user_id = await user_of_email(session, email)
    row = (
        await session.execute(
            select(RecoveryCode, Account.keyring_version, Account.custody)
            .join(Account, Account.user_id == RecoveryCode.user_id)
            .where(RecoveryCode.user_id == user_id, RecoveryCode.verifier_hash == verifier_hash)
        )
    ).one_or_none()
    return None if row is None else FoundCode(*row)


class AccountRepository(OnSession):
    """The rows of one account."""

    async def claim_email(self, email: str) -> bool:
        """Take a normalised ``email`` for this account; tell whether it was free.

        ON CONFLICT, since the text of a violated constraint would carry the email into PostgreSQL's log.
        """
        taken = await self.session.execute(
            upsert(EmailDirectory)
            .values(email=email, user_id=self.user_id)
            .on_conflict_do_nothing()
            .returning(EmailDirectory.user_id)
        )
        return taken.scalar_one_or_none() is not None

    async def insert(self, columns: Mapping[str, Any]) -> Account | None:
        """Make the account; None if there is one with this id."""
        made: Account | None = await self.session.scalar(
            upsert(Account).values(user_id=self.user_id, **columns).on_conflict_do_nothing().returning(Account)
        )
        return made

    async def get(self, *, lock: bool = False) -> Account | None:
        """Return the account; with ``lock`` nobody else changes it before the transaction ends."""
        statement = select(Account).where(Account.user_id == self.user_id)
        if lock:
            statement = statement.with_for_update().execution_options(populate_existing=True)
        found: Account | None = await self.session.scalar(statement)
        return found

    async def is_disabled(self) -> bool:
        """Tell whether its operator lets nobody in."""
        at = await self.session.scalar(select(Account.disabled_at).where(Account.user_id == self.user_id))
        return at is not None

    async def add_signing_key(
        self, version: int, recipient: str, signing_key: bytes, rotation_signature: bytes | None
    ) -> None:
        """Remember the public keys that came with a keyring version."""
        await self.session.execute(
            insert(SigningKey).values(
                user_id=self.user_id,
                keyring_version=version,
                recipient=recipient,
                signing_key=signing_key,
                rotation_signature=rotation_signature,
            )
        )

    async def signing_keys(self) -> list[bytes]:
        """Return every public signing key that the account has registered."""
        found = await self.session.scalars(select(SigningKey.signing_key).where(SigningKey.user_id == self.user_id))
        return list(found)

    async def rotation_signature(self) -> bytes | None:
        """Return the signature under the newest public keys; None for the first ones."""
        found: bytes | None = await self.session.scalar(
            select(SigningKey.rotation_signature)
            .where(SigningKey.user_id == self.user_id)
            .order_by(SigningKey.keyring_version.desc())
            .limit(1)
        )
        return found

    async def replace_recovery_codes(self, codes: Sequence[tuple[bytes, bytes | None]], version: int) -> None:
        """Put ``codes`` (verifier hash, keyring sealed as ``version``, if any) in the place of all before."""
        await self.session.execute(delete(RecoveryCode).where(RecoveryCode.user_id == self.user_id))
        await self.session.execute(
            insert(RecoveryCode),
            [
                {
                    "user_id": self.user_id,
                    "verifier_hash": verifier_hash,
                    "keyring": keyring,
                    "keyring_version": version,
                }
                for verifier_hash, keyring in codes
            ],
        )

    async def recovery_code_hashes(self) -> set[bytes]:
        """Return the verifier hashes of the unspent codes."""
        found = await self.session.scalars(
            select(RecoveryCode.verifier_hash).where(RecoveryCode.user_id == self.user_id)
        )
        return set(found)

    async def recovery_codes_left(self) -> tuple[int, datetime | None]:
        """Return how many codes are unspent, and when they were made."""
        row = (
            await self.session.execute(
                select(func.count(), func.min(RecoveryCode.created_at)).where(RecoveryCode.user_id == self.user_id)
            )
        ).one()
        return row[0], row[1]

    async def spend_recovery_code(self, verifier_hash: bytes) -> RecoveryCode | None:
        """Delete a code, and return it if it was there."""
        spent: RecoveryCode | None = await self.session.scalar(
            delete(RecoveryCode)
            .where(RecoveryCode.user_id == self.user_id, RecoveryCode.verifier_hash == verifier_hash)
            .returning(RecoveryCode)
        )
        return spent

    async def delete(self) -> None:
        """Delete every row of the account that this domain keeps."""
        for table in (RecoveryCode, SigningKey, EmailDirectory, Account):
            await self.session.execute(delete(table).where(table.user_id == self.user_id))
