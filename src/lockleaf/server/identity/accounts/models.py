"""Tables of accounts. Each begins with ``user_id``; only the directory stands apart, keyed by email or name."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Boolean, CheckConstraint, Index, Integer, LargeBinary, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from lockleaf.server.platform.db.base import Base, Blob, Instant, Name, Now

__all__ = ["Account", "Consent", "EmailDirectory", "HePublicKey", "RecoveryCode", "SigningKey"]


class EmailDirectory(Base):
    """Which account an email, or a name without an @, belongs to: the one table whose uniqueness spans users."""

    __tablename__ = "email_directory"

    email: Mapped[Name] = mapped_column(
        primary_key=True, comment="normalised: NFKC, trimmed, case-folded; a name has no @"
    )
    user_id: Mapped[UUID] = mapped_column(index=True)
    created_at: Mapped[Now]


class Account(Base):
    """An account: what the server may know of a user, and the sealed keyring that it only keeps."""

    __tablename__ = "accounts"
    __table_args__ = (
        CheckConstraint("custody IN ('e2e', 'uce')", name="custody"),
        CheckConstraint("privacy_tier IN ('local_only', 'analytics_sync', 'full_sync')", name="privacy_tier"),
    )

    user_id: Mapped[UUID] = mapped_column(primary_key=True)
    email: Mapped[Name] = mapped_column(comment="normalised, as in the directory")
    email_shown: Mapped[str] = mapped_column(Text, comment="as the user writes it; a name where it has no @")
    display_name: Mapped[str | None] = mapped_column(Text)
    timezone: Mapped[str] = mapped_column(Text, server_default="UTC")
    locale: Mapped[str] = mapped_column(Text, server_default="en")
    custody: Mapped[str] = mapped_column(Text)
    privacy_tier: Mapped[str] = mapped_column(Text)
    consented_at: Mapped[Instant] = mapped_column(comment="when the user chose the present tier")
    preferences: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default="{}")

    verifier_hash: Mapped[str] = mapped_column(Text, comment="Argon2id of the authentication secret")
    kdf: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    salt: Mapped[str | None] = mapped_column(Text, comment="a vault client's own, as it writes it")
    vault_id: Mapped[Name | None] = mapped_column(comment="of a vault client's blob, as it chose it")
    kek_salt: Mapped[Blob | None] = mapped_column(comment="uce: salt of the key-encryption key")
    keyring: Mapped[Blob | None]
    keyring_version: Mapped[int] = mapped_column(Integer, server_default="0")
    recipient: Mapped[str | None] = mapped_column(Text, comment="age X25519 recipient of the newest master key")
    signing_key: Mapped[Blob | None] = mapped_column(comment="Ed25519 public key of the newest master key")
    created_at: Mapped[Now]
    updated_at: Mapped[Now]
    disabled_at: Mapped[Instant | None] = mapped_column(comment="since when its operator lets nobody in")
    quota_bytes: Mapped[int | None] = mapped_column(
        BigInteger, comment="how much it may hold, where its operator gave it a quota of its own; -1 for any number"
    )


class Invitation(Base):
    """A code of an operator's by which accounts are made; it belongs to nobody until it is used."""

    __tablename__ = "invitations"

    digest: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    uses: Mapped[int] = mapped_column(Integer, comment="how many accounts may be made with it")
    uses_left: Mapped[int] = mapped_column(Integer)
    created_at: Mapped[Now]
    expires_at: Mapped[Instant]


class SigningKey(Base):
    """Every pair of public keys that an account has registered, each signed by the one before."""

    __tablename__ = "signing_keys"

    user_id: Mapped[UUID] = mapped_column(primary_key=True)
    keyring_version: Mapped[int] = mapped_column(Integer, primary_key=True)
    recipient: Mapped[str] = mapped_column(Text)
    signing_key: Mapped[Blob]
    rotation_signature: Mapped[Blob | None]
    created_at: Mapped[Now]


class RecoveryCode(Base):
    """An unspent recovery code: the hash of its verifier, and the keyring sealed under its key, if there is one."""

    __tablename__ = "recovery_codes"

    user_id: Mapped[UUID] = mapped_column(primary_key=True)
    verifier_hash: Mapped[Blob] = mapped_column(primary_key=True)
    keyring: Mapped[Blob | None]
    keyring_version: Mapped[int] = mapped_column(Integer)
    created_at: Mapped[Now]


class Consent(Base):
    """That a user chose a privacy tier, and when: kept as proof for as long as the account lives."""

    __tablename__ = "consents"

    user_id: Mapped[UUID] = mapped_column(primary_key=True)
    consent_id: Mapped[UUID] = mapped_column(primary_key=True)
    privacy_tier: Mapped[str] = mapped_column(Text)
    consented_at: Mapped[Instant] = mapped_column(comment="as the client says")
    recorded_at: Mapped[Now]


class HePublicKey(Base):
    """The public context under which an account's metrics are encrypted, one for each parameter set."""

    __tablename__ = "he_public_keys"

    user_id: Mapped[UUID] = mapped_column(primary_key=True)
    parameter_set: Mapped[Name] = mapped_column(primary_key=True)
    context: Mapped[Blob] = mapped_column(comment="serialised TenSEAL context without a secret key")
    multiplies: Mapped[bool] = mapped_column(
        Boolean, server_default="false", comment="whether it has relinearisation keys"
    )
    raw: Mapped[bool] = mapped_column(
        Boolean, server_default="false", comment="whether its client sends and reads SEAL's objects alone"
    )
    registered_at: Mapped[Now]


Index("ix_accounts_email", Account.email)
