"""Orders: what was bought, as it was when it was bought, and the three axes along which it moves."""

from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, Numeric, Sequence, desc, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.models.base import Base, Identified, Timestamped, Versioned
from app.models.encrypted import EncryptedAddress

order_numbers = Sequence("order_numbers", start=1000, metadata=Base.metadata)
# Spelled as PostgreSQL gives it back, so that `alembic check` sees no difference.
NEXT_NUMBER = text("('EM-'::text || (nextval('order_numbers'::regclass))::text)")


class OrderStatus(StrEnum):
    PENDING_PAYMENT = "pending_payment"
    CONFIRMED = "confirmed"
    PROCESSING = "processing"
    COMPLETED = "completed"
    CANCELLED = "cancelled"
    EXPIRED = "expired"


class PaymentStatus(StrEnum):
    PENDING = "pending"
    PAID = "paid"
    FAILED = "failed"
    REFUNDED = "refunded"


class FulfillmentStatus(StrEnum):
    UNFULFILLED = "unfulfilled"


# The state machine as data (domain rule 5): from each status, where an order may go.
TRANSITIONS: dict[OrderStatus, tuple[OrderStatus, ...]] = {
    OrderStatus.PENDING_PAYMENT: (OrderStatus.CONFIRMED, OrderStatus.CANCELLED, OrderStatus.EXPIRED),
    OrderStatus.CONFIRMED: (OrderStatus.PROCESSING, OrderStatus.CANCELLED),
    OrderStatus.PROCESSING: (OrderStatus.COMPLETED, OrderStatus.CANCELLED),
    OrderStatus.EXPIRED: (OrderStatus.CONFIRMED,),  # a payment that arrives late, while there still is stock
    OrderStatus.COMPLETED: (),
    OrderStatus.CANCELLED: (),
}
PAYMENT_TRANSITIONS: dict[PaymentStatus, tuple[PaymentStatus, ...]] = {
    PaymentStatus.PENDING: (PaymentStatus.PAID, PaymentStatus.FAILED),
    PaymentStatus.FAILED: (PaymentStatus.PENDING, PaymentStatus.PAID),
    PaymentStatus.PAID: (PaymentStatus.REFUNDED,),
    PaymentStatus.REFUNDED: (),
}


def may_become(status: OrderStatus) -> tuple[OrderStatus, ...]:
    """The statuses from which an order may move to this one."""
    return tuple(origin for origin, targets in TRANSITIONS.items() if status in targets)


def payment_may_become(status: PaymentStatus) -> tuple[PaymentStatus, ...]:
    return tuple(origin for origin, targets in PAYMENT_TRANSITIONS.items() if status in targets)


class Order(Identified, Versioned, Timestamped, Base):
    """Amounts are minor units of `currency`. `cart_id` is unique: one cart can become one order (domain rule 3)."""

    __tablename__ = "orders"
    __table_args__ = (
        CheckConstraint(
            "grand_total = subtotal - discount_total + shipping_total"
            " + CASE WHEN prices_include_tax THEN 0 ELSE tax_total END",
            "totals_add_up",
        ),
        CheckConstraint("least(subtotal, discount_total, shipping_total, tax_total, grand_total) >= 0", "totals"),
        CheckConstraint("currency ~ '^[A-Z]{3}$'", "currency"),
        CheckConstraint("user_id IS NOT NULL OR guest_token_hash IS NOT NULL", "has_owner"),
        CheckConstraint(f"status IN ({', '.join(repr(status.value) for status in OrderStatus)})", "status"),
        CheckConstraint(
            f"payment_status IN ({', '.join(repr(status.value) for status in PaymentStatus)})",
            "payment_status",
        ),
        CheckConstraint(
            f"fulfillment_status IN ({', '.join(repr(status.value) for status in FulfillmentStatus)})",
            "fulfillment_status",
        ),
        Index("ix_orders_of_user", "user_id", desc("placed_at"), "id"),
        Index("ix_orders_newest", desc("placed_at"), "id"),
        Index("ix_orders_expiring", "expires_at", postgresql_where=text("status = 'pending_payment'")),
    )

    number: Mapped[str] = mapped_column(
        unique=True, server_default=text("('EM-'::text || (nextval('order_numbers'::regclass))::text)")
    )
    cart_id: Mapped[UUID | None] = mapped_column(ForeignKey("carts.id"), unique=True)
    user_id: Mapped[UUID | None] = mapped_column(ForeignKey("users.id"))
    guest_token_hash: Mapped[bytes | None] = mapped_column(LargeBinary)
    email: Mapped[str]
    status: Mapped[str] = mapped_column(default=OrderStatus.PENDING_PAYMENT)
    payment_status: Mapped[str] = mapped_column(default=PaymentStatus.PENDING)
    fulfillment_status: Mapped[str] = mapped_column(default=FulfillmentStatus.UNFULFILLED)
    currency: Mapped[str]
    prices_include_tax: Mapped[bool]
    subtotal: Mapped[int]
    discount_total: Mapped[int]
    shipping_total: Mapped[int]
    tax_total: Mapped[int]
    grand_total: Mapped[int]
    shipping_address: Mapped[dict[str, Any]] = mapped_column(EncryptedAddress("orders.shipping_address"))
    billing_address: Mapped[dict[str, Any]] = mapped_column(EncryptedAddress("orders.billing_address"))
    shipping_method: Mapped[str]
    notes: Mapped[str | None]
    placed_at: Mapped[datetime] = mapped_column(server_default=text("now()"))
    expires_at: Mapped[datetime]

    lines: Mapped[list["OrderLine"]] = relationship(lazy="raise", order_by="OrderLine.id")


class OrderLine(Identified, Base):
    """A snapshot: renaming or repricing a product later changes no order."""

    __tablename__ = "order_lines"
    __table_args__ = (
        CheckConstraint("quantity > 0", "quantity"),
        CheckConstraint("least(unit_price, subtotal, discount, tax, total) >= 0", "amounts"),
        CheckConstraint("subtotal = unit_price * quantity", "subtotal"),
        CheckConstraint("tax_rate >= 0 AND tax_rate < 1", "tax_rate"),
    )

    order_id: Mapped[UUID] = mapped_column(ForeignKey("orders.id", ondelete="CASCADE"), index=True)
    variant_id: Mapped[UUID] = mapped_column(ForeignKey("variants.id"), index=True)
    sku: Mapped[str]
    name: Mapped[str]
    option_values: Mapped[dict[str, str]]
    quantity: Mapped[int]
    unit_price: Mapped[int]
    subtotal: Mapped[int]
    discount: Mapped[int]
    tax_rate: Mapped[Decimal] = mapped_column(Numeric(5, 4))
    tax: Mapped[int]
    total: Mapped[int]


class OrderEvent(Identified, Base):
    """The order's timeline, append-only: what happened, and who did it when it was a person."""

    __tablename__ = "order_events"

    order_id: Mapped[UUID] = mapped_column(ForeignKey("orders.id", ondelete="CASCADE"), index=True)
    type: Mapped[str]
    data: Mapped[dict[str, Any]] = mapped_column(default=dict, server_default="{}")
    created_at: Mapped[datetime] = mapped_column(server_default=text("now()"))
