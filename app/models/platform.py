"""What makes the shop reliable rather than sell: idempotency keys, the outbox and its consumers, sent mails."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Identity, Index, LargeBinary, SmallInteger, text
from sqlalchemy.orm import Mapped, mapped_column

from app.core.ids import uuid7
from app.models.base import Base
from app.models.encrypted import EncryptedBody


class KeyState(StrEnum):
    RUNNING = "running"
    DONE = "done"


class IdempotencyKey(Base):
    """One attempt at one operation of one principal, and the answer that every repetition gets (domain rule 3)."""

    __tablename__ = "idempotency_keys"
    __table_args__ = (
        CheckConstraint("state IN ('running', 'done')", "state"),
        CheckConstraint("length(key) BETWEEN 1 AND 255", "key"),
    )

    scope: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    request_hash: Mapped[bytes] = mapped_column(LargeBinary)
    state: Mapped[str] = mapped_column(default=KeyState.RUNNING)
    resource_id: Mapped[UUID | None]
    status_code: Mapped[int | None] = mapped_column(SmallInteger)
    # JSON, not JSONB: that would put the members into an order of its own, and a replay is the same to the byte.
    body: Mapped[dict[str, Any] | None] = mapped_column(EncryptedBody())
    locked_at: Mapped[datetime] = mapped_column(server_default=text("now()"))
    expires_at: Mapped[datetime] = mapped_column(server_default=text("now() + interval '24 hours'"), index=True)


class OutboxEvent(Base):
    """An event of the business, written with the change it tells of and published after (domain rule 8)."""

    __tablename__ = "outbox"
    __table_args__ = (
        Index("ix_outbox_waiting", "position", postgresql_where=text("published_at IS NULL")),
        Index("ix_outbox_aggregate_id", "aggregate_id", "position"),
    )

    position: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    event_id: Mapped[UUID] = mapped_column(unique=True, default=uuid7)
    type: Mapped[str]
    aggregate_id: Mapped[UUID]
    payload: Mapped[dict[str, Any]]
    created_at: Mapped[datetime] = mapped_column(server_default=text("now()"))
    attempts: Mapped[int] = mapped_column(default=0, server_default="0")
    next_attempt_at: Mapped[datetime] = mapped_column(server_default=text("now()"))
    published_at: Mapped[datetime | None]


class ProcessedEvent(Base):
    """What a consumer has dealt with: delivery is at least once, the effect is once."""

    __tablename__ = "processed_events"

    consumer: Mapped[str] = mapped_column(primary_key=True)
    event_id: Mapped[UUID] = mapped_column(primary_key=True)
    processed_at: Mapped[datetime] = mapped_column(server_default=text("now()"))


class EmailLog(Base):
    """Mails by the event that caused them. `sent_at` is empty while a worker is at it."""

    __tablename__ = "email_log"

    key: Mapped[str] = mapped_column(primary_key=True)
    template: Mapped[str]
    claimed_at: Mapped[datetime] = mapped_column(server_default=text("now()"))
    sent_at: Mapped[datetime | None]


class AuditEntry(Base):
    """Written by triggers only, so that no road to a row goes around it. Append-only."""

    __tablename__ = "audit_log"
    __table_args__ = (Index("ix_audit_log_entity", "entity", "entity_id", "position"),)

    position: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    entity: Mapped[str]
    entity_id: Mapped[UUID]
    action: Mapped[str]
    old: Mapped[dict[str, Any] | None]
    new: Mapped[dict[str, Any] | None]
    changed: Mapped[list[str]] = mapped_column(default=list, server_default="[]")
    actor_id: Mapped[str | None]
    request_id: Mapped[str | None]
    created_at: Mapped[datetime] = mapped_column(server_default=text("now()"))
