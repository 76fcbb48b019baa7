"""However lists are sorted and filtered, PostgreSQL reads no table from end to end, and little of what it reads."""

import json
from collections.abc import AsyncIterator, Iterable
from itertools import combinations
from typing import Any

import asyncpg
import pytest

from app.core.reader import Query, Reader
from app.database import PLANNING_OF_LISTS
from app.repositories.listings.facets import facets
from app.repositories.listings.filters import chosen
from app.repositories.listings.pages import WALKED, counting, listing, nearby
from app.repositories.listings.reader import ListingReader
from app.repositories.listings.sorting import order_of
from app.schemas.listings import ProductQuery, ProductSort
from tests.support.databases import copied_database

PRODUCTS = 20_000
LIMIT = 21
LARGE = {"listings", "listing_words", "products", "product_media", "variants", "stock_levels", "product_categories"}

# Rare and frequent values, and a word that is in every product.
FILTERS: dict[str, dict[str, str]] = {
    "q": {"q": "thing"},
    "rare q": {"q": "rare7"},
    "mistyped q": {"q": "raer7"},
    "category": {"category": "aisle-7"},
    "price": {"price[gte]": "500", "price[lte]": "90000"},
    "in_stock": {"in_stock": "true"},
    "sold_out": {"in_stock": "false"},
    "rating": {"rating[gte]": "4", "rating[lte]": "4.5"},
    "attribute": {"attr.color": "color 7,color 8"},
    "attributes": {"attr.color": "color 7", "attr.size": "1"},
}
CATALOGUE = f"""
SET app.listings = 'later';
INSERT INTO categories (id, slug, name, path) SELECT uuidv7(), 'aisle-' || n, 'Aisle', 'aisle-' || n
FROM generate_series(0, 49) AS n;
INSERT INTO products (id, slug, name, status, published_at, created_at, attributes, rating_average, rating_count)
SELECT uuidv7(), 'product-' || n, 'Thing rare' || n, 'active', now(), now() - n * interval '1 minute',
    jsonb_build_object('color', 'color ' || n % 100, 'size', n % 5), (n % 50) / 10.0, n % 50
FROM generate_series(1, {PRODUCTS}) AS n;
INSERT INTO product_categories
SELECT products.id, categories.id FROM products
JOIN categories ON categories.slug = 'aisle-' || (hashtext(products.slug) & 31);
INSERT INTO variants (id, product_id, sku, option_key, price_amount, currency)
SELECT uuidv7(), id, slug, '', 100 + (hashtext(slug) & 65535), 'EUR' FROM products;
INSERT INTO stock_levels (variant_id, on_hand) SELECT id, (hashtext(sku) & 15) FROM variants;
SELECT refresh_listings(ARRAY (SELECT id FROM products));
UPDATE listings SET units_sold = hashtext(product_id::text) & 255;
"""  # noqa: S608  # a number of ours


@pytest.fixture(scope="module")
async def large(postgres_url: str, template: str) -> AsyncIterator[Any]:
    """A connection like those of lists, to a shop with many products."""
    async with copied_database(postgres_url, template) as url:
        connection = await asyncpg.connect(
            url.replace("+asyncpg", ""), server_settings={**PLANNING_OF_LISTS, "jit": "off"}
        )
        await connection.execute(CATALOGUE)
        await connection.execute("VACUUM (ANALYZE)")
        yield connection
        await connection.close()


def some(parameters: Iterable[dict[str, str]]) -> dict[str, str]:
    return {name: value for each in parameters for name, value in each.items()}


LISTS = [
    some(FILTERS[name] for name in names)
    for size in (0, 1, 2)
    for names in combinations(FILTERS, size)
    if len(names) < 2 or names[0].split()[-1] != names[1].split()[-1]
]


async def plan_of(connection: Any, query: Query, **parameters: Any) -> list[dict[str, Any]]:
    """All steps of the plan that is kept for whatever parameters, as it went with these."""
    await connection.execute(f"PREPARE asked AS {query.sql}")
    try:
        values = await connection.fetchval(
            "SELECT string_agg(quote_nullable(v), ', ') FROM unnest($1::text[]) AS v",
            [as_text(value) for value in query.arguments(parameters)],
        )
        arguments = f"({values})" if values else ""
        explained = await connection.fetchval(f"EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) EXECUTE asked {arguments}")
    finally:
        await connection.execute("DEALLOCATE asked")
    return list(steps(json.loads(explained)[0]["Plan"]))


def as_text(value: Any) -> str | None:
    if isinstance(value, list):
        return "{" + ",".join(json.dumps(each) for each in value) + "}"
    return None if value is None else str(value)


def steps(plan: dict[str, Any]) -> Iterable[dict[str, Any]]:
    yield plan
    for inner in plan.get("Plans", ()):
        yield from steps(inner)


def read_from_end_to_end(plan: list[dict[str, Any]]) -> list[str]:
    return [
        step["Relation Name"] for step in plan if step["Node Type"] == "Seq Scan" and step["Relation Name"] in LARGE
    ]


def rows_read(plan: list[dict[str, Any]]) -> float:
    tables = [step for step in plan if "Relation Name" in step]
    return sum(
        float((step["Actual Rows"] + step.get("Rows Removed by Filter", 0)) * step["Actual Loops"]) for step in tables
    )


@pytest.mark.parametrize("sort", ProductSort)
async def test_no_page_reads_a_table_from_end_to_end(large: Any, sort: ProductSort) -> None:
    for given in LISTS:
        if sort is ProductSort.RELEVANCE and "q" not in given:
            continue
        query = ProductQuery.model_validate({**given, "sort": sort})
        filters, parameters = chosen(query)
        for page in ways_to_a_page(sort, filters):
            first = await plan_of(large, page, **parameters, limit=LIMIT)
            assert read_from_end_to_end(first) == [], given
        place = await last_place(large, sort, filters, parameters)
        for backwards in (False, True):
            for further in ways_to_a_page(sort, filters, backwards=backwards, continued=True) if place else ():
                plan = await plan_of(large, further, **parameters, **(place or {}), limit=LIMIT)
                assert read_from_end_to_end(plan) == [], given


def ways_to_a_page(
    sort: ProductSort, filters: frozenset[str], *, backwards: bool = False, continued: bool = False
) -> list[Query]:
    """The short walk, if there is one, and the way that always leads there."""
    walk = nearby(sort, filters, backwards=backwards, continued=continued)
    always = listing(sort, filters, backwards=backwards, continued=continued)
    return [always] if walk is None else [walk, always]


async def last_place(
    large: Any, sort: ProductSort, filters: frozenset[str], parameters: dict[str, Any]
) -> dict[str, Any] | None:
    """Where the first page ends."""
    query = ways_to_a_page(sort, filters)[-1]
    rows = await large.fetch(query.sql, *query.arguments({**parameters, "limit": LIMIT}))
    keys = order_of(sort, filters).keys
    return {f"after_{key.name}": rows[-1][f"key_{key.name}"] for key in keys} if rows else None


async def test_neither_do_facets_nor_totals(large: Any) -> None:
    for given in LISTS:
        query = ProductQuery.model_validate(given)
        filters, parameters = chosen(query)
        names = {f"attribute_{number}_name": name for number, name in enumerate(query.attributes)}
        assert read_from_end_to_end(await plan_of(large, facets(filters), **parameters, **names)) == [], given
        if given not in ({}, FILTERS["in_stock"]):  # to count everything is to read everything
            assert read_from_end_to_end(await plan_of(large, counting(filters), **parameters)) == [], given


@pytest.mark.parametrize("sort", [sort for sort in ProductSort if sort is not ProductSort.RELEVANCE])
@pytest.mark.parametrize("name", [None, "price", "in_stock", "category", "attribute", "rare q"])
async def test_few_rows_are_read(large: Any, sort: ProductSort, name: str | None) -> None:
    """Those of the page, or at most some more: a walk, and then what the filters find."""
    query = ProductQuery.model_validate({**FILTERS.get(name or "", {}), "sort": sort})
    filters, parameters = chosen(query)

    read = 0.0
    for page in ways_to_a_page(sort, filters):
        plan = await plan_of(large, page, **parameters, limit=LIMIT)
        read += rows_read(plan)
        if plan[0]["Actual Rows"] >= LIMIT:
            break

    most = {"category": 3 * WALKED, "attribute": 3 * WALKED, "rare q": 5_000}.get(name or "", 10 * LIMIT)
    assert read <= most


class Counted(Reader):
    """Runs its queries on one connection, and counts them."""

    def __init__(self, connection: Any) -> None:
        self.queries = 0
        self._connection = connection

    async def fetch(self, query: Query, **parameters: Any) -> Any:
        self.queries += 1
        return await self._connection.fetch(query.sql, *query.arguments(parameters))


@pytest.mark.parametrize(
    ("name", "first", "then"),
    [(None, 1, 1), ("price", 1, 1), ("in_stock", 1, 1), ("category", 2, 1), ("rare q", 2, 1)],
)
async def test_what_a_walk_finds_little_of_is_not_looked_for_by_one_again(
    large: Any, name: str | None, first: int, then: int
) -> None:
    reader = Counted(large)
    listings = ListingReader(reader, "m")
    query = ProductQuery.model_validate({**FILTERS.get(name or "", {}), "sort": "name", "limit": 40})

    pages, counts = [], []
    for _ in range(2):
        reader.queries = 0
        pages.append(await listings.page(query, None))
        counts.append(reader.queries)

    assert counts == [first, then]
    assert pages[0] == pages[1]
