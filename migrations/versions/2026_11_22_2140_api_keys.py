"""Keys of services that call the shop, and sign-ins that asked for less than their role allows.

Who revokes a key tells every process at once, on the channel on which it hears of accounts and sessions (0007). Noting
that a key was used tells nobody and is not audited.
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0011"
down_revision: str | None = "0010"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

TELL = """
CREATE FUNCTION tell_of_api_key() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('principals', OLD.id::text);
    RETURN NULL;
END $$
"""
WHAT_A_KEY_IS = "UPDATE OF name, prefix, hash, scopes, expires_at, revoked_at"


def upgrade() -> None:
    op.create_table(
        "api_keys",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("prefix", sa.Text(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("scopes", postgresql.JSONB(none_as_null=True), nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("jsonb_array_length(scopes) > 0", name=op.f("ck_api_keys_scopes")),
        sa.CheckConstraint("length(name) BETWEEN 1 AND 200", name=op.f("ck_api_keys_name")),
        sa.ForeignKeyConstraint(["created_by"], ["users.id"], name=op.f("fk_api_keys_created_by"), ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_keys")),
        sa.UniqueConstraint("hash", name=op.f("uq_api_keys_hash")),
    )
    op.execute(
        f"CREATE TRIGGER api_keys_audit AFTER INSERT OR DELETE OR {WHAT_A_KEY_IS} ON api_keys "
        "FOR EACH ROW EXECUTE FUNCTION audit_row('hash', 'last_used_at')"
    )
    op.execute(TELL)
    op.execute(
        f"CREATE TRIGGER api_keys_tell AFTER DELETE OR {WHAT_A_KEY_IS} ON api_keys "
        "FOR EACH ROW EXECUTE FUNCTION tell_of_api_key()"
    )
    op.add_column("sessions", sa.Column("scope", sa.Text(), nullable=True))
    op.add_column("stock_movements", sa.Column("api_key_id", sa.Uuid(), nullable=True))
    op.create_foreign_key(op.f("fk_stock_movements_api_key_id"), "stock_movements", "api_keys", ["api_key_id"], ["id"])


def downgrade() -> None:
    op.drop_constraint(op.f("fk_stock_movements_api_key_id"), "stock_movements", type_="foreignkey")
    op.drop_column("stock_movements", "api_key_id")
    op.drop_column("sessions", "scope")
    op.execute("DROP TRIGGER api_keys_tell ON api_keys")
    op.execute("DROP FUNCTION tell_of_api_key()")
    op.drop_table("api_keys")
