"""The card of a product, a `ProductCard` in JSON: of its listing, but for the texts and the picture."""

from typing import Any

from sqlalchemy import ColumnElement, FromClause, Text, bindparam, cast, func, select

from app.models.products import Product, ProductMedia
from app.repositories.json_building import json_money, json_object
from app.repositories.listings.filters import ListingRows

_SMALLEST = func.coalesce(ProductMedia.renditions[0]["key"].astext, ProductMedia.key)
THUMBNAIL = (
    select(json_object(url=bindparam("media_url", type_=Text) + "/" + _SMALLEST, alt=ProductMedia.alt))
    .where(ProductMedia.product_id == Product.id)
    .correlate(Product)
    .order_by(ProductMedia.position)
    .limit(1)
    .scalar_subquery()
)
_OF_LISTING = (
    "product_id",
    "price_from",
    "compare_at",
    "currency",
    "in_stock",
    "rating_average",
    "rating_count",
)


def for_card(listing: ListingRows) -> list[ColumnElement[Any]]:
    """The columns of a listing that a card is made of."""
    return [getattr(listing, name) for name in _OF_LISTING]


def card_of(listed: FromClause) -> ColumnElement[str]:
    """Of a row with the columns `for_card` that is joined with its product; takes `media_url`."""
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
