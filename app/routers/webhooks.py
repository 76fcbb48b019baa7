"""What the payment provider calls."""

from typing import Annotated

from fastapi import APIRouter, Header, Request

from app.dependencies import Payments, TheShop
from app.errors import InvalidSignature, MalformedBody
from app.gateways.payments import event_of, verify_webhook
from app.openapi import problems
from app.schemas.orders import WebhookReceived

router = APIRouter(prefix="/webhooks", tags=["Webhooks"])


@router.post(
    "/payments/stripe",
    response_model=WebhookReceived,
    responses=problems(InvalidSignature, MalformedBody),
    operation_id="webhooks_stripe",
)
async def receive_stripe_webhook(
    request: Request,
    shop: TheShop,
    payments: Payments,
    signature: Annotated[
        str,
        Header(alias="Stripe-Signature", max_length=2000, description="Stripe's `t=…,v1=…` over the time and the body"),
    ] = "",
) -> WebhookReceived:
    """Receive one of Stripe's events.

    Acknowledged as soon as it is in the inbox, once or again; a task lets it take effect. The signature is checked
    over the raw bytes and may be five minutes old.
    """
    payload = await request.body()
    secrets = [secret.get_secret_value() for secret in shop.settings.stripe_webhook_secrets]
    if not verify_webhook(payload, signature, secrets):
        raise InvalidSignature
    event = event_of(payload)
    if event is None:
        raise MalformedBody("The body is not one of Stripe's events.")
    await payments.receive(event)
    return WebhookReceived(received=True)
