"""A catalogue to browse, written past the API: at chosen times, in states that take a while to reach."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import httpx

from app.core.ids import uuid7
from app.database import Database
from app.models.categories import Category
from app.models.inventory import StockLevel
from app.models.products import Product, ProductMedia, ProductStatus, Variant, option_key
from app.schemas.base import CURRENCY

API = "/api/v1"
OPENING = datetime(2026, 1, 1, tzinfo=UTC)

_numbers = count(1)


async def add_product(
    database: Database,
    name: str,
    *prices: int,
    stock: int = 5,
    day: int = 0,
    pictures: Sequence[str] = (),
    categories: Sequence[Category] = (),
    **changes: Any,
) -> Product:
    """A product for sale with a variant for each price, created so many days after the opening."""
    number = next(_numbers)
    values: dict[str, Any] = {
        "slug": f"product-{number}",
        "status": ProductStatus.ACTIVE,
        "published_at": OPENING,
        "created_at": OPENING + timedelta(days=day),
        "options": [{"name": "Kind", "values": [str(index) for index in range(len(prices))]}] if prices else [],
    }
    product = Product(name=name, categories=list(categories), **values | changes)
    ids = sorted(uuid7() for _ in prices)  # those of one millisecond are in no order
    product.variants = [
        Variant(
            id=ids[index],
            sku=f"SKU-{number}-{index}",
            option_values={"Kind": str(index)},
            option_key=option_key({"Kind": str(index)}),
            price_amount=price,
            currency=CURRENCY,
            stock=StockLevel(on_hand=stock),
        )
        for index, price in enumerate(prices)
    ]
    product.media = [
        ProductMedia(key=key, width=800, height=600, alt=name, position=place) for place, key in enumerate(pictures)
    ]
    async with database.transaction() as tx:
        await tx.products.add(product)
    return product


async def add_category(database: Database, path: str, parent: Category | None = None, **changes: Any) -> Category:
    slug = path.rpartition("/")[2]
    category = Category(slug=slug, name=slug.title(), path=path, parent_id=parent.id if parent else None, **changes)
    async with database.transaction() as tx:
        await tx.categories.add(category)
    return category


async def names(client: httpx.AsyncClient, **parameters: Any) -> list[str]:
    """The names on the first page of the list, in its order."""
    response = await client.get(f"{API}/products", params=parameters)
    assert response.status_code == 200, response.text
    return [card["name"] for card in response.json()["data"]]
