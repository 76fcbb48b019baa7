"""Carts of guests and of signed-in customers."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.models.base import Base, Identified, Timestamped, Versioned
from app.models.encrypted import EncryptedAddress
from app.models.products import Variant

LARGEST_QUANTITY = 999


class CartStatus(StrEnum):
    ACTIVE = "active"
    CONVERTED = "converted"
    MERGED = "merged"


class Cart(Identified, Versioned, Timestamped, Base):
    """A guest's cart is known by the hash of a secret token, a customer's by their id; one active cart each."""

    __tablename__ = "carts"
    __table_args__ = (
        Index("uq_carts_active_of_user", "user_id", unique=True, postgresql_where=text("status = 'active'")),
        CheckConstraint("num_nonnulls(user_id, token_hash) = 1", "one_owner"),
        CheckConstraint("currency ~ '^[A-Z]{3}$'", "currency"),
        CheckConstraint(f"status IN ({', '.join(repr(status.value) for status in CartStatus)})", "status"),
    )

    user_id: Mapped[UUID | None] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    token_hash: Mapped[bytes | None] = mapped_column(LargeBinary, unique=True)
    currency: Mapped[str]
    status: Mapped[str] = mapped_column(default=CartStatus.ACTIVE)
    shipping_address: Mapped[dict[str, Any] | None] = mapped_column(EncryptedAddress("carts.shipping_address"))
    shipping_method_id: Mapped[UUID | None] = mapped_column(ForeignKey("shipping_methods.id"))
    expires_at: Mapped[datetime] = mapped_column(index=True)

    lines: Mapped[list["CartLine"]] = relationship(
        lazy="raise", order_by="CartLine.id", cascade="all, delete-orphan", passive_deletes=True
    )


class CartLine(Identified, Timestamped, Base):
    """One variant in a cart. The price is not kept: a cart always shows today's."""

    __tablename__ = "cart_lines"
    __table_args__ = (
        UniqueConstraint("cart_id", "variant_id"),
        CheckConstraint(f"quantity BETWEEN 1 AND {LARGEST_QUANTITY}", "quantity"),
    )

    cart_id: Mapped[UUID] = mapped_column(ForeignKey("carts.id", ondelete="CASCADE"))
    variant_id: Mapped[UUID] = mapped_column(ForeignKey("variants.id", ondelete="CASCADE"), index=True)
    quantity: Mapped[int]

    variant: Mapped[Variant] = relationship(lazy="raise")
