"""The reviews of the demo shop: plentiful, by people who could have written them, and work for a moderator."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import asyncpg
import pytest
from asyncpg import Connection
from pydantic import SecretStr

from app.dev.seed import seed_shop
from app.dev.seed.planting import Size
from app.services.reviews import first_status
from app.settings import Settings
from tests.support.databases import copied_database

NOON = datetime(2026, 6, 15, 12, tzinfo=UTC)
BOUGHT = """
    SELECT 1 FROM orders JOIN order_lines ON order_lines.order_id = orders.id
    JOIN variants ON variants.id = order_lines.variant_id
    WHERE orders.user_id = reviews.user_id AND variants.product_id = reviews.product_id
      AND orders.status IN ('confirmed', 'processing', 'completed') AND orders.placed_at < reviews.created_at
"""


@pytest.fixture(scope="module")
async def sql(settings: Settings, postgres_url: str, template: str) -> AsyncIterator["Connection[Any]"]:
    """The whole demo shop, which these tests only look at."""
    async with copied_database(postgres_url, template) as url:
        await seed_shop(settings.model_copy(update={"database_url": SecretStr(url)}), Size(), NOON)
        connection = await asyncpg.connect(url.replace("+asyncpg", ""))
        yield connection
        await connection.close()


async def test_the_shop_looks_alive(sql: "Connection[Any]") -> None:
    assert 400 <= await sql.fetchval("SELECT count(*) FROM reviews") <= 900
    assert await sql.fetchval("SELECT count(*) FROM products WHERE status = 'active' AND rating_count >= 2") >= 80
    assert await sql.fetchval(
        "SELECT max(rating_average) - min(rating_average) > 1 FROM products WHERE rating_count > 0"
    )
    assert 3.5 < await sql.fetchval("SELECT avg(rating) FROM reviews") < 4.5
    assert await sql.fetchval("SELECT count(*) FROM reviews WHERE helpful_count > 0") > 100
    assert await sql.fetchval("SELECT bool_and(helpful) IS FALSE FROM review_votes")


async def test_ratings_and_votes_are_counted(sql: "Connection[Any]") -> None:
    wrong_ratings = await sql.fetchval(
        "SELECT count(*) FROM products LEFT JOIN (SELECT product_id, count(*), round(avg(rating), 2) AS average"
        " FROM reviews WHERE status = 'published' GROUP BY product_id) AS counted ON product_id = products.id"
        " WHERE (rating_count, rating_average) IS DISTINCT FROM (coalesce(count, 0), coalesce(average, 0))"
    )
    wrong_votes = await sql.fetchval(
        "SELECT count(*) FROM reviews WHERE helpful_count <>"
        " (SELECT count(*) FROM review_votes WHERE review_id = reviews.id AND helpful)"
    )

    assert (wrong_ratings, wrong_votes) == (0, 0)


async def test_a_purchase_is_verified_where_there_was_one(sql: "Connection[Any]") -> None:
    assert await sql.fetchval(f"SELECT bool_and(verified_purchase = EXISTS ({BOUGHT})) FROM reviews")  # noqa: S608  # constant
    assert 30 < await sql.fetchval("SELECT count(*) FROM reviews WHERE verified_purchase") < 300


async def test_nobody_wrote_before_they_could(sql: "Connection[Any]") -> None:
    early = await sql.fetchval(
        "SELECT count(*) FROM reviews JOIN users ON users.id = user_id JOIN products ON products.id = product_id"
        " WHERE reviews.created_at < greatest(users.created_at, products.published_at) OR reviews.created_at > $1"
        " OR reviews.updated_at > $1",
        NOON,
    )
    voted_early = await sql.fetchval(
        "SELECT count(*) FROM review_votes AS vote JOIN reviews ON reviews.id = review_id"
        " WHERE vote.created_at NOT BETWEEN reviews.created_at AND $1 OR vote.user_id = reviews.user_id",
        NOON,
    )

    assert (early, voted_early) == (0, 0)


async def test_no_product_is_told_the_same_twice(sql: "Connection[Any]") -> None:
    repeated = "SELECT product_id, title FROM reviews WHERE title <> '' GROUP BY 1, 2 HAVING count(*) > 1"
    assert await sql.fetch(repeated) == []


async def test_there_is_work_for_a_moderator(sql: "Connection[Any]") -> None:
    reviews = await sql.fetch("SELECT * FROM reviews")

    held = [review for review in reviews if review["status"] == "pending"]
    rejected = [review for review in reviews if review["status"] == "rejected"]
    assert (len(held), len(rejected)) == (4, 2)
    for review in reviews:
        if review["status"] != "rejected":
            assert first_status(review["title"], review["body"]) == review["status"]
    moderator = await sql.fetchval("SELECT id FROM users WHERE email = 'support@example.com'")
    assert all(review["moderation_reason"] and review["moderated_by"] == moderator for review in rejected)


async def test_who_tries_the_shop_has_reviewed_nothing_yet(sql: "Connection[Any]") -> None:
    demo = "SELECT count(*) FROM reviews JOIN users ON users.id = user_id WHERE email = 'customer@example.com'"
    assert await sql.fetchval(demo) == 0
