"""The read models of a product: its page, its variants, its pictures.

PostgreSQL builds the JSON; no entity is loaded.
"""

from typing import Any

from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    Select,
    Text,
    Uuid,
    any_,
    bindparam,
    cast,
    column,
    func,
    literal_column,
    select,
)

from app.models.categories import Category
from app.models.inventory import StockLevel
from app.models.products import Product, ProductMedia, Variant, product_categories
from app.repositories.json_building import json_array, json_money, json_object, json_time

_MEDIA_URL = bindparam("media_url", type_=Text)
_ACTIVE = literal_column("'active'", Text)  # not a parameter: a generic plan could not use the partial indexes


_SIZES = (
    func.jsonb_to_recordset(ProductMedia.renditions)
    .table_valued(column("key", Text), column("width", BigInteger), column("height", BigInteger), name="sizes")
    .render_derived(with_types=True)
)
_RENDITION = json_object(url=_MEDIA_URL + "/" + _SIZES.c.key, width=_SIZES.c.width, height=_SIZES.c.height)
_PICTURE = json_object(
    id=ProductMedia.id,
    url=_MEDIA_URL + "/" + ProductMedia.key,
    alt=ProductMedia.alt,
    width=ProductMedia.width,
    height=ProductMedia.height,
    position=ProductMedia.position,
    renditions=select(json_array(_RENDITION, _SIZES.c.width)).correlate(ProductMedia).scalar_subquery(),
)
_RATING = json_object(average=Product.rating_average, count=Product.rating_count)
_OF_PRODUCT = Variant.product_id == Product.id


# The page of one product

_VARIANT = json_object(
    id=Variant.id,
    sku=Variant.sku,
    options=Variant.option_values,
    price=json_object(amount=Variant.price_amount, currency=Variant.currency),
    compare_at=json_money(Variant.compare_at_amount, Variant.currency),
    available=func.greatest(StockLevel.available + StockLevel.backorder_limit, 0),
    weight_g=Variant.weight_g,
    status=Variant.status,
    version=Variant.version,
)
_VARIANTS = (
    select(json_array(_VARIANT, Variant.id)).join(StockLevel, StockLevel.variant_id == Variant.id).where(_OF_PRODUCT)
)
_MEDIA = select(json_array(_PICTURE, ProductMedia.position)).where(ProductMedia.product_id == Product.id)
_CATEGORIES = (
    select(json_array(json_object(id=Category.id, slug=Category.slug, name=Category.name), Category.path))
    .join(product_categories, product_categories.c.category_id == Category.id)
    .where(product_categories.c.product_id == Product.id)
)


def _page(variants: Select[Any]) -> ColumnElement[str]:
    """A `ProductRead` in JSON."""
    return cast(
        json_object(
            id=Product.id,
            slug=Product.slug,
            name=Product.name,
            summary=Product.summary,
            description=Product.description,
            status=Product.status,
            options=Product.options,
            variants=variants.correlate(Product).scalar_subquery(),
            media=_MEDIA.correlate(Product).scalar_subquery(),
            categories=_CATEGORIES.correlate(Product).scalar_subquery(),
            attributes=Product.attributes,
            rating=_RATING,
            version=Product.version,
            created_at=json_time(Product.created_at),
            updated_at=json_time(Product.updated_at),
            published_at=json_time(Product.published_at),
        ),
        Text,
    )


# What staff see: whatever its status, archived variants included. Both take `address` and `media_url`.
DETAIL_BY_ID = select(_page(_VARIANTS)).where(Product.id == bindparam("address", type_=Uuid))
DETAIL_BY_SLUG = select(_page(_VARIANTS)).where(Product.slug == bindparam("address", type_=Text))

# What everybody sees: rows of `address`, `body`, `id` and `version`. Both take `addresses` and `media_url`.
_PUBLISHED = (_page(_VARIANTS.where(Variant.status == _ACTIVE)).label("body"), Product.id, Product.version)
PUBLISHED_BY_ID = select(Product.id.label("address"), *_PUBLISHED).where(
    Product.status == _ACTIVE, Product.id == any_(bindparam("addresses", type_=ARRAY(Uuid)))
)
PUBLISHED_BY_SLUG = select(Product.slug.label("address"), *_PUBLISHED).where(
    Product.status == _ACTIVE, Product.slug == any_(bindparam("addresses", type_=ARRAY(Text)))
)
VARIANT_BY_ID = (
    select(cast(_VARIANT, Text))
    .join(StockLevel, StockLevel.variant_id == Variant.id)
    .where(Variant.id == bindparam("id", type_=Uuid))
)
# Takes `id` and `media_url`, and answers a `MediaRead` in JSON.
PICTURE_BY_ID = select(cast(_PICTURE, Text)).where(ProductMedia.id == bindparam("id", type_=Uuid))
