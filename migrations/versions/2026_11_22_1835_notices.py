"""The database tells what processes remember and may no longer: NOTIFY, on two channels.

`catalogue` is heard by the response cache of every process, `principals` by its memory of who is signed in.

A trigger rather than the services, so that nothing can be forgotten: a worker's task, a migration and psql count as
well. A notice leaves with the commit, and not at all with a rollback. The payload on `catalogue` is a tag of the cache:
`product:ID`, `catalogue` (whatever may list any product), or `*` (all there is). On `principals` it is a user's id.
"""

from collections.abc import Sequence

from alembic import op

revision: str = "0007"
down_revision: str | None = "0006"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

# Beyond a hundred products, as in an import, it is told once that everything is different.
PRODUCTS = """
CREATE FUNCTION tell_of_products() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    ids uuid[] := ARRAY(SELECT id FROM changed LIMIT 101);
BEGIN
    IF cardinality(ids) > 100 THEN
        PERFORM pg_notify('catalogue', '*');
    ELSIF cardinality(ids) > 0 THEN
        PERFORM pg_notify('catalogue', 'product:' || id) FROM unnest(ids) AS id;
        PERFORM pg_notify('catalogue', 'catalogue');
    END IF;
    RETURN NULL;
END $$
"""

# The argument says whether lists may look different, too.
PARTS = """
CREATE FUNCTION tell_of_products_of_parts() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    ids uuid[] := ARRAY(SELECT DISTINCT product_id FROM changed LIMIT 101);
BEGIN
    IF cardinality(ids) > 100 THEN
        PERFORM pg_notify('catalogue', '*');
    ELSIF cardinality(ids) > 0 THEN
        PERFORM pg_notify('catalogue', 'product:' || id) FROM unnest(ids) AS id;
        IF TG_ARGV[0] = 'listed' THEN
            PERFORM pg_notify('catalogue', 'catalogue');
        END IF;
    END IF;
    RETURN NULL;
END $$
"""

CATEGORIES = """
CREATE FUNCTION tell_of_categories() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('catalogue', '*');
    RETURN NULL;
END $$
"""

# Every sale moves stock, so lists are told only when something sells out or comes back.
STOCK = """
CREATE FUNCTION tell_of_stock() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    ids uuid[] := ARRAY(
        SELECT DISTINCT variants.product_id
        FROM after JOIN before USING (variant_id) JOIN variants ON variants.id = variant_id
        WHERE (after.available, after.backorder_limit) <> (before.available, before.backorder_limit)
        LIMIT 101
    );
BEGIN
    IF cardinality(ids) > 100 THEN
        PERFORM pg_notify('catalogue', '*');
    ELSIF cardinality(ids) > 0 THEN
        PERFORM pg_notify('catalogue', 'product:' || id) FROM unnest(ids) AS id;
        IF EXISTS (
            SELECT FROM after JOIN before USING (variant_id)
            WHERE (after.available + after.backorder_limit > 0) <> (before.available + before.backorder_limit > 0)
        ) THEN
            PERFORM pg_notify('catalogue', 'catalogue');
        END IF;
    END IF;
    RETURN NULL;
END $$
"""

PRINCIPALS = """
CREATE FUNCTION tell_of_principal() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_TABLE_NAME = 'users' THEN
        PERFORM pg_notify('principals', OLD.id::text);
    ELSE
        PERFORM pg_notify('principals', OLD.user_id::text);
    END IF;
    RETURN NULL;
END $$
"""

# What each table calls, and with which argument.
TELLING = {
    "products": "tell_of_products()",
    "variants": "tell_of_products_of_parts('listed')",
    "product_categories": "tell_of_products_of_parts('listed')",
    "product_media": "tell_of_products_of_parts('listed')",
    "reviews": "tell_of_products_of_parts('unlisted')",  # a rating in a list is the product's own column
}
FUNCTIONS = (
    "tell_of_products",
    "tell_of_products_of_parts",
    "tell_of_categories",
    "tell_of_stock",
    "tell_of_principal",
)


def upgrade() -> None:
    for function in (PRODUCTS, PARTS, CATEGORIES, STOCK, PRINCIPALS):
        op.execute(function)
    for table, function in TELLING.items():
        for event, rows in (("INSERT", "NEW"), ("UPDATE", "NEW"), ("DELETE", "OLD")):
            op.execute(
                f"CREATE TRIGGER {table}_tell_{event.lower()} AFTER {event} ON {table} "
                f"REFERENCING {rows} TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION {function}"
            )
    op.execute(
        "CREATE TRIGGER categories_tell AFTER INSERT OR UPDATE OR DELETE ON categories "
        "FOR EACH STATEMENT EXECUTE FUNCTION tell_of_categories()"
    )
    op.execute(
        "CREATE TRIGGER stock_levels_tell AFTER UPDATE ON stock_levels REFERENCING OLD TABLE AS before "
        "NEW TABLE AS after FOR EACH STATEMENT EXECUTE FUNCTION tell_of_stock()"
    )
    op.execute(
        "CREATE TRIGGER users_tell AFTER DELETE OR UPDATE OF role, status ON users "
        "FOR EACH ROW EXECUTE FUNCTION tell_of_principal()"
    )
    op.execute(
        "CREATE TRIGGER sessions_tell AFTER DELETE OR UPDATE OF revoked_at ON sessions "
        "FOR EACH ROW EXECUTE FUNCTION tell_of_principal()"
    )


def downgrade() -> None:
    op.execute("DROP TRIGGER sessions_tell ON sessions")
    op.execute("DROP TRIGGER users_tell ON users")
    op.execute("DROP TRIGGER stock_levels_tell ON stock_levels")
    op.execute("DROP TRIGGER categories_tell ON categories")
    for table in TELLING:
        for event in ("insert", "update", "delete"):
            op.execute(f"DROP TRIGGER {table}_tell_{event} ON {table}")
    for function in FUNCTIONS:
        op.execute(f"DROP FUNCTION {function}()")
