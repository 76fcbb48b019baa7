"""The page on which a shopper passes or fails the bank's authentication (3-D Secure, in Stripe's words)."""

from decimal import Decimal
from typing import Annotated, Literal
from urllib.parse import urlencode, urlsplit, urlunsplit

from fastapi import APIRouter, Depends, Form, Query, Request, Response, status
from fastapi.responses import RedirectResponse

from sandbox.pages import page
from sandbox.payments.intents import PaymentIntents
from sandbox.payments.objects import PaymentIntent

# https://docs.stripe.com/currencies lists the currencies whose minor unit is not a hundredth.
WITHOUT_CENTS = {
    *("bif", "clp", "djf", "gnf", "jpy", "kmf", "krw", "mga"),
    *("pyg", "rwf", "ugx", "vnd", "vuv", "xaf", "xof", "xpf"),
}
WITH_THOUSANDTHS = {"jod", "kwd", "tnd"}


async def _intents(request: Request) -> PaymentIntents:
    intents: PaymentIntents = request.app.state.intents
    return intents


Intents = Annotated[PaymentIntents, Depends(_intents)]
router = APIRouter(prefix="/authenticate", tags=["Authentication"])


@router.get("/{intent_id}", include_in_schema=False)
async def ask(intent_id: str, token: Annotated[str, Query()], intents: Intents) -> Response:
    intent = intents.awaiting_authentication(intent_id, token)
    if intent is None:
        return page("authenticate.html", status.HTTP_410_GONE, state="over")
    return page("authenticate.html", state="asking", intent=intent, token=token, price=_price(intent))


@router.post("/{intent_id}")
async def decide(
    intent_id: str,
    token: Annotated[str, Form()],
    outcome: Annotated[Literal["complete", "fail"], Form()],
    intents: Intents,
) -> Response:
    """What the page's buttons send. Leads back to the intent's `return_url`, if any, as Stripe does."""
    intent = intents.awaiting_authentication(intent_id, token)
    if intent is None:
        return page("authenticate.html", status.HTTP_410_GONE, state="over")
    intents.authenticate(intent, passed=outcome == "complete")
    if intent.return_url is not None:
        return RedirectResponse(_way_back(intent, intent.return_url), status.HTTP_303_SEE_OTHER)
    return page("authenticate.html", state=outcome)


def _price(intent: PaymentIntent) -> str:
    digits = 0 if intent.currency in WITHOUT_CENTS else 3 if intent.currency in WITH_THOUSANDTHS else 2
    return f"{Decimal(intent.amount).scaleb(-digits)} {intent.currency.upper()}"


def _way_back(intent: PaymentIntent, return_url: str) -> str:
    url = urlsplit(return_url)
    outcome = {
        "payment_intent": intent.id,
        "payment_intent_client_secret": intent.client_secret,
        "redirect_status": "succeeded" if intent.status == "succeeded" else "failed",
    }
    return urlunsplit(url._replace(query="&".join(filter(None, (url.query, urlencode(outcome))))))
