"""Completing a search box: what begins so, then what resembles it; whatever is typed, and however much there is."""

import random
from typing import Any

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.database import PLANNING_OF_LISTS, Database
from app.models.products import ProductStatus
from app.repositories.suggestions import BEST_SELLING
from app.schemas.suggestions import Suggestions
from tests.support.catalogue import API, add_category, add_product
from tests.support.statements import count_statements


async def suggested(client: httpx.AsyncClient, q: str, **parameters: Any) -> list[str]:
    response = await client.get(f"{API}/products/suggest", params={"q": q, **parameters})
    assert response.status_code == 200, response.text
    return [suggestion["text"] for suggestion in response.json()["data"]]


async def sell(database: Database, units: dict[str, int]) -> None:
    """Say of products, by their names, how many of them were sold."""
    async with database.transaction() as tx:
        for name, sold in units.items():
            await tx.session.execute(
                text("UPDATE listings SET units_sold = :sold FROM products WHERE id = product_id AND name = :name"),
                {"name": name, "sold": sold},
            )


async def test_a_suggestion_leads_to_a_product_or_into_a_category(
    client: httpx.AsyncClient, database: Database
) -> None:
    espresso = await add_category(database, "espresso")
    machine = await add_product(database, "Espresso machine", slug="espresso-machine", pictures=["a.webp", "b.webp"])

    response = await client.get(f"{API}/products/suggest", params={"q": "esp"})

    assert response.status_code == 200
    assert response.headers["cache-control"] == "public, max-age=60, stale-while-revalidate=30"
    thumbnail = response.json()["data"][1]["thumbnail"]
    assert response.json() == {
        "data": [
            {
                "type": "category",
                "id": str(espresso.id),
                "text": "Espresso",
                "slug": "espresso",
                "thumbnail": None,
            },
            {
                "type": "product",
                "id": str(machine.id),
                "text": "Espresso machine",
                "slug": "espresso-machine",
                "thumbnail": {"url": thumbnail["url"], "alt": "Espresso machine"},
            },
        ]
    }
    assert thumbnail["url"].endswith("/a.webp")
    assert Suggestions.model_validate_json(response.content).model_dump(mode="json") == response.json()


async def test_what_is_known_already_is_not_sent_again(client: httpx.AsyncClient, database: Database) -> None:
    await add_product(database, "Mug")
    first = await client.get(f"{API}/products/suggest?q=mug")

    again = await client.get(f"{API}/products/suggest?q=mug", headers={"If-None-Match": first.headers["etag"]})

    assert (again.status_code, again.content) == (304, b"")


async def test_names_that_begin_so_come_first_then_the_best_selling(
    client: httpx.AsyncClient, database: Database
) -> None:
    for name in ("Old coffee mill", "Coffee filters", "Coffee pot", "New coffee mill", "Decoffeinated"):
        await add_product(database, name)
    await sell(database, {"Old coffee mill": 50, "New coffee mill": 70, "Coffee pot": 3, "Coffee filters": 2})

    expected = ["Coffee pot", "Coffee filters", "New coffee mill", "Old coffee mill"]
    assert await suggested(client, "cof") == expected
    assert await suggested(client, "  COFFEE ") == expected
    assert await suggested(client, "cof", limit=2) == expected[:2]


@pytest.mark.parametrize("q", ["mill cof", "coffee m", "c m", "coff-mi", "m, c"])
async def test_every_word_begins_a_word_of_the_name(client: httpx.AsyncClient, database: Database, q: str) -> None:
    for name in ("Coffee mill", "Coffee pot", "Pepper mill", "Tea strainer"):
        await add_product(database, name)

    assert await suggested(client, q) == ["Coffee mill"]


@pytest.mark.parametrize(
    ("name", "q"),
    [
        ("Café au lait", "cafe"),
        ("Café au lait", "CAFÉ"),
        ("Café au lait", "cafe\u0301 au"),
        ("Cafe set", "café"),
        ("Crème brûlée dish", "brul"),
        ("Straßenkarte", "strasse"),
        ("Самовар", "сам"),
        ("茶壺", "茶"),
        ("½ inch screw", "½ in"),
        ("Jumper (fisherman's)", "fish"),
        ("100% wool", "100%"),
    ],
)
async def test_accents_and_scripts(client: httpx.AsyncClient, database: Database, name: str, q: str) -> None:
    await add_product(database, name)

    assert await suggested(client, q) == [name]


@pytest.mark.parametrize("q", ["espreso", "expresso", "Espreßo", "esspresso", "espresso mashine"])
async def test_a_mistyped_word_is_understood(client: httpx.AsyncClient, database: Database, q: str) -> None:
    await add_product(database, "Espresso machine")
    await add_product(database, "Teapot")

    assert await suggested(client, q) == ["Espresso machine"]


async def test_what_resembles_comes_only_when_nothing_begins_so(client: httpx.AsyncClient, database: Database) -> None:
    await add_category(database, "kettles")
    await add_product(database, "Kettle")
    await add_product(database, "Kettel drum")

    assert await suggested(client, "kettle") == ["Kettles", "Kettle"]
    assert await suggested(client, "kettlo") == ["Kettles", "Kettle", "Kettel drum"]


async def test_categories_are_the_fewer(client: httpx.AsyncClient, database: Database) -> None:
    for name in ("tea", "teapots", "tea-towels", "teaspoons"):
        await add_category(database, name)
    await add_product(database, "Teapot")

    found = await suggested(client, "tea")

    assert len(found) == 4
    assert found[0] == "Tea"
    assert found[3] == "Teapot"
    assert await suggested(client, "tea", limit=1) == ["Tea"]


async def test_what_is_not_for_sale_is_never_suggested(client: httpx.AsyncClient, database: Database) -> None:
    await add_product(database, "Secret draft", status=ProductStatus.DRAFT)
    await add_product(database, "Secret of old", status=ProductStatus.ARCHIVED)

    for q in ("secret", "s", "secrte", "draft"):
        assert await suggested(client, q) == []


async def test_a_product_that_sells_badly_is_found_among_many(client: httpx.AsyncClient, database: Database) -> None:
    """Past the best-selling ones the index takes over."""
    await many(database, BEST_SELLING + 200)
    await sell_everything(database)
    await add_product(database, "Old xylophone")
    await add_product(database, "Zither")

    assert await suggested(client, "xyl") == ["Old xylophone"]
    assert await suggested(client, "xyl old") == ["Old xylophone"]
    assert await suggested(client, "zither") == ["Zither"]
    assert await suggested(client, "z") == ["Zither"]
    assert await suggested(client, "xilophone") == ["Old xylophone"]


@pytest.mark.parametrize(
    "q", ["", " ", "\t\n", "'", "-", "%", "_", "()", "(((", "\\", ":*", "&|!", "🫖", "\u202e", "."]
)
async def test_nothing_is_suggested_to_nothing(client: httpx.AsyncClient, database: Database, q: str) -> None:
    await add_product(database, "Mug_100% (\\o/)")

    assert await suggested(client, q) == []


async def test_without_anything_typed_there_is_nothing(client: httpx.AsyncClient) -> None:
    assert (await client.get(f"{API}/products/suggest")).json() == {"data": []}


@pytest.mark.parametrize(
    ("pointer", "query"),
    [
        ("q", {"q": "a" * 201}),
        ("q", {"q": "a" * 10_000}),
        ("q", {"q": "nul\x00"}),
        ("limit", {"q": "a", "limit": 0}),
        ("limit", {"q": "a", "limit": 21}),
        ("colour", {"q": "a", "colour": "red"}),
    ],
)
async def test_an_impossible_question_is_refused(
    client: httpx.AsyncClient, pointer: str, query: dict[str, Any]
) -> None:
    response = await client.get(f"{API}/products/suggest", params=query)

    assert response.status_code == 422
    assert [error["pointer"] for error in response.json()["errors"]] == [pointer]


SYNTAX = r"""' " \ % _ ( ) [ ] [[:alnum:]] {1,9} * + ? . ^ $ | & ! <-> :* \m \1 (?i) ***= -- ; /* $1 ${x}"""
LETTERS = (
    "a z mug 0 é e\u0301 ß İ ﬁ ½ ⑴ № ㎏ ㏂ ﷺ Ⅷ 一 ж \u0600 \u202e \u200d 🫖 👩‍🚀 \ufeff \uffff \U0010ffff \x01 \x7f"
)
ATTACKS = ["' OR 1=1 --", "'; SELECT pg_sleep(9); --", "\t", "\r\n", " "]
PIECES = [*SYNTAX.split(), *LETTERS.split(" "), *ATTACKS]


async def test_whatever_is_typed_is_only_ever_data(client: httpx.AsyncClient, database: Database) -> None:
    await add_category(database, "mugs")
    await add_product(database, "Mug")
    chance = random.Random(3)  # noqa: S311  # the same strings every time
    strings = [*PIECES, *(piece * 200 for piece in PIECES if len(piece) == 1)]
    strings += ["".join(chance.choices(PIECES, k=chance.randint(2, 12))) for _ in range(300)]

    for q in strings:
        response = await client.get(f"{API}/products/suggest", params={"q": q[:200]})
        assert response.status_code == 200, (q, response.text)
        Suggestions.model_validate_json(response.content)


@pytest.mark.parametrize("query", ["q=%FF%FE", "q=%00", "q=%ED%A0%80", "q=a&q=b", "q[]=a", "q", "q=%", "q=%zz"])
async def test_bytes_that_are_no_text_do_no_harm(client: httpx.AsyncClient, query: str) -> None:
    response = await client.get(f"{API}/products/suggest?{query}")

    assert response.status_code in (200, 422)


@pytest.mark.parametrize("q", ["product", "p", "prodcut"])
async def test_it_is_one_statement_however_much_is_found(
    client: httpx.AsyncClient, database: Database, connection: AsyncConnection, q: str
) -> None:
    counts = []
    for products in (1, 49):
        await many(database, products)
        with count_statements(connection) as statements:
            found = await suggested(client, q, limit=20)
        assert len(found) == min(20, products)
        counts.append(len(statements))

    assert counts == [1, 1]


async def test_few_rows_are_looked_at_however_many_there_are(
    client: httpx.AsyncClient, database: Database, connection: AsyncConnection
) -> None:
    """With the planner's settings of production (app/database.py)."""
    await many(database, 5_000)
    await connection.execute(text("ANALYZE products, listings, listing_words"))
    for name, value in PLANNING_OF_LISTS.items():
        await connection.execute(text(f"SET LOCAL {name} = {value}"))

    for q in ("a", "z", "p", "pro", "zebra"):
        before = await rows_read(connection)
        await suggested(client, q)
        assert await rows_read(connection) - before < 3_000, q


async def rows_read(connection: AsyncConnection) -> int:
    """How many rows of the tables with a row for each product this transaction has read."""
    counted = (
        "SELECT sum(seq_tup_read + coalesce(idx_tup_fetch, 0)) FROM pg_stat_xact_user_tables "
        "WHERE relname IN ('products', 'listings', 'listing_words', 'product_media')"
    )
    return int((await connection.execute(text(counted))).scalar_one())


async def many(database: Database, products: int) -> None:
    """So many more products for sale, "Product 1" and so on."""
    async with database.transaction() as tx:
        await tx.session.execute(
            text(
                "INSERT INTO products (id, slug, name, status, published_at, created_at, updated_at) "
                "SELECT gen_random_uuid(), gen_random_uuid()::text, 'Product ' || n || ' of many things', 'active', "
                "now(), now(), now() FROM generate_series(1, :products) AS n"
            ),
            {"products": products},
        )


async def sell_everything(database: Database) -> None:
    async with database.transaction() as tx:
        await tx.session.execute(text("UPDATE listings SET units_sold = 100"))
