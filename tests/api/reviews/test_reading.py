"""The reviews on a product's page: what is shown of them and of their authors, in which order, page by page."""

from typing import Any

import httpx
import pytest
from sqlalchemy import delete, update
from sqlalchemy.ext.asyncio import AsyncConnection

from app.database import Database
from app.models.products import Product, ProductStatus
from app.models.reviews import ReviewStatus
from app.models.users import User, UserStatus
from app.schemas.reviews import ProductReviews
from app.shop import Shop
from tests.support.catalogue import API, add_product
from tests.support.problems import problem_of
from tests.support.reviews import add_review, customer, id_of, page, titles, written
from tests.support.statements import count_statements

SORTS = {
    "-created_at": ["worst", "helpful", "good", "first"],
    "-helpful": ["helpful", "worst", "good", "first"],
    "-rating": ["helpful", "good", "first", "worst"],
    "rating": ["worst", "first", "good", "helpful"],
}


@pytest.fixture
async def mug(database: Database) -> Product:
    return await add_product(database, "Mug", 1999, slug="mug")


@pytest.fixture
async def reviewed(database: Database, mug: Product) -> Product:
    """Two of four stars, which only their age tells apart, between one of five and one of two."""
    await add_review(database, mug, 4, title="first", verified_purchase=True)
    await add_review(database, mug, 4, title="good", day=1)
    await add_review(database, mug, 5, title="helpful", day=2, helpful_count=3, verified_purchase=True)
    await add_review(database, mug, 2, title="worst", day=3)
    await add_review(database, mug, 1, title="pending", day=4, status=ReviewStatus.PENDING)
    await add_review(database, mug, 1, title="rejected", day=5, status=ReviewStatus.REJECTED)
    return mug


async def test_a_page_shows_reviews_and_what_they_come_to(client: httpx.AsyncClient, shop: Shop, mug: Product) -> None:
    review = await written(
        client, mug, await customer(shop, "Ada Lovelace"), rating=4, title="Good", body="Holds\ntea."
    )

    response = await client.get(f"{API}/products/mug/reviews")

    assert response.status_code == 200
    ProductReviews.model_validate_json(response.content, strict=True)
    assert response.json() == {
        "data": [
            {
                "id": review["id"],
                "product_id": str(mug.id),
                "rating": 4,
                "title": "Good",
                "body": "Holds\ntea.",
                "author": "Ada L.",
                "verified_purchase": False,
                "helpful_count": 0,
                "status": "published",
                "created_at": review["created_at"],
                "updated_at": review["created_at"],
                "version": 1,
            }
        ],
        "page": {"next_cursor": None, "prev_cursor": None, "has_more": False, "limit": 20, "total": None},
        "summary": {"average": 4.0, "count": 1, "distribution": {"1": 0, "2": 0, "3": 0, "4": 1, "5": 0}},
    }


async def test_everybody_gets_the_same_and_may_keep_it_for_a_while(
    client: httpx.AsyncClient, reviewed: Product
) -> None:
    first = await client.get(f"{API}/products/mug/reviews")
    again = await client.get(f"{API}/products/mug/reviews", headers={"If-None-Match": first.headers["ETag"]})

    assert first.headers["Cache-Control"] == "public, max-age=60, stale-while-revalidate=30"
    assert (again.status_code, again.content) == (304, b"")


async def test_a_product_without_reviews_has_an_empty_page(client: httpx.AsyncClient, mug: Product) -> None:
    shown = await page(client, mug, include_total=True)

    assert shown["data"] == []
    assert shown["page"]["total"] == 0
    assert shown["summary"] == {"average": 0.0, "count": 0, "distribution": dict.fromkeys("12345", 0)}


@pytest.mark.parametrize("sort", SORTS)
async def test_sorting(client: httpx.AsyncClient, reviewed: Product, sort: str) -> None:
    assert await titles(client, reviewed, sort=sort) == SORTS[sort]


@pytest.mark.parametrize("limit", [1, 2, 3])
@pytest.mark.parametrize("query", [*({"sort": sort} for sort in SORTS), {"rating": 4}, {"verified": False}])
async def test_pages_lead_through_the_whole_list_and_back(
    client: httpx.AsyncClient, reviewed: Product, query: dict[str, Any], limit: int
) -> None:
    whole = await titles(client, reviewed, **query)
    assert len(whole) >= 2

    shown = await page(client, reviewed, limit=limit, **query)
    forwards, pages = [review["title"] for review in shown["data"]], 1
    while cursor := shown["page"]["next_cursor"]:
        shown = await page(client, reviewed, limit=limit, cursor=cursor, **query)
        forwards, pages = forwards + [review["title"] for review in shown["data"]], pages + 1
    backwards = [review["title"] for review in shown["data"]]
    while cursor := shown["page"]["prev_cursor"]:
        shown = await page(client, reviewed, limit=limit, cursor=cursor, **query)
        backwards = [review["title"] for review in shown["data"]] + backwards

    assert forwards == backwards == whole
    assert pages == -(-len(whole) // limit)


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({"rating": 4}, ["good", "first"]),
        ({"rating": 3}, []),
        ({"verified": True}, ["helpful", "first"]),
        ({"verified": False}, ["worst", "good"]),
        ({"rating": 4, "verified": True}, ["first"]),
    ],
)
async def test_filters(
    client: httpx.AsyncClient, reviewed: Product, filters: dict[str, Any], expected: list[str]
) -> None:
    shown = await page(client, reviewed, include_total=True, **filters)

    assert [review["title"] for review in shown["data"]] == expected
    assert shown["page"]["total"] == len(expected)
    assert shown["summary"] == {
        "average": 3.75,
        "count": 4,
        "distribution": {"1": 0, "2": 1, "3": 0, "4": 2, "5": 1},
    }


async def test_reviews_stay_with_their_product(
    client: httpx.AsyncClient, database: Database, reviewed: Product
) -> None:
    other = await add_product(database, "Cup", 999)
    await add_review(database, other, 1, title="cup")

    assert await titles(client, other) == ["cup"]
    assert "cup" not in await titles(client, reviewed)


@pytest.mark.parametrize("status", [ProductStatus.DRAFT, ProductStatus.ARCHIVED])
async def test_what_is_not_for_sale_shows_no_reviews(
    client: httpx.AsyncClient, database: Database, reviewed: Product, status: ProductStatus
) -> None:
    async with database.transaction() as tx:
        await tx.session.execute(update(Product).values(status=status))

    for address in (str(reviewed.id), "mug"):
        refused = await client.get(f"{API}/products/{address}/reviews")
        assert (refused.status_code, problem_of(refused)["code"]) == (404, "not_found")


@pytest.mark.parametrize("address", ["no-such-mug", "00000000-0000-7000-8000-000000000000", "NO SLUG", "%00"])
async def test_an_unknown_product_has_no_reviews(client: httpx.AsyncClient, address: str) -> None:
    for parameters in ({}, {"include_total": True}):
        refused = await client.get(f"{API}/products/{address}/reviews", params=parameters)
        assert (refused.status_code, problem_of(refused)["code"]) == (404, "not_found")


# Authors


@pytest.mark.parametrize(
    ("full_name", "shown"),
    [
        ("Ada Lovelace", "Ada L."),
        ("Ada King  Lovelace", "Ada L."),
        ("Ada", "Ada"),
        ("Émilie du Châtelet", "Émilie C."),
        ("武田 信玄", "武田 信."),
        ("ada@example.com", "Anonymous"),
        ("Ada ada@example.com", "Anonymous"),
    ],
)
async def test_of_a_name_an_initial_is_enough(
    client: httpx.AsyncClient, shop: Shop, mug: Product, full_name: str, shown: str
) -> None:
    review = await written(client, mug, await customer(shop, full_name))

    assert review["author"] == shown
    [listed] = (await page(client, mug))["data"]
    assert listed["author"] == shown


async def test_nothing_of_an_account_is_in_a_page(client: httpx.AsyncClient, shop: Shop, mug: Product) -> None:
    author = await customer(shop, "Ada Lovelace")
    review = await written(client, mug, author)

    shown = await client.get(f"{API}/products/mug/reviews")
    alone = await client.get(f"{API}/reviews/{review['id']}")

    for response in (shown, alone):
        assert "Lovelace" not in response.text
        assert "example.com" not in response.text
        assert str(id_of(shop, author)) not in response.text


@pytest.mark.parametrize(
    "leaves", [update(User).values(status=UserStatus.ANONYMISED), delete(User)], ids=["anonymised", "deleted"]
)
async def test_a_review_outlives_its_author(
    client: httpx.AsyncClient, database: Database, shop: Shop, mug: Product, leaves: Any
) -> None:
    author = await customer(shop)
    await written(client, mug, author, rating=3, title="Still here")

    async with database.transaction() as tx:
        await tx.session.execute(leaves.where(User.id == id_of(shop, author)))

    shown = await page(client, mug)
    assert [(review["title"], review["author"]) for review in shown["data"]] == [("Still here", "Anonymous")]
    assert shown["summary"]["count"] == 1


# What is refused


@pytest.mark.parametrize(
    ("parameter", "value"),
    [
        ("rating", "0"),
        ("rating", "6"),
        ("rating", "4.5"),
        ("rating", str(10**30)),
        ("verified", "maybe"),
        ("sort", "created_at"),
        ("sort", "helpful"),
        ("limit", "0"),
        ("limit", "101"),
        ("colour", "red"),
    ],
)
async def test_a_wrong_parameter_is_refused(
    client: httpx.AsyncClient, mug: Product, parameter: str, value: str
) -> None:
    refused = await client.get(f"{API}/products/mug/reviews", params={parameter: value})

    assert refused.status_code == 422
    assert [error["pointer"] for error in problem_of(refused)["errors"]] == [parameter]


@pytest.mark.parametrize("changed", [{"sort": "-rating"}, {"rating": 4}, {"verified": True}])
async def test_a_cursor_belongs_to_its_sort_and_filters(
    client: httpx.AsyncClient, reviewed: Product, changed: dict[str, Any]
) -> None:
    cursor = (await page(client, reviewed, limit=1))["page"]["next_cursor"]

    refused = await client.get(f"{API}/products/{reviewed.id}/reviews", params={"cursor": cursor} | changed)

    assert (refused.status_code, problem_of(refused)["code"]) == (400, "invalid_cursor")


async def test_a_cursor_belongs_to_its_product(
    client: httpx.AsyncClient, database: Database, reviewed: Product
) -> None:
    other = await add_product(database, "Cup", 999)
    cursor = (await page(client, reviewed, limit=1))["page"]["next_cursor"]

    refused = await client.get(f"{API}/products/{other.id}/reviews", params={"cursor": cursor})

    assert (refused.status_code, problem_of(refused)["code"]) == (400, "invalid_cursor")


# Statements


async def test_a_page_is_one_statement_however_long(
    client: httpx.AsyncClient, database: Database, connection: AsyncConnection, mug: Product
) -> None:
    for day in range(50):
        await add_review(database, mug, 1 + day % 5, day=day, title=str(day))

    counts = []
    for limit in (1, 50):
        with count_statements(connection) as statements:
            assert len(await titles(client, mug, limit=limit, sort="-helpful", verified=False)) == limit
        counts.append(len(statements))

    assert counts == [1, 1]
