"""Reviews of products: read by everyone, written by customers, decided on by support."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Query, Request, Response, status

from app.dependencies import (
    IdOrSlug,
    IfMatch,
    OptionalCaller,
    OptionalIfMatch,
    ReviewModerator,
    ReviewReader,
    Reviews,
    ReviewWriter,
    limited_by_account,
)
from app.errors import (
    AlreadyReviewed,
    InvalidCursor,
    NotFound,
    OwnReview,
    PreconditionFailed,
    PreconditionRequired,
    TooManyRequests,
)
from app.openapi import ANYBODY, problems
from app.routers.etags import NOT_MODIFIED, PRIVATE, published, tagged
from app.schemas.base import PageRead
from app.schemas.reviews import (
    ProductReviewQuery,
    ProductReviews,
    ReviewCreate,
    ReviewDetail,
    ReviewModeration,
    ReviewQuery,
    ReviewUpdate,
    ReviewVoteRead,
    ReviewVoteWrite,
)

router = APIRouter(tags=["Reviews"])
staff_router = APIRouter(prefix="/reviews", tags=["Reviews for staff"])

ReviewId = Annotated[UUID, Path(description="The review's `id`")]


@router.get(
    "/products/{id_or_slug}/reviews",
    operation_id="reviews_of_product",
    response_model=ProductReviews,
    responses={**NOT_MODIFIED, **problems(InvalidCursor, NotFound)},
)
async def list_reviews_of_product(
    request: Request, id_or_slug: IdOrSlug, query: Annotated[ProductReviewQuery, Query()], reviews: Reviews
) -> Response:
    """Read what customers say of a product, and what their ratings come to."""
    product_id, body = await reviews.of_product(id_or_slug, query)
    return published(request, body, f"product:{product_id}")


@router.post(
    "/products/{id_or_slug}/reviews",
    operation_id="reviews_create",
    status_code=status.HTTP_201_CREATED,
    response_model=ReviewDetail,
    responses=problems(NotFound, AlreadyReviewed, TooManyRequests),
    dependencies=[limited_by_account("review")],
)
async def create_review(
    id_or_slug: IdOrSlug, data: ReviewCreate, user: ReviewWriter, reviews: Reviews, response: Response
) -> ReviewDetail:
    """Review a product, once.

    You need not have bought it here; who has is marked with `verified_purchase`. The review is published at once,
    but with a link, a domain or an e-mail address in it, it is `pending` until support has seen it. So is a review in
    place of one that support took down and you deleted.
    """
    review = await reviews.create(user, id_or_slug, data)
    return tagged(response, review, location=f"/api/v1/reviews/{review.id}")


@router.get(
    "/reviews",
    operation_id="reviews_list",
    response_model=PageRead[ReviewDetail],
    responses=problems(InvalidCursor),
)
async def list_reviews(
    query: Annotated[ReviewQuery, Query()], viewer: ReviewReader, reviews: Reviews
) -> PageRead[ReviewDetail]:
    """List your reviews, whatever became of them; with the `support` role, everybody's."""
    return await reviews.page(viewer, query)


@router.get(
    "/reviews/{review_id}",
    operation_id="reviews_get",
    response_model=ReviewDetail,
    responses=problems(NotFound),
    openapi_extra=ANYBODY,
)
async def get_review(review_id: ReviewId, viewer: OptionalCaller, reviews: Reviews, response: Response) -> ReviewDetail:
    """Show a review. One that is not published is there for its author and for support only."""
    response.headers["Cache-Control"] = PRIVATE
    return tagged(response, await reviews.get(review_id, viewer))


@router.patch(
    "/reviews/{review_id}",
    operation_id="reviews_update",
    response_model=ReviewDetail,
    responses=problems(NotFound, PreconditionFailed, PreconditionRequired),
)
async def update_review(
    review_id: ReviewId, data: ReviewUpdate, user: ReviewWriter, seen: IfMatch, reviews: Reviews, response: Response
) -> ReviewDetail:
    """Change your review, if it is still as you read it. One that support took down goes back to support."""
    return tagged(response, await reviews.update(user, review_id, seen, data))


@router.delete(
    "/reviews/{review_id}",
    operation_id="reviews_delete",
    status_code=status.HTTP_204_NO_CONTENT,
    responses=problems(NotFound, PreconditionFailed, PreconditionRequired),
)
async def delete_review(review_id: ReviewId, user: ReviewWriter, seen: IfMatch, reviews: Reviews) -> None:
    """Delete your review, and the votes on it."""
    await reviews.delete(user, review_id, seen)


@router.put(
    "/reviews/{review_id}/vote",
    operation_id="reviews_vote",
    response_model=ReviewVoteRead,
    responses=problems(NotFound, OwnReview),
)
async def vote_on_review(
    review_id: ReviewId, data: ReviewVoteWrite, user: ReviewWriter, reviews: Reviews
) -> ReviewVoteRead:
    """Say whether a review helped you; the last word counts. You cannot vote on your own."""
    return await reviews.vote(user, review_id, helpful=data.helpful)


@router.delete(
    "/reviews/{review_id}/vote",
    operation_id="reviews_withdraw_vote",
    status_code=status.HTTP_204_NO_CONTENT,
    responses=problems(NotFound, OwnReview),
)
async def withdraw_vote_on_review(review_id: ReviewId, user: ReviewWriter, reviews: Reviews) -> None:
    """Take your vote back; nothing happens when there is none."""
    await reviews.withdraw_vote(user, review_id)


@staff_router.patch(
    "/{review_id}/moderation",
    operation_id="reviews_moderate",
    response_model=ReviewDetail,
    responses=problems(NotFound, PreconditionFailed),
)
async def moderate_review(
    review_id: ReviewId,
    data: ReviewModeration,
    moderator: ReviewModerator,
    seen: OptionalIfMatch,
    reviews: Reviews,
    response: Response,
) -> ReviewDetail:
    """Publish, reject or hold a review.

    `GET /reviews?status=pending&sort=created_at` lists what waits. The author is shown the reason. `If-Match` makes
    sure that you decide on the text that you have read.
    """
    return tagged(response, await reviews.moderate(moderator, review_id, seen, data))
