"""What signing in needs beyond a password.

Wrong passwords are no longer counted in `users`: each count was an edit of the account and an entry of the audit log.
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0009"
down_revision: str | None = "0008"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "guess_budgets",
        sa.Column("name", sa.LargeBinary(), nullable=False),
        sa.Column("restored_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_guess_budgets")),
    )
    op.create_index(op.f("ix_guess_budgets_restored_at"), "guess_budgets", ["restored_at"], unique=False)
    op.create_table(
        "known_origins",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("origin", sa.LargeBinary(), nullable=False),
        sa.Column("last_used_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_known_origins_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("user_id", "origin", name=op.f("pk_known_origins")),
    )
    op.create_index(op.f("ix_known_origins_last_used_at"), "known_origins", ["last_used_at"], unique=False)
    op.create_table(
        "email_changes",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("old_email", postgresql.CITEXT(), nullable=False),
        sa.Column("new_email", postgresql.CITEXT(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_email_changes_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_email_changes")),
    )
    op.create_index(op.f("ix_email_changes_user_id"), "email_changes", ["user_id"], unique=False)
    op.create_index(op.f("ix_email_changes_created_at"), "email_changes", ["created_at"], unique=False)
    op.create_index(
        "uq_email_changes_waiting",
        "email_changes",
        ["user_id"],
        unique=True,
        postgresql_where=sa.text("confirmed_at IS NULL"),
    )
    op.create_table(
        "second_factors",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("secret", sa.Text(), nullable=False),
        sa.Column("last_step", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_second_factors_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_second_factors")),
    )
    op.create_table(
        "recovery_codes",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["second_factors.user_id"], name=op.f("fk_recovery_codes_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("user_id", "hash", name=op.f("pk_recovery_codes")),
    )
    op.add_column("one_time_tokens", sa.Column("email", postgresql.CITEXT(), nullable=True))
    op.execute(
        "UPDATE one_time_tokens SET email = users.email FROM users "
        "WHERE users.id = one_time_tokens.user_id AND one_time_tokens.used_at IS NULL"
    )
    op.drop_constraint(op.f("ck_users_failed_logins"), "users", type_="check")
    op.drop_column("users", "locked_until")
    op.drop_column("users", "failed_logins")


def downgrade() -> None:
    op.add_column("users", sa.Column("failed_logins", sa.BigInteger(), server_default="0", nullable=False))
    op.add_column("users", sa.Column("locked_until", sa.DateTime(timezone=True), nullable=True))
    op.create_check_constraint(op.f("ck_users_failed_logins"), "users", "failed_logins >= 0")
    op.drop_column("one_time_tokens", "email")
    for table in ("recovery_codes", "second_factors", "email_changes", "known_origins", "guess_budgets"):
        op.drop_table(table)
