"""The shop that is measured: its catalogue, made by one SQL script, and what may be asked about it."""

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode
from uuid import UUID

import asyncpg

SCRIPT = Path(__file__).with_name("catalogue.sql")
ASKED_FOR = 2_000
SEARCHES = 200
PRICES = range(500, 4_500, 200)
VARIANTS_OF_A_PRODUCT = 3
MOST_SKUS = 10_000
PRODUCT, VARIANT, CART = 2, 3, 7  # kinds of rows, as their ids tell them


@dataclass(frozen=True, slots=True)
class Catalogue:
    """A filled shop. Requests walk through what is listed here in turns.

    `slugs` are those of products whose stock does not change; `lists` are query strings of filtered and sorted lists,
    `searches` such of words, with facets; `customers` are e-mail addresses.
    """

    products: int
    slugs: list[str]
    lists: list[str]
    searches: list[str]
    customers: list[str]


def row_id(kind: int, number: int) -> UUID:
    """The id that `catalogue.sql` gives to the row of that kind and number."""
    return UUID(f"019a0000-000{kind}-7000-8000-{number:012x}")


def sku(number: int) -> UUID:
    """The id of a variant that never runs out: the first of a product each, counted from 0."""
    return row_id(VARIANT, VARIANTS_OF_A_PRODUCT * number + 1)


def skus_of(products: int) -> int:
    """How many such variants are sold: no others, so that the pages of other products stay as they are."""
    return min(MOST_SKUS, products // 2)


async def fill(database_url: str, products: int) -> Catalogue:
    """Write the catalogue in place of the demo shop's, and choose what to ask for."""
    connection = await asyncpg.connect(database_url)
    try:
        await connection.execute("SELECT set_config('bench.products', $1, false)", str(products))
        async with connection.transaction():
            await connection.execute(SCRIPT.read_text())
        await connection.execute("VACUUM (ANALYZE)")  # now, and not by the autovacuum in the middle of a round
        # md5 shuffles: neighbours, whose rows share pages, are no neighbours here.
        slugs = await connection.fetch(
            "SELECT slug FROM products WHERE id > bench.id($1, $2) ORDER BY md5(slug) LIMIT $3",
            PRODUCT,
            skus_of(products),
            ASKED_FOR,
        )
        categories = await connection.fetch("SELECT slug FROM categories ORDER BY md5(slug)")
        words = await connection.fetch(
            "SELECT words FROM (SELECT DISTINCT concat_ws(' ', attributes->>'material', substring(name FROM '\\w+$')) "
            "FROM products) AS searched (words) ORDER BY md5(words) LIMIT $1",
            SEARCHES,
        )
        customers = await connection.fetch("SELECT email::text FROM users WHERE role = 'customer' ORDER BY email")
    finally:
        await connection.close()
    lists = [
        urlencode({"category": category["slug"], "price[gte]": price, "sort": "price", "limit": 20})
        for price in PRICES
        for category in categories
    ]
    return Catalogue(
        products=products,
        slugs=[row["slug"] for row in slugs],
        lists=lists[:ASKED_FOR],
        searches=[urlencode({"q": row["words"], "facets": "true", "limit": 20}) for row in words],
        customers=[row["email"] for row in customers],
    )
