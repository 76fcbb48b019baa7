"""The tree that products hang in."""

from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base, Identified, Timestamped, Versioned

DEEPEST = 20
"""How many levels the tree may have: a path of so many slugs of 120 characters still fits into its index."""


class Category(Identified, Versioned, Timestamped, Base):
    """`path` holds the slugs from the root, `home/kitchen/mugs`, so that a subtree is one prefix."""

    __tablename__ = "categories"
    __table_args__ = (
        CheckConstraint("parent_id <> id", "not_its_own_parent"),
        CheckConstraint("slug ~ '^[a-z0-9]+(-[a-z0-9]+)*$'", "slug"),
    )

    parent_id: Mapped[UUID | None] = mapped_column(ForeignKey("categories.id", ondelete="RESTRICT"), index=True)
    slug: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    path: Mapped[str] = mapped_column(unique=True)
    position: Mapped[int] = mapped_column(default=0, server_default="0")
