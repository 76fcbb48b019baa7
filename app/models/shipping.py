"""How parcels travel, and what the state takes."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, Numeric, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.types import Text

from app.models.base import Base, Identified, Timestamped


@dataclass(frozen=True, slots=True)
class ShippingTerms:
    """What a way to ship costs, and where: a flat price, free from a subtotal on. No `countries` means everywhere."""

    id: UUID
    code: str
    name: str
    price_amount: int
    free_from_amount: int | None
    currency: str
    countries: tuple[str, ...]

    def serves(self, country: str) -> bool:
        return not self.countries or country in self.countries

    def price_for(self, subtotal: int) -> int:
        """Minor units, for goods of that subtotal."""
        free = self.free_from_amount is not None and subtotal >= self.free_from_amount
        return 0 if free else self.price_amount


class ShippingMethod(Identified, Timestamped, Base):
    """Its terms, the code that staff know it by, and its place in the list."""

    __tablename__ = "shipping_methods"
    __table_args__ = (
        CheckConstraint("price_amount >= 0", "price"),
        CheckConstraint("free_from_amount > 0", "free_from"),
        CheckConstraint("currency ~ '^[A-Z]{3}$'", "currency"),
    )

    code: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    price_amount: Mapped[int]
    free_from_amount: Mapped[int | None]
    currency: Mapped[str]
    countries: Mapped[list[str]] = mapped_column(ARRAY(Text), default=list, server_default="{}")
    position: Mapped[int] = mapped_column(default=0, server_default="0")


class TaxRate(Identified, Base):
    """The rate of one tax class in one country, from a day on until the next row takes over."""

    __tablename__ = "tax_rates"
    __table_args__ = (
        CheckConstraint("country ~ '^[A-Z]{2}$'", "country"),
        CheckConstraint("rate >= 0 AND rate < 1", "rate"),
        Index("uq_tax_rates_country", "country", "tax_class", "valid_from", unique=True),
    )

    country: Mapped[str]
    tax_class: Mapped[str] = mapped_column(default="standard", server_default="standard")
    rate: Mapped[Decimal] = mapped_column(Numeric(5, 4))
    valid_from: Mapped[datetime] = mapped_column(server_default=text("'2000-01-01'"))
