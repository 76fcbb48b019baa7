"""Reviews and votes at the same time, on real connections."""

import asyncio
from uuid import UUID

from sqlalchemy import func, select

from app.core.clock import now
from app.core.ids import uuid7
from app.database import Database
from app.errors import AlreadyReviewed
from app.models.platform import OutboxEvent
from app.models.products import Product
from app.models.reviews import Review
from app.models.scopes import SCOPES_OF
from app.models.users import Role, User
from app.schemas.reviews import ProductReviewQuery, ReviewCreate, ReviewDetail, ReviewModeration, ReviewUpdate
from app.services.principals import Principal
from app.shop import Shop
from tests.support.catalogue import add_product
from tests.support.reviews import ratings, recounted

CROWD = 20


async def people(database: Database, number: int) -> list[Principal]:
    users = [
        User(email=f"{uuid7()}@example.com", password_hash="none", full_name="Ada", email_verified_at=now())
        for _ in range(number)
    ]
    async with database.transaction() as tx:
        await tx.users.add_all(users)
    return [Principal(user.id, uuid7(), Role.CUSTOMER, SCOPES_OF[Role.CUSTOMER]) for user in users]


async def review(shop: Shop, author: Principal, product: Product, rating: int = 5) -> ReviewDetail:
    return await shop.reviews.create(author, str(product.id), ReviewCreate(rating=rating))


async def count(database: Database, model: type[Review | OutboxEvent]) -> int:
    async with database.snapshot() as tx:
        return (await tx.session.execute(select(func.count()).select_from(model))).scalar_one()


async def test_one_customer_reviews_a_product_once(fresh_shop: Shop) -> None:
    mug = await add_product(fresh_shop.database, "Mug", 100)
    [author] = await people(fresh_shop.database, 1)

    outcomes = await asyncio.gather(
        *(review(fresh_shop, author, mug, rating=1 + number % 5) for number in range(8)), return_exceptions=True
    )

    [accepted] = [outcome for outcome in outcomes if isinstance(outcome, ReviewDetail)]
    refused = [outcome for outcome in outcomes if isinstance(outcome, AlreadyReviewed)]
    assert [each.extra for each in refused] == [{"review_id": str(accepted.id)}] * 7
    assert await count(fresh_shop.database, Review) == await count(fresh_shop.database, OutboxEvent) == 1
    assert (await ratings(fresh_shop.database, mug.id))[1:] == (1, float(accepted.rating))


async def test_one_customer_writes_once_in_place_of_what_was_rejected(fresh_shop: Shop) -> None:
    mug = await add_product(fresh_shop.database, "Mug", 100)
    [author] = await people(fresh_shop.database, 1)
    rejected = await review(fresh_shop, author, mug)
    await fresh_shop.reviews.moderate(author, rejected.id, None, ReviewModeration(status="rejected"))

    outcomes = await asyncio.gather(
        fresh_shop.reviews.delete(author, rejected.id, frozenset({2})),
        *(review(fresh_shop, author, mug) for _ in range(8)),
        return_exceptions=True,
    )
    outcomes += await asyncio.gather(*(review(fresh_shop, author, mug) for _ in range(8)), return_exceptions=True)

    [accepted] = [outcome for outcome in outcomes if isinstance(outcome, ReviewDetail)]
    assert accepted.status == "pending"
    assert len([outcome for outcome in outcomes if isinstance(outcome, AlreadyReviewed)]) == 15
    assert await count(fresh_shop.database, Review) == await count(fresh_shop.database, OutboxEvent) == 1


async def test_no_rating_is_lost_in_a_crowd(fresh_shop: Shop) -> None:
    """Everybody reviews two products, half of them in the other order, and goes on to change or delete."""
    database = fresh_shop.database
    mug, cup = await add_product(database, "Mug", 100), await add_product(database, "Cup", 100)
    crowd = await people(database, CROWD)

    async def busy(place: int, author: Principal) -> None:
        for product in (mug, cup) if place % 2 else (cup, mug):
            written = await review(fresh_shop, author, product, rating=1 + place % 5)
            if place % 4 == 0:
                await fresh_shop.reviews.update(author, written.id, frozenset({1}), ReviewUpdate(rating=5 - place % 5))
            if place % 4 == 1:
                await fresh_shop.reviews.moderate(author, written.id, None, ReviewModeration(status="rejected"))
            if place % 4 == 2:
                await fresh_shop.reviews.delete(author, written.id, frozenset({1}))

    await asyncio.gather(*(busy(place, author) for place, author in enumerate(crowd)))

    assert await count(database, Review) == 2 * CROWD * 3 // 4
    for product in (mug, cup):
        found = await ratings(database, product.id)
        assert found == await recounted(database, product.id)
        assert found[1] == CROWD // 2


async def test_no_vote_is_lost_in_a_crowd(fresh_shop: Shop) -> None:
    database = fresh_shop.database
    mug = await add_product(database, "Mug", 100)
    author, *crowd = await people(database, 1 + CROWD)
    written = await review(fresh_shop, author, mug)

    async def undecided(place: int, voter: Principal) -> None:
        for helpful in (True, False, True):
            await fresh_shop.reviews.vote(voter, written.id, helpful=helpful)
        if place % 4 == 0:
            await fresh_shop.reviews.withdraw_vote(voter, written.id)

    await asyncio.gather(*(undecided(place, voter) for place, voter in enumerate(crowd)))

    assert await helpful_count(fresh_shop, mug, written.id) == CROWD * 3 // 4


async def helpful_count(shop: Shop, product: Product, review_id: UUID) -> int:
    _, body = await shop.reviews.of_product(str(product.id), ProductReviewQuery())
    assert str(review_id).encode() in body
    return (await shop.reviews.get(review_id, None)).helpful_count
