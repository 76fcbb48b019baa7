"""The test cards, named as Stripe names them."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Decline:
    code: str
    decline_code: str
    message: str


GENERIC_DECLINE = Decline("card_declined", "generic_decline", "Your card was declined.")
NO_FUNDS = Decline("card_declined", "insufficient_funds", "Your card has insufficient funds.")


@dataclass(frozen=True)
class Card:
    """A payment method and what becomes of a payment with it."""

    id: str
    brand: str
    last4: str
    meaning: str
    decline: Decline | None = None
    needs_authentication: bool = False

    def details(self) -> dict[str, Any]:
        """`payment_method_details` of a charge."""
        return {"type": "card", "card": self._card()}

    def payment_method(self) -> dict[str, Any]:
        """The PaymentMethod object inside an error."""
        return {
            "id": self.id,
            "object": "payment_method",
            "type": "card",
            "card": self._card(),
            "livemode": False,
        }

    def _card(self) -> dict[str, Any]:
        return {
            "brand": self.brand,
            "country": "US",
            "exp_month": 12,
            "exp_year": 2040,
            "funding": "credit",
            "last4": self.last4,
        }


CARDS = {
    card.id: card
    for card in (
        Card("pm_card_visa", "visa", "4242", "succeeds"),
        Card("pm_card_mastercard", "mastercard", "4444", "succeeds"),
        Card("pm_card_chargeDeclined", "visa", "0002", "declined", decline=GENERIC_DECLINE),
        Card(
            "pm_card_chargeDeclinedInsufficientFunds",
            "visa",
            "9995",
            "declined: insufficient funds",
            decline=NO_FUNDS,
        ),
        Card(
            "pm_card_authenticationRequired",
            "visa",
            "3184",
            "asks the shopper to authenticate on a page of the sandbox",
            needs_authentication=True,
        ),
    )
}
