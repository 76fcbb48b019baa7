"""What goes with a product: what was bought together with it, then what shares its categories, attributes, department.

A statement looks at a bounded number of orders and of products, in however many orders and categories the product is.
"""

from functools import cache
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    CTE,
    BigInteger,
    ColumnElement,
    Select,
    Subquery,
    Text,
    Uuid,
    any_,
    bindparam,
    func,
    literal_column,
    select,
    true,
    union_all,
)
from sqlalchemy.dialects.postgresql import array
from sqlalchemy.orm import aliased

from app.core.reader import Query, Reader
from app.models.categories import Category
from app.models.listings import Listing
from app.models.orders import Order, OrderLine, OrderStatus
from app.models.products import Product, Variant, product_categories
from app.repositories.listings.cards import card_of, for_card, rows_for_cards
from app.repositories.listings.filters import ListingRows, constant
from app.schemas.related import MOST_RELATED

MOST_PURCHASES = 200
FEWEST_ORDERS = 2  # one is a coincidence, and the business of whoever placed it
BEST_SELLING = 500
MOST_ALIKE = 150

_LIMIT = bindparam("limit", type_=BigInteger)
_BOUGHT = array(
    literal_column(f"'{status}'", Text)
    for status in (OrderStatus.CONFIRMED, OrderStatus.PROCESSING, OrderStatus.COMPLETED)
)


class RelatedReader:
    def __init__(self, reader: Reader, media_url: str) -> None:
        self._reader = reader
        self._media_url = media_url

    async def to_product(self, address: UUID | str, limit: int) -> list[dict[str, Any]] | None:
        """Up to `limit` `ProductCard`s, ready for JSON; None when no product for sale has this id or slug."""
        rows = await self._reader.fetch(_related(by_slug=isinstance(address, str)), address=address, limit=limit)
        if not rows:
            return None
        return [card_of(row, self._media_url) for row in rows if row["product_id"] is not None]


@cache
def _related(*, by_slug: bool) -> Query:
    """Rows of what `card_of` takes; a row of NULLs when nothing is related. It takes `address` and `limit`."""
    subject = _subject(by_slug=by_slug)
    together = _bought_together(subject)
    best_selling = _best_selling()
    same_categories = _sharing_categories(subject, best_selling)
    others = select(same_categories.c.product_id).except_(select(subject.c.product_id)).subquery()
    enough = select(func.count() >= constant(MOST_RELATED)).select_from(others).scalar_subquery()
    same_attributes = _found("attribute_values", subject, ~enough).subquery()
    wider = select(best_selling.product_id).where(~enough, _shares("category_slugs", best_selling, subject, "above"))
    tiers = [
        select(together.c.product_id, constant(0).label("tier"), together.c.orders),
        select(same_categories.c.product_id, constant(1), constant(0)),
        select(same_attributes.c.product_id, constant(2), constant(0)),
        select(wider.subquery().c.product_id, constant(3), constant(0)),
    ]
    related = union_all(*tiers).subquery("related")
    page = _best(related, subject).subquery("page")
    cards = rows_for_cards(page, page.c.place).subquery("cards")
    return Query(select(cards).select_from(subject).outerjoin(cards, true()).order_by(cards.c.place))


def _subject(*, by_slug: bool) -> CTE:
    """The product itself, if it is for sale, with its own categories and, as `above`, also those above them."""
    slugs = (
        select(Category.slug)
        .join(product_categories, product_categories.c.category_id == Category.id)
        .where(product_categories.c.product_id == Listing.product_id)
        .correlate(Listing)
    )
    categories = func.array(slugs.scalar_subquery(), type_=ARRAY(Text)).label("category_slugs")
    products = select(Listing.product_id, Listing.attribute_values, categories, Listing.category_slugs.label("above"))
    if by_slug:
        named = products.join(Product, Product.id == Listing.product_id)
        return named.where(Product.slug == bindparam("address", type_=Text)).cte("subject")
    return products.where(Listing.product_id == bindparam("address", type_=Uuid)).cte("subject")


def _bought_together(subject: CTE) -> Subquery:
    """Rows of `product_id` and `orders`, how many have bought both."""
    other, others_variant = aliased(OrderLine), aliased(Variant)
    purchases = (
        select(OrderLine.order_id)
        .join(Variant, Variant.id == OrderLine.variant_id)
        .join(subject, subject.c.product_id == Variant.product_id)
        .limit(constant(MOST_PURCHASES))
        .cte("purchases")
    )
    orders = func.count(Order.id.distinct())
    return (
        select(others_variant.product_id, orders.label("orders"))
        .select_from(purchases)
        .join(Order, Order.id == purchases.c.order_id)
        .join(other, other.order_id == Order.id)
        .join(others_variant, others_variant.id == other.variant_id)
        .where(Order.status == any_(_BOUGHT))
        .group_by(others_variant.product_id)
        .having(orders >= constant(FEWEST_ORDERS))
        .subquery("together")
    )


def _best_selling() -> ListingRows:
    walk = select(Listing).order_by(Listing.units_sold.desc(), Listing.product_id.desc()).limit(constant(BEST_SELLING))
    return aliased(Listing, walk.cte("best_selling"))


def _sharing_categories(subject: CTE, best_selling: ListingRows) -> CTE:
    """The best-selling products in its categories; if those are few, whatever is there."""
    popular = select(best_selling.product_id).where(_shares("category_slugs", best_selling, subject))
    popular_ones = popular.limit(constant(MOST_RELATED + 1)).cte("popular")  # itself may be one of them
    suffices = select(func.count() > constant(MOST_RELATED)).select_from(popular_ones).scalar_subquery()
    return union_all(select(popular_ones), select(_found("category_slugs", subject, ~suffices).subquery())).cte(
        "same_categories"
    )


def _found(column: str, subject: CTE, condition: ColumnElement[bool]) -> Select[Any]:
    """What the index of the column leads to, under the condition."""
    return select(Listing.product_id).where(_shares(column, Listing, subject), condition).limit(constant(MOST_ALIKE))


def _shares(column: str, listing: ListingRows, subject: CTE, own: str | None = None) -> ColumnElement[bool]:
    """Whether the listing has any of what the subject has in the same column, or in its column `own`."""
    shared: ColumnElement[bool] = getattr(listing, column).overlap(select(subject.c[own or column]).scalar_subquery())
    return shared


def _best(related: Subquery, subject: CTE) -> Select[Any]:
    tier, orders = func.min(related.c.tier), func.max(related.c.orders)
    order = (
        Listing.in_stock.desc(),
        tier,
        orders.desc(),
        Listing.units_sold.desc(),
        Listing.rating_average.desc(),
        Listing.rating_count.desc(),
        Listing.product_id.desc(),
    )
    return (
        select(*for_card(Listing), func.row_number().over(order_by=order).label("place"))
        .join(related, related.c.product_id == Listing.product_id)
        .where(Listing.product_id != select(subject.c.product_id).scalar_subquery())
        .group_by(Listing.product_id)
        .order_by(*order)
        .limit(_LIMIT)
    )
