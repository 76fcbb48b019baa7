"""The address books of customers."""

from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base, Identified, Timestamped, Versioned
from app.models.encrypted import EncryptedText

MOST_ADDRESSES = 50  # to a person


class SavedAddress(Identified, Versioned, Timestamped, Base):
    """Of each person's addresses at most one is the default of its kind, which partial unique indexes keep."""

    __tablename__ = "addresses"
    __table_args__ = (
        CheckConstraint("country ~ '^[A-Z]{2}$'", "country"),
        Index("ix_addresses_of_user", "user_id", "id"),
        Index("uq_addresses_default_shipping", "user_id", unique=True, postgresql_where=text("is_default_shipping")),
        Index("uq_addresses_default_billing", "user_id", unique=True, postgresql_where=text("is_default_billing")),
    )

    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    full_name: Mapped[str]
    line1: Mapped[str] = mapped_column(EncryptedText("addresses.line1"))
    line2: Mapped[str | None] = mapped_column(EncryptedText("addresses.line2"))
    city: Mapped[str]
    region: Mapped[str | None]
    postal_code: Mapped[str]
    country: Mapped[str]
    phone: Mapped[str | None] = mapped_column(EncryptedText("addresses.phone"))
    is_default_shipping: Mapped[bool] = mapped_column(default=False, server_default=text("false"))
    is_default_billing: Mapped[bool] = mapped_column(default=False, server_default=text("false"))
