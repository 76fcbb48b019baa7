"""The ratings that triggers keep on products are what one would count, whichever way the reviews change."""

import random
from collections.abc import Sequence
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, select, text, true, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from app.database import Database
from app.models.products import Product
from app.models.reviews import Review, ReviewStatus
from tests.support.catalogue import add_product
from tests.support.reviews import add_review, ratings, recounted

PRODUCTS = 3
INSERT = (
    "INSERT INTO reviews (id, product_id, rating, status, verified_purchase)"
    " SELECT gen_random_uuid(), product, rating, status, false"
    " FROM unnest(CAST(:products AS uuid[]), CAST(:ratings AS int[]), CAST(:statuses AS text[]))"
    " AS written (product, rating, status)"
)
products = st.integers(0, PRODUCTS - 1)
stars = st.integers(1, 5)
statuses = st.sampled_from(list(ReviewStatus))
some = st.integers(1, 4)  # every one, every other one, ...
changes = st.one_of(
    st.tuples(st.just("write"), st.lists(st.tuples(products, stars, statuses), max_size=8)),
    st.tuples(st.just("rate"), some, stars),
    st.tuples(st.just("moderate"), some, statuses),
    st.tuples(st.just("move"), some, products),
    st.tuples(st.just("retitle"), some),
    st.tuples(st.just("delete"), some),
)


async def make(database: Database, ids: list[UUID], change: tuple[Any, ...]) -> None:
    """The change as one statement."""
    async with database.transaction() as tx:
        found = list(await tx.session.scalars(select(Review.id).order_by(Review.id)))
        some = Review.id.in_(found[:: change[1]]) if isinstance(change[1], int) else true()
        match change:
            case ("write", reviews):
                await tx.session.execute(text(INSERT), columns_of(reviews, ids))
            case ("rate", _, rating):
                await tx.session.execute(update(Review).where(some).values(rating=rating))
            case ("moderate", _, status):
                await tx.session.execute(update(Review).where(some).values(status=status))
            case ("move", _, product):
                await tx.session.execute(update(Review).where(some).values(product_id=ids[product]))
            case ("retitle", _):
                await tx.session.execute(update(Review).where(some).values(title="New"))
            case ("delete", _):
                await tx.session.execute(delete(Review).where(some))


def columns_of(reviews: Sequence[tuple[int, int, str]], ids: list[UUID]) -> dict[str, Any]:
    return {
        "products": [ids[product] for product, _, _ in reviews],
        "ratings": [rating for _, rating, _ in reviews],
        "statuses": [str(status) for _, _, status in reviews],
    }


@pytest.fixture
async def ids(database: Database) -> list[UUID]:
    return [(await add_product(database, f"Product {number}", 100)).id for number in range(PRODUCTS)]


@given(history=st.lists(changes, max_size=8))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_ratings_are_what_one_would_count(
    database: Database, connection: AsyncConnection, ids: list[UUID], history: list[tuple[Any, ...]]
) -> None:
    savepoint = await connection.begin_nested()
    for change in history:
        await make(database, ids, change)
        for product_id in ids:
            assert await ratings(database, product_id) == await recounted(database, product_id), change
    await savepoint.rollback()


async def test_an_average_is_of_all_reviews_to_two_decimals(database: Database) -> None:
    mug = await add_product(database, "Mug", 100)
    for rating in (5, 5, 4):
        await add_review(database, mug, rating)

    assert await ratings(database, mug.id) == ([0, 0, 0, 1, 2], 3, 4.67)


async def test_thousands_of_reviews_in_one_statement_count_once(database: Database, ids: list[UUID]) -> None:
    given_ratings = random.Random(7).choices(range(1, 6), k=3000)  # noqa: S311  # no secret

    reviews = [(place % PRODUCTS, rating, "published") for place, rating in enumerate(given_ratings)]
    await run(database, INSERT, columns_of(reviews, ids))

    for place, product_id in enumerate(ids):
        of_product = given_ratings[place::PRODUCTS]
        counts = [of_product.count(stars) for stars in range(1, 6)]
        assert await ratings(database, product_id) == (counts, 1000, round(sum(of_product) / 1000, 2))


@pytest.mark.parametrize(
    ("change", "constraint"),
    [
        ("UPDATE reviews SET rating = 0", "ck_reviews_rating"),
        ("UPDATE reviews SET rating = 6", "ck_reviews_rating"),
        ("UPDATE reviews SET status = 'hidden'", "ck_reviews_status"),
        ("UPDATE reviews SET helpful_count = -1", "ck_reviews_helpful_count"),
        ("UPDATE products SET rating_counts = '{1,2,3}'", "ck_products_rating_counts"),
        ("UPDATE products SET rating_count = -1", "ck_products_rating"),
        ("UPDATE products SET rating_average = 5.01", "ck_products_rating"),
    ],
)
async def test_raw_sql_cannot_break_the_rules(database: Database, change: str, constraint: str) -> None:
    await add_review(database, await add_product(database, "Mug", 100))

    with pytest.raises(IntegrityError, match=f'"{constraint}"'):
        await run(database, change, {})


async def test_votes_touch_no_product(database: Database) -> None:
    mug: Product = await add_product(database, "Mug", 100)
    await add_review(database, mug)
    row = "SELECT xmin::text || ctid::text FROM products"
    before = await scalar(database, row)

    await run(database, "UPDATE reviews SET helpful_count = 7, title = 'Other'", {})

    assert await scalar(database, row) == before


async def run(database: Database, statement: str, parameters: dict[str, Any]) -> None:
    async with database.transaction() as tx:
        await tx.session.execute(text(statement), parameters)


async def scalar(database: Database, statement: str) -> Any:
    async with database.snapshot() as tx:
        return await tx.session.scalar(text(statement))
