"""Money back."""

import pytest
import stripe


@pytest.fixture
async def paid(payments: stripe.StripeClient) -> stripe.PaymentIntent:
    return await payments.v1.payment_intents.create_async(
        {"amount": 1000, "currency": "eur", "payment_method": "pm_card_visa", "confirm": True}
    )


async def test_in_parts_until_nothing_is_left(payments: stripe.StripeClient, paid: stripe.PaymentIntent) -> None:
    part = await payments.v1.refunds.create_async(
        {"payment_intent": paid.id, "amount": 300, "reason": "requested_by_customer", "expand": ["charge"]}
    )
    rest = await payments.v1.refunds.create_async({"payment_intent": paid.id, "metadata": {"return_id": "9"}})

    assert part.id.startswith("re_")
    assert (part.amount, part.status, part.payment_intent) == (300, "succeeded", paid.id)
    assert isinstance(part.charge, stripe.Charge)
    assert (part.charge.amount_refunded, part.charge.refunded) == (300, False)
    assert rest.amount == 700
    assert await payments.v1.refunds.retrieve_async(rest.id) == rest
    with pytest.raises(stripe.InvalidRequestError) as error:
        await payments.v1.refunds.create_async({"payment_intent": paid.id})
    assert (error.value.http_status, error.value.code) == (400, "charge_already_refunded")


async def test_never_more_than_was_paid(payments: stripe.StripeClient, paid: stripe.PaymentIntent) -> None:
    assert isinstance(paid.latest_charge, str)

    with pytest.raises(stripe.InvalidRequestError) as error:
        await payments.v1.refunds.create_async({"charge": paid.latest_charge, "amount": 1001})

    assert (error.value.http_status, error.value.code, error.value.param) == (400, "amount_too_large", "amount")
    refund = await payments.v1.refunds.create_async({"payment_intent": paid.id})
    assert refund.amount == 1000


async def test_only_what_was_paid(payments: stripe.StripeClient) -> None:
    intent = await payments.v1.payment_intents.create_async({"amount": 1000, "currency": "eur"})
    with pytest.raises(stripe.CardError) as declined:
        await payments.v1.payment_intents.confirm_async(intent.id, {"payment_method": "pm_card_chargeDeclined"})
    assert declined.value.error is not None
    assert declined.value.error.charge is not None

    with pytest.raises(stripe.InvalidRequestError, match="does not have a successful charge"):
        await payments.v1.refunds.create_async({"payment_intent": intent.id})
    with pytest.raises(stripe.InvalidRequestError, match="has failed"):
        await payments.v1.refunds.create_async({"charge": declined.value.error.charge})


async def test_unknown_things_are_not_found(payments: stripe.StripeClient) -> None:
    for attempt in (
        payments.v1.refunds.retrieve_async("re_unknown"),
        payments.v1.refunds.create_async({"payment_intent": "pi_unknown"}),
        payments.v1.refunds.create_async({"charge": "ch_unknown"}),
    ):
        with pytest.raises(stripe.InvalidRequestError) as error:
            await attempt
        assert (error.value.http_status, error.value.code) == (404, "resource_missing")
    with pytest.raises(stripe.InvalidRequestError, match="One of the following params"):
        await payments.v1.refunds.create_async({"amount": 5})
