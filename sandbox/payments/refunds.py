"""Refunds: money back to the card, all of it or in parts: https://docs.stripe.com/api/refunds."""

from sandbox.bounded import BoundedDict
from sandbox.payments.errors import InvalidParametersError, NoSuchObjectError, StripeError
from sandbox.payments.intents import MAX_OBJECTS, PaymentIntents
from sandbox.payments.objects import Charge, Refund
from sandbox.payments.params import RefundCreate


class Refunds:
    def __init__(self, intents: PaymentIntents) -> None:
        self._intents = intents
        self._refunds: BoundedDict[str, Refund] = BoundedDict(MAX_OBJECTS)

    def get(self, refund_id: str) -> Refund:
        """Raises NoSuchObjectError (404)."""
        refund = self._refunds.get(refund_id)
        if refund is None:
            raise NoSuchObjectError("refund", refund_id, "refund")
        return refund

    def create(self, params: RefundCreate) -> Refund:
        """Without an amount, everything that is left. Raises 400 when that is less than asked for."""
        charge = self._charge_of(params)
        remaining = charge.amount_captured - charge.amount_refunded
        if remaining == 0:
            raise StripeError(400, f"Charge {charge.id} has already been refunded.", code="charge_already_refunded")
        amount = remaining if params.amount is None else params.amount
        if amount > remaining:
            raise StripeError(
                400,
                f"Refund amount ({amount} {charge.currency}) is greater than unrefunded amount on charge "
                f"({remaining} {charge.currency})",
                code="amount_too_large",
                param="amount",
            )
        refund = Refund(
            amount=amount,
            charge=charge.id,
            currency=charge.currency,
            metadata=params.metadata,
            payment_intent=charge.payment_intent,
            reason=params.reason,
        )
        self._refunds[refund.id] = refund
        self._intents.refunded(charge, refund)
        return refund

    def _charge_of(self, params: RefundCreate) -> Charge:
        if params.payment_intent is not None:
            intent = self._intents.get(params.payment_intent, "payment_intent")
            if intent.status != "succeeded" or intent.latest_charge is None:
                raise StripeError(400, f"This PaymentIntent ({intent.id}) does not have a successful charge to refund.")
            charge_id = intent.latest_charge
        elif params.charge is not None:
            charge_id = params.charge
        else:
            raise InvalidParametersError("One of the following params should be provided: payment_intent, charge.")
        charge = self._intents.charges.get(charge_id)
        if charge is None:
            raise NoSuchObjectError("charge", charge_id, "charge")
        if not charge.paid:
            raise StripeError(400, f"Charge {charge.id} has failed and cannot be refunded.")
        return charge
