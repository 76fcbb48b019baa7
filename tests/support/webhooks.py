"""What the payment provider would send, signed as it signs: https://docs.stripe.com/webhooks#verify-manually."""

import hashlib
import hmac
import json
import time
from typing import Any
from uuid import uuid4

import httpx

from tests.support.sandbox import WEBHOOK_SECRET
from tests.support.shopping import API

PATH = f"{API}/webhooks/payments/stripe"

Json = dict[str, Any]


def signature(payload: bytes, secret: str = WEBHOOK_SECRET, *, age: float = 0) -> str:
    """The header for a body signed `age` seconds ago."""
    timestamp = int(time.time() - age)
    digest = hmac.new(secret.encode(), f"{timestamp}.".encode() + payload, hashlib.sha256).hexdigest()
    return f"t={timestamp},v1={digest}"


def news(order: Json, reference: str, state: str = "succeeded", **changes: Any) -> Json:
    """A webhook about the payment of an order as POST /orders answered it: its intent has come to `state`."""
    kind = {"requires_payment_method": "payment_failed"}.get(state, state)
    amount = order["totals"]["total"]["amount"]
    intent = {
        "id": reference,
        "object": "payment_intent",
        "status": state,
        "amount": amount,
        "amount_received": amount if state == "succeeded" else 0,
        "currency": "eur",
        "last_payment_error": DECLINED if kind == "payment_failed" else None,
    }
    return {
        "id": f"evt_{uuid4().hex}",
        "object": "event",
        "type": f"payment_intent.{kind}",
        "data": {"object": intent | changes},
    }


DECLINED = {"code": "card_declined", "decline_code": "generic_decline", "message": "Your card was declined."}


async def send(client: httpx.AsyncClient, event: Json) -> httpx.Response:
    payload = json.dumps(event).encode()
    return await send_raw(client, payload, signature(payload))


async def send_raw(client: httpx.AsyncClient, payload: bytes, signed: str | None) -> httpx.Response:
    headers = [] if signed is None else [(b"Stripe-Signature", signed.encode("latin-1"))]
    return await client.post(PATH, content=payload, headers=headers)
