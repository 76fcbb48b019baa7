"""The read models of the catalogue: one statement for a page of the list, one for a product's page.

PostgreSQL builds the JSON; no entity is loaded. A statement is built once for each combination of sort and filters
and kept, because building one costs more than running it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    DateTime,
    Double,
    Select,
    Text,
    Uuid,
    any_,
    bindparam,
    case,
    cast,
    column,
    func,
    literal_column,
    select,
    true,
)
from sqlalchemy.orm import InstrumentedAttribute, aliased
from sqlalchemy.types import TypeEngine

from app.models.categories import Category
from app.models.inventory import StockLevel
from app.models.products import Product, ProductMedia, Variant, product_categories
from app.repositories.keyset import seek
from app.schemas.products import ProductSort

_MEDIA_URL = bindparam("media_url", type_=Text)
_LARGEST_BIGINT = 2**63 - 1
_ACTIVE = literal_column("'active'", Text)  # not a parameter: a generic plan could not use the partial indexes
_Value = ColumnElement[Any] | InstrumentedAttribute[Any]


def _object(**fields: _Value) -> ColumnElement[Any]:
    names_and_values = [part for name, value in fields.items() for part in (literal_column(f"'{name}'"), value)]
    return func.json_build_object(*names_and_values)


def _array(items: ColumnElement[Any], *order: _Value) -> ColumnElement[Any]:
    return func.coalesce(func.json_agg(items).aggregate_order_by(*order), literal_column("'[]'::json"))


def _money(amount: _Value, currency: _Value) -> ColumnElement[Any]:
    return case((amount.is_not(None), _object(amount=amount, currency=currency)))


def _time(value: _Value) -> ColumnElement[Any]:
    return func.to_char(func.timezone("UTC", value), literal_column("""'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'"""))


_SIZES = (
    func.jsonb_to_recordset(ProductMedia.renditions)
    .table_valued(column("key", Text), column("width", BigInteger), column("height", BigInteger), name="sizes")
    .render_derived(with_types=True)
)
_RENDITION = _object(url=_MEDIA_URL + "/" + _SIZES.c.key, width=_SIZES.c.width, height=_SIZES.c.height)
_PICTURE = _object(
    id=ProductMedia.id,
    url=_MEDIA_URL + "/" + ProductMedia.key,
    alt=ProductMedia.alt,
    width=ProductMedia.width,
    height=ProductMedia.height,
    position=ProductMedia.position,
    renditions=select(_array(_RENDITION, _SIZES.c.width)).correlate(ProductMedia).scalar_subquery(),
)
_SMALLEST = func.coalesce(ProductMedia.renditions[0]["key"].astext, ProductMedia.key)
_RATING = _object(average=Product.rating_average, count=Product.rating_count)
_OF_PRODUCT = Variant.product_id == Product.id
_ON_SALE = _OF_PRODUCT & (Variant.status == _ACTIVE)
_IN_STOCK = (
    select(Variant.id)
    .join(StockLevel, StockLevel.variant_id == Variant.id)
    .where(_ON_SALE, StockLevel.available + StockLevel.backorder_limit > 0)
    .correlate(Product)
    .exists()
)


# The page of one product

_VARIANT = _object(
    id=Variant.id,
    sku=Variant.sku,
    options=Variant.option_values,
    price=_object(amount=Variant.price_amount, currency=Variant.currency),
    compare_at=_money(Variant.compare_at_amount, Variant.currency),
    available=func.greatest(StockLevel.available, 0),
    weight_g=Variant.weight_g,
    status=Variant.status,
    version=Variant.version,
)
_VARIANTS = (
    select(_array(_VARIANT, Variant.id)).join(StockLevel, StockLevel.variant_id == Variant.id).where(_OF_PRODUCT)
)
_MEDIA = select(_array(_PICTURE, ProductMedia.position)).where(ProductMedia.product_id == Product.id)
_CATEGORIES = (
    select(_array(_object(id=Category.id, slug=Category.slug, name=Category.name), Category.path))
    .join(product_categories, product_categories.c.category_id == Category.id)
    .where(product_categories.c.product_id == Product.id)
)


def _page(variants: Select[Any]) -> ColumnElement[str]:
    """A `ProductRead` in JSON."""
    return cast(
        _object(
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
            created_at=_time(Product.created_at),
            updated_at=_time(Product.updated_at),
            published_at=_time(Product.published_at),
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


# The list

_PRICE_FROM = (
    select(func.min(Variant.price_amount).label("amount")).where(_ON_SALE).correlate(Product).lateral("price_from")
)
_WORDS = func.websearch_to_tsquery(literal_column("'english'::regconfig"), bindparam("q", type_=Text))
_ROOT = aliased(Category)
_SUBTREE = (
    select(product_categories.c.product_id)
    .join(Category, Category.id == product_categories.c.category_id)
    .join(_ROOT, func.starts_with(Category.path + "/", _ROOT.path + "/"))
    .where(_ROOT.slug == bindparam("category", type_=Text))
)
FILTERS: dict[str, ColumnElement[bool]] = {
    "q": Product.search_vector.bool_op("@@")(_WORDS),
    "category": Product.id.in_(_SUBTREE),
    "price_gte": _PRICE_FROM.c.amount >= bindparam("price_gte", type_=BigInteger),
    "price_lte": _PRICE_FROM.c.amount <= bindparam("price_lte", type_=BigInteger),
    "in_stock": _IN_STOCK,
    "sold_out": ~_IN_STOCK,
}


@dataclass(frozen=True, slots=True)
class _Key:
    """What a sort compares. It is never NULL, and a cursor brings it back exactly."""

    value: ColumnElement[Any]
    type: TypeEngine[Any]
    falling: bool = False
    read: Callable[[Any], Any] = lambda value: value


def _unpriced_last(sentinel: int) -> ColumnElement[int]:
    return func.coalesce(_PRICE_FROM.c.amount, literal_column(str(sentinel), BigInteger))


_TIME = DateTime(timezone=True)
KEYS = {
    ProductSort.RELEVANCE: _Key(cast(func.ts_rank(Product.search_vector, _WORDS), Double), Double(), falling=True),
    ProductSort.NEWEST: _Key(Product.created_at.expression, _TIME, falling=True, read=datetime.fromisoformat),
    ProductSort.OLDEST: _Key(Product.created_at.expression, _TIME, read=datetime.fromisoformat),
    ProductSort.CHEAPEST: _Key(_unpriced_last(_LARGEST_BIGINT), BigInteger()),
    ProductSort.DEAREST: _Key(_unpriced_last(-1), BigInteger(), falling=True),
    ProductSort.NAME: _Key(func.lower(Product.name), Text()),
}
_BY_PRICE = {ProductSort.CHEAPEST, ProductSort.DEAREST, "price_gte", "price_lte"}

_CHEAPEST = (
    select(Variant.price_amount, Variant.compare_at_amount, Variant.currency)
    .where(_ON_SALE)
    .correlate(Product)
    .order_by(Variant.price_amount, Variant.id)
    .limit(1)
    .lateral("cheapest")
)
_THUMBNAIL = (
    select(_object(url=_MEDIA_URL + "/" + _SMALLEST, alt=ProductMedia.alt))
    .where(ProductMedia.product_id == Product.id)
    .correlate(Product)
    .order_by(ProductMedia.position)
    .limit(1)
    .scalar_subquery()
)
_CARD = _object(
    id=Product.id,
    slug=Product.slug,
    name=Product.name,
    summary=Product.summary,
    thumbnail=_THUMBNAIL,
    price_from=_money(_CHEAPEST.c.price_amount, _CHEAPEST.c.currency),
    compare_at=_money(_CHEAPEST.c.compare_at_amount, _CHEAPEST.c.currency),
    in_stock=_IN_STOCK,
    rating=_RATING,
)


@cache
def listing(sort: ProductSort, filters: frozenset[str], *, backwards: bool, continued: bool) -> Select[Any]:
    """Rows of `card` (the JSON of a `ProductCard`), `key` and `id`, in the direction of reading.

    It takes the filters by name, `limit`, `media_url` and, when continued, `after_key` and `after_id`.
    The inner query picks the rows of the page; only for those the outer one assembles cards.
    """
    key = KEYS[sort]
    falling = key.falling is not backwards
    after = (bindparam("after_key", type_=key.type), bindparam("after_id", type_=Uuid)) if continued else None
    picked = seek(
        _for_sale(filters, sort).add_columns(key.value.label("key")),
        key.value,
        Product.id.expression,
        falling=falling,
        after=after,
    )
    page = picked.limit(bindparam("limit", type_=BigInteger)).subquery("page")
    return seek(
        select(cast(_CARD, Text).label("card"), page.c.key, page.c.id)
        .join(Product, Product.id == page.c.id)
        .join(_CHEAPEST, true(), isouter=True),
        page.c.key,
        page.c.id,
        falling=falling,
        after=None,
    )


@cache
def counting(filters: frozenset[str]) -> Select[int]:
    """How many products the list has in all; takes the filters by name."""
    return select(func.count()).select_from(_for_sale(filters).subquery())


def _for_sale(filters: frozenset[str], sort: ProductSort | None = None) -> Select[Any]:
    products = select(Product.id)
    if _BY_PRICE & {*filters, sort}:
        products = products.join(_PRICE_FROM, true())
    return products.where(Product.status == _ACTIVE, *(FILTERS[name] for name in sorted(filters)))
