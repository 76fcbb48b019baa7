"""Products are found by the names of their categories and by the SKUs of their variants, too.

What a listing is found by is composed when its row is written, from `product_words`; a trigger of its own keeps it
when a category gets another name or place, or a variant another SKU.
"""

from collections.abc import Sequence

from alembic import op

revision: str = "0012"
down_revision: str | None = "0011"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

PRODUCT_WORDS = """
CREATE FUNCTION product_words(uuid) RETURNS tsvector LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT search_vector
        || setweight(to_tsvector('english_unaccented', coalesce((
            SELECT string_agg(sku, ' ' ORDER BY sku) FROM variants WHERE product_id = products.id AND status = 'active'
        ), '')), 'B')
        || setweight(to_tsvector('english_unaccented', coalesce((
            SELECT string_agg(name, ' ' ORDER BY path) FROM categories
            WHERE slug IN (
                SELECT step FROM product_categories JOIN categories AS own ON own.id = category_id
                CROSS JOIN unnest(string_to_array(own.path, '/')) AS step
                WHERE product_id = products.id
            )
        ), '')), 'C')
    FROM products WHERE id = $1;
END
"""
COMPOSE = """
CREATE FUNCTION compose_listing_words() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.search_vector := product_words(NEW.product_id);
    RETURN NEW;
END $$
"""
KEEP = """
CREATE FUNCTION keep_words_of_{table}() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF current_setting('app.listings', true) IS DISTINCT FROM 'later' THEN
        {action};
    END IF;
    RETURN NULL;
END $$
"""
KEPT = {
    # A renamed category names everything below it. The triggers of migration 0006 run before, by their names: they
    # have put the slugs right, and hold the lock of the tree.
    "categories": """UPDATE listing_words SET search_vector = product_words(listing_words.product_id)
        FROM listings WHERE listings.product_id = listing_words.product_id AND category_slugs && ARRAY (
            SELECT after.slug FROM after JOIN before USING (id)
            WHERE (after.name, after.path) IS DISTINCT FROM (before.name, before.path)
        )""",
    "variants": """PERFORM refresh_listings(ids) FROM (
            SELECT array_agg(DISTINCT after.product_id) AS ids FROM after JOIN before USING (id)
            WHERE after.sku <> before.sku
        ) AS renamed WHERE ids IS NOT NULL""",
}


def upgrade() -> None:
    op.execute(PRODUCT_WORDS)
    op.execute(COMPOSE)
    op.execute(
        "CREATE TRIGGER listing_words_compose BEFORE INSERT ON listing_words "
        "FOR EACH ROW EXECUTE FUNCTION compose_listing_words()"
    )
    for table, action in KEPT.items():
        op.execute(KEEP.format(table=table, action=action))
        op.execute(
            f"CREATE TRIGGER {table}_keep_words AFTER UPDATE ON {table} REFERENCING OLD TABLE AS before "
            f"NEW TABLE AS after FOR EACH STATEMENT EXECUTE FUNCTION keep_words_of_{table}()"
        )
    op.execute("UPDATE listing_words SET search_vector = product_words(product_id)")


def downgrade() -> None:
    for table in KEPT:
        op.execute(f"DROP TRIGGER {table}_keep_words ON {table}")
        op.execute(f"DROP FUNCTION keep_words_of_{table}()")
    op.execute("DROP TRIGGER listing_words_compose ON listing_words")
    op.execute("DROP FUNCTION compose_listing_words()")
    op.execute("DROP FUNCTION product_words(uuid)")
    op.execute(
        "UPDATE listing_words SET search_vector = products.search_vector FROM products WHERE products.id = product_id"
    )
