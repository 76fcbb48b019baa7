"""PaymentIntents and their state machine: https://docs.stripe.com/payments/paymentintents/lifecycle.

Methods here never await, so on one event loop each of them is atomic; that is all the locking there is.
"""

import secrets
from typing import Any

from sandbox.bounded import BoundedDict
from sandbox.faults import Faults, Mode, Target
from sandbox.payments.cards import CARDS, GENERIC_DECLINE, Card, Decline
from sandbox.payments.charges import charge_for
from sandbox.payments.errors import NoSuchObjectError, StripeError
from sandbox.payments.objects import Charge, Emit, IntentStatus, PaymentIntent, Refund, now
from sandbox.payments.params import IntentCancel, IntentConfirm, IntentCreate, IntentUpdate

MAX_OBJECTS = 50_000
OPEN = ("requires_payment_method", "requires_confirmation", "requires_action")


class PaymentIntents:
    """All intents, with the charges that their confirmations made."""

    def __init__(self, public_url: str, emit: Emit, faults: Faults) -> None:
        self.charges: BoundedDict[str, Charge] = BoundedDict(MAX_OBJECTS)
        self._intents: BoundedDict[str, PaymentIntent] = BoundedDict(MAX_OBJECTS)
        self._public_url = public_url
        self._emit = emit
        self._faults = faults

    def get(self, intent_id: str, param: str = "intent") -> PaymentIntent:
        """Raises NoSuchObjectError (404)."""
        intent = self._intents.get(intent_id)
        if intent is None:
            raise NoSuchObjectError("payment_intent", intent_id, param)
        return intent

    def snapshot_of(self, object_id: str) -> dict[str, Any] | str:
        """An intent or a charge as it is now; its id alone when it has been forgotten."""
        found = self._intents.get(object_id) or self.charges.get(object_id)
        return object_id if found is None else found.snapshot()

    def create(self, params: IntentCreate) -> PaymentIntent:
        """A declined `confirm=true` raises as `confirm` does; the intent exists all the same."""
        intent = PaymentIntent(
            **params.model_dump(exclude={"confirm", "expand", "metadata"}),
            metadata={key: value for key, value in params.metadata.items() if value},
        )
        intent.status = "requires_confirmation" if intent.payment_method else "requires_payment_method"
        self._intents[intent.id] = intent
        self._emit("payment_intent.created", intent.snapshot())
        if params.confirm:
            self.confirm(intent, IntentConfirm())
        return intent

    def update(self, intent: PaymentIntent, params: IntentUpdate) -> PaymentIntent:
        """Change what was sent. Money and card only while the payment is open: 400 otherwise."""
        sent = params.model_fields_set - {"expand", "metadata"}
        fixed = sorted(sent & {"amount", "currency", "payment_method", "payment_method_types"})
        if fixed and intent.status not in OPEN:
            raise _unexpected_state(
                intent,
                f"This PaymentIntent's {fixed[0]} could not be updated because it has a status of "
                f"{intent.status}. You may only update the {fixed[0]} of a PaymentIntent with one of the "
                f"following statuses: {', '.join(OPEN)}.",
            )
        for name in sent:
            setattr(intent, name, getattr(params, name))
        if "metadata" in params.model_fields_set:
            merged = {**intent.metadata, **params.metadata} if params.metadata else {}
            intent.metadata = {key: value for key, value in merged.items() if value}
        if fixed and intent.payment_method:
            self._move(intent, "requires_confirmation")
        return intent

    def confirm(self, intent: PaymentIntent, params: IntentConfirm) -> PaymentIntent:
        """Try to collect the money. Raises 402 when the card is declined, 400 in the wrong state."""
        if intent.status not in OPEN:
            done = "it has already succeeded after being previously confirmed"
            canceled = "it has a status of canceled"
            why = done if intent.status == "succeeded" else canceled
            raise _unexpected_state(intent, f"You cannot confirm this PaymentIntent because {why}.")
        intent.payment_method = params.payment_method or intent.payment_method
        if intent.payment_method is None:
            raise _unexpected_state(
                intent,
                "You cannot confirm this PaymentIntent because it's missing a payment method. You can either "
                "update the PaymentIntent with a payment method and then confirm it again, or confirm it "
                "again directly with a payment method.",
            )
        intent.return_url = params.return_url or intent.return_url
        intent.receipt_email = params.receipt_email or intent.receipt_email
        card = CARDS[intent.payment_method]
        if self._faults.take(Target.PAYMENTS, Mode.DECLINE) is not None:
            self._decline(intent, card, GENERIC_DECLINE)
        elif card.decline is not None:
            self._decline(intent, card, card.decline)
        elif card.needs_authentication:
            self._ask_for_authentication(intent)
        else:
            self._succeed(intent, card)
        return intent

    def cancel(self, intent: PaymentIntent, params: IntentCancel) -> PaymentIntent:
        """Raises 400 when the money has moved, or when it is canceled already."""
        if intent.status not in OPEN:
            raise _unexpected_state(
                intent,
                f"You cannot cancel this PaymentIntent because it has a status of {intent.status}. Only a "
                f"PaymentIntent with one of the following statuses may be canceled: {', '.join(OPEN)}.",
            )
        self._move(intent, "canceled")
        intent.canceled_at = now()
        intent.cancellation_reason = params.cancellation_reason
        self._emit("payment_intent.canceled", intent.snapshot())
        return intent

    def awaiting_authentication(self, intent_id: str, token: str) -> PaymentIntent | None:
        """The intent that waits for exactly this authentication; None when there is none."""
        intent = self._intents.get(intent_id)
        expected = intent.authentication_token if intent is not None else None
        return intent if expected and secrets.compare_digest(expected.encode(), token.encode()) else None

    def authenticate(self, intent: PaymentIntent, *, passed: bool) -> None:
        """The shopper has answered the bank's question."""
        card = CARDS[intent.payment_method or ""]
        if passed:
            self._succeed(intent, card)
            return
        message = (
            "The provided PaymentMethod has failed authentication. You can provide payment_method_data or a "
            "new PaymentMethod to attempt to fulfill this PaymentIntent again."
        )
        error = {"code": "payment_intent_authentication_failure", "message": message}
        self._fail(intent, {**error, "payment_method": card.payment_method(), "type": "invalid_request_error"})

    def refunded(self, charge: Charge, refund: Refund) -> None:
        """Book a refund on its charge."""
        charge.amount_refunded += refund.amount
        charge.refunded = charge.amount_refunded == charge.amount
        self._emit("charge.refunded", charge.snapshot())
        self._emit("refund.updated", refund.snapshot())

    def _succeed(self, intent: PaymentIntent, card: Card) -> None:
        self._charge(intent, card, None)
        self._move(intent, "succeeded")
        intent.amount_received = intent.amount
        intent.last_payment_error = None
        self._emit("payment_intent.succeeded", intent.snapshot())

    def _decline(self, intent: PaymentIntent, card: Card, decline: Decline) -> None:
        charge = self._charge(intent, card, decline)
        error: dict[str, Any] = {
            "charge": charge.id,
            "code": decline.code,
            "decline_code": decline.decline_code,
            "doc_url": "https://docs.stripe.com/error-codes/card-declined",
            "message": decline.message,
            "payment_method": card.payment_method(),
            "type": "card_error",
        }
        self._fail(intent, error)
        raise StripeError(402, **error, payment_intent=intent.snapshot())

    def _fail(self, intent: PaymentIntent, error: dict[str, Any]) -> None:
        self._move(intent, "requires_payment_method")
        intent.payment_method = None
        intent.last_payment_error = error
        self._emit("payment_intent.payment_failed", intent.snapshot())

    def _ask_for_authentication(self, intent: PaymentIntent) -> None:
        self._move(intent, "requires_action")
        intent.authentication_token = secrets.token_urlsafe(16)
        url = f"{self._public_url}/authenticate/{intent.id}?token={intent.authentication_token}"
        redirect = {"url": url, "return_url": intent.return_url}
        intent.next_action = {"type": "redirect_to_url", "redirect_to_url": redirect}
        self._emit("payment_intent.requires_action", intent.snapshot())

    @staticmethod
    def _move(intent: PaymentIntent, status: IntentStatus) -> None:
        """Move on. Whatever authentication the last attempt asked for is void from here."""
        intent.status = status
        intent.next_action = None
        intent.authentication_token = None

    def _charge(self, intent: PaymentIntent, card: Card, decline: Decline | None) -> Charge:
        charge = charge_for(intent, card, decline)
        self.charges[charge.id] = charge
        intent.latest_charge = charge.id
        return charge


def _unexpected_state(intent: PaymentIntent, message: str) -> StripeError:
    return StripeError(400, message, code="payment_intent_unexpected_state", payment_intent=intent.snapshot())
