"""What goes with a product: bought together, of the same categories, with the same attributes."""

from typing import Any

import httpx
import pytest
from sqlalchemy import text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from app.core.clock import now
from app.database import PLANNING_OF_LISTS, Database
from app.models.listings import Listing
from app.models.orders import Order, OrderLine, OrderStatus
from app.models.products import Product, ProductStatus
from app.repositories.related import BEST_SELLING
from app.schemas.related import RelatedProducts
from tests.support.catalogue import API, add_category, add_product
from tests.support.shopping import ADDRESS
from tests.support.statements import count_statements


async def related(client: httpx.AsyncClient, product: Product, **parameters: Any) -> list[str]:
    response = await client.get(f"{API}/products/{product.slug}/related", params=parameters)
    assert response.status_code == 200, response.text
    return [card["name"] for card in response.json()["data"]]


async def bought(database: Database, *products: Product, status: OrderStatus = OrderStatus.CONFIRMED) -> None:
    """An order of one piece of each, past checkout."""
    order = Order(
        email="ada@example.com",
        guest_token_hash=b"hash",
        status=status,
        currency="EUR",
        prices_include_tax=True,
        subtotal=100 * len(products),
        discount_total=0,
        shipping_total=0,
        tax_total=0,
        grand_total=100 * len(products),
        shipping_address=ADDRESS,
        billing_address=ADDRESS,
        shipping_method="standard",
        expires_at=now(),
    )
    for product in products:
        [variant] = product.variants
        order.lines.append(
            OrderLine(
                variant_id=variant.id,
                sku=variant.sku,
                name=product.name,
                option_values={},
                quantity=1,
                unit_price=100,
                subtotal=100,
                discount=0,
                tax_rate=0,
                tax=0,
                total=100,
            )
        )
    async with database.transaction() as tx:
        tx.session.add(order)


async def say(database: Database, product: Product, **changes: Any) -> None:
    """Change what is listed of a product."""
    async with database.transaction() as tx:
        await tx.session.execute(update(Listing).where(Listing.product_id == product.id).values(changes))


async def test_it_shows_cards_as_lists_do(client: httpx.AsyncClient, database: Database) -> None:
    kitchen = await add_category(database, "kitchen")
    mug = await add_product(database, "Mug", 100, categories=[kitchen])
    await add_product(database, "Cup", 300, 200, categories=[kitchen], summary="Thin", pictures=["cup.webp"])

    response = await client.get(f"{API}/products/{mug.id}/related")

    assert response.status_code == 200
    assert response.headers["cache-control"] == "public, max-age=60, stale-while-revalidate=30"
    listed = (await client.get(f"{API}/products", params={"q": "cup"})).json()["data"]
    assert [card["price_from"]["amount"] for card in listed] == [200]
    assert response.json() == {"data": listed}
    parsed = RelatedProducts.model_validate_json(response.content)
    assert parsed.model_dump(mode="json") == response.json()


async def test_what_was_bought_together_comes_first(client: httpx.AsyncClient, database: Database) -> None:
    kitchen = await add_category(database, "kitchen")
    mug = await add_product(database, "Mug", 100, categories=[kitchen])
    cup = await add_product(database, "Cup", 100, categories=[kitchen])
    lamp, book, pen = [await add_product(database, name, 100) for name in ("Lamp", "Book", "Pen")]
    await say(database, cup, units_sold=1_000)
    for _ in range(2):
        await bought(database, mug, lamp)
    for _ in range(3):
        await bought(database, mug, book)
        await bought(database, pen, lamp)

    assert await related(client, mug) == ["Book", "Lamp", "Cup"]
    assert await related(client, mug, limit=1) == ["Book"]


async def test_one_order_is_a_coincidence(client: httpx.AsyncClient, database: Database) -> None:
    mug, lamp = [await add_product(database, name, 100) for name in ("Mug", "Lamp")]
    await bought(database, mug, lamp)

    assert await related(client, mug) == []


@pytest.mark.parametrize("status", [OrderStatus.PENDING_PAYMENT, OrderStatus.EXPIRED, OrderStatus.CANCELLED])
async def test_what_was_not_bought_in_the_end_does_not_count(
    client: httpx.AsyncClient, database: Database, status: OrderStatus
) -> None:
    mug, lamp = [await add_product(database, name, 100) for name in ("Mug", "Lamp")]
    for _ in range(3):
        await bought(database, mug, lamp, status=status)

    assert await related(client, mug) == []


@pytest.mark.parametrize("status", [OrderStatus.CONFIRMED, OrderStatus.PROCESSING, OrderStatus.COMPLETED])
async def test_what_was_bought_counts(client: httpx.AsyncClient, database: Database, status: OrderStatus) -> None:
    mug, lamp = [await add_product(database, name, 100) for name in ("Mug", "Lamp")]
    for _ in range(2):
        await bought(database, mug, lamp, status=status)

    assert await related(client, mug) == ["Lamp"]
    assert await related(client, lamp) == ["Mug"]


async def test_of_a_category_the_best_selling_and_best_rated_come_first(
    client: httpx.AsyncClient, database: Database
) -> None:
    home = await add_category(database, "home")
    mugs = await add_category(database, "home/mugs", home)
    mug = await add_product(database, "Mug", 100, categories=[mugs])
    sold, rated, plain, gone = [
        await add_product(database, name, 100, categories=[mugs], stock=stock)
        for name, stock in (("Sold", 5), ("Rated", 5), ("Plain", 5), ("Gone", 0))
    ]
    await add_product(database, "Lamp", 100, categories=[home])
    await say(database, gone, units_sold=99)
    await say(database, sold, units_sold=9)
    await say(database, rated, rating_average=4, rating_count=3)

    assert await related(client, mug) == ["Sold", "Rated", plain.name, "Lamp", "Gone"]


async def test_more_of_it_is_the_same_and_then_some(client: httpx.AsyncClient, database: Database) -> None:
    home = await add_category(database, "home")
    mugs = await add_category(database, "home/mugs", home)
    clay = {"material": "clay"}
    mug = await add_product(database, "Mug", 100, categories=[mugs], attributes=clay)
    await add_product(database, "Cup", 100, categories=[mugs])
    await add_product(database, "Pot", 100, attributes=clay)
    await add_product(database, "Lamp", 100, categories=[home])

    for limit in range(1, 5):
        assert await related(client, mug, limit=limit) == ["Cup", "Pot", "Lamp"][:limit]


async def test_without_others_in_its_category_attributes_decide(client: httpx.AsyncClient, database: Database) -> None:
    kitchen = await add_category(database, "kitchen")
    red = {"color": "red", "material": "clay"}
    mug = await add_product(database, "Mug", 100, categories=[kitchen], attributes=red)
    await add_product(database, "Pot", 100, attributes={"material": "clay"})
    await add_product(database, "Red cap", 100, attributes={"color": ["blue", "red"]})
    await add_product(database, "Blue cap", 100, attributes={"color": "blue"})
    await add_product(database, "Cup", 100, categories=[kitchen])

    names = await related(client, mug)

    assert names[0] == "Cup"
    assert sorted(names[1:]) == ["Pot", "Red cap"]


async def test_what_is_not_for_sale_is_not_shown(client: httpx.AsyncClient, database: Database) -> None:
    kitchen = await add_category(database, "kitchen")
    alike: dict[str, Any] = {"categories": [kitchen], "attributes": {"color": "red"}}
    mug = await add_product(database, "Mug", 100, **alike)
    draft = await add_product(database, "Draft", 100, status=ProductStatus.DRAFT, **alike)
    archived = await add_product(database, "Archived", 100, status=ProductStatus.ARCHIVED, **alike)
    for _ in range(2):
        await bought(database, mug, draft, archived)

    assert await related(client, mug) == []
    for unlisted in (draft, archived):
        assert (await client.get(f"{API}/products/{unlisted.slug}/related")).status_code == 404


@pytest.mark.parametrize(
    "address", ["unheard-of", "019b76da-a863-7677-bca9-93ebae12d99a", "UPPER", "a'b", "%00", "..%2f", "🫖", "a" * 500]
)
async def test_an_unknown_product_has_nothing_related(client: httpx.AsyncClient, address: str) -> None:
    response = await client.get(f"{API}/products/{address}/related")

    assert response.status_code == 404
    assert response.json()["code"] == "not_found"


@pytest.mark.parametrize("query", ["limit=0", "limit=21", "limit=x", "colour=red"])
async def test_an_impossible_question_is_refused(client: httpx.AsyncClient, database: Database, query: str) -> None:
    mug = await add_product(database, "Mug", 100)

    response = await client.get(f"{API}/products/{mug.slug}/related?{query}")

    assert response.status_code == 422
    assert [error["pointer"] for error in response.json()["errors"]] == [query.partition("=")[0]]


async def test_it_is_one_statement_however_much_is_related(
    client: httpx.AsyncClient, database: Database, connection: AsyncConnection
) -> None:
    kitchen = await add_category(database, "kitchen")
    mug = await add_product(database, "Mug", 100, categories=[kitchen])
    counts = []
    for others in (1, 49):
        for number in range(others):
            await add_product(database, f"Cup {number}", 100, categories=[kitchen], pictures=["a.webp"])
        with count_statements(connection) as statements:
            assert len(await related(client, mug, limit=20)) == min(others, 20)
        counts.append(len(statements))

    assert counts == [1, 1]


async def test_few_rows_are_looked_at_however_many_are_alike(
    client: httpx.AsyncClient, database: Database, connection: AsyncConnection
) -> None:
    """With the planner's settings of production (app/database.py)."""
    kitchen = await add_category(database, "kitchen")
    mug = await add_product(database, "Mug", 100, categories=[kitchen], attributes={"color": "red"})
    async with database.transaction() as tx:
        await tx.session.execute(
            text(
                "INSERT INTO products (id, slug, name, status, attributes, published_at, created_at, updated_at) "
                "SELECT gen_random_uuid(), gen_random_uuid()::text, 'Product', 'active', '{\"color\": \"red\"}', "
                "now(), now(), now() FROM generate_series(1, 3000) AS n"
            )
        )
    await connection.execute(text("ANALYZE products, listings"))
    for name, value in PLANNING_OF_LISTS.items():
        await connection.execute(text(f"SET LOCAL {name} = {value}"))
    read = text(
        "SELECT sum(seq_tup_read + coalesce(idx_tup_fetch, 0)) FROM pg_stat_xact_user_tables "
        "WHERE relname IN ('products', 'listings')"
    )
    before = (await connection.execute(read)).scalar_one()

    assert await related(client, mug, limit=3) == ["Product"] * 3

    assert (await connection.execute(read)).scalar_one() - before < 2 * BEST_SELLING
