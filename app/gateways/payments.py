"""The payment provider: Stripe's PaymentIntents, through its official library.

In development the same code talks to the sandbox: `STRIPE_API_BASE` is the only difference. Calls carry an
idempotency key, so the library may repeat them (with jitter) on a broken connection; the whole, repetitions
included, must end within the deadline; and a provider that keeps failing is left alone for as long again.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, TypeVar

import stripe
from purgatory import AsyncCircuitBreakerFactory
from purgatory.domain.model import OpenedState
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from app.core.logging import get_logger
from app.settings import Settings

logger = get_logger(__name__)
Result = TypeVar("Result")

CIRCUIT = "payment-provider"
FAILURES_BEFORE_OPEN = 5
REPETITIONS = 2
UNEXPECTED_STATE = "payment_intent_unexpected_state"
WEBHOOK_TOLERANCE = 300  # seconds; what Stripe recommends against replayed webhooks


class ProviderUnavailable(Exception):
    """No answer, a broken one, or the circuit is open. What was asked may have happened all the same."""


class ProviderRefused(Exception):
    """The provider understood and said no: asking again will not help. `code` is the provider's."""

    def __init__(self, message: str, code: str | None) -> None:
        super().__init__(message, code)  # both, or the exception cannot be pickled on its way through Celery
        self.message = message
        self.code = code

    def __str__(self) -> str:
        return self.message


@dataclass(frozen=True, slots=True)
class Decline:
    """Why the bank said no; `decline_code` is the provider's, such as `insufficient_funds`."""

    code: str
    decline_code: str | None
    message: str


@dataclass(frozen=True, slots=True)
class Intent:
    """The provider's side of a payment. Amounts are minor units."""

    reference: str
    state: str
    amount: int
    amount_received: int
    currency: str
    client_secret: str | None
    next_action: dict[str, Any] | None
    decline: Decline | None = None


class ProviderObject(BaseModel):
    model_config = ConfigDict(extra="allow")

    object: dict[str, Any]


class ProviderEvent(BaseModel):
    """A webhook's body: what we need of it, and all the rest as it came."""

    model_config = ConfigDict(extra="allow")

    id: Annotated[str, Field(min_length=1, max_length=255)]
    type: Annotated[str, Field(min_length=1, max_length=255)]
    data: ProviderObject


class StripePayments:
    def __init__(self, settings: Settings) -> None:
        self._deadline = settings.payment_timeout
        self._http = stripe.HTTPXClient(timeout=settings.payment_timeout / 2)
        self._client = stripe.StripeClient(
            settings.stripe_api_key.get_secret_value(),
            base_addresses={"api": settings.stripe_api_base},
            http_client=self._http,
            max_network_retries=REPETITIONS,
        )
        self._circuit = AsyncCircuitBreakerFactory(FAILURES_BEFORE_OPEN, settings.payment_timeout)

    async def open(self, amount: int, currency: str, metadata: dict[str, str], key: str) -> Intent:
        """Announce a payment; nothing is charged yet."""
        return await self._ask(
            lambda: self._client.v1.payment_intents.create_async(
                {
                    "amount": amount,
                    "currency": currency.lower(),
                    "metadata": metadata,
                    "automatic_payment_methods": {"enabled": True, "allow_redirects": "never"},
                },
                {"idempotency_key": key},
            )
        )

    async def confirm(self, reference: str, payment_method: str, key: str) -> Intent:
        """Charge. A decline is an answer: the intent carries it, and another method may be tried."""
        return await self._ask(
            lambda: self._client.v1.payment_intents.confirm_async(
                reference, {"payment_method": payment_method}, {"idempotency_key": key}
            )
        )

    async def find(self, reference: str) -> Intent:
        return await self._ask(lambda: self._client.v1.payment_intents.retrieve_async(reference))

    async def cancel(self, reference: str) -> Intent:
        """Make sure that the intent cannot be paid any more; one that is paid stays so."""
        try:
            return await self._ask(lambda: self._client.v1.payment_intents.cancel_async(reference))
        except ProviderRefused:
            return await self.find(reference)

    async def refund(self, reference: str, amount: int, key: str) -> str:
        """Give money back; returns the provider's id of the refund."""
        refund = await self._call(
            lambda: self._client.v1.refunds.create_async(
                {"payment_intent": reference, "amount": amount}, {"idempotency_key": key}
            )
        )
        return str(refund.id)

    async def close(self) -> None:
        await self._http.close_async()  # type: ignore[no-untyped-call]  # stripe leaves this one unannotated

    async def _ask(self, call: Callable[[], Awaitable[stripe.PaymentIntent]]) -> Intent:
        try:
            return intent_of((await self._call(call)).to_dict())
        except stripe.CardError as error:
            return intent_of(error.json_body["error"]["payment_intent"])  # type: ignore[index]

    async def _call(self, call: Callable[[], Awaitable[Result]]) -> Result:
        """Run one call within the deadline and behind the circuit breaker, and sort out its failures."""
        breaker = await self._circuit.get_breaker(CIRCUIT, exclude=[stripe.CardError, ProviderRefused])
        try:
            async with breaker, asyncio.timeout(self._deadline):
                try:
                    return await call()
                except (stripe.InvalidRequestError, stripe.IdempotencyError) as error:
                    raise ProviderRefused(error.user_message or str(error), error.code) from error
        except OpenedState as error:
            raise ProviderUnavailable from error
        except (stripe.CardError, ProviderRefused):
            raise
        except (stripe.StripeError, TimeoutError) as error:
            logger.warning("payment provider failed", error=type(error).__name__)
            raise ProviderUnavailable from error


def intent_of(intent: Mapping[str, Any]) -> Intent:
    """Our view of a PaymentIntent's JSON, from the API or from a webhook."""
    decline = intent.get("last_payment_error")
    return Intent(
        reference=intent["id"],
        state=intent["status"],
        amount=intent["amount"],
        amount_received=intent.get("amount_received") or 0,
        currency=intent["currency"].upper(),
        client_secret=intent.get("client_secret"),
        next_action=intent.get("next_action"),
        decline=Decline(decline["code"], decline.get("decline_code"), decline["message"]) if decline else None,
    )


def event_of(payload: bytes) -> ProviderEvent | None:
    """The event that a webhook's body tells of; None when it is no such thing."""
    try:
        return ProviderEvent.model_validate_json(payload)
    except ValidationError:
        return None


def verify_webhook(payload: bytes, signature: str, secrets: list[str]) -> bool:
    """Whether one of our secrets (two are valid during a rotation) signed these very bytes lately."""
    if not signature.isascii():
        return False  # the library compares text, which Python refuses beyond ASCII
    for secret in secrets:
        try:
            stripe.WebhookSignature.verify_header(payload.decode(), signature, secret, WEBHOOK_TOLERANCE)
        except (stripe.SignatureVerificationError, UnicodeDecodeError):
            continue
        return True
    return False
