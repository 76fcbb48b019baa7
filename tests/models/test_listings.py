"""Triggers keep listings as they would be computed anew, whoever changes what they are made of."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from sqlalchemy import text

from app.database import Database
from app.models.categories import Category
from app.models.products import Product
from tests.support.catalogue import add_category, add_product

Sql = Callable[..., Awaitable[Any]]

TABLES = ("listings", "listing_words")
EVENTS = {
    "it is taken off sale": "UPDATE products SET status = 'archived' WHERE id = :mug",
    "it is renamed": "UPDATE products SET name = 'Größer' WHERE id = :mug",
    "it says something else": "UPDATE products SET description = 'holds tea' WHERE id = :mug",
    "it gets attributes": """UPDATE products SET attributes = '{"a": [1, "b", true], "c": 2.50}' WHERE id = :mug""",
    "it is rated": "UPDATE products SET rating_average = 4.5, rating_count = 2 WHERE id = :mug",
    "it is dearer": "UPDATE variants SET price_amount = 900 WHERE product_id = :mug",
    "it is reduced": "UPDATE variants SET compare_at_amount = 9900 WHERE product_id = :mug",
    "a variant is numbered anew": "UPDATE variants SET sku = 'NEW-1' WHERE product_id = :mug AND price_amount = 100",
    "a variant is archived": "UPDATE variants SET status = 'archived' WHERE product_id = :mug AND price_amount = 100",
    "all are archived": "UPDATE variants SET status = 'archived' WHERE product_id = :mug",
    "a variant goes": "DELETE FROM variants WHERE product_id = :mug AND price_amount = 100",
    "a variant changes hands": "UPDATE variants SET product_id = :jug WHERE product_id = :mug AND price_amount = 300",
    "one is sold out": "UPDATE stock_levels SET on_hand = 0 FROM variants WHERE id = variant_id AND price_amount = 100",
    "all are sold out": "UPDATE stock_levels SET on_hand = 0",
    "all are reserved": "UPDATE stock_levels SET reserved = on_hand",
    "more may be ordered": "UPDATE stock_levels SET on_hand = 0, backorder_limit = 2",
    "nobody counts it": "DELETE FROM stock_levels",
    "it is put elsewhere": "INSERT INTO product_categories SELECT :jug, id FROM categories WHERE slug = 'mugs'",
    "it is put nowhere": "DELETE FROM product_categories",
    "its category has another address": "UPDATE categories SET slug = 'cups', path = 'home/cups' WHERE slug = 'mugs'",
    "its category is renamed": "UPDATE categories SET name = 'Cups' WHERE slug = 'mugs'",
    "all of home is renamed": "UPDATE categories SET name = 'House' WHERE slug = 'home'",
    "its category is moved": "UPDATE categories SET path = 'mugs', parent_id = NULL WHERE slug = 'mugs'",
    "a draft is published": "UPDATE products SET status = 'active', published_at = now() WHERE status = 'draft'",
    "it is deleted": "DELETE FROM products WHERE id = :draft",
}

WITHOUT_CONSEQUENCE = {EVENTS[event] for event in ("one is sold out", "more may be ordered", "it is deleted")}


@pytest.fixture
async def home(database: Database) -> Category:
    return await add_category(database, "home")


@pytest.fixture
async def mug(database: Database, home: Category) -> Product:
    mugs = await add_category(database, "home/mugs", home)
    return await add_product(database, "Mug", 100, 300, categories=[mugs], attributes={"color": "red"})


@pytest.fixture
async def jug(database: Database, home: Category) -> Product:
    return await add_product(database, "Jug", 500, day=1, categories=[home])


@pytest.fixture
async def draft(database: Database) -> Product:
    return await add_product(database, "Draft", status="draft")


async def listings(database: Database) -> dict[str, Any]:
    """All rows, with the places where they stand: what is written anew moves."""
    async with database.snapshot() as tx:
        return {
            table: (await tx.session.execute(text(f"SELECT ctid, * FROM {table} ORDER BY product_id"))).all()  # noqa: S608  # our own
            for table in TABLES
        }


async def run(database: Database, statement: str, **parameters: UUID) -> None:
    names = {name: value for name, value in parameters.items() if f":{name}" in statement}
    async with database.transaction() as tx:
        await tx.session.execute(text(statement.replace('": ', '"\\: ')), names)


@pytest.mark.parametrize("event", EVENTS.values(), ids=EVENTS)
async def test_listings_follow(database: Database, mug: Product, jug: Product, draft: Product, event: str) -> None:
    before = await listings(database)

    await run(database, event, mug=mug.id, jug=jug.id, draft=draft.id)

    after = await listings(database)
    await run(database, "SELECT refresh_listings(ARRAY (SELECT id FROM products))")
    assert await listings(database) == after
    assert (after != before) is (event not in WITHOUT_CONSEQUENCE)


async def test_a_listing_says_what_lists_need(database: Database, mug: Product) -> None:
    async with database.snapshot() as tx:
        (row,) = (await tx.session.execute(text("SELECT * FROM listings"))).mappings().all()

    assert dict(row) == {
        "product_id": mug.id,
        "created_at": mug.created_at,
        "folded_name": "mug",
        "price_from": 100,
        "compare_at": None,
        "currency": "EUR",
        "in_stock": True,
        "rating_average": 0,
        "rating_count": 0,
        "units_sold": 0,
        "category_slugs": ["home", "mugs"],
        "attribute_values": ["color\x1fred"],
    }


@pytest.mark.parametrize(
    "harmless",
    [
        "UPDATE products SET version = version + 1",
        "UPDATE stock_levels SET on_hand = on_hand + 1",
        "UPDATE variants SET weight_g = 5",
        "UPDATE categories SET position = 7",
    ],
)
async def test_what_lists_do_not_show_writes_nothing(database: Database, mug: Product, harmless: str) -> None:
    before = await listings(database)

    await run(database, harmless)

    assert await listings(database) == before


async def test_a_product_is_not_edited_by_what_happens_around_it(database: Database, mug: Product) -> None:
    async def product() -> Any:
        async with database.snapshot() as tx:
            return (await tx.session.execute(text("SELECT * FROM products"))).one()

    before = await product()
    for event in ("it is dearer", "all are sold out", "its category is moved"):
        await run(database, EVENTS[event], mug=mug.id)

    assert await product() == before


async def test_what_was_sold_outlives_a_change(database: Database, mug: Product) -> None:
    await run(database, "UPDATE listings SET units_sold = 7")
    await run(database, EVENTS["it is dearer"], mug=mug.id)

    async with database.snapshot() as tx:
        assert (await tx.session.execute(text("SELECT units_sold FROM listings"))).scalar_one() == 7


async def test_a_large_import_computes_them_at_its_end(database: Database, mug: Product) -> None:
    async with database.transaction() as tx:
        await tx.session.execute(text("SET LOCAL app.listings = 'later'"))
        await tx.session.execute(text("UPDATE variants SET price_amount = 50"))
        still = (await tx.session.execute(text("SELECT price_from FROM listings"))).scalar_one()
        await tx.session.execute(text("SELECT refresh_listings(ARRAY (SELECT id FROM products))"))
        then = (await tx.session.execute(text("SELECT price_from FROM listings"))).scalar_one()
        await tx.session.execute(text("SET LOCAL app.listings = ''"))

    assert (still, then) == (100, 50)


# At the same time


@pytest.fixture
async def pair(fresh_database_url: str) -> AsyncIterator[tuple[Any, Any]]:
    url = fresh_database_url.replace("+asyncpg", "")
    first, second = await asyncpg.connect(url), await asyncpg.connect(url)
    await first.execute("""
        INSERT INTO categories (id, slug, name, path) VALUES (uuidv7(), 'home', 'Home', 'home');
        INSERT INTO products (id, slug, name, status, published_at) VALUES (uuidv7(), 'mug', 'Mug', 'active', now());
        INSERT INTO variants (id, product_id, sku, option_key, price_amount, currency)
            SELECT uuidv7(), id, 'MUG-' || n, n, 100 * n, 'EUR' FROM products, generate_series(1, 2) AS n;
        INSERT INTO stock_levels (variant_id, on_hand) SELECT id, 1 FROM variants;
        INSERT INTO product_categories SELECT products.id, categories.id FROM products, categories;
    """)
    yield first, second
    await first.close()
    await second.close()


async def at_once(pair: tuple[Any, Any], one: str, other: str) -> Any:
    """The second statement begins when the first has run, whose transaction ends only after that."""
    first, second = pair
    transaction = first.transaction()
    await transaction.start()
    await first.execute(one)
    later = asyncio.create_task(second.execute(other))
    await asyncio.wait([later], timeout=0.2)
    await transaction.commit()
    await later
    return await first.fetchrow("SELECT * FROM listings")


async def test_two_who_buy_the_last_of_each_variant(pair: tuple[Any, Any]) -> None:
    buy = "UPDATE stock_levels SET on_hand = 0 WHERE variant_id = (SELECT id FROM variants WHERE sku = 'MUG-{}')"

    assert (await at_once(pair, buy.format(1), buy.format(2)))["in_stock"] is False


async def test_two_who_change_a_price_each(pair: tuple[Any, Any]) -> None:
    change = "UPDATE variants SET price_amount = {} WHERE sku = 'MUG-{}'"

    assert (await at_once(pair, change.format(900, 1), change.format(800, 2)))["price_from"] == 800


async def test_one_who_publishes_and_one_who_moves_the_category(pair: tuple[Any, Any]) -> None:
    await pair[0].execute("UPDATE products SET status = 'draft'")
    move = "UPDATE categories SET slug = 'away', path = 'away'"
    publish = "UPDATE products SET status = 'active'"

    assert (await at_once(pair, move, publish))["category_slugs"] == ["away"]


async def test_one_who_moves_the_category_and_one_who_publishes(pair: tuple[Any, Any]) -> None:
    await pair[0].execute("UPDATE products SET status = 'draft'")
    move = "UPDATE categories SET slug = 'away', path = 'away'"
    publish = "UPDATE products SET status = 'active'"

    assert (await at_once(pair, publish, move))["category_slugs"] == ["away"]
