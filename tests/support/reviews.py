"""Customers and what they say of products, over HTTP or written past it: at chosen times, by nobody in particular."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx
from sqlalchemy import func, select, update

from app.database import Database
from app.models.orders import Order, OrderStatus
from app.models.products import Product, Variant
from app.models.reviews import Review, ReviewStatus
from app.models.users import User
from app.shop import Shop
from tests.support.catalogue import OPENING
from tests.support.shopping import API, add, check_out, signed_in

Headers = dict[str, str]
Json = dict[str, Any]


async def customer(shop: Shop, full_name: str = "Ada Lovelace") -> Headers:
    """A customer of this name; the header that signs them in."""
    headers = await signed_in(shop)
    async with shop.database.transaction() as tx:
        await tx.session.execute(update(User).where(User.id == id_of(shop, headers)).values(full_name=full_name))
    return headers


def id_of(shop: Shop, headers: Headers) -> UUID:
    return shop.tokens.read(headers["Authorization"].removeprefix("Bearer ")).user_id


async def review(client: httpx.AsyncClient, product: Product | UUID, author: Headers, **body: Any) -> httpx.Response:
    product_id = product if isinstance(product, UUID) else product.id
    return await client.post(f"{API}/products/{product_id}/reviews", json={"rating": 5} | body, headers=author)


async def written(client: httpx.AsyncClient, product: Product | UUID, author: Headers, **body: Any) -> Json:
    """A review that was accepted."""
    response = await review(client, product, author, **body)
    assert response.status_code == 201, response.text
    accepted: Json = response.json()
    return accepted


async def moderate(
    client: httpx.AsyncClient, review: Json, moderator: Headers, status: str, reason: str | None = None
) -> httpx.Response:
    body = {"status": status, "reason": reason}
    return await client.patch(f"{API}/reviews/{review['id']}/moderation", json=body, headers=moderator)


async def page(client: httpx.AsyncClient, product: Product | UUID, **parameters: Any) -> Json:
    """The reviews on a product's page."""
    product_id = product if isinstance(product, UUID) else product.id
    response = await client.get(f"{API}/products/{product_id}/reviews", params=parameters)
    assert response.status_code == 200, response.text
    shown: Json = response.json()
    return shown


async def titles(client: httpx.AsyncClient, product: Product, **parameters: Any) -> list[str]:
    return [review["title"] for review in (await page(client, product, **parameters))["data"]]


async def add_review(database: Database, product: Product, rating: int = 5, *, day: int = 0, **changes: Any) -> Review:
    """A published review of a former customer's, written so many days after the opening."""
    values: dict[str, Any] = {
        "status": ReviewStatus.PUBLISHED,
        "verified_purchase": False,
        "created_at": OPENING + timedelta(days=day),
    }
    review = Review(product_id=product.id, rating=rating, **values | changes)
    async with database.transaction() as tx:
        await tx.reviews.add(review)
    return review


async def order_of(
    client: httpx.AsyncClient, database: Database, buyer: Headers, variant: Variant, status: str
) -> None:
    """An order of this variant that has come so far."""
    assert (await add(client, buyer, variant)).status_code == 201
    placed = await check_out(client, buyer)
    assert placed.status_code == 201, placed.text
    async with database.transaction() as tx:
        await tx.session.execute(
            update(Order).where(Order.id == UUID(placed.json()["id"])).values(status=OrderStatus(status))
        )


async def ratings(database: Database, product_id: UUID) -> tuple[list[int], int, float]:
    """What the product's row says: the counts of one star to five, how many in all, their average."""
    async with database.snapshot() as tx:
        row = await tx.session.execute(
            select(Product.rating_counts, Product.rating_count, Product.rating_average).where(Product.id == product_id)
        )
        counts, count, average = row.one()
        return counts, count, float(average)


async def recounted(database: Database, product_id: UUID) -> tuple[list[int], int, float]:
    """The same, counted from the reviews."""
    published = [Review.product_id == product_id, Review.status == ReviewStatus.PUBLISHED]
    async with database.snapshot() as tx:
        found = await tx.session.execute(select(Review.rating, func.count()).where(*published).group_by(Review.rating))
        average = await tx.session.scalar(select(func.round(func.avg(Review.rating), 2)).where(*published))
    by_rating = {rating: count for rating, count in found}  # noqa: C416  # rows are no pairs to mypy
    counts = [by_rating.get(stars, 0) for stars in range(1, 6)]
    return counts, sum(counts), float(average or 0)
