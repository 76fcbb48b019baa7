"""Somebody who shows nothing gets nothing, however many customers have carts and orders."""

from uuid import uuid4

import httpx
import pytest

from app.database import Database
from app.repositories.carts import Owner
from app.shop import Shop
from tests.support.accounts import code
from tests.support.shopping import ADDRESS, API, add, add_product, check_out, count_orders, keyed, signed_in

STRANGERS: list[dict[str, str]] = [{}, {"X-Order-Token": "made-up"}, {"X-Cart-Token": "made-up"}]


@pytest.fixture(params=[1, 2])
async def customers(
    request: pytest.FixtureRequest, client: httpx.AsyncClient, database: Database, shop: Shop
) -> list[dict[str, str]]:
    """Customers with an address and a line in their cart."""
    mug = await add_product(database, stock=50)
    customers = [await signed_in(shop) for _ in range(request.param)]
    for customer in customers:
        await add(client, customer, mug)
        await client.put(f"{API}/cart/address", json=ADDRESS, headers=customer)
    return customers


@pytest.mark.parametrize("stranger", STRANGERS)
async def test_a_strangers_cart_is_never_a_customers(
    client: httpx.AsyncClient, database: Database, customers: list[dict[str, str]], stranger: dict[str, str]
) -> None:
    before = [(await client.get(f"{API}/cart", headers=customer)).json() for customer in customers]
    line = before[0]["lines"][0]["id"]

    for method, path, body in [
        ("GET", "/cart", None),
        ("DELETE", "/cart", None),
        ("GET", "/cart/shipping-options", None),
        ("PUT", "/cart/address", ADDRESS),
        ("PUT", "/cart/shipping-method", {"shipping_method_id": str(uuid4())}),
        ("PATCH", f"/cart/lines/{line}", {"quantity": 9}),
        ("DELETE", f"/cart/lines/{line}", None),
    ]:
        refused = await client.request(method, f"{API}{path}", json=body, headers=stranger)
        assert (refused.status_code, code(refused)) == (404, "not_found"), (method, path)

    opened = await client.post(f"{API}/cart", headers=stranger)
    added = await add(client, stranger, await add_product(database))
    assert opened.json()["id"] not in {cart["id"] for cart in before}
    assert len(added.json()["lines"]) == 1
    assert opened.headers["X-Cart-Token"]
    assert added.headers["X-Cart-Token"]
    assert [(await client.get(f"{API}/cart", headers=customer)).json() for customer in customers] == before


@pytest.mark.parametrize("stranger", STRANGERS)
async def test_a_stranger_cannot_order_a_customers_cart(
    client: httpx.AsyncClient, database: Database, customers: list[dict[str, str]], stranger: dict[str, str]
) -> None:
    refused = await check_out(client, stranger)

    assert code(refused) in {"unauthorized", "cart_empty"}
    assert await count_orders(database) == 0


@pytest.mark.parametrize("stranger", STRANGERS)
async def test_a_stranger_sees_no_order(
    client: httpx.AsyncClient, database: Database, customers: list[dict[str, str]], stranger: dict[str, str]
) -> None:
    order = (await check_out(client, customers[0])).json()
    path = f"{API}/orders/{order['id']}"

    assert (await client.get(path, headers=stranger)).status_code in {401, 404}
    assert (await client.get(f"{path}/events", headers=stranger)).status_code in {401, 404}
    assert (await client.post(f"{path}/cancel", headers=keyed(stranger))).status_code in {401, 404}


async def test_the_repositories_themselves_know_no_owner_without_a_name(
    database: Database, customers: list[dict[str, str]]
) -> None:
    async with database.snapshot() as tx:
        assert await tx.carts.active_of(Owner(), "DE") is None
        assert await tx.carts.lock_active_of(Owner()) is None
        assert await tx.orders.page(tx.orders.visible_to(None, None), limit=10, position=None) == []
