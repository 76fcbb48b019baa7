"""Pictures that are uploaded: their sizes, and the objects in the media store that may belong to none.

Until now only the demo shop had pictures, drawn by the sandbox while they were looked at; nothing draws them any more,
and their rows go. Positions become a constraint that is checked at the end of a statement, so that one UPDATE can put
all pictures of a product in another order.

A picture that is deleted, by whatever statement, leaves its key in `unused_media`. Keys are noted in their order, so
that two statements which delete the same pictures do not deadlock.
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0004"
down_revision: str | None = "0003"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

NOTE_UNUSED_MEDIA = """
CREATE FUNCTION note_unused_media() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO unused_media (key) SELECT DISTINCT key FROM deleted ORDER BY key
    ON CONFLICT (key) DO UPDATE SET since = excluded.since;
    RETURN NULL;
END $$
"""


def upgrade() -> None:
    op.execute("DELETE FROM product_media")
    op.add_column("product_media", sa.Column("width", sa.BigInteger(), nullable=False))
    op.add_column("product_media", sa.Column("height", sa.BigInteger(), nullable=False))
    op.add_column(
        "product_media",
        sa.Column("renditions", postgresql.JSONB(none_as_null=True), server_default="[]", nullable=False),
    )
    op.create_check_constraint(op.f("ck_product_media_size"), "product_media", "width > 0 AND height > 0")
    op.drop_constraint(op.f("uq_product_media_product_id_position"), "product_media", type_="unique")
    op.create_unique_constraint(
        op.f("uq_product_media_product_id_position"),
        "product_media",
        ["product_id", "position"],
        deferrable=True,
        initially="IMMEDIATE",
    )
    op.create_index(op.f("ix_product_media_key"), "product_media", ["key"])
    op.create_table(
        "unused_media",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_unused_media")),
    )
    op.create_index(op.f("ix_unused_media_since"), "unused_media", ["since"])
    op.execute(NOTE_UNUSED_MEDIA)
    op.execute(
        "CREATE TRIGGER product_media_unused AFTER DELETE ON product_media REFERENCING OLD TABLE AS deleted "
        "FOR EACH STATEMENT EXECUTE FUNCTION note_unused_media()"
    )


def downgrade() -> None:
    op.execute("DROP TRIGGER product_media_unused ON product_media")
    op.execute("DROP FUNCTION note_unused_media()")
    op.drop_table("unused_media")
    op.drop_index(op.f("ix_product_media_key"), "product_media")
    op.drop_constraint(op.f("uq_product_media_product_id_position"), "product_media", type_="unique")
    op.create_unique_constraint(
        op.f("uq_product_media_product_id_position"), "product_media", ["product_id", "position"]
    )
    op.drop_constraint(op.f("ck_product_media_size"), "product_media", type_="check")
    for column in ("renditions", "height", "width"):
        op.drop_column("product_media", column)
