"""Reviews: written by customers, read by everyone, decided on by support."""

import re
import unicodedata
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from app.core.clock import now
from app.core.conditional import Versions
from app.core.pagination import CursorSigner, Page
from app.core.slugs import id_or_slug
from app.database import Database, UnitOfWork, retried_on_conflict
from app.errors import AlreadyReviewed, NotFound, OwnReview, PreconditionFailed
from app.models.reviews import Review, ReviewStatus
from app.models.scopes import Scope
from app.repositories.reviews_published import PublishedReviews
from app.schemas.base import PageInfo, PageRead
from app.schemas.reviews import (
    ProductReviewQuery,
    ReviewCreate,
    ReviewDetail,
    ReviewModeration,
    ReviewQuery,
    ReviewUpdate,
    ReviewVoteRead,
)
from app.services.principals import Caller, Principal

# Domains that stand in prose without a scheme. Endings that are words as well ("great.top marks", "arrived.It works")
# count in one case only, or before a path; country codes that are common words ("it", "is", "me") before a path only.
_ENDINGS = "com|net|org|info|biz|xyz|io|ai|app|dev|eu|de|fr|nl|pl|ru|cn|uk|xn--[a-z0-9-]+"
_WORDY_ENDINGS = "shop|store|site|online|website|top|club|live|link|click"
_LEADS_AWAY = re.compile(
    r"(?i:https?:|\w://|\bwww\.|[^\s@]@[^\s@]+\.[^\s@]|(?<=[^\W_])\.[a-z]{2,24}/\w)"
    rf"|(?<=[^\W_])\.(?:(?i:{_ENDINGS})|{_WORDY_ENDINGS}|{_WORDY_ENDINGS.upper()})(?![\w-])"
)


class ReviewService:
    """Everyone with an account may review, as in most shops; who has bought the product here is marked as such.

    A review is published at once, which is the usual setting of Shopify's and Judge.me's reviews: a shop that holds
    everything back looks empty. WordPress's rule catches what moderators are for: text with a link or an e-mail
    address waits for support. Whatever support has taken down stays down until support looks at it again, and so does
    what its author writes in its place: to delete it and begin anew is no way around.
    """

    def __init__(self, database: Database, cursors: CursorSigner) -> None:
        self._database = database
        self._cursors = cursors
        self._published = PublishedReviews(database.reader)

    # What is shown

    async def of_product(self, address: str, query: ProductReviewQuery) -> tuple[UUID, bytes]:
        """The product's id and, as `ProductReviews` in JSON, what is published of it.

        One statement, and one more for a total. Only for a product that is for sale.
        """
        product = id_or_slug(address)
        bound = query.bound() | {"product": product}
        position = self._cursors.read(query.cursor, bound)
        found = await self._published.page(product, query, position) if product else None
        if found is None:
            raise NotFound
        total = await self._published.count(product, query) if product and query.include_total else None
        page = self._cursors.page(
            found.listed, lambda row: row.place, limit=query.limit, position=position, query=bound, total=total
        )
        return found.id, _in_json([row.review for row in page.rows], page, found.summary)

    async def page(self, viewer: Caller, query: ReviewQuery) -> PageRead[ReviewDetail]:
        """The viewer's own reviews, whatever became of them; everybody's for support."""
        sees_all = viewer.may(Scope.REVIEWS_READ_ALL)
        bound = query.bound() | {"of": "all" if sees_all else viewer.user_id}
        position = self._cursors.read(query.cursor, bound)
        async with self._database.snapshot() as tx:
            listed = await tx.reviews.page(query, viewer.user_id, position, sees_all=sees_all)
            total = await tx.reviews.count(query, viewer.user_id, sees_all=sees_all) if query.include_total else None
        page = self._cursors.page(
            listed, lambda row: row.place, limit=query.limit, position=position, query=bound, total=total
        )
        return PageRead(data=[row.review for row in page.rows], page=PageInfo.model_validate(page))

    async def get(self, review_id: UUID, viewer: Caller | None) -> ReviewDetail:
        """A review; one that is not published exists for its author and for support only."""
        sees_all = viewer is not None and viewer.may(Scope.REVIEWS_READ_ALL)
        author_id = viewer.user_id if viewer and viewer.may(Scope.REVIEWS_READ) else None
        async with self._database.snapshot() as tx:
            review = await tx.reviews.detail(review_id, author_id, sees_all=sees_all)
        if review is None:
            raise NotFound
        return review

    # What authors do

    @retried_on_conflict
    async def create(self, author: Principal, address: str, data: ReviewCreate) -> ReviewDetail:
        async with self._database.transaction() as tx:
            found = id_or_slug(address)
            product_id = await tx.reviews.product_for_sale(found) if found else None
            if product_id is None:
                raise NotFound
            added = await tx.reviews.add_first(
                product_id=product_id,
                user_id=author.user_id,
                status=first_status(data.title, data.body),
                verified_purchase=await tx.reviews.has_bought(author.user_id, product_id),
                **data.model_dump(),
            )
            if added is None:
                existing = await tx.reviews.id_of(product_id, author.user_id)
                raise AlreadyReviewed(review_id=str(existing))
            review_id, status = added
            if status == ReviewStatus.PUBLISHED:
                await _announce(tx, product_id, review_id, data.rating)
            return await _read(tx, review_id)

    @retried_on_conflict
    async def update(self, author: Principal, review_id: UUID, seen: Versions, changes: ReviewUpdate) -> ReviewDetail:
        async with self._database.transaction() as tx:
            review = await tx.reviews.lock(tx.reviews.by_author(author.user_id), review_id)
            review = _at_version(review, seen)
            before = review.status
            for field in ("rating", "title", "body"):
                if field in changes:
                    setattr(review, field, changes[field])
            review.status = _status_after_edit(review)
            review.version += 1
            # Whoever has bought it since has tried it; whoever has sent it back had tried it too.
            review.verified_purchase = review.verified_purchase or await tx.reviews.has_bought(
                author.user_id, review.product_id
            )
            return await _written(tx, review, before)

    @retried_on_conflict
    async def delete(self, author: Principal, review_id: UUID, seen: Versions) -> None:
        async with self._database.transaction() as tx:
            review = await tx.reviews.lock(tx.reviews.by_author(author.user_id), review_id)
            review = _at_version(review, seen)
            await (tx.reviews.withdraw(review) if _taken_down(review) else tx.reviews.remove(review))

    # What readers and support do

    @retried_on_conflict
    async def vote(self, voter: Principal, review_id: UUID, *, helpful: bool) -> ReviewVoteRead:
        """One vote each, which can be changed; not on one's own review."""
        async with self._database.transaction() as tx:
            await _votable(tx, voter, review_id)
            count = await tx.reviews.vote(review_id, voter.user_id, helpful=helpful)
            return ReviewVoteRead(review_id=review_id, helpful=helpful, helpful_count=count)

    @retried_on_conflict
    async def withdraw_vote(self, voter: Principal, review_id: UUID) -> None:
        """Nothing happens when there is no vote."""
        async with self._database.transaction() as tx:
            await _votable(tx, voter, review_id)
            await tx.reviews.withdraw_vote(review_id, voter.user_id)

    @retried_on_conflict
    async def moderate(
        self, moderator: Principal, review_id: UUID, seen: Versions, decision: ReviewModeration
    ) -> ReviewDetail:
        """Publish, reject or hold a review; nothing happens when it was decided so before."""
        async with self._database.transaction() as tx:
            review = await tx.reviews.lock(tx.reviews.everyones(), review_id)
            review = _at_version(review, seen)
            before = review.status
            if (before, review.moderation_reason) == (decision.status, decision.reason):
                return await _read(tx, review_id)
            review.status = decision.status
            review.moderation_reason = decision.reason
            review.moderated_by = moderator.user_id
            review.moderated_at = now()
            review.version += 1
            return await _written(tx, review, before)


def _in_json(rows: Sequence[str], page: Page[Any], summary: str) -> bytes:
    info = PageInfo.model_validate(page).model_dump_json()
    return f'{{"data":[{",".join(rows)}],"page":{info},"summary":{summary}}}'.encode()


def first_status(title: str, body: str) -> ReviewStatus:
    """Whether a text that nobody has looked at is published, or waits for support."""
    return ReviewStatus.PENDING if _leads_away(f"{title}\n{body}") else ReviewStatus.PUBLISHED


def _leads_away(text: str) -> bool:
    """Whether there is a link, a domain or an e-mail address, also in full-width letters or with invisible ones."""
    plain = unicodedata.normalize("NFKC", text).replace("\u3002", ".")  # the full stop that browsers take for a dot
    return bool(_LEADS_AWAY.search("".join(each for each in plain if unicodedata.category(each) != "Cf")))


def _taken_down(review: Review) -> bool:
    return review.moderated_at is not None and review.status != ReviewStatus.PUBLISHED


def _status_after_edit(review: Review) -> ReviewStatus:
    return ReviewStatus.PENDING if _taken_down(review) else first_status(review.title, review.body)


def _at_version(review: Review | None, seen: Versions) -> Review:
    if review is None:
        raise NotFound
    if seen is not None and review.version not in seen:
        raise PreconditionFailed
    return review


async def _votable(tx: UnitOfWork, voter: Principal, review_id: UUID) -> None:
    review = await tx.reviews.hold(tx.reviews.published(), review_id)
    if review is None:
        raise NotFound
    if review.user_id == voter.user_id:
        raise OwnReview


async def _written(tx: UnitOfWork, review: Review, before: str) -> ReviewDetail:
    await tx.reviews.flush()
    if review.status == ReviewStatus.PUBLISHED != before:
        await _announce(tx, review.product_id, review.id, review.rating)
    return await _read(tx, review.id)


async def _announce(tx: UnitOfWork, product_id: UUID, review_id: UUID, rating: int) -> None:
    """Of the product, whose rating this changes; nothing of the author."""
    await tx.outbox.announce("review.published", product_id, review_id=str(review_id), rating=rating)


async def _read(tx: UnitOfWork, review_id: UUID) -> ReviewDetail:
    """What its author and support see: only they write."""
    review = await tx.reviews.detail(review_id, None, sees_all=True)
    if review is None:
        raise NotFound
    return review
