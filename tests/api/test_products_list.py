"""Browsing: cards, sorts, filters, search, and pages that neither skip nor repeat."""

from collections.abc import Sequence
from typing import Any

import httpx
import pytest
from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncConnection

from app.database import Database
from app.models.inventory import StockLevel
from app.models.products import Product, ProductStatus, Variant, VariantStatus
from tests.support.catalogue import API, add_category, add_product, names
from tests.support.statements import count_statements

SORTS: dict[str, list[str | set[str]]] = {
    # Alder and Birch share a day, a price and a rank; Cedar has no price, and comes last either way.
    "-created_at": ["Elm", "Dogwood", "Cedar", {"Alder", "Birch"}],
    "created_at": [{"Alder", "Birch"}, "Cedar", "Dogwood", "Elm"],
    "price": ["Elm", {"Alder", "Birch"}, "Dogwood", "Cedar"],
    "-price": ["Dogwood", {"Alder", "Birch"}, "Elm", "Cedar"],
    "name": ["Alder", "Birch", "Cedar", "Dogwood", "Elm"],
}


@pytest.fixture
async def trees(database: Database) -> list[Product]:
    return [
        await add_product(database, "Alder", 1000, 3000, summary="a tree"),
        await add_product(database, "Birch", 1000, summary="a tree"),
        await add_product(database, "Cedar", day=1, summary="a tree of a tree, a tree"),
        await add_product(database, "Dogwood", 2000, day=2, description="not quite a tree"),
        await add_product(database, "Elm", 500, day=3, summary="trees and trees"),
    ]


def in_order(found: Sequence[str], expected: Sequence[str | set[str]]) -> bool:
    """Whether the names come in the order expected; those in a set in any order among themselves."""
    rest = list(found)
    for each in expected:
        group = each if isinstance(each, set) else {each}
        if set(rest[: len(group)]) != group:
            return False
        rest = rest[len(group) :]
    return not rest


async def test_a_card_shows_the_cheapest_variant(client: httpx.AsyncClient, database: Database) -> None:
    mug = await add_product(
        database, "Mug", 1999, 1299, summary="Holds coffee", slug="mug", pictures=["mug/front.svg", "mug/back.svg"]
    )
    async with database.transaction() as tx:
        await tx.session.execute(update(Variant).where(Variant.price_amount == 1299).values(compare_at_amount=1599))

    response = await client.get(f"{API}/products")

    assert response.status_code == 200
    assert response.headers["cache-control"] == "public, max-age=60, stale-while-revalidate=30"
    assert response.json() == {
        "data": [
            {
                "id": str(mug.id),
                "slug": "mug",
                "name": "Mug",
                "summary": "Holds coffee",
                "thumbnail": {"url": response.json()["data"][0]["thumbnail"]["url"], "alt": "Mug"},
                "price_from": {"amount": 1299, "currency": "EUR"},
                "compare_at": {"amount": 1599, "currency": "EUR"},
                "in_stock": True,
                "rating": {"average": 0.0, "count": 0},
            }
        ],
        "page": {"next_cursor": None, "prev_cursor": None, "has_more": False, "limit": 20, "total": None},
        "facets": None,
    }
    assert response.json()["data"][0]["thumbnail"]["url"].endswith("/mug/front.svg")


async def test_only_what_is_for_sale_is_listed(client: httpx.AsyncClient, database: Database) -> None:
    await add_product(database, "Draft", 100, status=ProductStatus.DRAFT)
    await add_product(database, "Archived", 100, status=ProductStatus.ARCHIVED)
    await add_product(database, "Active", 100)

    assert await names(client) == ["Active"]


@pytest.mark.parametrize("sort", SORTS)
async def test_sorting(client: httpx.AsyncClient, trees: list[Product], sort: str) -> None:
    assert in_order(await names(client, sort=sort), SORTS[sort])


async def test_the_newest_come_first(client: httpx.AsyncClient, trees: list[Product]) -> None:
    assert await names(client) == await names(client, sort="-created_at")


async def test_names_sort_without_regard_to_case(client: httpx.AsyncClient, database: Database) -> None:
    for name in ("banana", "Apple", "Cherry"):
        await add_product(database, name, 100)

    assert await names(client, sort="name") == ["Apple", "banana", "Cherry"]


async def walk(client: httpx.AsyncClient, cursor_name: str, cursor: str | None, **parameters: Any) -> list[list[str]]:
    """The pages from a cursor on, until there is no further one."""
    pages: list[list[str]] = []
    while cursor is not None or not pages:
        given = parameters if cursor is None else parameters | {"cursor": cursor}
        response = await client.get(f"{API}/products", params=given)
        assert response.status_code == 200, response.text
        pages.append([card["name"] for card in response.json()["data"]])
        assert response.json()["page"]["has_more"] is (response.json()["page"]["next_cursor"] is not None)
        cursor = response.json()["page"][cursor_name]
    return pages


@pytest.mark.parametrize("limit", [1, 2, 3])
@pytest.mark.parametrize(
    "query", [*({"sort": sort} for sort in SORTS), {"q": "tree"}, {"q": "tree", "sort": "price"}, {"in_stock": True}]
)
async def test_pages_lead_through_the_whole_list_and_back(
    client: httpx.AsyncClient, trees: list[Product], query: dict[str, Any], limit: int
) -> None:
    whole = await names(client, **query)
    assert len(whole) >= 4

    forwards = await walk(client, "next_cursor", None, limit=limit, **query)
    last = await client.get(f"{API}/products", params={**query, "limit": limit})
    while cursor := last.json()["page"]["next_cursor"]:
        last = await client.get(f"{API}/products", params={**query, "limit": limit, "cursor": cursor})
    backwards = await walk(client, "prev_cursor", last.json()["page"]["prev_cursor"], limit=limit, **query)

    assert [name for page in forwards for name in page] == whole
    assert [name for page in reversed(backwards) for name in page] == whole[: -len(forwards[-1])]


async def test_what_is_added_meanwhile_shifts_no_page(
    client: httpx.AsyncClient, database: Database, trees: list[Product]
) -> None:
    first = await client.get(f"{API}/products", params={"limit": 2})
    await add_product(database, "Fir", 100, day=9)
    cursor = first.json()["page"]["next_cursor"]

    assert await names(client, limit=2, cursor=cursor) == ["Cedar", (await names(client))[4]]


async def test_a_total_is_counted_on_request(client: httpx.AsyncClient, trees: list[Product]) -> None:
    page = await client.get(f"{API}/products", params={"limit": 2, "include_total": True, "price[lte]": 1000})

    assert page.json()["page"]["total"] == 3


# Filters


async def test_a_category_includes_what_hangs_below_it(client: httpx.AsyncClient, database: Database) -> None:
    home = await add_category(database, "home")
    kitchen = await add_category(database, "home/kitchen", home)
    mugs = await add_category(database, "home/kitchen/mugs", kitchen)
    office = await add_category(database, "home-office")
    await add_product(database, "Lamp", 100, day=3, categories=[home])
    await add_product(database, "Pan", 100, day=2, categories=[kitchen, home])
    await add_product(database, "Mug", 100, day=1, categories=[mugs])
    await add_product(database, "Desk", 100, categories=[office])

    assert await names(client, category="home") == ["Lamp", "Pan", "Mug"]
    assert await names(client, category="kitchen") == ["Pan", "Mug"]
    assert await names(client, category="mugs") == ["Mug"]
    assert await names(client, category="home-office") == ["Desk"]
    assert await names(client, category="unheard-of") == []


@pytest.mark.parametrize("category", ["%", "home%", "h_me", "home/", "../home", "HOME", ""])
async def test_a_category_is_a_slug_and_no_pattern(client: httpx.AsyncClient, category: str) -> None:
    response = await client.get(f"{API}/products", params={"category": category})

    assert response.status_code == 422
    assert response.json()["errors"][0]["pointer"] == "category"


@pytest.mark.parametrize(
    ("limits", "expected"),
    [
        ({"price[gte]": 1000}, {"Alder", "Birch", "Dogwood"}),
        ({"price[lte]": 1000}, {"Alder", "Birch", "Elm"}),
        ({"price[gte]": 501, "price[lte]": 1999}, {"Alder", "Birch"}),
        ({"price[gte]": 1001, "price[lte]": 1999}, set()),
    ],
)
async def test_prices_are_those_of_the_cheapest_variant(
    client: httpx.AsyncClient, trees: list[Product], limits: dict[str, int], expected: set[str]
) -> None:
    assert set(await names(client, **limits)) == expected


async def test_in_stock_means_that_one_can_be_had(client: httpx.AsyncClient, database: Database) -> None:
    await add_product(database, "Plenty", 100, day=5)
    await add_product(database, "None", 100, day=4, stock=0)
    await add_product(database, "No variant", day=3)
    reserved = await add_product(database, "All reserved", 100, day=2)
    backorder = await add_product(database, "On order", 100, day=1, stock=0)
    withdrawn = await add_product(database, "Withdrawn", 100)
    async with database.transaction() as tx:
        for product, change in (
            (reserved, update(StockLevel).values(reserved=5)),
            (backorder, update(StockLevel).values(backorder_limit=3, reserved=1)),
        ):
            await tx.session.execute(change.where(StockLevel.variant_id == product.variants[0].id))
        await tx.session.execute(
            update(Variant).where(Variant.product_id == withdrawn.id).values(status=VariantStatus.ARCHIVED)
        )

    assert await names(client, in_stock=True) == ["Plenty", "On order"]
    assert await names(client, in_stock=False) == ["None", "No variant", "All reserved", "Withdrawn"]
    cards = (await client.get(f"{API}/products")).json()["data"]
    assert [card["name"] for card in cards if card["in_stock"]] == ["Plenty", "On order"]
    assert [card["name"] for card in cards if card["price_from"] is None] == ["No variant", "Withdrawn"]


# Search


async def test_search_ranks_the_name_above_the_text(client: httpx.AsyncClient, database: Database) -> None:
    await add_product(database, "Teapot", 100, day=2, description="Goes with any kettle")
    await add_product(database, "Kettle", 100, day=1)
    await add_product(database, "Pan", 100, summary="Boils water as a kettle does")

    assert await names(client, q="kettles") == ["Kettle", "Pan", "Teapot"]
    assert await names(client, q="kettles", sort="-created_at") == ["Teapot", "Kettle", "Pan"]
    assert await names(client, q='"boils water"') == ["Pan"]
    assert await names(client, q="kettle -water") == ["Kettle", "Teapot"]
    assert await names(client, q="teapot or pan", sort="name") == ["Pan", "Teapot"]
    assert await names(client, q="spoon") == []


@pytest.mark.parametrize(
    "q",
    [
        "'",
        '"',
        '"unclosed',
        "' OR 1=1 --",
        "'; SELECT pg_sleep(9); --",
        "a & b | !c <-> d",
        "((((",
        ":*",
        "\\",
        "%",
        "_",
        "the",
        "-",
        "🫖",
        "\u202e",
        "a" * 200,
    ],
)
async def test_a_search_is_only_ever_data(client: httpx.AsyncClient, trees: list[Product], q: str) -> None:
    assert await names(client, q=q) == []


@pytest.mark.parametrize("q", ["", "   "])
async def test_a_blank_search_is_none(client: httpx.AsyncClient, trees: list[Product], q: str) -> None:
    assert await names(client, q=q) == await names(client)


@pytest.mark.parametrize("q", ["nul\x00", "a" * 201, "a" * 10_000])
async def test_an_impossible_search_is_refused(client: httpx.AsyncClient, q: str) -> None:
    response = await client.get(f"{API}/products", params={"q": q})

    assert response.status_code == 422
    assert response.json()["errors"][0]["pointer"] == "q"


# What is refused


async def test_an_unknown_parameter_is_refused_with_those_that_are_known(client: httpx.AsyncClient) -> None:
    response = await client.get(f"{API}/products?colour=red&limit=5&price=3")

    assert response.status_code == 422
    assert response.json()["code"] == "validation_failed"
    known = (
        "limit, cursor, include_total, q, category, price[gte], price[lte], in_stock, rating[gte], rating[lte], "
        "facets, sort, attr.NAME"
    )
    assert response.json()["errors"] == [
        {"pointer": name, "code": "unknown_parameter", "message": f"is unknown here; known are {known}"}
        for name in ("colour", "price")
    ]


@pytest.mark.parametrize(
    ("parameter", "value"),
    [
        ("limit", "0"),
        ("limit", "101"),
        ("limit", "-1"),
        ("limit", "ten"),
        ("limit", str(10**30)),
        ("sort", "id"),
        ("sort", "price; DROP TABLE products"),
        ("sort", "relevance"),  # of what?
        ("price[gte]", "-1"),
        ("price[lte]", str(10**12 + 1)),
        ("price[lte]", "1.5"),
        ("in_stock", "maybe"),
        ("cursor", "x" * 2001),
    ],
)
async def test_a_wrong_value_is_refused(client: httpx.AsyncClient, parameter: str, value: str) -> None:
    response = await client.get(f"{API}/products", params={parameter: value})

    assert response.status_code == 422
    assert [error["pointer"] for error in response.json()["errors"]] == [parameter]


async def test_an_unknown_sort_is_answered_with_those_that_are_known(client: httpx.AsyncClient) -> None:
    response = await client.get(f"{API}/products", params={"sort": "colour"})

    for known in ("relevance", *SORTS):
        assert f"'{known}'" in response.json()["errors"][0]["message"]


@pytest.mark.parametrize(
    "changed", [{"sort": "price"}, {"q": "tree"}, {"price[gte]": 0}, {"in_stock": True}, {"category": "home"}]
)
async def test_a_cursor_belongs_to_its_sort_and_filters(
    client: httpx.AsyncClient, trees: list[Product], changed: dict[str, Any]
) -> None:
    cursor = (await client.get(f"{API}/products", params={"limit": 2})).json()["page"]["next_cursor"]

    response = await client.get(f"{API}/products", params={"limit": 2, "cursor": cursor} | changed)

    assert response.status_code == 400
    assert response.json()["code"] == "invalid_cursor"


async def test_a_cursor_does_not_belong_to_a_page_size(client: httpx.AsyncClient, trees: list[Product]) -> None:
    cursor = (await client.get(f"{API}/products", params={"limit": 2})).json()["page"]["next_cursor"]

    assert len(await names(client, limit=3, cursor=cursor, sort="-created_at")) == 3


@pytest.mark.parametrize("cursor", ["", "nonsense", "ZZZZ" * 20, "\x00", "ü"])
async def test_a_forged_cursor_is_refused(client: httpx.AsyncClient, cursor: str) -> None:
    response = await client.get(f"{API}/products", params={"cursor": cursor})

    assert response.status_code == 400
    assert response.json()["code"] == "invalid_cursor"


# Statements


async def test_a_page_is_one_statement_however_long(
    client: httpx.AsyncClient, database: Database, connection: AsyncConnection
) -> None:
    for index in range(50):
        await add_product(database, f"Product {index}", 100, 200, pictures=[f"{index}.svg"])

    counts = []
    for limit in (1, 50):
        with count_statements(connection) as statements:
            assert len(await names(client, limit=limit, q="product", in_stock=True)) == limit
        counts.append(len(statements))

    assert counts == [1, 1]
