"""Stripe's objects, field for field as its API reference names them.

Amounts are in minor units, times in seconds since 1970. Fields that the sandbox never fills are there too:
a client library may read them.
"""

import secrets
import string
import time
from collections.abc import Callable
from typing import Any, Literal

from pydantic import BaseModel, Field

API_VERSION = "2026-10-28.endive"
_ALPHABET = string.ascii_letters + string.digits

Emit = Callable[[str, dict[str, Any]], None]
"""Announce an event: its type, and the object as it is now."""

IntentStatus = Literal["requires_payment_method", "requires_confirmation", "requires_action", "succeeded", "canceled"]


def new_id(prefix: str) -> str:
    return f"{prefix}_{''.join(secrets.choice(_ALPHABET) for _ in range(24))}"


def now() -> int:
    return int(time.time())


class StripeObject(BaseModel):
    livemode: bool = False
    created: int = Field(default_factory=now)
    metadata: dict[str, str] = {}

    def snapshot(self) -> dict[str, Any]:
        """The object as JSON has it, untouched by later changes."""
        return self.model_dump(mode="json")


class PaymentIntent(StripeObject):
    id: str = Field(default_factory=lambda: new_id("pi"))
    object: Literal["payment_intent"] = "payment_intent"
    amount: int
    amount_capturable: int = 0
    amount_details: dict[str, Any] = {"tip": {}}
    amount_received: int = 0
    application: str | None = None
    application_fee_amount: int | None = None
    automatic_payment_methods: dict[str, Any] | None = None
    canceled_at: int | None = None
    cancellation_reason: str | None = None
    capture_method: str = "automatic_async"
    client_secret: str = ""
    confirmation_method: str = "automatic"
    currency: str
    customer: str | None = None
    description: str | None = None
    last_payment_error: dict[str, Any] | None = None
    latest_charge: str | None = None
    next_action: dict[str, Any] | None = None
    on_behalf_of: str | None = None
    payment_method: str | None = None
    payment_method_options: dict[str, Any] = {}
    payment_method_types: list[str] = ["card"]
    processing: dict[str, Any] | None = None
    receipt_email: str | None = None
    review: str | None = None
    setup_future_usage: str | None = None
    shipping: dict[str, Any] | None = None
    source: str | None = None
    statement_descriptor: str | None = None
    statement_descriptor_suffix: str | None = None
    status: IntentStatus = "requires_payment_method"
    transfer_data: dict[str, Any] | None = None
    transfer_group: str | None = None

    return_url: str | None = Field(default=None, exclude=True)
    """Where the shopper goes after authentication; Stripe shows it inside `next_action` only."""
    authentication_token: str | None = Field(default=None, exclude=True)
    """Proves that a visitor of the authentication page comes from the current attempt."""

    def model_post_init(self, _context: Any, /) -> None:
        self.client_secret = self.client_secret or f"{self.id}_secret_{secrets.token_hex(12)}"


class Charge(StripeObject):
    id: str = Field(default_factory=lambda: new_id("ch"))
    object: Literal["charge"] = "charge"
    amount: int
    amount_captured: int = 0
    amount_refunded: int = 0
    application: str | None = None
    application_fee: str | None = None
    application_fee_amount: int | None = None
    balance_transaction: str | None = None
    billing_details: dict[str, Any] = {"address": None, "email": None, "name": None, "phone": None}
    calculated_statement_descriptor: str | None = "EMPORIUM"
    captured: bool = False
    currency: str
    customer: str | None = None
    description: str | None = None
    disputed: bool = False
    failure_balance_transaction: str | None = None
    failure_code: str | None = None
    failure_message: str | None = None
    fraud_details: dict[str, Any] = {}
    on_behalf_of: str | None = None
    outcome: dict[str, Any] | None = None
    paid: bool = False
    payment_intent: str
    payment_method: str
    payment_method_details: dict[str, Any]
    receipt_email: str | None = None
    receipt_number: str | None = None
    receipt_url: str | None = None
    refunded: bool = False
    review: str | None = None
    shipping: dict[str, Any] | None = None
    source: str | None = None
    source_transfer: str | None = None
    statement_descriptor: str | None = None
    statement_descriptor_suffix: str | None = None
    status: Literal["succeeded", "failed"]
    transfer_data: dict[str, Any] | None = None
    transfer_group: str | None = None


class Refund(StripeObject):
    id: str = Field(default_factory=lambda: new_id("re"))
    object: Literal["refund"] = "refund"
    amount: int
    balance_transaction: str | None = None
    charge: str
    currency: str
    destination_details: dict[str, Any] = {"card": {"type": "refund"}, "type": "card"}
    payment_intent: str
    reason: str | None = None
    receipt_number: str | None = None
    source_transfer_reversal: str | None = None
    status: Literal["succeeded"] = "succeeded"
    transfer_reversal: str | None = None
