"""Reviews, as customers write and read them and as support decides on them."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Literal
from uuid import UUID

from pydantic import ConfigDict, Field, with_config
from typing_extensions import TypedDict

from app.models.reviews import ReviewStatus
from app.schemas import examples
from app.schemas.base import Input, Output, PageQuery, PageRead, Whole
from app.schemas.text import FilledLine, OneLine, Paragraphs

Stars = Annotated[int, Field(ge=1, le=5, strict=True, description="Stars, 1 to 5"), Whole]
Title = Annotated[str, Field(max_length=120), OneLine]
Body = Annotated[
    str,
    Field(max_length=5000, description="Plain text; line breaks are kept, markup means nothing"),
    Paragraphs,
]
Reason = Annotated[str, Field(min_length=1, max_length=500), FilledLine]


class ReviewCreate(Input):
    """The rating alone will do."""

    model_config = ConfigDict(json_schema_extra={"example": examples.REVIEW_WRITTEN})

    rating: Stars
    title: Title = ""
    body: Body = ""


@with_config(ConfigDict(extra="forbid", json_schema_extra={"example": {"rating": 4}}))
class ReviewUpdate(TypedDict, total=False):
    """Only what is sent changes."""

    rating: Stars
    title: Title
    body: Body


class ReviewModeration(Input):
    """Support's decision. The author is shown the reason."""

    model_config = ConfigDict(json_schema_extra={"example": examples.REVIEW_REJECTED})

    status: ReviewStatus
    reason: Reason | None = None


class ReviewVoteWrite(Input):
    model_config = ConfigDict(json_schema_extra={"example": {"helpful": True}})

    helpful: Annotated[bool, Field(strict=True)]


class ReviewVoteRead(Output):
    model_config = ConfigDict(json_schema_extra={"example": examples.REVIEW_VOTE})

    review_id: UUID
    helpful: bool = Field(description="Your own vote")
    helpful_count: int = Field(description="How many found it helpful")


class ReviewRead(Output):
    """What everybody sees. `version` goes into If-Match when you change your own."""

    model_config = ConfigDict(json_schema_extra={"example": examples.REVIEW})

    id: UUID
    product_id: UUID
    rating: int
    title: str
    body: str
    author: str = Field(description="A first name and an initial; `Anonymous` once the account is gone")
    verified_purchase: bool = Field(description="The author bought it here")
    helpful_count: int
    status: ReviewStatus
    created_at: datetime
    updated_at: datetime
    version: int


class ReviewedProduct(Output):
    id: UUID
    slug: str
    name: str


class ModerationRead(Output):
    reason: str | None
    decided_at: datetime


class ReviewDetail(ReviewRead):
    """A review by itself."""

    model_config = ConfigDict(json_schema_extra={"example": examples.REVIEW_DETAIL})

    product: ReviewedProduct
    moderation: ModerationRead | None = Field(
        description="Support's last decision, for its author and support only; none before there was one"
    )


class RatingSummary(Output):
    """Of all published reviews of the product, whatever the list is filtered by."""

    average: float = Field(description="To two decimals; 0 while there is none")
    count: int
    distribution: dict[Literal["1", "2", "3", "4", "5"], int] = Field(description="How many gave so many stars")


class ProductReviews(PageRead[ReviewRead]):
    """A page of a product's reviews, and what all of them come to."""

    model_config = ConfigDict(json_schema_extra={"example": examples.PRODUCT_REVIEWS})

    summary: RatingSummary


class ReviewSort(StrEnum):
    NEWEST = "-created_at"
    MOST_HELPFUL = "-helpful"
    BEST = "-rating"
    WORST = "rating"


class ProductReviewQuery(PageQuery):
    """Filters of a product's reviews; all of them must hold."""

    rating: Annotated[int, Field(ge=1, le=5)] | None = Field(default=None, description="Only those with so many stars")
    verified: bool | None = Field(default=None, description="Only by those who bought it here, or only by others")
    sort: ReviewSort = Field(default=ReviewSort.NEWEST, description="Equals follow each other by their age")

    def filters(self) -> dict[str, object]:
        """The filters that were given."""
        return self.model_dump(include={"rating", "verified"}, exclude_none=True)


class QueueSort(StrEnum):
    NEWEST = "-created_at"
    OLDEST = "created_at"


class ReviewQuery(PageQuery):
    """Staff with the `support` role see everybody's reviews, others their own."""

    status: ReviewStatus | None = Field(default=None, description="`pending` is what waits for support")
    sort: QueueSort = Field(default=QueueSort.NEWEST, description="The newest first, or the longest waiting")
