"""Charges: the trace that each attempt to collect money leaves, successful or not."""

from sandbox.payments.cards import Card, Decline
from sandbox.payments.objects import Charge, PaymentIntent


def charge_for(intent: PaymentIntent, card: Card, decline: Decline | None) -> Charge:
    """What an attempt with this card made of the intent."""
    paid = decline is None
    return Charge(
        amount=intent.amount,
        amount_captured=intent.amount if paid else 0,
        captured=paid,
        currency=intent.currency,
        customer=intent.customer,
        description=intent.description,
        failure_code=decline.code if decline else None,
        failure_message=decline.message if decline else None,
        metadata=dict(intent.metadata),
        outcome={
            "network_status": "approved_by_network" if paid else "declined_by_network",
            "reason": decline.decline_code if decline else None,
            "type": "authorized" if paid else "issuer_declined",
        },
        paid=paid,
        payment_intent=intent.id,
        payment_method=card.id,
        payment_method_details=card.details(),
        receipt_email=intent.receipt_email,
        shipping=intent.shipping,
        status="succeeded" if paid else "failed",
    )
