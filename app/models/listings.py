"""What lists of products are made of: one narrow row for each product that is for sale.

Nobody writes these rows but the triggers of migration 0006 and, for `units_sold`, the worker. They can always be
computed anew from the other tables: `SELECT refresh_listings(ARRAY (SELECT id FROM products))`.
"""

from datetime import datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import ForeignKey, Index, Numeric, Text, text
from sqlalchemy.dialects.postgresql import ARRAY, TSVECTOR
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base

LARGEST_BIGINT = 2**63 - 1
SEPARATOR = "\x1f"  # of an attribute's name and its value in `attribute_values`


class Listing(Base):
    """Sorted by any of its first indexes, filtered by any of its others, without a look at another table.

    `folded_name` is in small letters without accents, and compared by code points. `price_from`, `compare_at` and
    `currency` are the cheapest active variant's, all NULL without one. `units_sold` counts the last three months.
    `category_slugs` holds those of its categories and of everything above them. `attribute_values` holds
    `name, SEPARATOR, value` for each value of each attribute.
    """

    __tablename__ = "listings"
    __table_args__ = (
        Index("ix_listings_newest", "created_at", "product_id"),
        Index("ix_listings_cheapest", text(f"coalesce(price_from, '{LARGEST_BIGINT}'::bigint)"), "product_id"),
        Index("ix_listings_dearest", text("coalesce(price_from, '-1'::bigint)"), "product_id"),
        Index("ix_listings_name", "folded_name", "product_id"),
        Index("ix_listings_rating", "rating_average", "rating_count", "product_id"),
        Index("ix_listings_bestsellers", "units_sold", "product_id"),
        Index("ix_listings_sold_out", "created_at", "product_id", postgresql_where=text("NOT in_stock")),
        Index("ix_listings_category_slugs", "category_slugs", postgresql_using="gin"),
        Index("ix_listings_attribute_values", "attribute_values", postgresql_using="gin"),
    )

    product_id: Mapped[UUID] = mapped_column(ForeignKey("products.id", ondelete="CASCADE"), primary_key=True)
    created_at: Mapped[datetime]
    folded_name: Mapped[str] = mapped_column(Text(collation="C"))
    price_from: Mapped[int | None]
    compare_at: Mapped[int | None]
    currency: Mapped[str | None]
    in_stock: Mapped[bool]
    rating_average: Mapped[Decimal] = mapped_column(Numeric(3, 2))
    rating_count: Mapped[int]
    units_sold: Mapped[int] = mapped_column(default=0, server_default="0")
    category_slugs: Mapped[list[str]] = mapped_column(ARRAY(Text))
    attribute_values: Mapped[list[str]] = mapped_column(ARRAY(Text))


class ListingWords(Base):
    """What a listing is found by; apart from it, because most lists are not looked through for words.

    `search_vector` is the product's, with the SKUs of its variants and the names of its categories (migration 0012).
    """

    __tablename__ = "listing_words"
    __table_args__ = (
        Index("ix_listing_words_search_vector", "search_vector", postgresql_using="gin"),
        Index(
            "ix_listing_words_folded_name",
            "folded_name",
            postgresql_using="gin",
            postgresql_ops={"folded_name": "gin_trgm_ops"},
        ),
    )

    product_id: Mapped[UUID] = mapped_column(ForeignKey("listings.product_id", ondelete="CASCADE"), primary_key=True)
    search_vector: Mapped[str] = mapped_column(TSVECTOR)
    folded_name: Mapped[str] = mapped_column(Text(collation="C"))
