"""What customers say of products, and who found it helpful."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, SmallInteger, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base, Identified, Timestamped, Versioned


class ReviewStatus(StrEnum):
    PUBLISHED = "published"
    PENDING = "pending"
    REJECTED = "rejected"


WITHDRAWN_VERSION = 0
_PUBLISHED = text("status = 'published'")


class Review(Identified, Versioned, Timestamped, Base):
    """One customer's review of one product. Without a `user_id` its author's account was deleted; the text stays.

    When an author deletes what support took down, an empty row of `WITHDRAWN_VERSION` takes its place: it is shown to
    nobody, keeps support's decision, and becomes the author's next review of the product.

    Triggers keep `helpful_count` and, from the published reviews, the product's ratings (migration 0003).
    """

    __tablename__ = "reviews"
    __table_args__ = (
        UniqueConstraint("product_id", "user_id"),
        CheckConstraint("rating BETWEEN 1 AND 5", "rating"),
        CheckConstraint(f"status IN ({', '.join(repr(status.value) for status in ReviewStatus)})", "status"),
        CheckConstraint("helpful_count >= 0", "helpful_count"),
        # A product's page, by each of its sorts; the one by rating also serves the newest of one rating.
        Index("ix_reviews_newest_of_product", "product_id", "created_at", "id", postgresql_where=_PUBLISHED),
        Index(
            "ix_reviews_helpful_of_product",
            "product_id",
            "helpful_count",
            "created_at",
            "id",
            postgresql_where=_PUBLISHED,
        ),
        Index("ix_reviews_rating_of_product", "product_id", "rating", "created_at", "id", postgresql_where=_PUBLISHED),
        Index("ix_reviews_of_user", "user_id", "created_at", "id"),
        # What support looks through.
        Index("ix_reviews_newest", "created_at", "id"),
        Index("ix_reviews_status", "status", "created_at", "id"),
    )

    product_id: Mapped[UUID] = mapped_column(ForeignKey("products.id", ondelete="CASCADE"))
    user_id: Mapped[UUID | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    rating: Mapped[int] = mapped_column(SmallInteger)
    title: Mapped[str] = mapped_column(default="", server_default="")
    body: Mapped[str] = mapped_column(default="", server_default="")
    status: Mapped[str]
    verified_purchase: Mapped[bool]
    helpful_count: Mapped[int] = mapped_column(default=0, server_default="0")
    moderation_reason: Mapped[str | None]
    moderated_by: Mapped[UUID | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    moderated_at: Mapped[datetime | None]


class ReviewVote(Base):
    """Whether somebody found a review helpful."""

    __tablename__ = "review_votes"

    review_id: Mapped[UUID] = mapped_column(ForeignKey("reviews.id", ondelete="CASCADE"), primary_key=True)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True, index=True)
    helpful: Mapped[bool]
    created_at: Mapped[datetime] = mapped_column(server_default=text("now()"))
