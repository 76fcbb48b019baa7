"""Money on its way: payments, refunds, and the inbox of what the provider told us."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base, Identified, Timestamped


class PaymentState(StrEnum):
    """Where a payment stands; the names are the provider's (Stripe's PaymentIntent), save for `needs_review`."""

    REQUIRES_PAYMENT_METHOD = "requires_payment_method"
    REQUIRES_ACTION = "requires_action"
    PROCESSING = "processing"
    SUCCEEDED = "succeeded"
    CANCELED = "canceled"
    NEEDS_REVIEW = "needs_review"


class RefundState(StrEnum):
    PENDING = "pending"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


class Payment(Identified, Timestamped, Base):
    """One live payment an order (domain rule 4): a declined card is retried on the same provider's intent."""

    __tablename__ = "payments"
    __table_args__ = (
        UniqueConstraint("provider", "provider_ref"),
        Index(
            "uq_payments_live_of_order",
            "order_id",
            unique=True,
            postgresql_where=text("status <> 'canceled'"),
        ),
        CheckConstraint("amount > 0", "amount"),
        CheckConstraint("amount_captured BETWEEN 0 AND amount", "captured"),
        CheckConstraint("amount_refunded BETWEEN 0 AND amount_captured", "refunded"),
        CheckConstraint(f"status IN ({', '.join(repr(status.value) for status in PaymentState)})", "status"),
    )

    order_id: Mapped[UUID] = mapped_column(ForeignKey("orders.id", ondelete="CASCADE"))
    provider: Mapped[str] = mapped_column(default="stripe")
    provider_ref: Mapped[str | None]
    status: Mapped[str] = mapped_column(default=PaymentState.REQUIRES_PAYMENT_METHOD)
    amount: Mapped[int]
    currency: Mapped[str]
    amount_captured: Mapped[int] = mapped_column(default=0, server_default="0")
    amount_refunded: Mapped[int] = mapped_column(default=0, server_default="0")


class Refund(Identified, Timestamped, Base):
    """Its id is the idempotency key at the provider, so that a retried refund pays once (domain rule 7)."""

    __tablename__ = "refunds"
    __table_args__ = (
        CheckConstraint("amount > 0", "amount"),
        CheckConstraint(f"status IN ({', '.join(repr(status.value) for status in RefundState)})", "status"),
    )

    payment_id: Mapped[UUID] = mapped_column(ForeignKey("payments.id", ondelete="CASCADE"), index=True)
    amount: Mapped[int]
    reason: Mapped[str]
    status: Mapped[str] = mapped_column(default=RefundState.PENDING)
    provider_ref: Mapped[str | None]


class PaymentEvent(Identified, Base):
    """The webhook inbox: each of the provider's events once, processed after it was acknowledged."""

    __tablename__ = "payment_events"
    __table_args__ = (
        UniqueConstraint("provider", "event_id"),
        Index("ix_payment_events_waiting", "received_at", postgresql_where=text("processed_at IS NULL")),
    )

    provider: Mapped[str] = mapped_column(default="stripe")
    event_id: Mapped[str]
    type: Mapped[str]
    payload: Mapped[dict[str, Any]]
    received_at: Mapped[datetime] = mapped_column(server_default=text("now()"))
    processed_at: Mapped[datetime | None]
    attempts: Mapped[int] = mapped_column(default=0, server_default="0")
