"""Paying, as Stripe's own library sees it."""

from typing import Any

import httpx
import pytest
import stripe

CREATE: Any = {"amount": 1999, "currency": "eur", "metadata": {"order_id": "42"}}


async def create(payments: stripe.StripeClient, **more: Any) -> stripe.PaymentIntent:
    params: Any = {**CREATE, **more}
    return await payments.v1.payment_intents.create_async(params)


async def test_a_new_intent_waits_for_a_payment_method(payments: stripe.StripeClient) -> None:
    intent = await create(payments)

    assert intent.id.startswith("pi_")
    assert (intent.client_secret or "").startswith(f"{intent.id}_secret_")
    assert (intent.amount, intent.currency, intent.status) == (1999, "eur", "requires_payment_method")
    assert intent.metadata["order_id"] == "42"
    assert await payments.v1.payment_intents.retrieve_async(intent.id) == intent


async def test_a_good_card_pays(payments: stripe.StripeClient) -> None:
    intent = await create(payments, automatic_payment_methods={"enabled": True, "allow_redirects": "never"})

    paid = await payments.v1.payment_intents.confirm_async(
        intent.id, {"payment_method": "pm_card_visa", "expand": ["latest_charge.payment_intent"]}
    )

    charge = paid.latest_charge
    assert (paid.status, paid.amount_received) == ("succeeded", 1999)
    assert isinstance(charge, stripe.Charge)
    assert (charge.amount_captured, charge.paid, charge.status) == (1999, True, "succeeded")
    assert isinstance(charge.payment_intent, stripe.PaymentIntent)
    assert charge.payment_intent.id == intent.id


async def test_an_intent_can_be_confirmed_as_it_is_created(payments: stripe.StripeClient) -> None:
    intent = await create(payments, payment_method="pm_card_mastercard", confirm=True)

    assert intent.status == "succeeded"


@pytest.mark.parametrize(
    ("card", "decline_code"),
    [
        ("pm_card_chargeDeclined", "generic_decline"),
        ("pm_card_chargeDeclinedInsufficientFunds", "insufficient_funds"),
    ],
)
async def test_after_a_decline_another_card_may_pay(
    payments: stripe.StripeClient, card: str, decline_code: str
) -> None:
    intent = await create(payments)

    with pytest.raises(stripe.CardError) as declined:
        await payments.v1.payment_intents.confirm_async(intent.id, {"payment_method": card})

    error = declined.value.error
    assert (declined.value.http_status, declined.value.code) == (402, "card_declined")
    assert error is not None
    assert (error.type, error.decline_code) == ("card_error", decline_code)
    assert error.payment_intent is not None
    assert (error.payment_intent["id"], error.payment_intent["status"]) == (intent.id, "requires_payment_method")

    failed = await payments.v1.payment_intents.retrieve_async(intent.id)
    assert failed.status == "requires_payment_method"
    assert failed.payment_method is None
    assert failed.last_payment_error is not None
    assert failed.last_payment_error.decline_code == decline_code
    assert failed.amount_received == 0

    paid = await payments.v1.payment_intents.confirm_async(intent.id, {"payment_method": "pm_card_visa"})
    assert (paid.status, paid.last_payment_error) == ("succeeded", None)


async def test_a_paid_intent_stays_as_it_is(payments: stripe.StripeClient) -> None:
    intent = await create(payments, payment_method="pm_card_visa", confirm=True)
    refused: list[Any] = []

    for attempt in (
        payments.v1.payment_intents.confirm_async(intent.id),
        payments.v1.payment_intents.cancel_async(intent.id),
        payments.v1.payment_intents.update_async(intent.id, {"amount": 1}),
    ):
        with pytest.raises(stripe.InvalidRequestError) as error:
            await attempt
        refused.append((error.value.http_status, error.value.code))

    assert refused == [(400, "payment_intent_unexpected_state")] * 3
    assert await payments.v1.payment_intents.retrieve_async(intent.id) == intent


async def test_a_canceled_intent_cannot_be_paid(payments: stripe.StripeClient) -> None:
    intent = await create(payments)

    canceled = await payments.v1.payment_intents.cancel_async(intent.id, {"cancellation_reason": "abandoned"})

    assert (canceled.status, canceled.cancellation_reason) == ("canceled", "abandoned")
    with pytest.raises(stripe.InvalidRequestError) as error:
        await payments.v1.payment_intents.confirm_async(intent.id, {"payment_method": "pm_card_visa"})
    assert error.value.code == "payment_intent_unexpected_state"


async def test_confirming_without_a_card_is_refused(payments: stripe.StripeClient) -> None:
    intent = await create(payments)

    with pytest.raises(stripe.InvalidRequestError, match="missing a payment method"):
        await payments.v1.payment_intents.confirm_async(intent.id)


async def test_an_update_changes_only_what_it_names(payments: stripe.StripeClient) -> None:
    intent = await create(payments, description="Two mugs")

    updated = await payments.v1.payment_intents.update_async(
        intent.id,
        {"amount": 2500, "payment_method": "pm_card_visa", "metadata": {"order_id": "", "cart_id": "7"}},
    )

    assert (updated.amount, updated.description, updated.status) == (2500, "Two mugs", "requires_confirmation")
    assert updated.metadata.to_dict() == {"cart_id": "7"}


@pytest.mark.parametrize(
    ("body", "code", "param"),
    [
        ("currency=eur", "parameter_missing", "amount"),
        ("amount=10", "parameter_missing", "currency"),
        ("amount=0&currency=eur", "parameter_invalid_integer", "amount"),
        ("amount=-5&currency=eur", "parameter_invalid_integer", "amount"),
        ("amount=19.99&currency=eur", "parameter_invalid_integer", "amount"),
        ("amount=&currency=eur", "parameter_invalid_integer", "amount"),
        ("amount[a]=5&currency=eur", "parameter_invalid_integer", "amount"),
        ("amount=1000000000000&currency=eur", "amount_too_large", "amount"),
        ("amount=10&currency=xxx", None, "currency"),
        ("amount=10&currency=eur&colour=red", "parameter_unknown", "colour"),
        ("amount=10&currency=eur&payment_method=pm_unknown", "resource_missing", "payment_method"),
        ("amount=10&currency=eur&return_url=javascript:x", "url_invalid", "return_url"),
        ("amount=10&currency=eur&return_url=http://[", "url_invalid", "return_url"),
        ("amount=10&currency=eur&confirm=maybe", None, "confirm"),
        ("amount=10&currency=eur&confirm[x]=true", None, "confirm"),
        ("amount=10&currency=eur&metadata=text", None, "metadata"),
        ("amount=10&currency=eur&metadata[a][b]=c", None, "metadata[a]"),
        (f"amount=10&currency=eur&metadata[{'k' * 41}]=v", None, f"metadata[{'k' * 41}]"),
        ("amount=10&currency=eur&expand[]=customer", None, "expand"),
        ("amount=10&currency=eur&capture_method=manual", None, "capture_method"),
        ("amount=10&amount[x]=1", None, "amount[x]"),
        ("[]=1", None, "[]"),
        ("&".join(f"a{i}=1" for i in range(600)), None, None),
        ("a[b][c][d][e][f][g][h]=1", None, "a[b][c][d][e][f][g][h]"),
    ],
)
async def test_bad_parameters_are_named(raw: httpx.AsyncClient, body: str, code: str | None, param: str | None) -> None:
    response = await raw.post(
        "/v1/payment_intents", content=body, headers={"Content-Type": "application/x-www-form-urlencoded"}
    )

    error = response.json()["error"]
    assert response.status_code == 400
    assert (error["type"], error.get("code"), error.get("param")) == ("invalid_request_error", code, param)
    assert error["message"]


async def test_other_bad_requests_get_stripes_errors(raw: httpx.AsyncClient) -> None:
    form = {"Content-Type": "application/x-www-form-urlencoded"}

    answers = [
        await raw.get("/v1/payment_intents/pi_unknown"),
        await raw.get("/v1/customers"),
        await raw.delete("/v1/payment_intents/pi_unknown"),
        await raw.post("/v1/payment_intents", json={"amount": 5}),
        await raw.post("/v1/payment_intents", content=b"amount=\xff", headers=form),
        await raw.post("/v1/payment_intents", content=b"a=" + b"x" * 300_000, headers=form),
    ]

    assert [answer.status_code for answer in answers] == [404, 404, 404, 415, 400, 413]
    assert {answer.json()["error"]["type"] for answer in answers} == {"invalid_request_error"}
    assert answers[0].json()["error"]["code"] == "resource_missing"


@pytest.mark.parametrize("key", ["sk_live_123", "pk_test_123", "sk_test_", "nonsense"])
async def test_only_test_keys_are_let_in(payments: stripe.StripeClient, key: str) -> None:
    with pytest.raises(stripe.AuthenticationError) as error:
        await payments.v1.payment_intents.create_async(CREATE, {"api_key": key})

    assert error.value.http_status == 401
    assert key not in str(error.value)


async def test_the_development_shop_s_placeholder_is_let_in(payments: stripe.StripeClient) -> None:
    created = await payments.v1.payment_intents.create_async(CREATE, {"api_key": "sk_test_development-only"})

    assert created.status == "requires_payment_method"


@pytest.mark.parametrize("header", [None, "", "Basic", "Basic !!!", "Basic /w==", "Digest sk_test_1"])
async def test_without_a_key_nobody_is_let_in(web: httpx.AsyncClient, header: str | None) -> None:
    headers = {} if header is None else {"Authorization": header}

    response = await web.get("/v1/payment_intents/pi_1", headers=headers)

    assert response.status_code == 401
    assert response.headers["www-authenticate"] == 'Basic realm="Stripe"'
    assert "did not provide an API key" in response.json()["error"]["message"]
