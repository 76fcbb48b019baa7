"""Writing a review: once for each product, changed and deleted by its author only."""

from typing import Any

import httpx
import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from app.database import Database
from app.models.platform import OutboxEvent
from app.models.products import Product, ProductStatus
from app.models.users import Role
from app.shop import Shop
from tests.support.accounts import all_of
from tests.support.catalogue import API, add_product
from tests.support.problems import problem_of
from tests.support.reviews import (
    Headers,
    add_review,
    customer,
    id_of,
    moderate,
    order_of,
    page,
    ratings,
    review,
    written,
)
from tests.support.rows import rows
from tests.support.shopping import add_delivery, signed_in
from tests.support.statements import count_statements

ADDRESS = "00000000-0000-7000-8000-000000000000"


@pytest.fixture
async def mug(database: Database) -> Product:
    return await add_product(database, "Mug", 1999, slug="mug")


@pytest.fixture
async def ada(shop: Shop) -> Headers:
    return await customer(shop, "Ada Lovelace")


@pytest.fixture
async def support(shop: Shop) -> Headers:
    return await signed_in(shop, Role.SUPPORT)


async def test_a_review_is_published_at_once(
    client: httpx.AsyncClient, database: Database, shop: Shop, mug: Product, ada: Headers
) -> None:
    response = await client.post(
        f"{API}/products/mug/reviews", json={"rating": 4, "title": " Good ", "body": "Holds\r\ntea.\n"}, headers=ada
    )

    assert response.status_code == 201
    created = response.json()
    assert response.headers["Location"] == f"{API}/reviews/{created['id']}"
    assert response.headers["ETag"] == '"v1"'
    assert created == {
        "id": created["id"],
        "product_id": str(mug.id),
        "rating": 4,
        "title": "Good",
        "body": "Holds\ntea.",
        "author": "Ada L.",
        "verified_purchase": False,
        "helpful_count": 0,
        "status": "published",
        "created_at": created["created_at"],
        "updated_at": created["created_at"],
        "version": 1,
        "product": {"id": str(mug.id), "slug": "mug", "name": "Mug"},
        "moderation": None,
    }
    assert (await client.get(response.headers["Location"])).json() == created
    assert await ratings(database, mug.id) == ([0, 0, 0, 1, 0], 1, 4.0)
    [event] = await all_of(database, select(OutboxEvent))
    assert (event.type, event.aggregate_id) == ("review.published", mug.id)
    assert event.payload == {"review_id": created["id"], "rating": 4}


async def test_a_rating_alone_is_a_review(client: httpx.AsyncClient, mug: Product, ada: Headers) -> None:
    created = await written(client, mug, ada, rating=1)

    assert (created["rating"], created["title"], created["body"]) == (1, "", "")


async def test_a_product_is_reviewed_once(
    client: httpx.AsyncClient, database: Database, mug: Product, ada: Headers
) -> None:
    first = await written(client, mug, ada, rating=5)

    refused = await review(client, mug, ada, rating=1)

    assert refused.status_code == 409
    problem = problem_of(refused)
    assert (problem["code"], problem["review_id"]) == ("already_reviewed", first["id"])
    assert await ratings(database, mug.id) == ([0, 0, 0, 0, 1], 1, 5.0)
    other = await add_product(database, "Cup", 999)
    assert (await review(client, other, ada)).status_code == 201


async def test_who_is_not_signed_in_writes_nothing(client: httpx.AsyncClient, database: Database, mug: Product) -> None:
    before = await rows(database)

    refused = await review(client, mug, {})

    assert (refused.status_code, problem_of(refused)["code"]) == (401, "invalid_token")
    assert await rows(database) == before


@pytest.mark.parametrize("status", [ProductStatus.DRAFT, ProductStatus.ARCHIVED])
async def test_what_is_not_for_sale_is_not_reviewed(
    client: httpx.AsyncClient, database: Database, ada: Headers, status: ProductStatus
) -> None:
    mug = await add_product(database, "Mug", 1999, status=status)
    before = await rows(database)

    refused = await review(client, mug, ada)

    assert (refused.status_code, problem_of(refused)["code"]) == (404, "not_found")
    assert await rows(database) == before


@pytest.mark.parametrize("address", ["no-such-mug", ADDRESS, "NO SLUG"])
async def test_an_unknown_product_is_not_reviewed(client: httpx.AsyncClient, ada: Headers, address: str) -> None:
    refused = await client.post(f"{API}/products/{address}/reviews", json={"rating": 5}, headers=ada)

    assert (refused.status_code, problem_of(refused)["code"]) == (404, "not_found")


async def test_a_text_that_is_too_long_is_told_in_characters(
    client: httpx.AsyncClient, mug: Product, ada: Headers
) -> None:
    refused = await review(client, mug, ada, body="x" * 5001)

    assert problem_of(refused)["errors"] == [
        {"pointer": "/body", "code": "string_too_long", "message": "String should have at most 5000 characters"}
    ]


@pytest.mark.parametrize(
    ("changed", "pointer"),
    [
        ({"rating": 0}, "/rating"),
        ({"rating": 6}, "/rating"),
        ({"rating": 4.5}, "/rating"),
        ({"rating": "5"}, "/rating"),
        ({"rating": True}, "/rating"),
        ({"rating": None}, "/rating"),
        ({"title": "two\nlines"}, "/title"),
        ({"title": "x" * 121}, "/title"),
        ({"title": None}, "/title"),
        ({"body": "nul\x00"}, "/body"),
        ({"body": "bell\x07"}, "/body"),
        ({"body": "escape\x1b[31m"}, "/body"),
        ({"body": "old Mac\rline"}, "/body"),
        ({"body": "x" * 5001}, "/body"),
        ({"body": ["x"]}, "/body"),
        ({"verified_purchase": True}, "/verified_purchase"),
        ({"status": "published"}, "/status"),
        ({"user_id": ADDRESS}, "/user_id"),
    ],
)
async def test_a_wrong_review_is_refused(
    client: httpx.AsyncClient, database: Database, mug: Product, ada: Headers, changed: dict[str, Any], pointer: str
) -> None:
    before = await rows(database)
    mine = await written(client, await add_product(database, "Cup", 999), ada)

    created = await review(client, mug, ada, **changed)
    edited = await client.patch(f"{API}/reviews/{mine['id']}", json=changed, headers=ada | {"If-Match": '"v1"'})

    for refused in (created, edited):
        assert refused.status_code == 422
        assert [error["pointer"] for error in problem_of(refused)["errors"]] == [pointer]
    assert (await rows(database))["reviews"] == before["reviews"] + 1
    assert (await client.get(f"{API}/reviews/{mine['id']}")).json() == mine


@pytest.mark.parametrize(
    "text", ["<script>alert(1)</script>", "' OR 1=1 --", "ünïcödé 🫖", "\u202eright to left", "%s{}"]
)
async def test_text_is_only_ever_text(client: httpx.AsyncClient, mug: Product, ada: Headers, text: str) -> None:
    created = await written(client, mug, ada, title=text, body=f"{text}\n\n{text}")

    assert (created["title"], created["body"]) == (text, f"{text}\n\n{text}")
    assert (await page(client, mug))["data"][0]["title"] == text


async def test_only_so_many_reviews_a_minute(make_client: Any, database: Database, shop: Shop) -> None:
    products = [await add_product(database, f"Product {number}", 100) for number in range(11)]
    author = await customer(shop)

    async with make_client(rate_limit_enabled=True) as client:
        answers = [(await review(client, product, author)).status_code for product in products]

    assert answers == [201] * 10 + [429]


# Bought here, or not


@pytest.mark.parametrize(
    ("status", "verified"),
    [
        ("confirmed", True),
        ("processing", True),
        ("completed", True),
        ("pending_payment", False),
        ("expired", False),
        ("cancelled", False),
    ],
)
async def test_a_purchase_is_verified(
    client: httpx.AsyncClient, database: Database, ada: Headers, status: str, verified: bool
) -> None:
    await add_delivery(database)
    mug = await add_product(database, "Mug", 1999, 2999)
    await order_of(client, database, ada, mug.variants[1], status)

    assert (await written(client, mug, ada))["verified_purchase"] is verified


async def test_what_others_bought_or_of_other_products_verifies_nothing(
    client: httpx.AsyncClient, database: Database, shop: Shop, mug: Product, ada: Headers
) -> None:
    await add_delivery(database)
    cup = await add_product(database, "Cup", 999)
    await order_of(client, database, ada, cup.variants[0], "completed")
    await order_of(client, database, await customer(shop), mug.variants[0], "completed")

    assert (await written(client, mug, ada))["verified_purchase"] is False


async def test_a_purchase_is_verified_by_a_later_edit_and_stays_so(
    client: httpx.AsyncClient, database: Database, mug: Product, ada: Headers
) -> None:
    await add_delivery(database)
    mine = await written(client, mug, ada)
    await order_of(client, database, ada, mug.variants[0], "completed")

    edited = await client.patch(f"{API}/reviews/{mine['id']}", json={"rating": 4}, headers=ada | {"If-Match": '"v1"'})

    assert edited.json()["verified_purchase"] is True


# Change


async def test_only_what_is_sent_changes(
    client: httpx.AsyncClient, database: Database, mug: Product, ada: Headers
) -> None:
    mine = await written(client, mug, ada, rating=5, title="Good", body="Holds tea.")

    edited = await client.patch(f"{API}/reviews/{mine['id']}", json={"rating": 2}, headers=ada | {"If-Match": '"v1"'})

    assert edited.status_code == 200
    assert edited.headers["ETag"] == '"v2"'
    assert edited.json() == mine | {"rating": 2, "version": 2, "updated_at": edited.json()["updated_at"]}
    assert await ratings(database, mug.id) == ([0, 1, 0, 0, 0], 1, 2.0)
    assert len(await all_of(database, select(OutboxEvent.type))) == 1  # it has been published once


async def test_a_deleted_review_is_gone_and_can_be_written_anew(
    client: httpx.AsyncClient, database: Database, shop: Shop, mug: Product, ada: Headers
) -> None:
    mine = await written(client, mug, ada, rating=5)
    await client.put(f"{API}/reviews/{mine['id']}/vote", json={"helpful": True}, headers=await customer(shop))

    deleted = await client.delete(f"{API}/reviews/{mine['id']}", headers=ada | {"If-Match": '"v1"'})

    assert (deleted.status_code, deleted.content) == (204, b"")
    assert (await client.get(f"{API}/reviews/{mine['id']}", headers=ada)).status_code == 404
    assert await ratings(database, mug.id) == ([0, 0, 0, 0, 0], 0, 0.0)
    assert (await rows(database))["review_votes"] == 0
    assert (await review(client, mug, ada)).status_code == 201


@pytest.mark.parametrize(("if_match", "status"), [(None, 428), ('"v2"', 412)])
async def test_an_edit_names_the_version_it_has_seen(
    client: httpx.AsyncClient, mug: Product, ada: Headers, if_match: str | None, status: int
) -> None:
    mine = await written(client, mug, ada)
    headers = ada | ({"If-Match": if_match} if if_match else {})

    edited = await client.patch(f"{API}/reviews/{mine['id']}", json={"rating": 1}, headers=headers)
    deleted = await client.delete(f"{API}/reviews/{mine['id']}", headers=headers)

    assert (edited.status_code, deleted.status_code) == (status, status)
    assert (await client.get(f"{API}/reviews/{mine['id']}")).json() == mine


@pytest.mark.parametrize("role", [Role.CUSTOMER, Role.SUPPORT, Role.ADMIN])
async def test_only_its_author_changes_a_review(
    client: httpx.AsyncClient, shop: Shop, mug: Product, ada: Headers, role: Role
) -> None:
    mine = await written(client, mug, ada)
    other = await signed_in(shop, role) | {"If-Match": '"v1"'}

    edited = await client.patch(f"{API}/reviews/{mine['id']}", json={"rating": 1}, headers=other)
    deleted = await client.delete(f"{API}/reviews/{mine['id']}", headers=other)

    assert [problem_of(refused)["code"] for refused in (edited, deleted)] == ["not_found", "not_found"]
    assert (await client.get(f"{API}/reviews/{mine['id']}")).json() == mine


# Products


async def test_a_product_without_variants_takes_its_reviews_along(
    client: httpx.AsyncClient, database: Database, shop: Shop, ada: Headers
) -> None:
    idea = await add_product(database, "Idea")
    mine = await written(client, idea, ada)
    await client.put(f"{API}/reviews/{mine['id']}/vote", json={"helpful": True}, headers=await customer(shop))

    staff = await signed_in(shop, Role.CATALOG) | {"If-Match": '"v1"'}
    deleted = await client.delete(f"{API}/products/{idea.id}", headers=staff)

    assert deleted.status_code == 204, deleted.text
    assert (await client.get(f"{API}/reviews/{mine['id']}", headers=ada)).status_code == 404
    left = await rows(database)
    assert (left["reviews"], left["review_votes"]) == (0, 0)


async def test_a_review_of_an_archived_product_is_there_for_its_author(
    client: httpx.AsyncClient, shop: Shop, mug: Product, ada: Headers, support: Headers
) -> None:
    mine = await written(client, mug, ada)
    await client.post(f"{API}/products/{mug.id}/archive", headers=await signed_in(shop, Role.CATALOG))
    address = f"{API}/reviews/{mine['id']}"

    assert [(await client.get(address, headers=headers)).status_code for headers in (ada, support, {})] == [
        200,
        200,
        404,
    ]


async def test_a_rating_is_no_edit_of_the_product(
    client: httpx.AsyncClient, database: Database, mug: Product, ada: Headers
) -> None:
    changed_at = select(Product.updated_at, Product.version)
    async with database.snapshot() as tx:
        before = (await tx.session.execute(changed_at)).one()

    await written(client, mug, ada)

    async with database.snapshot() as tx:
        assert (await tx.session.execute(changed_at)).one() == before
    assert (await client.get(f"{API}/products/mug")).json()["rating"] == {"average": 5.0, "count": 1}


# One's own list


async def test_authors_find_their_reviews_whatever_became_of_them(
    client: httpx.AsyncClient, database: Database, shop: Shop, ada: Headers, support: Headers
) -> None:
    products = [await add_product(database, f"Product {number}", 100) for number in range(3)]
    mine = [await written(client, product, ada) for product in products]
    await written(client, products[0], await customer(shop))
    await moderate(client, mine[1], support, "rejected", "Off topic.")

    listed = (await client.get(f"{API}/reviews", headers=ada, params={"include_total": True})).json()
    rejected = (await client.get(f"{API}/reviews", headers=ada, params={"status": "rejected"})).json()

    assert {each["id"] for each in listed["data"]} == {each["id"] for each in mine}
    assert listed["page"]["total"] == 3
    assert [(each["id"], each["moderation"]["reason"]) for each in rejected["data"]] == [(mine[1]["id"], "Off topic.")]
    assert (await client.get(f"{API}/reviews")).status_code == 401


async def test_pages_of_one_list_are_of_no_use_in_another(
    client: httpx.AsyncClient, database: Database, shop: Shop, ada: Headers
) -> None:
    for number in range(2):
        await written(client, await add_product(database, f"Product {number}", 100), ada)
    cursor = (await client.get(f"{API}/reviews?limit=1", headers=ada)).json()["page"]["next_cursor"]
    other = await customer(shop)

    refused = await client.get(f"{API}/reviews", params={"limit": 1, "cursor": cursor}, headers=other)
    own = await client.get(f"{API}/reviews", params={"limit": 1, "cursor": cursor}, headers=ada)

    assert (refused.status_code, problem_of(refused)["code"]) == (400, "invalid_cursor")
    assert len(own.json()["data"]) == 1


# Statements


async def test_a_list_takes_as_many_statements_for_fifty_as_for_one(
    client: httpx.AsyncClient, database: Database, connection: AsyncConnection, shop: Shop, ada: Headers
) -> None:
    for day in range(50):
        product = await add_product(database, f"Product {day}", 100)
        await add_review(database, product, day=day, user_id=id_of(shop, ada))

    counts = []
    for limit in (1, 50):
        with count_statements(connection) as statements:
            listed = await client.get(f"{API}/reviews", params={"limit": limit}, headers=ada)
        assert len(listed.json()["data"]) == limit
        counts.append(len(statements))

    assert counts == [2, 2]  # one of them asks who is asking
