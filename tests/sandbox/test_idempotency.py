"""One key, one effect."""

import asyncio
from typing import Any

import httpx
import pytest
import stripe

CREATE: Any = {"amount": 1999, "currency": "eur"}
FREE: Any = CREATE | {"amount": 0}
CHEAPER: Any = CREATE | {"amount": 1}


async def test_the_same_request_is_replayed(raw: httpx.AsyncClient) -> None:
    key = {"Idempotency-Key": "order-1"}

    first = await raw.post("/v1/payment_intents", data=CREATE, headers=key)
    again = await raw.post("/v1/payment_intents", data=CREATE, headers=key)

    assert "idempotent-replayed" not in first.headers
    assert again.headers["idempotent-replayed"] == "true"
    assert again.headers["original-request"] == first.headers["request-id"]
    assert (again.status_code, again.json()) == (200, first.json())


async def test_other_parameters_or_paths_are_refused(payments: stripe.StripeClient) -> None:
    intent = await payments.v1.payment_intents.create_async(CREATE, {"idempotency_key": "order-2"})

    with pytest.raises(stripe.IdempotencyError) as other_parameters:
        await payments.v1.payment_intents.create_async(CHEAPER, {"idempotency_key": "order-2"})
    with pytest.raises(stripe.IdempotencyError) as other_path:
        await payments.v1.payment_intents.cancel_async(intent.id, {}, {"idempotency_key": "order-2"})

    assert other_parameters.value.http_status == other_path.value.http_status == 400
    assert (await payments.v1.payment_intents.retrieve_async(intent.id)).status == "requires_payment_method"


async def test_a_decline_is_replayed_too(payments: stripe.StripeClient) -> None:
    intent = await payments.v1.payment_intents.create_async(CREATE)
    charges = []

    for _ in range(2):
        with pytest.raises(stripe.CardError) as declined:
            await payments.v1.payment_intents.confirm_async(
                intent.id, {"payment_method": "pm_card_chargeDeclined"}, {"idempotency_key": "pay-1"}
            )
        assert declined.value.error is not None
        charges.append(declined.value.error.charge)

    assert charges[0] == charges[1]


async def test_invalid_parameters_do_not_use_up_the_key(payments: stripe.StripeClient) -> None:
    options: Any = {"idempotency_key": "order-3"}
    with pytest.raises(stripe.InvalidRequestError):
        await payments.v1.payment_intents.create_async(FREE, options)

    intent = await payments.v1.payment_intents.create_async(CREATE, options)

    assert intent.amount == 1999


async def test_while_the_first_request_runs_its_twin_is_turned_away(
    raw: httpx.AsyncClient, web: httpx.AsyncClient
) -> None:
    await web.post("/faults", json={"target": "payments", "mode": "delay", "delay_ms": 300})
    key = {"Idempotency-Key": "order-4"}

    answers = await asyncio.gather(*(raw.post("/v1/payment_intents", data=CREATE, headers=key) for _ in range(2)))

    assert sorted(answer.status_code for answer in answers) == [200, 409]
    turned_away = next(answer for answer in answers if answer.status_code == 409)
    assert turned_away.json()["error"]["code"] == "idempotency_key_in_use"


async def test_an_endless_key_is_refused(raw: httpx.AsyncClient) -> None:
    response = await raw.post("/v1/payment_intents", data=CREATE, headers={"Idempotency-Key": "k" * 256})

    assert response.status_code == 400
