"""What is sold: products, the variants that carry a price and a SKU, and their pictures."""

import json
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    BigInteger,
    CheckConstraint,
    Column,
    Computed,
    ForeignKey,
    Index,
    Numeric,
    Table,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import TSVECTOR
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.models.base import Base, Identified, Timestamped, Versioned
from app.models.categories import Category
from app.models.inventory import StockLevel

SEARCH_VECTOR = (
    "setweight(to_tsvector('english_unaccented', name), 'A') || "
    "setweight(to_tsvector('english_unaccented', summary), 'B') || "
    "setweight(to_tsvector('english_unaccented', description), 'C') || "
    "setweight(jsonb_to_tsvector('english_unaccented', attributes, '[\"string\"]'), 'D')"
)


RESERVED_SLUGS = ("manage", "suggest")
"""Steps of paths below `/products` that are no product."""


class ProductStatus(StrEnum):
    DRAFT = "draft"
    ACTIVE = "active"
    ARCHIVED = "archived"


class VariantStatus(StrEnum):
    ACTIVE = "active"
    ARCHIVED = "archived"


product_categories = Table(
    "product_categories",
    Base.metadata,
    Column("product_id", ForeignKey("products.id", ondelete="CASCADE"), primary_key=True),
    Column("category_id", ForeignKey("categories.id", ondelete="RESTRICT"), primary_key=True, index=True),
)


class Product(Identified, Versioned, Timestamped, Base):
    """A page in the shop. `options` are the choices its variants differ in: `[{"name": "Size", "values": ["S"]}]`.

    Triggers keep the ratings: `rating_counts` says how many published reviews gave one star, two, up to five.
    """

    __tablename__ = "products"
    __table_args__ = (
        CheckConstraint(f"status IN ({', '.join(repr(status.value) for status in ProductStatus)})", "status"),
        CheckConstraint("slug ~ '^[a-z0-9]+(-[a-z0-9]+)*$'", "slug"),
        CheckConstraint("status <> 'active' OR published_at IS NOT NULL", "active_is_published"),
        CheckConstraint("rating_count >= 0 AND rating_average BETWEEN 0 AND 5", "rating"),
        CheckConstraint("cardinality(rating_counts) = 5", "rating_counts"),
        CheckConstraint(f"slug NOT IN ({', '.join(map(repr, RESERVED_SLUGS))})", "slug_is_not_reserved"),
        Index("ix_products_updated", "status", "updated_at", "id"),
        Index("ix_products_name", "status", text("folded(name)"), "id"),
        Index(
            "ix_products_part_of_name",
            func.folded(text("name")).label("folded_name"),
            postgresql_using="gin",
            postgresql_ops={"folded_name": "gin_trgm_ops"},
        ),
    )

    slug: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    summary: Mapped[str] = mapped_column(default="", server_default="")
    description: Mapped[str] = mapped_column(default="", server_default="")
    status: Mapped[str] = mapped_column(default=ProductStatus.DRAFT, server_default=ProductStatus.DRAFT)
    attributes: Mapped[dict[str, Any]] = mapped_column(default=dict, server_default="{}")
    options: Mapped[list[dict[str, Any]]] = mapped_column(default=list, server_default="[]")
    tax_class: Mapped[str] = mapped_column(default="standard", server_default="standard")
    published_at: Mapped[datetime | None]
    rating_average: Mapped[Decimal] = mapped_column(Numeric(3, 2), default=Decimal(0), server_default="0")
    rating_count: Mapped[int] = mapped_column(default=0, server_default="0")
    rating_counts: Mapped[list[int]] = mapped_column(ARRAY(BigInteger), server_default="{0,0,0,0,0}")
    search_vector: Mapped[str] = mapped_column(TSVECTOR, Computed(SEARCH_VECTOR, persisted=True), deferred=True)

    categories: Mapped[list[Category]] = relationship(
        secondary=product_categories, lazy="raise", order_by=Category.path
    )
    variants: Mapped[list["Variant"]] = relationship(back_populates="product", lazy="raise", order_by="Variant.id")
    media: Mapped[list["ProductMedia"]] = relationship(lazy="raise", order_by="ProductMedia.position")


class Variant(Identified, Versioned, Timestamped, Base):
    """What a customer puts in the cart. Orders refer to variants, so they are archived, never deleted."""

    __tablename__ = "variants"
    __table_args__ = (
        UniqueConstraint("product_id", "option_key"),
        CheckConstraint("price_amount >= 0", "price"),
        CheckConstraint("compare_at_amount > price_amount", "compare_at_above_price"),
        CheckConstraint("currency ~ '^[A-Z]{3}$'", "currency"),
        CheckConstraint("weight_g >= 0", "weight"),
        CheckConstraint(f"status IN ({', '.join(repr(status.value) for status in VariantStatus)})", "status"),
    )

    product_id: Mapped[UUID] = mapped_column(ForeignKey("products.id", ondelete="RESTRICT"))
    sku: Mapped[str] = mapped_column(unique=True)
    option_values: Mapped[dict[str, str]] = mapped_column(default=dict, server_default="{}")
    option_key: Mapped[str]
    price_amount: Mapped[int]
    compare_at_amount: Mapped[int | None]
    currency: Mapped[str]
    weight_g: Mapped[int] = mapped_column(default=0, server_default="0")
    status: Mapped[str] = mapped_column(default=VariantStatus.ACTIVE, server_default=VariantStatus.ACTIVE)

    product: Mapped[Product] = relationship(back_populates="variants", lazy="raise")
    stock: Mapped[StockLevel] = relationship(lazy="raise", cascade="all", passive_deletes=True)


def option_key(option_values: dict[str, str]) -> str:
    """The canonical text of a variant's choices: the same choices in any order are the same variant."""
    return json.dumps(option_values, sort_keys=True, separators=(",", ":"))


class ProductMedia(Identified, Timestamped, Base):
    """A picture. Keys are relative to the media store's address, which may change without touching rows.

    `width` and `height` are in pixels. `renditions` are the same picture in smaller sizes, the smallest first, as far
    as they are made: `[{"key": …, "width": …, "height": …}]`. Positions of a product's pictures count from 0.
    """

    __tablename__ = "product_media"
    __table_args__ = (
        # Checked at the end of a statement, so that one statement can put pictures in another order.
        UniqueConstraint("product_id", "position", deferrable=True, initially="IMMEDIATE"),
        CheckConstraint("width > 0 AND height > 0", "size"),
    )

    product_id: Mapped[UUID] = mapped_column(ForeignKey("products.id", ondelete="CASCADE"))
    key: Mapped[str] = mapped_column(index=True)
    width: Mapped[int]
    height: Mapped[int]
    renditions: Mapped[list[dict[str, Any]]] = mapped_column(default=list, server_default="[]")
    alt: Mapped[str] = mapped_column(default="", server_default="")
    position: Mapped[int]
