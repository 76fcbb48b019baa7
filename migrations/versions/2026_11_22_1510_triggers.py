"""Triggers: audited users, append-only ledgers, a prompt outbox.

The audit trigger reads who is acting from two settings of the transaction (`Database.transaction(audited=True)`),
so that a change by raw SQL is audited too, only without an actor.
"""

from collections.abc import Sequence

from alembic import op

revision: str = "0002"
down_revision: str | None = "0001"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

SECRETS_OF_USERS = ("password_hash",)
APPEND_ONLY = ("audit_log", "order_events", "stock_movements")

AUDIT = """
CREATE FUNCTION audit_row() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    before jsonb := CASE WHEN TG_OP <> 'INSERT' THEN to_jsonb(OLD) - TG_ARGV END;
    after jsonb := CASE WHEN TG_OP <> 'DELETE' THEN to_jsonb(NEW) - TG_ARGV END;
BEGIN
    INSERT INTO audit_log (entity, entity_id, action, old, new, changed, actor_id, request_id)
    VALUES (
        TG_TABLE_NAME,
        (coalesce(after, before)->>'id')::uuid,
        lower(TG_OP),
        before,
        after,
        coalesce(
            (SELECT jsonb_agg(field.key ORDER BY field.key)
             FROM jsonb_each(after) AS field
             WHERE before IS NOT NULL AND before->field.key IS DISTINCT FROM field.value),
            '[]'
        ),
        nullif(current_setting('app.actor_id', true), ''),
        nullif(current_setting('app.request_id', true), '')
    );
    RETURN NULL;
END $$
"""

REFUSE_CHANGE = """
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END $$
"""

NOTIFY_OUTBOX = """
CREATE FUNCTION notify_outbox() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NOTIFY outbox;
    RETURN NULL;
END $$
"""


def upgrade() -> None:
    op.execute(AUDIT)
    secrets = ", ".join(f"'{column}'" for column in SECRETS_OF_USERS)
    op.execute(
        "CREATE TRIGGER users_audit AFTER INSERT OR UPDATE OR DELETE ON users "
        f"FOR EACH ROW EXECUTE FUNCTION audit_row({secrets})"
    )
    op.execute(REFUSE_CHANGE)
    for table in APPEND_ONLY:
        op.execute(
            f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE ON {table} "
            "FOR EACH ROW EXECUTE FUNCTION refuse_change()"
        )
    op.execute(NOTIFY_OUTBOX)
    op.execute(
        "CREATE TRIGGER outbox_notify AFTER INSERT ON outbox FOR EACH STATEMENT EXECUTE FUNCTION notify_outbox()"
    )


def downgrade() -> None:
    op.execute("DROP TRIGGER outbox_notify ON outbox")
    op.execute("DROP FUNCTION notify_outbox()")
    for table in APPEND_ONLY:
        op.execute(f"DROP TRIGGER {table}_append_only ON {table}")
    op.execute("DROP FUNCTION refuse_change()")
    op.execute("DROP TRIGGER users_audit ON users")
    op.execute("DROP FUNCTION audit_row()")
