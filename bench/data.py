"""What the requests are about: read from the seeded shop, the same at every run of the same size."""

import json
from dataclasses import dataclass
from pathlib import Path
from string import Template
from urllib.parse import urlencode

import asyncpg

from app.dev.seed import DEMO_PASSWORD

PRODUCTS = 2_000
PRICES = range(500, 4_500, 200)
CARTS = 2_000
CART_VARIANTS = 100
LINES_OF_A_CART = 3
STOCK = 1_000_000
TOKEN_PREFIX = "bench-cart-"  # noqa: S105  # carts of a shop that lives for minutes
PGBENCH_SCRIPT = Path(__file__).with_name("add_to_cart.sql")


@dataclass(frozen=True, slots=True)
class Data:
    """Slugs of products for sale, query strings of lists, variants (UUIDs as text) of the carts, and customers."""

    slugs: list[str]
    lists: list[str]
    variants: list[str]
    customers: list[str]

    def additions(self) -> list[tuple[str, str]]:
        """A cart's token and the body that adds one of its variants, for every line of every cart."""
        return [
            (
                f"{TOKEN_PREFIX}{cart}",
                json.dumps({"variant_id": self.variants[(LINES_OF_A_CART * cart + line) % CART_VARIANTS]}),
            )
            for line in range(LINES_OF_A_CART)
            for cart in range(1, CARTS + 1)
        ]

    def pgbench_script(self) -> str:
        """The same additions in the same SQL, for pgbench."""
        return Template(PGBENCH_SCRIPT.read_text()).substitute(
            carts=CARTS,
            variant_count=CART_VARIANTS,
            variants="{" + ",".join(self.variants) + "}",
            token_prefix=TOKEN_PREFIX,
        )

    def sign_ins(self) -> list[str]:
        return [urlencode({"username": email, "password": DEMO_PASSWORD}) for email in self.customers]


async def prepare(database_url: str) -> Data:
    """Choose what to ask for, and fill the carts that get one more of what they hold."""
    connection = await asyncpg.connect(database_url)
    try:
        # md5 shuffles: neighbours of the seed, whose rows share pages, are no neighbours here.
        slugs = await _column(
            connection,
            "SELECT slug FROM products WHERE status = 'active' ORDER BY md5(slug) LIMIT $1",
            PRODUCTS,
        )
        categories = await _column(connection, "SELECT slug FROM categories ORDER BY md5(slug)")
        variants = await _column(
            connection,
            "SELECT v.id::text FROM variants v JOIN products p ON p.id = v.product_id "
            "WHERE v.status = 'active' AND p.status = 'active' ORDER BY md5(v.sku) LIMIT $1",
            CART_VARIANTS,
        )
        customers = await _column(connection, "SELECT email::text FROM users WHERE role = 'customer' ORDER BY email")
        await _fill_carts(connection, variants)
        await connection.execute("VACUUM (ANALYZE)")  # now, and not by the autovacuum in the middle of a round
    finally:
        await connection.close()
    lists = [
        urlencode({"category": category, "price[gte]": price, "sort": "price", "limit": 20})
        for price in PRICES
        for category in categories
    ]
    return Data(slugs, lists, variants, customers)


async def _column(connection: "asyncpg.Connection[asyncpg.Record]", query: str, *arguments: object) -> list[str]:
    return [row[0] for row in await connection.fetch(query, *arguments)]


async def _fill_carts(connection: "asyncpg.Connection[asyncpg.Record]", variants: list[str]) -> None:
    await connection.execute(
        "UPDATE stock_levels SET on_hand = on_hand + $1 WHERE variant_id = ANY($2::uuid[])", STOCK, variants
    )
    await connection.execute(
        "INSERT INTO carts (id, token_hash, currency, status, expires_at, version) "
        "SELECT uuidv7(), sha256(($1 || n)::bytea), 'EUR', 'active', now() + interval '30 days', 1 "
        "FROM generate_series(1, $2::int) AS n",
        TOKEN_PREFIX,
        CARTS,
    )
    await connection.execute(
        "INSERT INTO cart_lines (id, cart_id, variant_id, quantity) "
        "SELECT uuidv7(), c.id, ($1::uuid[])[($2 * n + line) % $3 + 1], 1 "
        "FROM generate_series(1, $4::int) AS n "
        "CROSS JOIN generate_series(0, $2::int - 1) AS line "
        "JOIN carts c ON c.token_hash = sha256(($5 || n)::bytea)",
        variants,
        LINES_OF_A_CART,
        CART_VARIANTS,
        CARTS,
        TOKEN_PREFIX,
    )
