"""Stock tells when it runs low, runs out and comes back: once for each time, whatever moved it."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import select, update

from app.core.clock import now
from app.database import Database
from app.models.inventory import StockLevel
from app.models.orders import Order
from app.models.platform import OutboxEvent
from app.models.products import Variant
from app.models.users import Role
from app.shop import Shop
from tests.support.accounts import all_of, change, code
from tests.support.shopping import (
    API,
    add_delivery,
    add_product,
    check_out,
    guest_cart,
    keyed,
    pay,
    place,
    signed_in,
)
from tests.support.warehouse import Headers, adjust, item, stock_events, tune

Told = Callable[[], Awaitable[list[tuple[str, int]]]]


@pytest.fixture(autouse=True)
async def delivery(database: Database) -> None:
    await add_delivery(database)


@pytest.fixture
async def staff(shop: Shop) -> Headers:
    return await signed_in(shop, Role.WAREHOUSE)


@pytest.fixture
async def mug(client: httpx.AsyncClient, database: Database, staff: Headers) -> Variant:
    """Ten of them, to be ordered again at four."""
    mug = await add_product(database, stock=10)
    await tune(client, staff, mug, reorder_point=4)
    return mug


@pytest.fixture
def told(database: Database, mug: Variant) -> Told:
    return lambda: stock_events(database, mug)


async def cancel(client: httpx.AsyncClient, order: dict[str, Any], guest: Headers) -> None:
    response = await client.post(f"{API}/orders/{order['id']}/cancel", headers=keyed(guest))
    assert response.status_code == 200, response.text


async def test_adjustments(client: httpx.AsyncClient, mug: Variant, staff: Headers, told: Told) -> None:
    for on_hand in (6, 5, 4, 3, 0, 1, 4, 5, 12, 5, 4):
        await adjust(client, staff, item(mug, set_to=on_hand))

    assert await told() == [("stock.low", 4), ("stock.out", 0), ("stock.back", 1), ("stock.low", 4)]


async def test_from_plenty_to_nothing_is_both(
    client: httpx.AsyncClient, mug: Variant, staff: Headers, told: Told
) -> None:
    await adjust(client, staff, item(mug, set_to=0))

    assert await told() == [("stock.low", 0), ("stock.out", 0)]


async def test_checkouts_and_cancellations(client: httpx.AsyncClient, mug: Variant, told: Told) -> None:
    await place(client, (mug, 5))
    assert await told() == []
    low = await place(client, (mug, 1))
    out = await place(client, (mug, 4))
    await cancel(client, *out)
    await cancel(client, *out)
    await cancel(client, *low)
    await place(client, (mug, 1))

    assert await told() == [("stock.low", 4), ("stock.out", 0), ("stock.back", 4), ("stock.low", 4)]


async def test_an_order_that_is_refused_tells_nothing(
    client: httpx.AsyncClient, database: Database, mug: Variant, told: Told
) -> None:
    cup = await add_product(database, stock=1)
    cart = await guest_cart(client, (mug, 10), (cup, 1))
    await place(client, (cup, 1))

    assert code(await check_out(client, cart)) == "insufficient_stock"
    assert await told() == []


async def test_expiry(client: httpx.AsyncClient, database: Database, shop: Shop, mug: Variant, told: Told) -> None:
    await place(client, (mug, 10))
    await change(database, Order, expires_at=now() - timedelta(seconds=1))

    assert await shop.orders.expire_overdue() == 1
    assert await shop.orders.expire_overdue() == 0
    assert await told() == [("stock.low", 0), ("stock.out", 0), ("stock.back", 10)]


async def test_a_late_payment_claims_again(
    client: httpx.AsyncClient, database: Database, shop: Shop, mug: Variant, told: Told
) -> None:
    order, _ = await place(client, (mug, 10))
    await change(database, Order, expires_at=now() - timedelta(seconds=1))
    await shop.orders.expire_overdue()
    before = await told()

    async with database.transaction() as tx:
        assert await tx.inventory.reclaim(UUID(order["id"]))
    assert (await told())[len(before) :] == [("stock.low", 0), ("stock.out", 0)]


async def test_paying_moves_nothing_that_is_told(client: httpx.AsyncClient, mug: Variant, told: Told) -> None:
    order, guest = await place(client, (mug, 10))
    before = await told()
    await pay(client, order, guest)

    assert await told() == before


async def test_back_orders_put_off_the_end(client: httpx.AsyncClient, mug: Variant, staff: Headers, told: Told) -> None:
    await tune(client, staff, mug, backorder_limit=2)
    await place(client, (mug, 11))
    assert await told() == [("stock.low", -1)]
    last = await place(client, (mug, 1))
    await cancel(client, *last)
    assert await told() == [("stock.low", -1), ("stock.out", -2), ("stock.back", -1)]


async def test_another_limit_ends_or_begins_a_sale(
    client: httpx.AsyncClient, database: Database, staff: Headers
) -> None:
    cup = await add_product(database, stock=0)
    await tune(client, staff, cup, backorder_limit=2)
    await tune(client, staff, cup, backorder_limit=0)

    assert await stock_events(database, cup) == [("stock.back", 0), ("stock.out", 0)]


async def test_another_reorder_point_makes_it_low(
    client: httpx.AsyncClient, mug: Variant, staff: Headers, told: Told
) -> None:
    for reorder_point in (9, 10, 11, 9):
        await tune(client, staff, mug, reorder_point=reorder_point)

    assert await told() == [("stock.low", 10)]


async def test_raw_sql(database: Database, mug: Variant, told: Told) -> None:
    cup = await add_product(database, stock=10)
    async with database.transaction() as tx:
        await tx.session.execute(update(StockLevel).values(on_hand=0))

    assert await told() == [("stock.low", 0), ("stock.out", 0)]
    assert await stock_events(database, cup) == [("stock.low", 0), ("stock.out", 0)]


async def test_what_is_told(client: httpx.AsyncClient, database: Database, mug: Variant, staff: Headers) -> None:
    await tune(client, staff, mug, backorder_limit=7)
    await adjust(client, staff, item(mug, delta=-6))

    (event,) = await all_of(database, select(OutboxEvent).where(OutboxEvent.type.startswith("stock.")))
    assert (event.type, event.aggregate_id, event.event_id.version) == ("stock.low", mug.id, 7)
    assert event.payload == {"available": 4, "reorder_point": 4, "backorder_limit": 7}
