"""What happens by the clock, in a real worker: each task is sent as the scheduler sends it, and its effect awaited."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from celery import Celery
from sqlalchemy import select, update

from app.core.clock import now
from app.models.inventory import StockLevel
from app.models.listings import Listing
from app.models.orders import Order
from app.models.payments import Payment
from app.models.platform import IdempotencyKey, KeyState, OutboxEvent
from app.settings import Settings
from app.shop import Shop, open_shop
from tests.support.accounts import all_of
from tests.support.databases import copied_database
from tests.support.processes import WORKER, Program, eventually, redis_database, running
from tests.support.sandbox import RunningSandbox
from tests.support.settings import shop_settings
from tests.support.shopping import add_delivery, add_product, pay, place, stock_of, stored_order

Send = Callable[[str], object]


@pytest.fixture(scope="module")
async def own_settings(
    postgres_url: str, template: str, redis_url: str, sandbox: RunningSandbox
) -> AsyncIterator[Settings]:
    async with copied_database(postgres_url, template) as url:
        yield shop_settings(url, redis_database(redis_url, 9), sandbox)


@pytest.fixture(scope="module")
async def shop(own_settings: Settings) -> AsyncIterator[Shop]:
    """This process's own view of the shop, on a database of its own."""
    async with open_shop(own_settings) as shop:
        await add_delivery(shop.database)
        yield shop


@pytest.fixture(scope="module")
def worker(own_settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    with running(WORKER, own_settings, tmp_path_factory.mktemp("worker")) as worker:
        yield worker


@pytest.fixture
def send(own_settings: Settings, worker: Program) -> Iterator[Send]:
    with Celery(broker=own_settings.redis_url.get_secret_value(), set_as_current=False) as clock:
        yield lambda task: clock.send_task(f"emporium.{task}", queue="bulk")


def status_of(shop: Shop, order: dict[str, Any], status: str) -> Callable[[], Awaitable[bool]]:
    async def look() -> bool:
        return (await stored_order(shop.database, order["id"])).status == status

    return look


async def change_order(shop: Shop, order: dict[str, Any], model: type[Order | Payment], **values: Any) -> None:
    owner = Order.id if model is Order else Payment.order_id
    async with shop.database.transaction() as tx:
        await tx.session.execute(update(model).where(owner == UUID(order["id"])).values(**values))


async def test_an_order_that_nobody_paid_expires(client: httpx.AsyncClient, shop: Shop, send: Send) -> None:
    mug = await add_product(shop.database, stock=9)
    overdue, _ = await place(client, (mug, 2))
    fresh, _ = await place(client, (mug, 3))
    await change_order(shop, overdue, Order, expires_at=now() - timedelta(seconds=1))

    send("release_expired_reservations")

    await eventually(status_of(shop, overdue, "expired"))
    assert (await stored_order(shop.database, fresh["id"])).status == "pending_payment"
    assert await stock_of(shop.database, mug) == (9, 3)


async def test_a_payment_whose_end_nobody_told_us_is_looked_up(
    client: httpx.AsyncClient, shop: Shop, send: Send
) -> None:
    order, _ = await place(client, (await add_product(shop.database), 1))
    (reference,) = await all_of(
        shop.database, select(Payment.provider_ref).where(Payment.order_id == UUID(order["id"]))
    )
    await shop.provider.confirm(reference, "pm_card_visa", f"in the browser, {reference}")
    await change_order(shop, order, Payment, updated_at=now() - timedelta(minutes=6))

    send("reconcile_stuck_payments")

    await eventually(status_of(shop, order, "confirmed"))


async def test_events_that_nobody_dealt_with_wait_in_the_outbox_again(shop: Shop, send: Send) -> None:
    lost, recent, unheard = uuid4(), uuid4(), uuid4()
    long_ago = timedelta(seconds=2 * shop.settings.visibility_timeout)
    async with shop.database.transaction() as tx:
        for event_id, type_, age in (
            (lost, "order.confirmed", long_ago),
            (recent, "order.confirmed", timedelta(0)),
            (unheard, "order.placed", long_ago),
        ):
            tx.session.add(
                OutboxEvent(event_id=event_id, type=type_, aggregate_id=uuid4(), payload={}, published_at=now() - age)
            )

    send("publish_lost_events")

    async def waiting() -> list[Any]:
        ours = OutboxEvent.event_id.in_([lost, recent, unheard])
        return await all_of(shop.database, select(OutboxEvent.event_id).where(ours, OutboxEvent.published_at.is_(None)))

    assert await eventually(waiting) == [lost]


async def test_what_was_sold_lately_is_counted(client: httpx.AsyncClient, shop: Shop, send: Send) -> None:
    mug, cup, jug = [await add_product(shop.database) for _ in range(3)]
    for variant, quantity in ((mug, 2), (mug, 1), (cup, 4)):
        order, headers = await place(client, (variant, quantity))
        assert (await pay(client, order, headers)).status_code == 201
    await place(client, (mug, 5))  # not paid
    old, headers = await place(client, (cup, 3))
    assert (await pay(client, old, headers)).status_code == 201
    await change_order(shop, old, Order, placed_at=now() - timedelta(days=91))
    async with shop.database.transaction() as tx:
        await tx.session.execute(update(Listing).where(Listing.product_id == jug.product_id).values(units_sold=9))

    send("count_sales")

    async def units() -> bool:
        ours = [variant.product_id for variant in (mug, cup, jug)]
        counted = select(Listing.product_id, Listing.units_sold).where(Listing.product_id.in_(ours))
        async with shop.database.snapshot() as tx:
            found = {row.product_id: row.units_sold for row in await tx.session.execute(counted)}
        return [found[product_id] for product_id in ours] == [3, 4, 0]

    await eventually(units)


async def test_what_has_run_out_is_forgotten(shop: Shop, send: Send) -> None:
    async with shop.database.transaction() as tx:
        for key, left in (("old", -timedelta(hours=1)), ("new", timedelta(hours=1))):
            tx.session.add(
                IdempotencyKey(
                    scope="nobody", key=key, request_hash=b"", state=KeyState.RUNNING, expires_at=now() + left
                )
            )

    send("purge_expired")

    async def only_the_new_one() -> bool:
        keys = select(IdempotencyKey.key).where(IdempotencyKey.scope == "nobody")
        return await all_of(shop.database, keys) == ["new"]

    await eventually(only_the_new_one)


async def test_stock_that_does_not_add_up_is_reported(shop: Shop, send: Send, worker: Program) -> None:
    sound, wrong = await add_product(shop.database), await add_product(shop.database)
    async with shop.database.transaction() as tx:
        await tx.session.execute(update(StockLevel).where(StockLevel.variant_id == wrong.id).values(on_hand=11))

    send("audit_stock")

    async def said() -> bool:
        return str(wrong.id) in worker.said()

    await eventually(said)
    assert "stock does not add up" in worker.said()
    assert str(sound.id) not in worker.said()
