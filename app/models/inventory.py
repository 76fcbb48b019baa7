"""How many there are, who has a claim on them, and every change that was ever made."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import CheckConstraint, Computed, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base, Identified


class StockLevel(Base):
    """The counters of one variant. They move only by conditional updates; the checks are the last belt."""

    __tablename__ = "stock_levels"
    __table_args__ = (
        CheckConstraint("on_hand >= 0", "on_hand"),
        CheckConstraint("reserved >= 0", "reserved"),
        CheckConstraint("reserved <= on_hand + backorder_limit", "not_oversold"),
        CheckConstraint("backorder_limit >= 0", "backorder_limit"),
        CheckConstraint("reorder_point >= 0", "reorder_point"),
    )

    variant_id: Mapped[UUID] = mapped_column(ForeignKey("variants.id", ondelete="CASCADE"), primary_key=True)
    on_hand: Mapped[int] = mapped_column(default=0, server_default="0")
    reserved: Mapped[int] = mapped_column(default=0, server_default="0")
    backorder_limit: Mapped[int] = mapped_column(default=0, server_default="0")
    reorder_point: Mapped[int] = mapped_column(default=0, server_default="0")
    available: Mapped[int] = mapped_column(Computed("on_hand - reserved", persisted=True))


class ReservationStatus(StrEnum):
    ACTIVE = "active"
    COMMITTED = "committed"
    SHIPPED = "shipped"
    RELEASED = "released"
    EXPIRED = "expired"


class StockReservation(Identified, Base):
    """An order line's claim on stock: active until paid, then committed, then shipped or released.

    The counters move only when a conditional update of this row's status returned it (domain rule 1).
    """

    __tablename__ = "stock_reservations"
    __table_args__ = (
        CheckConstraint("quantity > 0", "quantity"),
        CheckConstraint(f"status IN ({', '.join(repr(status.value) for status in ReservationStatus)})", "status"),
        Index("ix_stock_reservations_expiring", "expires_at", postgresql_where=text("status = 'active'")),
        Index("ix_stock_reservations_of_variant", "variant_id", "id"),
    )

    order_line_id: Mapped[UUID] = mapped_column(ForeignKey("order_lines.id", ondelete="CASCADE"), unique=True)
    order_id: Mapped[UUID] = mapped_column(ForeignKey("orders.id", ondelete="CASCADE"), index=True)
    variant_id: Mapped[UUID] = mapped_column(ForeignKey("variants.id"))
    quantity: Mapped[int]
    status: Mapped[str] = mapped_column(default=ReservationStatus.ACTIVE)
    expires_at: Mapped[datetime]


class MovementReason(StrEnum):
    """Why a counter moved: the shop's own reasons, then those that staff give."""

    INITIAL_STOCK = "initial_stock"
    RESERVED = "reserved"
    RELEASED = "released"
    EXPIRED = "expired"
    SHIPPED = "shipped"

    RECEIVED = "received"
    RESTOCKED = "restocked"
    RETURNED = "returned"
    COUNTED = "counted"
    CORRECTION = "correction"
    DAMAGED = "damaged"
    LOST = "lost"
    PROMOTION = "promotion"
    OTHER = "other"


class StockMovement(Identified, Base):
    """The ledger: append-only, with the reason for every change of either counter.

    An adjustment by staff writes one row a variant; they share its `adjustment_id`.
    """

    __tablename__ = "stock_movements"
    __table_args__ = (
        CheckConstraint("on_hand_delta <> 0 OR reserved_delta <> 0", "moves_something"),
        CheckConstraint(f"reason IN ({', '.join(repr(reason.value) for reason in MovementReason)})", "reason"),
        Index("ix_stock_movements_newest", "created_at", "id"),
        Index("ix_stock_movements_of_variant", "variant_id", "created_at", "id"),
        Index("ix_stock_movements_of_reference", "reference", "created_at", "id"),
        # The reasons of orders are most of the ledger: whoever looks for another need not read past them.
        Index(
            "ix_stock_movements_of_staff",
            "created_at",
            "id",
            postgresql_where=text("reason NOT IN ('reserved', 'released', 'expired', 'shipped')"),
        ),
        Index("ix_stock_movements_adjustment_id", "adjustment_id", postgresql_where=text("adjustment_id IS NOT NULL")),
    )

    variant_id: Mapped[UUID] = mapped_column(ForeignKey("variants.id"))
    on_hand_delta: Mapped[int] = mapped_column(default=0, server_default="0")
    reserved_delta: Mapped[int] = mapped_column(default=0, server_default="0")
    reason: Mapped[str]
    reference: Mapped[str | None]
    adjustment_id: Mapped[UUID | None]
    actor_id: Mapped[UUID | None] = mapped_column(ForeignKey("users.id"))
    api_key_id: Mapped[UUID | None] = mapped_column(ForeignKey("api_keys.id"))
    created_at: Mapped[datetime] = mapped_column(server_default=text("now()"))
