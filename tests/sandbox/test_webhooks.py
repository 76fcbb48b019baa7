"""Events: signed (the receiver checks with Stripe's library), in order, as often as it takes."""

import asyncio
from typing import Any

import httpx
import pytest
import stripe
from pydantic import SecretStr

from sandbox.webhooks import sign
from tests.sandbox.surroundings import Receiver, Running, Surroundings

CREATE: Any = {"amount": 1999, "currency": "eur", "metadata": {"order_id": "42"}}
CREATE_AND_PAY: Any = CREATE | {"payment_method": "pm_card_visa", "confirm": True}


@pytest.fixture
async def sandbox(surroundings: Surroundings) -> Running:
    return surroundings.sandbox


@pytest.fixture
async def receiver(surroundings: Surroundings) -> Receiver:
    return surroundings.receiver


def types(events: list[dict[str, Any]]) -> list[str]:
    return [event["type"] for event in events]


async def test_a_purchase_and_its_refund_are_told_in_order(payments: stripe.StripeClient, receiver: Receiver) -> None:
    intent = await payments.v1.payment_intents.create_async(CREATE)
    with pytest.raises(stripe.CardError):
        await payments.v1.payment_intents.confirm_async(intent.id, {"payment_method": "pm_card_chargeDeclined"})
    await payments.v1.payment_intents.confirm_async(intent.id, {"payment_method": "pm_card_visa"})
    await payments.v1.refunds.create_async({"payment_intent": intent.id, "amount": 99})

    events = await receiver.next(5)

    assert types(events) == [
        "payment_intent.created",
        "payment_intent.payment_failed",
        "payment_intent.succeeded",
        "charge.refunded",
        "refund.updated",
    ]
    assert [event["data"]["object"].get("status") for event in events[:3]] == [
        "requires_payment_method",
        "requires_payment_method",
        "succeeded",
    ]
    assert events[2]["id"].startswith("evt_")
    assert (events[2]["object"], events[2]["livemode"]) == ("event", False)
    assert events[2]["data"]["object"]["metadata"] == {"order_id": "42"}
    assert events[3]["data"]["object"]["amount_refunded"] == 99
    assert len({event["id"] for event in events}) == 5


async def test_the_other_endings_are_told_too(payments: stripe.StripeClient, receiver: Receiver) -> None:
    intent = await payments.v1.payment_intents.create_async(CREATE)
    await payments.v1.payment_intents.confirm_async(intent.id, {"payment_method": "pm_card_authenticationRequired"})
    await payments.v1.payment_intents.cancel_async(intent.id)

    events = await receiver.next(3)

    assert types(events)[1:] == ["payment_intent.requires_action", "payment_intent.canceled"]


async def test_a_refused_event_comes_again_before_the_next(payments: stripe.StripeClient, receiver: Receiver) -> None:
    receiver.refusals = 3

    await payments.v1.payment_intents.create_async(CREATE_AND_PAY)

    assert types(await receiver.next(2)) == ["payment_intent.created", "payment_intent.succeeded"]
    assert receiver.attempts == 5


async def test_a_hopeless_event_is_given_up_for_the_next(payments: stripe.StripeClient, receiver: Receiver) -> None:
    receiver.refusals = 10

    await payments.v1.payment_intents.create_async(CREATE_AND_PAY)

    assert types(await receiver.next(1)) == ["payment_intent.succeeded"]
    assert receiver.attempts == 11


@pytest.mark.parametrize(
    ("mode", "told"),
    [
        ("drop", ["payment_intent.canceled"]),
        ("duplicate", ["payment_intent.created", "payment_intent.created", "payment_intent.canceled"]),
    ],
)
async def test_events_can_be_lost_or_come_twice(
    payments: stripe.StripeClient, web: httpx.AsyncClient, receiver: Receiver, mode: str, told: list[str]
) -> None:
    await web.post("/faults", json={"target": "webhooks", "mode": mode})

    intent = await payments.v1.payment_intents.create_async(CREATE)
    await payments.v1.payment_intents.cancel_async(intent.id)

    events = await receiver.next(len(told))
    assert types(events) == told
    assert len({event["id"] for event in events}) == len(set(told))


async def test_events_can_be_late(payments: stripe.StripeClient, web: httpx.AsyncClient, receiver: Receiver) -> None:
    await web.post("/faults", json={"target": "webhooks", "mode": "delay", "delay_ms": 200})
    loop = asyncio.get_running_loop()
    start = loop.time()

    await payments.v1.payment_intents.create_async(CREATE)
    answered_after = loop.time() - start
    await receiver.next(1)

    assert answered_after < 0.2 <= loop.time() - start


def test_the_signature_covers_time_and_body() -> None:
    body, secret = b'{"id": "evt_1"}', SecretStr("whsec_1")

    header = sign(body, secret, 1_700_000_000)

    assert header == stripe.WebhookSignature.generate_signature_header(body.decode(), "whsec_1", 1_700_000_000)
