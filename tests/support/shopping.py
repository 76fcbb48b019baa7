"""What a shop needs before anybody can buy, and the steps of a purchase over HTTP."""

from datetime import timedelta
from decimal import Decimal
from itertools import count
from typing import Any
from uuid import UUID, uuid4

import httpx
from sqlalchemy import func, select

from app.core.clock import now
from app.core.ids import uuid7
from app.core.security import digest, new_secret
from app.database import Database
from app.models.inventory import StockLevel, StockMovement
from app.models.orders import Order
from app.models.products import Product, ProductStatus, Variant, option_key
from app.models.shipping import ShippingMethod, TaxRate
from app.models.users import Role, User, UserSession
from app.shop import Shop

API = "/api/v1"
ADDRESS = {
    "full_name": "Ada Lovelace",
    "line1": "Unter den Linden 1",
    "city": "Berlin",
    "postal_code": "10117",
    "country": "DE",
}
_numbers = count(1)


async def add_product(database: Database, *, stock: int = 10, price: int = 1999, **changes: Any) -> Variant:
    """A product for sale, with one variant."""
    number = next(_numbers)
    product = Product(
        slug=f"mug-{number}", name=f"Mug {number}", status=ProductStatus.ACTIVE, published_at=now(), **changes
    )
    variant = Variant(
        product=product, sku=f"MUG-{number}", option_key=option_key({}), price_amount=price, currency="EUR"
    )
    async with database.transaction() as tx:
        tx.session.add(variant)
        await tx.session.flush()
        tx.session.add(StockLevel(variant_id=variant.id, on_hand=stock))
        if stock:
            tx.session.add(StockMovement(variant_id=variant.id, on_hand_delta=stock, reason="received"))
    return variant


async def add_delivery(database: Database, *, price: int = 490) -> ShippingMethod:
    """One way to ship, and German tax."""
    method = ShippingMethod(code="standard", name="Standard", price_amount=price, currency="EUR")
    async with database.transaction() as tx:
        tx.session.add_all([method, TaxRate(country="DE", rate=Decimal("0.19"))])
    return method


async def signed_in(shop: Shop, role: Role = Role.CUSTOMER) -> dict[str, str]:
    """A new account's Authorization header, without the cost of a password."""
    family = uuid7()
    user = User(
        email=f"user{next(_numbers)}@example.com",
        password_hash="none",
        full_name="Ada",
        role=role,
        email_verified_at=now(),
    )
    async with shop.database.transaction() as tx:
        await tx.users.add(user)
        tx.session.add(
            UserSession(
                id=family,
                family_id=family,
                user_id=user.id,
                refresh_hash=digest(new_secret()),
                expires_at=now() + timedelta(days=1),
            )
        )
    return {"Authorization": f"Bearer {shop.tokens.issue(user.id, family, role)}"}


async def guest_cart(client: httpx.AsyncClient, *lines: tuple[Variant, int]) -> dict[str, str]:
    """A guest's cart with these lines; returns the header that opens it."""
    opened = await client.post(f"{API}/cart")
    assert opened.status_code == 201
    headers = {"X-Cart-Token": opened.headers["X-Cart-Token"]}
    for variant, quantity in lines:
        added = await add(client, headers, variant, quantity)
        assert added.status_code == 201, added.text
    return headers


async def add(
    client: httpx.AsyncClient, headers: dict[str, str], variant: Variant, quantity: int = 1
) -> httpx.Response:
    return await client.post(
        f"{API}/cart/lines", json={"variant_id": str(variant.id), "quantity": quantity}, headers=headers
    )


def keyed(headers: dict[str, str], key: str | None = None) -> dict[str, str]:
    return headers | {"Idempotency-Key": key or str(uuid4())}


async def check_out(
    client: httpx.AsyncClient, headers: dict[str, str], key: str | None = None, **changes: Any
) -> httpx.Response:
    body = {"email": "ada@example.com", "shipping_address": ADDRESS} | changes
    return await client.post(f"{API}/orders", json=body, headers=keyed(headers, key))


async def place(client: httpx.AsyncClient, *lines: tuple[Variant, int]) -> tuple[dict[str, Any], dict[str, str]]:
    """A guest's order, and the header that opens it."""
    placed = await check_out(client, await guest_cart(client, *lines))
    assert placed.status_code == 201, placed.text
    order: dict[str, Any] = placed.json()
    return order, {"X-Order-Token": order["order_token"]}


async def pay(
    client: httpx.AsyncClient,
    order: dict[str, Any],
    headers: dict[str, str],
    method: str = "pm_card_visa",
    key: str | None = None,
) -> httpx.Response:
    return await client.post(
        f"{API}/orders/{order['id']}/payments", json={"payment_method": method}, headers=keyed(headers, key)
    )


async def stock_of(database: Database, variant: Variant) -> tuple[int, int]:
    """On hand, and reserved."""
    async with database.snapshot() as tx:
        found = await tx.session.execute(
            select(StockLevel.on_hand, StockLevel.reserved).where(StockLevel.variant_id == variant.id)
        )
        return found.one()


async def count_orders(database: Database) -> int:
    async with database.snapshot() as tx:
        return (await tx.session.execute(select(func.count()).select_from(Order))).scalar_one()


async def stored_order(database: Database, order_id: str) -> Order:
    async with database.snapshot() as tx:
        order = await tx.orders.get(tx.orders.everyones(), UUID(order_id))
    assert order is not None
    return order
