"""The warehouse's view of the stock: a ledger that can be searched, and events when a variant runs low or out.

The events come from a trigger, because the counters move in many places (checkout, expiry, cancellation, staff) and
only the row itself knows what it was before. PostgreSQL prepares a trigger's WHEN clause at every statement: a short
one that lets a little too much pass costs an update 3 µs, the three conditions themselves 15, a function that is
always entered 5, and a trigger for each statement with its transition tables 25.

No index mentions `available`: it changes at every checkout, and PostgreSQL would then have to write every index of
the table anew for each (README.HOT in its sources). Reading all levels to find the low ones is cheaper.
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0005"
down_revision: str | None = "0004"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

REASONS = (
    "initial_stock", "reserved", "released", "expired", "shipped",
    "received", "restocked", "returned", "counted", "correction", "damaged", "lost", "promotion", "other",
)  # fmt: skip
OF_ORDERS = ("reserved", "released", "expired", "shipped")

# Whatever is out is low as well: neither the reorder point nor the limit of back-orders is ever below zero.
LOW_BEFORE_OR_AFTER = "OLD.available <= OLD.reorder_point OR NEW.available <= NEW.reorder_point"
BECAME_LOW = "OLD.available > OLD.reorder_point AND NEW.available <= NEW.reorder_point"
RAN_OUT = "OLD.available + OLD.backorder_limit > 0 AND NEW.available + NEW.backorder_limit <= 0"
CAME_BACK = "OLD.available + OLD.backorder_limit <= 0 AND NEW.available + NEW.backorder_limit > 0"

ANNOUNCE = f"""
CREATE FUNCTION announce_stock() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    events text[] := array_remove(ARRAY[
        CASE WHEN {BECAME_LOW} THEN 'stock.low' END,
        CASE WHEN {RAN_OUT} THEN 'stock.out' END,
        CASE WHEN {CAME_BACK} THEN 'stock.back' END
    ], NULL);
BEGIN
    IF events <> '{{}}' THEN  -- an INSERT of no rows would wake the relay
        INSERT INTO outbox (event_id, type, aggregate_id, payload)
        SELECT
            uuidv7(),
            event,
            NEW.variant_id,
            jsonb_build_object(
                'available', NEW.available,
                'reorder_point', NEW.reorder_point,
                'backorder_limit', NEW.backorder_limit
            )
        FROM unnest(events) AS event;
    END IF;
    RETURN NULL;
END $$
"""  # noqa: S608  # our own conditions


def upgrade() -> None:
    op.add_column("stock_movements", sa.Column("adjustment_id", sa.Uuid(), nullable=True))
    op.add_column("stock_movements", sa.Column("actor_id", sa.Uuid(), nullable=True))
    op.create_foreign_key(op.f("fk_stock_movements_actor_id"), "stock_movements", "users", ["actor_id"], ["id"])
    op.create_check_constraint(op.f("ck_stock_movements_reason"), "stock_movements", f"reason IN {REASONS}")

    op.drop_index("ix_stock_movements_created_at", table_name="stock_movements")
    op.drop_index(op.f("ix_stock_movements_variant_id"), table_name="stock_movements")
    op.create_index("ix_stock_movements_newest", "stock_movements", ["created_at", "id"])
    op.create_index("ix_stock_movements_of_variant", "stock_movements", ["variant_id", "created_at", "id"])
    op.create_index("ix_stock_movements_of_reference", "stock_movements", ["reference", "created_at", "id"])
    op.create_index(
        "ix_stock_movements_of_staff",
        "stock_movements",
        ["created_at", "id"],
        postgresql_where=sa.text(f"reason NOT IN {OF_ORDERS}"),
    )
    op.create_index(
        op.f("ix_stock_movements_adjustment_id"),
        "stock_movements",
        ["adjustment_id"],
        postgresql_where=sa.text("adjustment_id IS NOT NULL"),
    )
    op.drop_index(op.f("ix_stock_reservations_variant_id"), table_name="stock_reservations")
    op.create_index("ix_stock_reservations_of_variant", "stock_reservations", ["variant_id", "id"])

    op.execute(ANNOUNCE)
    op.execute(
        "CREATE TRIGGER stock_levels_announce AFTER UPDATE ON stock_levels FOR EACH ROW "
        f"WHEN ({LOW_BEFORE_OR_AFTER}) EXECUTE FUNCTION announce_stock()"
    )


def downgrade() -> None:
    op.execute("DROP TRIGGER stock_levels_announce ON stock_levels")
    op.execute("DROP FUNCTION announce_stock()")

    op.drop_index("ix_stock_reservations_of_variant", table_name="stock_reservations")
    op.create_index(op.f("ix_stock_reservations_variant_id"), "stock_reservations", ["variant_id"])
    op.drop_index(op.f("ix_stock_movements_adjustment_id"), table_name="stock_movements")
    op.drop_index("ix_stock_movements_of_staff", table_name="stock_movements")
    op.drop_index("ix_stock_movements_of_reference", table_name="stock_movements")
    op.drop_index("ix_stock_movements_of_variant", table_name="stock_movements")
    op.drop_index("ix_stock_movements_newest", table_name="stock_movements")
    op.create_index(op.f("ix_stock_movements_variant_id"), "stock_movements", ["variant_id"])
    op.create_index("ix_stock_movements_created_at", "stock_movements", ["created_at"], postgresql_using="brin")

    op.drop_constraint(op.f("ck_stock_movements_reason"), "stock_movements")
    op.drop_column("stock_movements", "actor_id")
    op.drop_column("stock_movements", "adjustment_id")
