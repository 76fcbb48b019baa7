"""Helpful or not: one vote each, never on one's own review, counted by the database."""

from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import delete, text

from app.database import Database
from app.models.products import Product
from app.models.users import Role, User
from app.shop import Shop
from tests.support.catalogue import API, add_product
from tests.support.problems import problem_of
from tests.support.reviews import Headers, Json, customer, id_of, moderate, written
from tests.support.rows import rows
from tests.support.shopping import signed_in


@pytest.fixture
async def ada(shop: Shop) -> Headers:
    return await customer(shop, "Ada Lovelace")


@pytest.fixture
async def ben(shop: Shop) -> Headers:
    return await customer(shop, "Ben Reader")


@pytest.fixture
async def mug(database: Database) -> Product:
    return await add_product(database, "Mug", 1999)


@pytest.fixture
async def review(client: httpx.AsyncClient, mug: Product, ada: Headers) -> Json:
    return await written(client, mug, ada)


async def vote(client: httpx.AsyncClient, review: Json, voter: Headers, helpful: Any = True) -> httpx.Response:
    return await client.put(f"{API}/reviews/{review['id']}/vote", json={"helpful": helpful}, headers=voter)


async def withdraw(client: httpx.AsyncClient, review: Json, voter: Headers) -> httpx.Response:
    return await client.delete(f"{API}/reviews/{review['id']}/vote", headers=voter)


async def helpful_count(client: httpx.AsyncClient, review: Json) -> int:
    count: int = (await client.get(f"{API}/reviews/{review['id']}")).json()["helpful_count"]
    return count


async def test_the_last_word_of_each_reader_counts(
    client: httpx.AsyncClient, shop: Shop, review: Json, ben: Headers
) -> None:
    counts = []
    for voter, helpful in [(ben, True), (ben, True), (await customer(shop), True), (ben, False), (ben, True)]:
        response = await vote(client, review, voter, helpful)
        assert response.status_code == 200
        assert response.json() == {
            "review_id": review["id"],
            "helpful": helpful,
            "helpful_count": response.json()["helpful_count"],
        }
        counts.append(response.json()["helpful_count"])

    assert counts == [1, 1, 2, 1, 2]
    assert await helpful_count(client, review) == 2


async def test_a_vote_can_be_taken_back(client: httpx.AsyncClient, review: Json, ben: Headers) -> None:
    await vote(client, review, ben)

    answers = [await withdraw(client, review, ben) for _ in range(2)]

    assert [(answer.status_code, answer.content) for answer in answers] == [(204, b""), (204, b"")]
    assert await helpful_count(client, review) == 0


async def test_a_vote_is_no_edit(client: httpx.AsyncClient, review: Json, ben: Headers) -> None:
    await vote(client, review, ben)

    assert (await client.get(f"{API}/reviews/{review['id']}")).json() == review | {"helpful_count": 1}


async def test_nobody_praises_themselves(
    client: httpx.AsyncClient, database: Database, review: Json, ada: Headers
) -> None:
    before = await rows(database)

    for refused in (await vote(client, review, ada), await withdraw(client, review, ada)):
        assert (refused.status_code, problem_of(refused)["code"]) == (403, "own_review")
    assert await rows(database) == before


async def test_who_is_not_signed_in_has_no_vote(client: httpx.AsyncClient, review: Json) -> None:
    assert [(await vote(client, review, {})).status_code, (await withdraw(client, review, {})).status_code] == [
        401,
        401,
    ]


@pytest.mark.parametrize("status", ["pending", "rejected"])
async def test_what_is_not_published_is_not_voted_on(
    client: httpx.AsyncClient, shop: Shop, review: Json, ben: Headers, status: str
) -> None:
    support = await signed_in(shop, Role.SUPPORT)
    await moderate(client, review, support, status)

    for voter in (ben, support):
        for refused in (await vote(client, review, voter), await withdraw(client, review, voter)):
            assert (refused.status_code, problem_of(refused)["code"]) == (404, "not_found")


async def test_what_is_not_for_sale_is_not_voted_on(
    client: httpx.AsyncClient, shop: Shop, mug: Product, review: Json, ben: Headers
) -> None:
    await client.post(f"{API}/products/{mug.id}/archive", headers=await signed_in(shop, Role.CATALOG))

    assert (await vote(client, review, ben)).status_code == 404


@pytest.mark.parametrize("helpful", [None, 1, "true", "yes", []])
async def test_a_vote_is_yes_or_no(client: httpx.AsyncClient, review: Json, ben: Headers, helpful: Any) -> None:
    refused = await vote(client, review, ben, helpful)

    assert [error["pointer"] for error in problem_of(refused)["errors"]] == ["/helpful"]
    assert await helpful_count(client, review) == 0


async def test_who_leaves_takes_their_votes_along(
    client: httpx.AsyncClient, database: Database, shop: Shop, review: Json, ben: Headers
) -> None:
    await vote(client, review, ben)
    await vote(client, review, await customer(shop))

    async with database.transaction() as tx:
        await tx.session.execute(delete(User).where(User.id == id_of(shop, ben)))

    assert await helpful_count(client, review) == 1


async def test_votes_by_raw_sql_count_too(
    client: httpx.AsyncClient, database: Database, shop: Shop, mug: Product, review: Json
) -> None:
    other = await written(client, mug, await customer(shop))
    voters = [id_of(shop, await customer(shop)) for _ in range(3)]

    async def run(statement: str, **parameters: Any) -> None:
        async with database.transaction() as tx:
            await tx.session.execute(text(statement), parameters)

    await run(
        "INSERT INTO review_votes (review_id, user_id, helpful)"
        " SELECT r.id, u.id, u.place < 3"
        " FROM reviews AS r, unnest(CAST(:voters AS uuid[])) WITH ORDINALITY AS u (id, place)",
        voters=voters,
    )
    assert [await helpful_count(client, each) for each in (review, other)] == [2, 2]

    await run("UPDATE review_votes SET helpful = NOT helpful WHERE review_id = :id", id=UUID(review["id"]))
    assert [await helpful_count(client, each) for each in (review, other)] == [1, 2]

    await run("DELETE FROM review_votes")
    assert [await helpful_count(client, each) for each in (review, other)] == [0, 0]
