"""The published reviews of a product, from PostgreSQL to the socket without a Python object in between.

A statement is built once for each combination of sort and filters and kept, because building one costs more than
running it.
"""

from collections.abc import Sequence
from functools import cache
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import BigInteger, Boolean, ColumnElement, SmallInteger, Text, Uuid, bindparam, cast, func, select, true

from app.core.pagination import Position
from app.core.reader import Query, Reader
from app.models.products import Product
from app.models.reviews import Review
from app.models.users import User
from app.repositories.json_building import json_object
from app.repositories.keyset import seek
from app.repositories.reviews_read import ACTIVE, BY_AUTHOR, FIELDS, PUBLISHED, Sorting
from app.schemas.reviews import ProductReviewQuery, ReviewSort

# Among equals the newest come first; among the worst, where everything is turned round, the oldest.
ORDERS: dict[ReviewSort, Sorting] = {
    ReviewSort.NEWEST: Sorting((Review.created_at,)),
    ReviewSort.MOST_HELPFUL: Sorting((Review.helpful_count, Review.created_at)),
    ReviewSort.BEST: Sorting((Review.rating, Review.created_at)),
    ReviewSort.WORST: Sorting((Review.rating, Review.created_at), falling=False),
}
_FILTERS: dict[str, ColumnElement[bool]] = {
    "rating": Review.rating == bindparam("rating", type_=SmallInteger),
    "verified": Review.verified_purchase == bindparam("verified", type_=Boolean),
}
_BY_ID = Product.id == bindparam("address", type_=Uuid)
_BY_SLUG = Product.slug == bindparam("address", type_=Text)
_SUMMARY = json_object(
    average=Product.rating_average,
    count=Product.rating_count,
    distribution=json_object(**{str(stars): Product.rating_counts[stars] for stars in range(1, 6)}),
)


class ListedReview(NamedTuple):
    """`review` is a `ReviewRead` in JSON, `place` its place in the list."""

    review: str
    place: tuple[Any, ...]


class ReviewedProduct(NamedTuple):
    """`summary` is a `RatingSummary` in JSON, of all the reviews."""

    id: UUID
    summary: str
    listed: Sequence[ListedReview]


class PublishedReviews:
    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    async def page(
        self, address: UUID | str, query: ProductReviewQuery, position: Position | None
    ) -> ReviewedProduct | None:
        """The product with up to `query.limit + 1` of its reviews, read from the position in its direction.

        None when no product for sale has this id or slug.
        """
        filters = query.filters()
        statement = _listing(
            query.sort,
            frozenset(filters),
            by_slug=isinstance(address, str),
            backwards=position is not None and position.backwards,
            continued=position is not None,
        )
        place = {} if position is None else ORDERS[query.sort].place(position.values)
        rows = await self._reader.fetch(statement, address=address, limit=query.limit + 1, **filters, **place)
        if not rows:
            return None
        product_id, summary, *_ = rows[0]
        listed = [ListedReview(review, tuple(place)) for _, _, review, *place in rows if review is not None]
        return ReviewedProduct(product_id, summary, listed)

    async def count(self, address: UUID | str, query: ProductReviewQuery) -> int:
        filters = query.filters()
        statement = _counting(frozenset(filters), by_slug=isinstance(address, str))
        [(total,)] = await self._reader.fetch(statement, address=address, **filters)
        return int(total)


@cache
def _listing(sort: ReviewSort, filters: frozenset[str], *, by_slug: bool, backwards: bool, continued: bool) -> Query:
    """Rows of a product's id and summary, a review and its place.

    No row at all when the product is not for sale; one without a review when the page is empty.
    """
    order = ORDERS[sort]
    reviews = (
        select(cast(json_object(**FIELDS), Text).label("review"))
        .join(User, BY_AUTHOR, isouter=True)
        .where(Review.product_id == Product.id, *_conditions(filters))
        .correlate(Product)
    )
    limit = bindparam("limit", type_=BigInteger)
    page = order.page(reviews, backwards=backwards, continued=continued).limit(limit).lateral("page")
    place = [page.c[key.key] for key in order.keys]
    products = (
        select(Product.id, cast(_SUMMARY, Text), page.c.review, *place)
        .select_from(Product)
        .join(page, true(), isouter=True)
        .where(_BY_SLUG if by_slug else _BY_ID, Product.status == ACTIVE)
    )
    return Query(seek(products, *place, falling=order.falling is not backwards, after=None))


@cache
def _counting(filters: frozenset[str], *, by_slug: bool) -> Query:
    return Query(
        select(func.count())
        .select_from(Review)
        .join(Product, Product.id == Review.product_id)
        .where(_BY_SLUG if by_slug else _BY_ID, Product.status == ACTIVE, *_conditions(filters))
    )


def _conditions(filters: frozenset[str]) -> list[ColumnElement[bool]]:
    return [Review.status == PUBLISHED, *(_FILTERS[name] for name in sorted(filters))]
