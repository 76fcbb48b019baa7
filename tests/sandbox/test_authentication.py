"""The card that asks its owner first."""

from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
import stripe


async def ask(payments: stripe.StripeClient, return_url: str | None = None) -> tuple[str, str, str]:
    """The intent's id, the page's path and its token."""
    intent = await payments.v1.payment_intents.create_async({"amount": 1999, "currency": "eur"})
    waiting = await payments.v1.payment_intents.confirm_async(
        intent.id,
        {"payment_method": "pm_card_authenticationRequired", **({"return_url": return_url} if return_url else {})},
    )
    assert waiting.status == "requires_action"
    assert waiting.next_action is not None
    assert waiting.next_action.type == "redirect_to_url"
    redirect = waiting.next_action.redirect_to_url
    assert redirect is not None
    assert redirect.return_url == return_url
    url = urlsplit(redirect.url or "")
    return intent.id, url.path, parse_qs(url.query)["token"][0]


async def test_a_person_completes_it(payments: stripe.StripeClient, web: httpx.AsyncClient) -> None:
    intent_id, path, token = await ask(payments)

    page = await web.get(path, params={"token": token})
    done = await web.post(path, data={"token": token, "outcome": "complete"})
    again = await web.post(path, data={"token": token, "outcome": "fail"})

    assert "Complete authentication" in page.text
    assert "19.99 EUR" in page.text
    assert (done.status_code, again.status_code) == (200, 410)
    intent = await payments.v1.payment_intents.retrieve_async(intent_id)
    assert (intent.status, intent.next_action) == ("succeeded", None)


async def test_a_person_fails_it_and_is_sent_back(payments: stripe.StripeClient, web: httpx.AsyncClient) -> None:
    intent_id, path, token = await ask(payments, "http://shop.example/thanks?order=7")

    sent_back = await web.post(path, data={"token": token, "outcome": "fail"})

    assert sent_back.status_code == 303
    query = parse_qs(urlsplit(sent_back.headers["location"]).query)
    assert (query["order"], query["payment_intent"], query["redirect_status"]) == (["7"], [intent_id], ["failed"])
    intent = await payments.v1.payment_intents.retrieve_async(intent_id)
    assert intent.status == "requires_payment_method"
    assert intent.last_payment_error is not None
    assert intent.last_payment_error.code == "payment_intent_authentication_failure"


async def test_another_attempt_closes_the_question(payments: stripe.StripeClient, web: httpx.AsyncClient) -> None:
    intent_id, path, token = await ask(payments)
    await payments.v1.payment_intents.cancel_async(intent_id)

    late = await web.post(path, data={"token": token, "outcome": "complete"})

    assert late.status_code == 410
    assert (await payments.v1.payment_intents.retrieve_async(intent_id)).status == "canceled"


@pytest.mark.parametrize("token", ["wrong", "", "ü"])
async def test_strangers_learn_nothing(payments: stripe.StripeClient, web: httpx.AsyncClient, token: str) -> None:
    _, path, _ = await ask(payments)

    assert (await web.get(path, params={"token": token})).status_code == 410
    assert (await web.get("/authenticate/pi_unknown", params={"token": token})).status_code == 410
