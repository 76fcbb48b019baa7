"""Who hears of an event, and that they deal with it once."""

import json
from uuid import uuid4

import httpx
import pytest
from sqlalchemy import select

from app.database import Database
from app.models.platform import OutboxEvent, ProcessedEvent
from app.shop import Shop
from tests.support.accounts import all_of
from tests.support.sandbox import RunningSandbox
from tests.support.shopping import add_delivery, add_product, check_out, guest_cart, pay
from worker.consumers import Event, NotYet, consume, consumers_of


@pytest.fixture
async def confirmed(client: httpx.AsyncClient, database: Database) -> tuple[Event, str]:
    """The event of a confirmed order, and the customer's address."""
    await add_delivery(database)
    email = f"{uuid4().hex}@example.com"
    cart = await guest_cart(client, (await add_product(database), 1))
    order = (await check_out(client, cart, email=email)).json()
    await pay(client, order, {"X-Order-Token": order["order_token"]})
    (row,) = await all_of(database, select(OutboxEvent).where(OutboxEvent.type == "order.confirmed"))
    return Event.of(row), email


async def test_an_event_that_comes_twice_is_dealt_with_once(
    shop: Shop, sandbox: RunningSandbox, confirmed: tuple[Event, str]
) -> None:
    event, email = confirmed

    await consume(shop, "notifications", event)
    await consume(shop, "notifications", event)

    assert len(await sandbox.mails_to(email)) == 1
    assert await all_of(shop.database, select(ProcessedEvent.event_id)) == [event.event_id]


async def test_an_event_travels_as_json_without_personal_data(confirmed: tuple[Event, str]) -> None:
    event, email = confirmed

    message = json.dumps(event.to_message())

    assert Event.from_message(json.loads(message)) == event
    assert email not in message
    assert "Ada" not in message


async def test_an_event_that_could_not_be_dealt_with_is_not_noted_as_if(shop: Shop, database: Database) -> None:
    async with database.transaction() as tx:
        inbox_id = await tx.payments.receive(
            "evt_1",
            "payment_intent.succeeded",
            {"data": {"object": {"id": "pi_nobody", "status": "succeeded"} | MONEY}},
        )
    assert inbox_id
    event = Event(uuid4(), "payment_event.received", inbox_id, {})

    with pytest.raises(NotYet):
        await consume(shop, "payments", event)

    assert await all_of(database, select(ProcessedEvent)) == []


MONEY = {"amount": 100, "amount_received": 100, "currency": "eur"}


@pytest.mark.parametrize(
    ("type_", "consumers"),
    [
        ("order.confirmed", ["notifications"]),
        ("customer.registered", ["notifications"]),
        ("payment_event.received", ["payments"]),
        ("refund.requested", ["payments"]),
        ("order.cancelled", ["payments"]),
        ("order.expired", ["payments"]),
        ("stock.low", ["notifications"]),
        ("media.uploaded", ["media"]),
        ("order.placed", []),
    ],
)
def test_consumers_hear_what_concerns_them(type_: str, consumers: list[str]) -> None:
    assert consumers_of(type_) == consumers
