"""Reviews, votes on them, and the ratings that triggers keep on products.

The triggers run once a statement and add up what it changed, so that a COPY of thousands of reviews touches each
product once. They lock the products (and the reviews that votes count for) in the order of their ids before they
add: concurrent statements wait for each other and neither lose a rating nor deadlock. `products.version` and
`products.updated_at` stay: a rating is no edit.
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0003"
down_revision: str | None = "0002"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

PUBLISHED = sa.text("status = 'published'")

# What each kind of statement adds to the counts, from its transition tables.
RATINGS_ADDED = "SELECT product_id, rating, 1 AS n FROM added WHERE status = 'published'"
RATINGS_REMOVED = "SELECT product_id, rating, -1 AS n FROM removed WHERE status = 'published'"
VOTES_ADDED = "SELECT review_id, 1 AS n FROM added WHERE helpful"
VOTES_REMOVED = "SELECT review_id, -1 AS n FROM removed WHERE helpful"

COUNT_RATINGS = """
CREATE FUNCTION {function}() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    WITH change AS (
        SELECT product_id, rating, sum(n) AS n FROM ({changes}) AS each
        GROUP BY product_id, rating HAVING sum(n) <> 0
    ), locked AS (
        SELECT id, rating_counts FROM products
        WHERE id IN (SELECT product_id FROM change)
        ORDER BY id FOR NO KEY UPDATE
    ), counted AS (
        SELECT locked.id, stars.rating, stars.n + coalesce(change.n, 0) AS n
        FROM locked CROSS JOIN unnest(locked.rating_counts) WITH ORDINALITY AS stars (n, rating)
        LEFT JOIN change ON change.product_id = locked.id AND change.rating = stars.rating
    ), summed AS (
        SELECT id, array_agg(n ORDER BY rating) AS counts, sum(n) AS total, sum(n * rating) AS stars
        FROM counted GROUP BY id
    )
    UPDATE products
    SET rating_counts = summed.counts,
        rating_count = summed.total,
        rating_average = coalesce(round(summed.stars / nullif(summed.total, 0), 2), 0)
    FROM summed WHERE products.id = summed.id;
    RETURN NULL;
END $$
"""

COUNT_VOTES = """
CREATE FUNCTION {function}() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    WITH change AS (
        SELECT review_id, sum(n) AS n FROM ({changes}) AS each GROUP BY review_id HAVING sum(n) <> 0
    ), locked AS (
        SELECT id, helpful_count FROM reviews
        WHERE id IN (SELECT review_id FROM change)
        ORDER BY id FOR NO KEY UPDATE
    )
    UPDATE reviews
    SET helpful_count = locked.helpful_count + change.n
    FROM locked JOIN change ON change.review_id = locked.id
    WHERE reviews.id = locked.id;
    RETURN NULL;
END $$
"""


def upgrade() -> None:
    op.add_column(
        "products",
        sa.Column("rating_counts", postgresql.ARRAY(sa.BigInteger()), server_default="{0,0,0,0,0}", nullable=False),
    )
    op.create_check_constraint(op.f("ck_products_rating_counts"), "products", "cardinality(rating_counts) = 5")
    op.create_table(
        "reviews",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("product_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=True),
        sa.Column("rating", sa.SmallInteger(), nullable=False),
        sa.Column("title", sa.Text(), server_default="", nullable=False),
        sa.Column("body", sa.Text(), server_default="", nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("verified_purchase", sa.Boolean(), nullable=False),
        sa.Column("helpful_count", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("moderation_reason", sa.Text(), nullable=True),
        sa.Column("moderated_by", sa.Uuid(), nullable=True),
        sa.Column("moderated_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("version", sa.BigInteger(), server_default="1", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("rating BETWEEN 1 AND 5", name=op.f("ck_reviews_rating")),
        sa.CheckConstraint("status IN ('published', 'pending', 'rejected')", name=op.f("ck_reviews_status")),
        sa.CheckConstraint("helpful_count >= 0", name=op.f("ck_reviews_helpful_count")),
        sa.ForeignKeyConstraint(
            ["product_id"], ["products.id"], name=op.f("fk_reviews_product_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_reviews_user_id"), ondelete="SET NULL"),
        sa.ForeignKeyConstraint(
            ["moderated_by"], ["users.id"], name=op.f("fk_reviews_moderated_by"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reviews")),
        sa.UniqueConstraint("product_id", "user_id", name=op.f("uq_reviews_product_id_user_id")),
    )
    for name, columns, condition in (
        ("ix_reviews_newest_of_product", ["product_id", "created_at", "id"], PUBLISHED),
        ("ix_reviews_helpful_of_product", ["product_id", "helpful_count", "created_at", "id"], PUBLISHED),
        ("ix_reviews_rating_of_product", ["product_id", "rating", "created_at", "id"], PUBLISHED),
        ("ix_reviews_of_user", ["user_id", "created_at", "id"], None),
        ("ix_reviews_newest", ["created_at", "id"], None),
        ("ix_reviews_status", ["status", "created_at", "id"], None),
    ):
        op.create_index(name, "reviews", columns, unique=False, postgresql_where=condition)
    op.create_table(
        "review_votes",
        sa.Column("review_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("helpful", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["review_id"], ["reviews.id"], name=op.f("fk_review_votes_review_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_review_votes_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("review_id", "user_id", name=op.f("pk_review_votes")),
    )
    op.create_index(op.f("ix_review_votes_user_id"), "review_votes", ["user_id"], unique=False)
    _count("reviews", COUNT_RATINGS, RATINGS_ADDED, RATINGS_REMOVED)
    _count("review_votes", COUNT_VOTES, VOTES_ADDED, VOTES_REMOVED)


def _count(table: str, function: str, added: str, removed: str) -> None:
    """A trigger for each kind of statement: PostgreSQL gives no two of them the same transition tables."""
    for event, changes, tables in (
        ("insert", added, "NEW TABLE AS added"),
        ("update", f"{added} UNION ALL {removed}", "OLD TABLE AS removed NEW TABLE AS added"),
        ("delete", removed, "OLD TABLE AS removed"),
    ):
        name = f"count_{table}_on_{event}"
        op.execute(function.format(function=name, changes=changes))
        op.execute(
            f"CREATE TRIGGER {name} AFTER {event} ON {table} REFERENCING {tables} "
            f"FOR EACH STATEMENT EXECUTE FUNCTION {name}()"
        )


def downgrade() -> None:
    for table in ("review_votes", "reviews"):
        op.drop_table(table)
        for event in ("insert", "update", "delete"):
            op.execute(f"DROP FUNCTION count_{table}_on_{event}()")
    op.drop_constraint(op.f("ck_products_rating_counts"), "products")
    op.drop_column("products", "rating_counts")
