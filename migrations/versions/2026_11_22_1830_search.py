"""Listings: a narrow row for each product that is for sale, with all that lists filter, sort and count by.

Any list is then a walk along one index, whatever it is sorted by, and no edit of a product is disturbed: `products`,
its version and its locks stay as they are when a price, the stock or the place of a category changes. The words to
be found are in a table of their own, so that the rows that are walked along are few bytes.

Triggers keep the rows. They run once a statement, find out which products it concerns, lock those in the order of
their ids (so that two transactions that change two variants of one product see each other's change) and compute
their listings anew. A large import says `SET LOCAL app.listings = 'later'`, and calls `refresh_listings` at its end.

Search folds accents: "Café" is found by "cafe". The column of the words is rewritten, which locks `products` for as
long as that takes (about ten seconds for 100 000 products).
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0006"
down_revision: str | None = "0005"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

SEARCH_CONFIGURATION = (
    "CREATE TEXT SEARCH CONFIGURATION english_unaccented (COPY = english)",
    "ALTER TEXT SEARCH CONFIGURATION english_unaccented "
    "ALTER MAPPING FOR hword, hword_part, word WITH unaccent, english_stem",
)
OLD_SEARCH_VECTOR = (
    "setweight(to_tsvector('english', name), 'A') || setweight(to_tsvector('english', summary), 'B') || "
    "setweight(to_tsvector('english', description), 'C')"
)
SEARCH_VECTOR = (
    "setweight(to_tsvector('english_unaccented', name), 'A') || "
    "setweight(to_tsvector('english_unaccented', summary), 'B') || "
    "setweight(to_tsvector('english_unaccented', description), 'C') || "
    "setweight(jsonb_to_tsvector('english_unaccented', attributes, '[\"string\"]'), 'D')"
)

# unaccent() is only STABLE, because its dictionary might be replaced; this one names the dictionary.
FOLDED = """
CREATE FUNCTION folded(text) RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN lower(public.unaccent('public.unaccent'::regdictionary, $1))
"""

# {"color": ["red", "blue"], "size": 5.0} are 'color␟red', 'color␟blue' and 'size␟5', with the unit separator between
# name and value: texts, numbers and truth values, alone or in a list, are looked up in one and the same way.
ATTRIBUTE_VALUES = """
CREATE FUNCTION attribute_values(jsonb) RETURNS text[] LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
BEGIN ATOMIC
    SELECT coalesce(array_agg(DISTINCT attribute.name || chr(31) || value.text), '{}')
    FROM jsonb_each($1) AS attribute (name, value)
    CROSS JOIN jsonb_array_elements(
        CASE jsonb_typeof(attribute.value) WHEN 'array' THEN attribute.value ELSE jsonb_build_array(attribute.value) END
    ) AS element
    CROSS JOIN LATERAL (
        SELECT CASE jsonb_typeof(element)
            WHEN 'number' THEN trim_scale((element #>> '{}')::numeric)::text
            ELSE element #>> '{}'
        END
    ) AS value (text);
END
"""

# Columns, and where each comes from.
LISTINGS = {
    "product_id": "product.id",
    "created_at": "product.created_at",
    "folded_name": "folded(product.name)",
    "price_from": "cheapest.price_amount",
    "compare_at": "cheapest.compare_at_amount",
    "currency": "cheapest.currency",
    "in_stock": """EXISTS (
            SELECT FROM variants JOIN stock_levels ON variant_id = id
            WHERE product_id = product.id AND status = 'active' AND available + backorder_limit > 0
        )""",
    "rating_average": "product.rating_average",
    "rating_count": "product.rating_count",
    "category_slugs": """ARRAY (
            SELECT DISTINCT step FROM product_categories JOIN categories ON id = category_id
            CROSS JOIN unnest(string_to_array(path, '/')) AS step
            WHERE product_id = product.id ORDER BY step
        )""",
    "attribute_values": "attribute_values(product.attributes)",
}
CHEAPEST = """LEFT JOIN LATERAL (
        SELECT price_amount, compare_at_amount, currency FROM variants
        WHERE product_id = product.id AND status = 'active' ORDER BY price_amount, id LIMIT 1
    ) AS cheapest ON true"""
LISTING_WORDS = {
    "product_id": "product.id",
    "search_vector": "product.search_vector",
    "folded_name": "folded(product.name)",
}


def _write(table: str, columns: dict[str, str], joined: str = "") -> str:
    """Insert or update the rows of the products that are for sale, and touch none that is right as it is."""
    return f"""
    INSERT INTO {table} AS written ({", ".join(columns)})
    SELECT {", ".join(columns.values())}
    FROM products AS product {joined}
    WHERE product.id = ANY (changed) AND product.status = 'active'
    ON CONFLICT (product_id) DO UPDATE SET {", ".join(f"{column} = excluded.{column}" for column in columns)}
    WHERE ({", ".join(f"written.{column}" for column in columns)})
        IS DISTINCT FROM ({", ".join(f"excluded.{column}" for column in columns)});"""  # noqa: S608  # our own names


REFRESH = f"""
CREATE FUNCTION refresh_listings(changed uuid[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock_shared(hashtext('categories'));
    PERFORM FROM products WHERE id = ANY (changed) ORDER BY id FOR NO KEY UPDATE;
    DELETE FROM listings USING products
    WHERE product_id = ANY (changed) AND id = product_id AND status <> 'active';
    {_write("listings", LISTINGS, CHEAPEST)}
    {_write("listing_words", LISTING_WORDS)}
END $$
"""  # noqa: S608  # our own names
KEEP = """
CREATE FUNCTION {function}() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    changed uuid[];
BEGIN
    IF current_setting('app.listings', true) IS DISTINCT FROM 'later' THEN
        changed := ARRAY ({products});
        IF cardinality(changed) > 0 THEN
            PERFORM refresh_listings(changed);
        END IF;
    END IF;
    RETURN NULL;
END $$
"""
# A whole department may move, so this one computes nothing but the slugs. Its lock is that of
# CategoryRepository.lock_tree. Whoever computes listings shares it: a product that is published and its category that
# is moved at the same time wait for each other, or the listing would keep the old path.
KEEP_CATEGORY_SLUGS = """
CREATE FUNCTION keep_category_slugs() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF current_setting('app.listings', true) IS DISTINCT FROM 'later' THEN
        PERFORM pg_advisory_xact_lock(hashtext('categories'));
        WITH moved AS (
            SELECT DISTINCT product_id FROM after JOIN before USING (id) JOIN product_categories ON category_id = id
            WHERE after.path <> before.path
        ), placed AS (
            SELECT product_id, array_agg(DISTINCT step ORDER BY step) AS slugs
            FROM moved JOIN product_categories USING (product_id) JOIN categories ON id = category_id
            CROSS JOIN unnest(string_to_array(path, '/')) AS step
            GROUP BY product_id
        )
        UPDATE listings SET category_slugs = placed.slugs
        FROM placed WHERE placed.product_id = listings.product_id AND category_slugs <> placed.slugs;
    END IF;
    RETURN NULL;
END $$
"""


def _differ(*columns: str) -> str:
    after, before = (", ".join(f"{rows}.{column}" for column in columns) for rows in ("after", "before"))
    return f"({after}) IS DISTINCT FROM ({before})"


# For each table and event: the products concerned, out of the rows before and after.
KEPT = {
    ("products", "INSERT"): "SELECT id FROM after WHERE status = 'active'",
    ("products", "UPDATE"): "SELECT id FROM after JOIN before USING (id) WHERE "  # noqa: S608  # all of it stands here
    + _differ("status", "created_at", "name", "search_vector", "attributes", "rating_average", "rating_count"),
    ("variants", "INSERT"): "SELECT DISTINCT product_id FROM after",
    ("variants", "UPDATE"): "SELECT unnest(ARRAY[after.product_id, before.product_id]) "
    "FROM after JOIN before USING (id) WHERE "
    + _differ("product_id", "status", "price_amount", "compare_at_amount", "currency"),
    ("variants", "DELETE"): "SELECT DISTINCT product_id FROM before",
    ("stock_levels", "INSERT"): "SELECT DISTINCT product_id FROM after JOIN variants ON id = variant_id",
    ("stock_levels", "UPDATE"): "SELECT product_id FROM after JOIN before USING (variant_id) "
    "JOIN variants ON id = variant_id "
    "WHERE (after.available + after.backorder_limit > 0) <> (before.available + before.backorder_limit > 0)",
    ("stock_levels", "DELETE"): "SELECT DISTINCT product_id FROM before JOIN variants ON id = variant_id",
    ("product_categories", "INSERT"): "SELECT DISTINCT product_id FROM after",
    ("product_categories", "DELETE"): "SELECT DISTINCT product_id FROM before",
}

# pg_trgm.word_similarity_threshold: 0.6, its default, misses too many mistyped words ("kettel").
# A word that thousands of names resemble has enough good ones among the first.
RESEMBLING = """
CREATE FUNCTION resembling_listings(words text, most int) RETURNS TABLE (product_id uuid, similarity double precision)
LANGUAGE sql STABLE SET pg_trgm.word_similarity_threshold = 0.5
BEGIN ATOMIC
    SELECT candidate.product_id, word_similarity((SELECT folded(words)), candidate.folded_name) AS similarity
    FROM (
        SELECT listing_words.product_id, folded_name FROM listing_words
        WHERE (SELECT folded(words)) <% folded_name LIMIT 500
    ) AS candidate
    ORDER BY similarity DESC, candidate.product_id DESC LIMIT most;
END
"""

LARGEST_BIGINT = 2**63 - 1
BTREES: dict[str, list[str | sa.TextClause]] = {
    "newest": ["created_at", "product_id"],
    "cheapest": [sa.text(f"coalesce(price_from, '{LARGEST_BIGINT}'::bigint)"), "product_id"],
    "dearest": [sa.text("coalesce(price_from, '-1'::bigint)"), "product_id"],
    "name": ["folded_name", "product_id"],
    "rating": ["rating_average", "rating_count", "product_id"],
    "bestsellers": ["units_sold", "product_id"],
}
GINS: dict[str, dict[str, dict[str, str]]] = {
    "listings": {"category_slugs": {}, "attribute_values": {}},
    "listing_words": {"search_vector": {}, "folded_name": {"folded_name": "gin_trgm_ops"}},
}


def upgrade() -> None:
    op.execute("CREATE EXTENSION IF NOT EXISTS unaccent")
    for statement in SEARCH_CONFIGURATION:
        op.execute(statement)
    op.execute(FOLDED)
    op.execute(ATTRIBUTE_VALUES)

    op.drop_index("ix_products_active_newest", "products")
    op.drop_index("ix_products_name_trgm", "products")
    op.drop_index("ix_products_search_vector", "products")
    op.drop_index("ix_variants_price", "variants")
    op.execute(f"ALTER TABLE products ALTER COLUMN search_vector SET EXPRESSION AS ({SEARCH_VECTOR})")
    op.create_table(
        "listings",
        sa.Column("product_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("folded_name", sa.Text(collation="C"), nullable=False),
        sa.Column("price_from", sa.BigInteger(), nullable=True),
        sa.Column("compare_at", sa.BigInteger(), nullable=True),
        sa.Column("currency", sa.Text(), nullable=True),
        sa.Column("in_stock", sa.Boolean(), nullable=False),
        sa.Column("rating_average", sa.Numeric(precision=3, scale=2), nullable=False),
        sa.Column("rating_count", sa.BigInteger(), nullable=False),
        sa.Column("units_sold", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("category_slugs", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("attribute_values", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.ForeignKeyConstraint(
            ["product_id"], ["products.id"], name=op.f("fk_listings_product_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("product_id", name=op.f("pk_listings")),
    )
    op.create_table(
        "listing_words",
        sa.Column("product_id", sa.Uuid(), nullable=False),
        sa.Column("search_vector", postgresql.TSVECTOR(), nullable=False),
        sa.Column("folded_name", sa.Text(collation="C"), nullable=False),
        sa.ForeignKeyConstraint(
            ["product_id"], ["listings.product_id"], name=op.f("fk_listing_words_product_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("product_id", name=op.f("pk_listing_words")),
    )
    op.execute(REFRESH)
    op.execute("SELECT refresh_listings(ARRAY (SELECT id FROM products))")
    for name, keys in BTREES.items():
        op.create_index(f"ix_listings_{name}", "listings", keys)
    op.create_index(
        "ix_listings_sold_out", "listings", ["created_at", "product_id"], postgresql_where=sa.text("NOT in_stock")
    )
    for table, columns in GINS.items():
        for column, classes in columns.items():
            op.create_index(f"ix_{table}_{column}", table, [column], postgresql_using="gin", postgresql_ops=classes)
    op.execute("SELECT similarity('', '')")  # PostgreSQL knows a setting of pg_trgm once it has been used
    op.execute(RESEMBLING)
    op.execute(KEEP_CATEGORY_SLUGS)
    op.execute(
        "CREATE TRIGGER categories_keep_listings AFTER UPDATE ON categories REFERENCING OLD TABLE AS before "
        "NEW TABLE AS after FOR EACH STATEMENT EXECUTE FUNCTION keep_category_slugs()"
    )
    for (table, event), products in KEPT.items():
        function = f"keep_listings_of_{table}_on_{event.lower()}"
        op.execute(KEEP.format(function=function, products=products))
        rows = {"INSERT": ("NEW", "after"), "DELETE": ("OLD", "before")}.get(event)
        tables = f"{rows[0]} TABLE AS {rows[1]}" if rows else "OLD TABLE AS before NEW TABLE AS after"
        op.execute(
            f"CREATE TRIGGER {table}_keep_listings_on_{event.lower()} AFTER {event} ON {table} "
            f"REFERENCING {tables} FOR EACH STATEMENT EXECUTE FUNCTION {function}()"
        )


def downgrade() -> None:
    op.execute("DROP TRIGGER categories_keep_listings ON categories")
    op.execute("DROP FUNCTION keep_category_slugs()")
    for table, event in KEPT:
        op.execute(f"DROP TRIGGER {table}_keep_listings_on_{event.lower()} ON {table}")
        op.execute(f"DROP FUNCTION keep_listings_of_{table}_on_{event.lower()}()")
    op.execute("DROP FUNCTION resembling_listings(text, int)")
    op.execute("DROP FUNCTION refresh_listings(uuid[])")
    op.drop_table("listing_words")
    op.drop_table("listings")
    op.execute(f"ALTER TABLE products ALTER COLUMN search_vector SET EXPRESSION AS ({OLD_SEARCH_VECTOR})")
    op.create_index(
        "ix_variants_price", "variants", ["price_amount", "product_id"], postgresql_where=sa.text("status = 'active'")
    )
    op.create_index("ix_products_search_vector", "products", ["search_vector"], postgresql_using="gin")
    op.create_index(
        "ix_products_name_trgm",
        "products",
        ["name"],
        postgresql_using="gin",
        postgresql_ops={"name": "gin_trgm_ops"},
    )
    op.create_index(
        "ix_products_active_newest",
        "products",
        ["created_at", "id"],
        postgresql_where=sa.text("status = 'active'"),
    )
    op.execute("DROP FUNCTION attribute_values(jsonb)")
    op.execute("DROP FUNCTION folded(text)")
    op.execute("DROP TEXT SEARCH CONFIGURATION english_unaccented")
    op.execute("DROP EXTENSION unaccent")
