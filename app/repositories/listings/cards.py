"""The card of a product, a `ProductCard` in JSON: of its listing, but for the texts and the picture."""

from typing import Any

from sqlalchemy import ColumnElement, FromClause, Text, bindparam, cast, func, select
from sqlalchemy.orm import InstrumentedAttribute

from app.models.listings import Listing
from app.models.products import Product, ProductMedia
from app.repositories.json_building import json_money, json_object

_SMALLEST = func.coalesce(ProductMedia.renditions[0]["key"].astext, ProductMedia.key)
THUMBNAIL = (
    select(json_object(url=bindparam("media_url", type_=Text) + "/" + _SMALLEST, alt=ProductMedia.alt))
    .where(ProductMedia.product_id == Product.id)
    .correlate(Product)
    .order_by(ProductMedia.position)
    .limit(1)
    .scalar_subquery()
)
# What a query has to bring along for a card.
CARD_COLUMNS: tuple[InstrumentedAttribute[Any], ...] = (
    Listing.product_id,
    Listing.price_from,
    Listing.compare_at,
    Listing.currency,
    Listing.in_stock,
    Listing.rating_average,
    Listing.rating_count,
)


def card_of(listed: FromClause) -> ColumnElement[str]:
    """Of a row with `CARD_COLUMNS` that is joined with its product; takes `media_url`."""
    found = listed.c
    return cast(
        json_object(
            id=Product.id,
            slug=Product.slug,
            name=Product.name,
            summary=Product.summary,
            thumbnail=THUMBNAIL,
            price_from=json_money(found.price_from, found.currency),
            compare_at=json_money(found.compare_at, found.currency),
            in_stock=found.in_stock,
            rating=json_object(average=found.rating_average, count=found.rating_count),
        ),
        Text,
    )
