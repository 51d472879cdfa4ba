"""The tables of connections, and of what went through them."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, DateTime, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from lockleaf.server.platform.db.base import Base, Blob, Instant, Name

__all__ = ["ExternalPost", "Integration", "IntegrationApplication"]


class Integration(Base):
    """A connection: what a user allowed us at a network."""

    __tablename__ = "integrations"
    __table_args__ = (CheckConstraint("state IN ('connected', 'reconnect_required')", name="state"),)

    user_id: Mapped[UUID] = mapped_column(primary_key=True)
    integration_id: Mapped[UUID] = mapped_column(primary_key=True)
    provider: Mapped[Name]
    account_key: Mapped[Blob] = mapped_column(comment="a keyed digest of the account at the network")
    sealed: Mapped[Blob] = mapped_column(comment="token, instance, names: under a key of the server's")
    position: Mapped[Blob | None] = mapped_column(comment="how far it was read, sealed alike")
    state: Mapped[Name]
    connected_at: Mapped[Instant]
    pulled_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    paused_until: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    last_error: Mapped[Name | None]


class ExternalPost(Base):
    """A post that came in or went out, so that neither happens twice; an intent to publish one, before it is known.

    What it is called at the network, and what it says, stand here as keyed digests alone, and its address sealed.
    """

    __tablename__ = "external_posts"
    __table_args__ = (
        CheckConstraint("direction IN ('in', 'out')", name="direction"),
        CheckConstraint("state IN ('linked', 'skipped', 'intended', 'unknown', 'refused')", name="state"),
    )

    user_id: Mapped[UUID] = mapped_column(primary_key=True)
    post_id: Mapped[UUID] = mapped_column(primary_key=True, comment="ours; the network's key of a post that goes out")
    integration_id: Mapped[UUID]
    provider: Mapped[Name]
    direction: Mapped[Name]
    state: Mapped[Name]
    post_key: Mapped[Blob | None] = mapped_column(comment="a keyed digest of its id at the network")
    push_key: Mapped[Blob | None] = mapped_column(comment="of the account, the target and the entry")
    text_key: Mapped[Blob | None] = mapped_column(comment="of its text, until it is found")
    entry_id: Mapped[UUID | None]
    sealed: Mapped[Blob | None] = mapped_column(comment="its id, address and target, under a key of the server's")
    noted_at: Mapped[Instant] = mapped_column(comment="when it came, or was to go out")
    settled_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


Index("uq_integrations_account_key", Integration.user_id, Integration.account_key, unique=True)
Index(
    "uq_external_posts_post_key",
    ExternalPost.user_id,
    ExternalPost.post_key,
    unique=True,
    postgresql_where=text("post_key IS NOT NULL"),
)
Index(
    "uq_external_posts_push_key",
    ExternalPost.user_id,
    ExternalPost.push_key,
    unique=True,
    postgresql_where=text("push_key IS NOT NULL AND state <> 'refused'"),
)
# Not of one account: which are due.
Index("ix_integrations_pulled", Integration.pulled_at, postgresql_where=text("state = 'connected'"))


class IntegrationApplication(Base):
    """Our application at an instance, registered once for all accounts of this server. No user's data is in it."""

    __tablename__ = "integration_applications"

    instance: Mapped[Name] = mapped_column(primary_key=True)
    redirect_uri: Mapped[Name] = mapped_column(primary_key=True)
    sealed: Mapped[Blob] = mapped_column(comment="its id and secret, under a key of the server's")
    registered_at: Mapped[Instant]
