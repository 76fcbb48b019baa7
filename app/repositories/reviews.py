"""Reviews and votes: rows to change, and the pages that show them."""

from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, Select, delete, exists, func, select
from sqlalchemy.dialects.postgresql import insert

from app.core.pagination import Position
from app.models.orders import Order, OrderLine, OrderStatus
from app.models.products import Product, ProductStatus, Variant
from app.models.reviews import WITHDRAWN_VERSION, Review, ReviewStatus, ReviewVote
from app.repositories.base import ModelRepository
from app.repositories.reviews_read import DETAIL, DETAILS, STANDS, Sorting
from app.schemas.reviews import QueueSort, ReviewDetail, ReviewQuery

BOUGHT = (OrderStatus.CONFIRMED, OrderStatus.PROCESSING, OrderStatus.COMPLETED)
QUEUE_ORDERS = {
    QueueSort.NEWEST: Sorting((Review.created_at,)),
    QueueSort.OLDEST: Sorting((Review.created_at,), falling=False),
}


class ListedReview(NamedTuple):
    """A review and its place in the list."""

    review: ReviewDetail
    place: tuple[Any, ...]


class ReviewRepository(ModelRepository[Review]):
    model = Review

    # What is shown; the reviews on a product's page are in reviews_published.py

    async def detail(self, review_id: UUID, viewer: UUID | None, *, sees_all: bool) -> ReviewDetail | None:
        """The review, if this viewer may see it: it is published, or theirs, or they see all."""
        parameters = {"id": review_id, "viewer": viewer, "sees_all": sees_all}
        found = (await self._session.execute(DETAIL, parameters)).scalar_one_or_none()
        return None if found is None else ReviewDetail.model_validate_json(found)

    async def page(
        self, query: ReviewQuery, viewer: UUID | None, position: Position | None, *, sees_all: bool
    ) -> list[ListedReview]:
        """Up to `query.limit + 1` reviews of any status: everybody's if the viewer sees all, or else their own."""
        order = QUEUE_ORDERS[query.sort]
        reviews = DETAILS.where(*_in_queue(query, viewer, sees_all=sees_all)).limit(query.limit + 1)
        backwards = position is not None and position.backwards
        place = {} if position is None else order.place(position.values)
        rows = await self._session.execute(
            order.page(reviews, backwards=backwards, continued=position is not None),
            {"viewer": viewer, "sees_all": sees_all, **place},
        )
        return [ListedReview(ReviewDetail.model_validate_json(review), tuple(place)) for review, *place in rows]

    async def count(self, query: ReviewQuery, viewer: UUID | None, *, sees_all: bool) -> int:
        reviews = select(func.count()).select_from(Review).where(*_in_queue(query, viewer, sees_all=sees_all))
        return (await self._session.execute(reviews)).scalar_one()

    # What may be written

    async def product_for_sale(self, address: UUID | str) -> UUID | None:
        """The id of the product with this id or slug, if customers can see it."""
        by_address = Product.slug == address if isinstance(address, str) else Product.id == address
        return await self._one_or_none(select(Product.id).where(by_address, Product.status == ProductStatus.ACTIVE))

    async def has_bought(self, user_id: UUID, product_id: UUID) -> bool:
        """Whether a variant of the product is in an order of theirs that was paid and not cancelled."""
        bought = exists().where(
            Order.user_id == user_id,
            Order.status.in_(BOUGHT),
            OrderLine.order_id == Order.id,
            Variant.id == OrderLine.variant_id,
            Variant.product_id == product_id,
        )
        return (await self._session.execute(select(bought))).scalar_one()

    async def add_first(self, **values: Any) -> tuple[UUID, str] | None:
        """The id and status of a new review, or None when its author has one: of any number at once, one wins.

        After one that was withdrawn it is pending, and support sees its earlier decision beside it.
        """
        written = insert(Review).values(**values)
        anew = ("rating", "title", "body", "verified_purchase", "version", "created_at", "updated_at")
        statement = written.on_conflict_do_update(
            index_elements=[Review.product_id, Review.user_id],
            set_={**{name: written.excluded[name] for name in anew}, "status": ReviewStatus.PENDING},
            where=~STANDS,
        ).returning(Review.id, Review.status)
        row = (await self._session.execute(statement)).one_or_none()
        return None if row is None else (row.id, row.status)

    async def id_of(self, product_id: UUID, user_id: UUID) -> UUID | None:
        return await self._one_or_none(
            select(Review.id).where(Review.product_id == product_id, Review.user_id == user_id)
        )

    def by_author(self, user_id: UUID) -> Select[Review]:
        """What somebody may change. Every change by an author starts here."""
        return self.everyones().where(Review.user_id == user_id)

    def everyones(self) -> Select[Review]:
        """For staff who decide on all reviews."""
        return select(Review).where(STANDS)

    def published(self) -> Select[Review]:
        """What everybody sees, and may vote on."""
        return (
            select(Review)
            .join(Product, Product.id == Review.product_id)
            .where(Review.status == ReviewStatus.PUBLISHED, Product.status == ProductStatus.ACTIVE)
        )

    async def lock(self, scope: Select[Review], review_id: UUID) -> Review | None:
        """The review, which nobody else changes until the end of the transaction."""
        return await self._one_or_none(_exactly(scope, review_id).with_for_update(of=Review, key_share=True))

    async def remove(self, review: Review) -> None:
        await self._session.delete(review)
        await self._session.flush()

    async def withdraw(self, review: Review) -> None:
        """Remove a review, but for what support decided: a new row, on whose id nobody can have voted."""
        await self.remove(review)
        self._session.add(
            Review(
                product_id=review.product_id,
                user_id=review.user_id,
                rating=review.rating,
                status=ReviewStatus.REJECTED,
                verified_purchase=review.verified_purchase,
                moderation_reason=review.moderation_reason,
                moderated_by=review.moderated_by,
                moderated_at=review.moderated_at,
                version=WITHDRAWN_VERSION,
            )
        )
        await self._session.flush()

    # Votes

    async def hold(self, scope: Select[Review], review_id: UUID) -> Review | None:
        """The review, which nobody deletes until the end of the transaction; others may hold it too."""
        return await self._one_or_none(_exactly(scope, review_id).with_for_update(of=Review, read=True, key_share=True))

    async def vote(self, review_id: UUID, user_id: UUID, *, helpful: bool) -> int:
        """Vote, or vote anew; returns how many found the review helpful."""
        statement = insert(ReviewVote).values(review_id=review_id, user_id=user_id, helpful=helpful)
        await self._session.execute(
            statement.on_conflict_do_update(
                index_elements=[ReviewVote.review_id, ReviewVote.user_id], set_={"helpful": helpful}
            )
        )
        counted = await self._session.execute(select(Review.helpful_count).where(Review.id == review_id))
        return counted.scalar_one()

    async def withdraw_vote(self, review_id: UUID, user_id: UUID) -> None:
        await self._session.execute(
            delete(ReviewVote).where(ReviewVote.review_id == review_id, ReviewVote.user_id == user_id)
        )


def _exactly(scope: Select[Review], review_id: UUID) -> Select[Review]:
    return scope.where(Review.id == review_id).execution_options(populate_existing=True)


def _in_queue(query: ReviewQuery, viewer: UUID | None, *, sees_all: bool) -> list[ColumnElement[bool]]:
    own = [STANDS] if sees_all else [STANDS, Review.user_id == viewer]
    return own if query.status is None else [*own, Review.status == query.status]
