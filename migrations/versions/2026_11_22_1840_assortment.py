"""The staff's list of all products, and slugs that no product may have.

The list is sorted by the last change or by the name, for one status or for all; names are found by a part of them.
`/products/manage` and `/products/suggest` are no products, so none may have such a slug: those that do get another.
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0008"
down_revision: str | None = "0007"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.execute(
        "UPDATE products SET slug = slug || '-' || left(md5(id::text), 6), version = version + 1 "
        "WHERE slug IN ('manage', 'suggest')"
    )
    op.create_check_constraint(
        op.f("ck_products_slug_is_not_reserved"), "products", "slug NOT IN ('manage', 'suggest')"
    )
    op.create_index("ix_products_updated", "products", ["status", "updated_at", "id"])
    op.create_index("ix_products_name", "products", ["status", sa.text("folded(name)"), "id"])
    op.create_index(
        "ix_products_part_of_name", "products", [sa.text("folded(name) gin_trgm_ops")], postgresql_using="gin"
    )


def downgrade() -> None:
    op.drop_index("ix_products_part_of_name", "products")
    op.drop_index("ix_products_name", "products")
    op.drop_index("ix_products_updated", "products")
    op.drop_constraint(op.f("ck_products_slug_is_not_reserved"), "products")
