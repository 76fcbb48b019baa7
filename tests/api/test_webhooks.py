"""What the payment provider tells us, and what strangers tell us in its name."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import httpx
import pytest
from pydantic import SecretStr
from sqlalchemy import func, select

from app.core.clock import now
from app.database import Database
from app.models.orders import Order
from app.models.payments import Payment, PaymentEvent, Refund
from app.shop import Shop
from tests.support.accounts import all_of, change, code, events
from tests.support.outbox import deliver, publish_unprocessed_again
from tests.support.sandbox import WEBHOOK_SECRET
from tests.support.shopping import (
    API,
    add_delivery,
    add_product,
    keyed,
    pay,
    place,
    stock_of,
    stored_order,
)
from tests.support.webhooks import news, send, send_raw, signature

NEW_SECRET = "whsec_the_one_that_takes_over_soon"


@pytest.fixture(autouse=True)
async def delivery(database: Database) -> None:
    await add_delivery(database)


async def reference_of(database: Database) -> str:
    """The provider's name for the only payment there is."""
    (payment,) = await all_of(database, select(Payment))
    return str(payment.provider_ref)


async def timeline(client: httpx.AsyncClient, order: dict[str, Any], headers: dict[str, str]) -> list[str]:
    told = await client.get(f"{API}/orders/{order['id']}/events", headers=headers)
    return [event["type"] for event in told.json()["data"]]


async def test_news_of_success_confirm_the_order(client: httpx.AsyncClient, database: Database, shop: Shop) -> None:
    mug = await add_product(database, stock=9)
    order, headers = await place(client, (mug, 2))

    received = await send(client, news(order, await reference_of(database)))

    assert (received.status_code, received.json()) == (200, {"received": True})
    assert (await stored_order(database, order["id"])).status == "pending_payment"  # acknowledged, processed later
    await deliver(shop)
    confirmed = await stored_order(database, order["id"])
    assert (confirmed.status, confirmed.payment_status) == ("confirmed", "paid")
    assert await stock_of(database, mug) == (9, 2)
    assert await timeline(client, order, headers) == ["order.placed", "payment.captured", "order.confirmed"]


async def test_an_event_that_comes_five_times_takes_effect_once(
    client: httpx.AsyncClient, database: Database, shop: Shop
) -> None:
    order, _ = await place(client, (await add_product(database), 1))
    event = news(order, await reference_of(database))

    for _ in range(5):
        assert (await send(client, event)).status_code == 200
        await deliver(shop)

    assert len(await all_of(database, select(PaymentEvent))) == 1
    assert await events(database) == [
        "order.placed",
        "payment_event.received",
        "payment.captured",
        "order.confirmed",
    ]


async def test_the_shops_own_answer_and_the_webhook_are_one_payment(
    client: httpx.AsyncClient, database: Database, shop: Shop
) -> None:
    order, headers = await place(client, (await add_product(database), 1))
    await pay(client, order, headers)

    await send(client, news(order, await reference_of(database)))
    await deliver(shop)

    told = await events(database)
    assert (told.count("payment.captured"), told.count("order.confirmed")) == (1, 1)


@pytest.mark.parametrize(
    "sign",
    [
        pytest.param(lambda _: None, id="none"),
        pytest.param(lambda payload: signature(payload)[:-1] + "\u00e9", id="beyond ASCII"),
        pytest.param(lambda _: "", id="empty"),
        pytest.param(lambda _: "t=,v1=", id="hollow"),
        pytest.param(lambda _: "v1=00,t=soon", id="not a time"),
        pytest.param(lambda payload: signature(payload + b" "), id="of another body"),
        pytest.param(lambda payload: signature(payload, NEW_SECRET), id="with another secret"),
        pytest.param(lambda payload: signature(payload, age=600), id="ten minutes old"),
        pytest.param(lambda payload: signature(payload).replace("v1=", "v0="), id="of another scheme"),
        pytest.param(lambda payload: f"t=9999999999,{signature(payload).split(',')[1]}", id="made younger"),
    ],
)
async def test_a_stranger_is_not_believed(
    client: httpx.AsyncClient, database: Database, sign: Callable[[bytes], str | None]
) -> None:
    order, _ = await place(client, (await add_product(database), 1))
    payload = json.dumps(news(order, await reference_of(database))).encode()

    refused = await send_raw(client, payload, sign(payload))

    assert (refused.status_code, code(refused)) == (400, "invalid_signature")
    assert await all_of(database, select(PaymentEvent)) == []
    assert await events(database) == ["order.placed"]


async def test_both_secrets_are_good_during_a_rotation(client: httpx.AsyncClient, shop: Shop) -> None:
    payload = json.dumps({"id": "evt_1", "type": "charge.updated", "data": {"object": {}}}).encode()
    both = (SecretStr(WEBHOOK_SECRET), SecretStr(NEW_SECRET))
    shop.settings = shop.settings.model_copy(update={"stripe_webhook_secrets": both})

    old = await send_raw(client, payload, signature(payload))
    new = await send_raw(client, payload, signature(payload, NEW_SECRET))

    assert (old.status_code, new.status_code) == (200, 200)


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"not JSON",
        b"null",
        b"[]",
        b'"evt_1"',
        b"[" * 100_000,
        b"{}",
        b'{"id": "evt_1", "data": {"object": {}}}',
        b'{"type": "charge.updated", "data": {"object": {}}}',
        b'{"id": 1, "type": "charge.updated", "data": {"object": {}}}',
        b'{"id": "", "type": "charge.updated", "data": {"object": {}}}',
        b'{"id": "evt_1", "type": null, "data": {"object": {}}}',
        b'{"id": "evt_1", "type": "charge.updated"}',
        b'{"id": "evt_1", "type": "charge.updated", "data": {"object": "ch_1"}}',
    ],
    ids=lambda payload: payload[:60].decode() or "nothing",
)
async def test_a_signed_body_that_is_no_event_is_refused(
    client: httpx.AsyncClient, database: Database, payload: bytes
) -> None:
    refused = await send_raw(client, payload, signature(payload))

    assert (refused.status_code, code(refused)) == (400, "malformed_body")
    assert await all_of(database, select(PaymentEvent)) == []


async def test_a_body_that_is_no_text_is_refused(client: httpx.AsyncClient) -> None:
    refused = await send_raw(client, b"\xff\xfe", signature(b"\xff\xfe"))

    assert (refused.status_code, code(refused)) == (400, "invalid_signature")


@pytest.mark.parametrize("wrong", [{"amount_received": 1}, {"currency": "jpy"}], ids=["amount", "currency"])
async def test_money_that_was_not_asked_for_pays_nothing(
    client: httpx.AsyncClient, database: Database, shop: Shop, wrong: dict[str, Any]
) -> None:
    order, headers = await place(client, (await add_product(database), 1))
    reference = await reference_of(database)

    await send(client, news(order, reference, **wrong))
    await deliver(shop)
    await send(client, news(order, reference))  # a person has to look at it first
    await deliver(shop)

    (payment,) = await all_of(database, select(Payment))
    assert (payment.status, payment.amount_captured) == ("needs_review", 0)
    unpaid = await stored_order(database, order["id"])
    assert (unpaid.status, unpaid.payment_status) == ("pending_payment", "pending")
    assert await timeline(client, order, headers) == ["order.placed", "payment.needs_review"]


async def test_news_of_a_payment_that_is_not_known_yet_wait_for_it(
    client: httpx.AsyncClient, database: Database, shop: Shop
) -> None:
    order, _ = await place(client, (await add_product(database), 1))
    reference = await reference_of(database)
    await change(database, Payment, provider_ref=None)  # our own commit comes later than the provider's event

    received = await send(client, news(order, reference))
    assert received.status_code == 200
    assert await deliver(shop) == ["payment_event.received"]
    (waiting,) = await all_of(database, select(PaymentEvent))
    assert (waiting.processed_at, waiting.attempts) == (None, 1)

    await change(database, Payment, provider_ref=reference)
    await publish_unprocessed_again(shop)
    assert await deliver(shop) == []
    await publish_unprocessed_again(shop)
    await deliver(shop)

    assert (await stored_order(database, order["id"])).status == "confirmed"
    assert (await events(database)).count("payment.captured") == 1


async def test_a_payment_that_fails_may_be_tried_again(
    client: httpx.AsyncClient, database: Database, shop: Shop
) -> None:
    order, headers = await place(client, (await add_product(database), 1))

    await send(client, news(order, await reference_of(database), "requires_payment_method"))
    await deliver(shop)

    failed = await stored_order(database, order["id"])
    assert (failed.status, failed.payment_status) == ("pending_payment", "failed")
    assert (await pay(client, order, headers)).json()["order"]["status"] == "confirmed"


@pytest.mark.parametrize("late", ["requires_payment_method", "requires_action", "canceled"])
async def test_what_comes_after_success_is_older(
    client: httpx.AsyncClient, database: Database, shop: Shop, late: str
) -> None:
    order, headers = await place(client, (await add_product(database), 1))
    reference = await reference_of(database)
    await send(client, news(order, reference))
    await send(client, news(order, reference, late))

    await deliver(shop)

    (payment,) = await all_of(database, select(Payment))
    assert (payment.status, payment.amount_captured) == ("succeeded", payment.amount)
    confirmed = await stored_order(database, order["id"])
    assert (confirmed.status, confirmed.payment_status) == ("confirmed", "paid")
    assert await timeline(client, order, headers) == ["order.placed", "payment.captured", "order.confirmed"]


@pytest.mark.parametrize("late", ["requires_payment_method", "requires_action", "canceled"])
async def test_what_comes_after_the_end_is_older(
    client: httpx.AsyncClient, database: Database, shop: Shop, late: str
) -> None:
    order, headers = await place(client, (await add_product(database), 1))
    reference = await reference_of(database)
    await client.post(f"{API}/orders/{order['id']}/cancel", headers=keyed(headers))
    await deliver(shop)  # which calls the payment off
    await send(client, news(order, reference, late))

    assert await deliver(shop) == []

    (payment,) = await all_of(database, select(Payment))
    (told,) = await all_of(database, select(PaymentEvent))
    assert payment.status == "canceled"
    assert told.processed_at is not None
    assert await timeline(client, order, headers) == ["order.placed", "order.cancelled"]


async def expire(database: Database, shop: Shop) -> None:
    await change(database, Order, expires_at=now() - timedelta(hours=1))
    assert await shop.orders.expire_overdue() == 1


async def test_a_payment_after_the_end_of_the_reservation_still_buys_what_is_there(
    client: httpx.AsyncClient, database: Database, shop: Shop
) -> None:
    mug = await add_product(database, stock=9)
    order, headers = await place(client, (mug, 2))
    reference = await reference_of(database)
    await shop.provider.confirm(reference, "pm_card_visa", f"in the browser, {reference}")
    await expire(database, shop)
    assert await stock_of(database, mug) == (9, 0)

    await send(client, news(order, reference))
    await deliver(shop)

    confirmed = await stored_order(database, order["id"])
    assert (confirmed.status, confirmed.payment_status) == ("confirmed", "paid")
    assert await stock_of(database, mug) == (9, 2)
    assert await shop.inventory.audit() == []
    assert await timeline(client, order, headers) == [
        "order.placed",
        "order.expired",
        "payment.captured",
        "order.confirmed",
    ]


async def test_a_payment_after_the_stock_has_gone_is_given_back(
    client: httpx.AsyncClient, database: Database, shop: Shop
) -> None:
    mug, cup = await add_product(database, stock=2), await add_product(database, stock=9)
    order, headers = await place(client, (mug, 2), (cup, 1))
    reference = await reference_of(database)
    await shop.provider.confirm(reference, "pm_card_visa", f"in the browser, {reference}")
    await expire(database, shop)
    await place(client, (mug, 1))

    await send(client, news(order, reference))
    await deliver(shop)

    refused = await stored_order(database, order["id"])
    assert (refused.status, refused.payment_status) == ("expired", "refunded")
    (refund,) = await all_of(database, select(Refund))
    assert (refund.status, refund.amount) == ("succeeded", refused.grand_total)
    assert refund.provider_ref.startswith("re_")
    assert (await stock_of(database, mug), await stock_of(database, cup)) == ((2, 1), (9, 0))
    assert await shop.inventory.audit() == []
    assert await timeline(client, order, headers) == [
        "order.placed",
        "order.expired",
        "payment.captured",
        "refund.requested",
        "refund.succeeded",
    ]


async def test_a_kind_of_event_that_does_not_concern_us_is_put_aside(
    client: httpx.AsyncClient, database: Database, shop: Shop
) -> None:
    await send(client, {"id": "evt_1", "type": "payout.paid", "data": {"object": {"id": "po_1"}}})

    assert await deliver(shop) == []

    unprocessed = select(func.count()).select_from(PaymentEvent).where(PaymentEvent.processed_at.is_(None))
    assert await all_of(database, unprocessed) == [0]
