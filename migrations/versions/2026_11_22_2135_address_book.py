"""The address book, jobs, and personal data encrypted at rest.

Addresses that orders and carts hold already stay clear text here: a migration has no keys. `shop keys rotate` encrypts
them, in batches and beside the running shop; until then the code reads both.
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0010"
down_revision: str | None = "0009"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

SECRETS_OF_USERS_BEFORE = ("password_hash",)
SECRETS_OF_USERS = (*SECRETS_OF_USERS_BEFORE, "phone")

# Append-only, but for one thing: what the log says of a person may be forgotten with them (GDPR, article 17).
REFUSE_ALL_BUT_FORGETTING = """
CREATE FUNCTION refuse_all_but_forgetting() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    personal CONSTANT text[] := '{email,full_name,phone}';
BEGIN
    IF OLD.entity = 'users'
        AND to_jsonb(NEW) - '{old,new}'::text[] = to_jsonb(OLD) - '{old,new}'::text[]
        AND NEW.old IS NOT DISTINCT FROM OLD.old - personal
        AND NEW.new IS NOT DISTINCT FROM OLD.new - personal
    THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END $$
"""

# A review shows its author's name, and the cached page of its product with it (migration 0007).
TELL_OF_AUTHOR = """
CREATE FUNCTION tell_of_author() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    ids uuid[] := ARRAY(SELECT product_id FROM reviews WHERE user_id = NEW.id LIMIT 101);
BEGIN
    IF cardinality(ids) > 100 THEN
        PERFORM pg_notify('catalogue', '*');
    ELSE
        PERFORM pg_notify('catalogue', 'product:' || id) FROM unnest(ids) AS id;
    END IF;
    RETURN NULL;
END $$
"""


def audit_users(*secrets: str) -> None:
    quoted = ", ".join(f"'{column}'" for column in secrets)
    op.execute("DROP TRIGGER users_audit ON users")
    op.execute(
        "CREATE TRIGGER users_audit AFTER INSERT OR UPDATE OR DELETE ON users "
        f"FOR EACH ROW EXECUTE FUNCTION audit_row({quoted})"
    )


def upgrade() -> None:
    op.add_column("users", sa.Column("phone", sa.Text(), nullable=True))
    op.create_index("ix_users_newest", "users", ["created_at", "id"])
    audit_users(*SECRETS_OF_USERS)

    op.create_table(
        "addresses",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("full_name", sa.Text(), nullable=False),
        sa.Column("line1", sa.Text(), nullable=False),
        sa.Column("line2", sa.Text(), nullable=True),
        sa.Column("city", sa.Text(), nullable=False),
        sa.Column("region", sa.Text(), nullable=True),
        sa.Column("postal_code", sa.Text(), nullable=False),
        sa.Column("country", sa.Text(), nullable=False),
        sa.Column("phone", sa.Text(), nullable=True),
        sa.Column("is_default_shipping", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("is_default_billing", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("version", sa.BigInteger(), server_default="1", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("country ~ '^[A-Z]{2}$'", name=op.f("ck_addresses_country")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_addresses_user_id_users"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_addresses")),
    )
    op.create_index("ix_addresses_of_user", "addresses", ["user_id", "id"])
    for kind in ("shipping", "billing"):
        op.create_index(
            f"uq_addresses_default_{kind}",
            "addresses",
            ["user_id"],
            unique=True,
            postgresql_where=sa.text(f"is_default_{kind}"),
        )

    op.create_table(
        "jobs",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("owner_id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.Text(), server_default="queued", nullable=False),
        sa.Column("progress", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("state IN ('queued', 'running', 'succeeded', 'failed')", name=op.f("ck_jobs_state")),
        sa.CheckConstraint("progress BETWEEN 0 AND 100", name=op.f("ck_jobs_progress")),
        sa.CheckConstraint("(state = 'failed') = (error IS NOT NULL)", name=op.f("ck_jobs_error")),
        sa.ForeignKeyConstraint(["owner_id"], ["users.id"], name=op.f("fk_jobs_owner_id_users"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_jobs")),
    )
    op.create_index(
        "uq_jobs_unfinished",
        "jobs",
        ["owner_id", "type"],
        unique=True,
        postgresql_where=sa.text("state IN ('queued', 'running')"),
    )
    op.create_index("ix_jobs_expiring", "jobs", ["expires_at"], postgresql_where=sa.text("expires_at IS NOT NULL"))
    op.create_table(
        "job_results",
        sa.Column("job_id", sa.Uuid(), nullable=False),
        sa.Column("filename", sa.Text(), nullable=False),
        sa.Column("media_type", sa.Text(), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.id"], name=op.f("fk_job_results_job_id_jobs"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("job_id", name=op.f("pk_job_results")),
    )

    op.execute(REFUSE_ALL_BUT_FORGETTING)
    op.execute("DROP TRIGGER audit_log_append_only ON audit_log")
    op.execute(
        "CREATE TRIGGER audit_log_append_only BEFORE DELETE ON audit_log FOR EACH ROW EXECUTE FUNCTION refuse_change()"
    )
    op.execute(
        "CREATE TRIGGER audit_log_forgets BEFORE UPDATE ON audit_log "
        "FOR EACH ROW EXECUTE FUNCTION refuse_all_but_forgetting()"
    )
    op.execute(TELL_OF_AUTHOR)
    op.execute(
        "CREATE TRIGGER users_tell_of_author AFTER UPDATE OF full_name, status ON users FOR EACH ROW "
        "WHEN ((OLD.full_name, OLD.status) IS DISTINCT FROM (NEW.full_name, NEW.status)) "
        "EXECUTE FUNCTION tell_of_author()"
    )


def downgrade() -> None:
    op.execute("DROP TRIGGER users_tell_of_author ON users")
    op.execute("DROP FUNCTION tell_of_author()")
    op.execute("DROP TRIGGER audit_log_forgets ON audit_log")
    op.execute("DROP TRIGGER audit_log_append_only ON audit_log")
    op.execute(
        "CREATE TRIGGER audit_log_append_only BEFORE UPDATE OR DELETE ON audit_log "
        "FOR EACH ROW EXECUTE FUNCTION refuse_change()"
    )
    op.execute("DROP FUNCTION refuse_all_but_forgetting()")
    op.drop_table("job_results")
    op.drop_table("jobs")
    op.drop_table("addresses")
    audit_users(*SECRETS_OF_USERS_BEFORE)
    op.drop_index("ix_users_newest", "users")
    op.drop_column("users", "phone")
