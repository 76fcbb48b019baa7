"""Guests' carts of three lines, prepared by SQL as the service would have left them."""

import asyncio
from dataclasses import dataclass
from hashlib import sha256
from uuid import UUID

import asyncpg

from bench.catalogue import CART, row_id, sku

LINES = 3
PREFIX = "bench-cart-"


@dataclass(slots=True)
class Carts:
    """Carts are numbered from 1; the n-th belongs to the bearer of `bench-cart-n`."""

    database_url: str
    made: int = 0

    def make(self, count: int, skus: int) -> range:
        """Add carts whose lines are spread over so many SKUs; returns their numbers."""
        numbers = range(self.made + 1, self.made + 1 + count)
        asyncio.run(_insert(self.database_url, numbers, skus))
        self.made += count
        return numbers


def token(number: int) -> str:
    return f"{PREFIX}{number}"


def expressions(number: int, skus: int) -> dict[str, str]:
    """For each text by which a statement can name this cart or what is in it, SQL of the same of pgbench's `:cart`."""
    name = token(number)
    return {
        sha256(name.encode()).hexdigest(): f"encode(sha256(('{PREFIX}' || :cart::text)::bytea), 'hex')",
        name: f"'{PREFIX}' || :cart::text",
        str(row_id(CART, number)): f"bench.id({CART}, :cart::bigint)::text",
        **{
            str(variant): f"bench.sku_in_cart(:cart, {line}, :skus)::text"
            for line, variant in enumerate(variants(number, skus))
        },
    }


def variants(number: int, skus: int) -> list[UUID]:
    """What is in a cart, as `bench.sku_in_cart` of catalogue.sql says it.

    It begins at SKU 7919 n, a prime: neighbours hold rows of other pages.
    """
    return [sku((7919 * number + line) % skus) for line in range(LINES)]


async def _insert(database_url: str, numbers: range, skus: int) -> None:
    connection = await asyncpg.connect(database_url)
    first, last = numbers.start, numbers.stop - 1
    try:
        await connection.execute(
            "INSERT INTO carts (id, token_hash, currency, status, expires_at) "
            "SELECT bench.id(7, n), sha256(($1 || n)::bytea), 'EUR', 'active', now() + interval '30 days' "
            "FROM generate_series($2::int, $3::int) AS n",
            PREFIX,
            first,
            last,
        )
        await connection.execute(
            "INSERT INTO cart_lines (id, cart_id, variant_id, quantity) "
            "SELECT uuidv7(), bench.id(7, n), bench.sku_in_cart(n, line, $1), 1 "
            "FROM generate_series($2::int, $3::int) AS n CROSS JOIN generate_series(0, 2) AS line",
            skus,
            first,
            last,
        )
        await connection.execute("ANALYZE carts, cart_lines")
    finally:
        await connection.close()
