"""What a cart costs: one pure function for the cart, the checkout and every other way to ask (domain rules 2, 4).

Prices include tax. Each line's tax is rounded on its own, half up, and totals are sums of rounded lines, so that
refunding every line refunds the total to the unit.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from uuid import UUID

from app.models.shipping import ShippingTerms

PRICES_INCLUDE_TAX = True
SHIPPING_TAX_CLASS = "standard"
UNTAXED = Decimal(0)


@dataclass(frozen=True, slots=True)
class Item:
    """So many of a variant, at today's price in minor units."""

    variant_id: UUID
    quantity: int
    unit_price: int
    tax_class: str


@dataclass(frozen=True, slots=True)
class QuotedLine:
    """Minor units; `tax` is contained in `total`."""

    variant_id: UUID
    quantity: int
    unit_price: int
    subtotal: int
    discount: int
    tax_rate: Decimal
    tax: int
    total: int


@dataclass(frozen=True, slots=True)
class Quote:
    """Minor units of one currency; `tax` is contained in `total`."""

    lines: tuple[QuotedLine, ...]
    subtotal: int
    discount: int
    shipping: int
    tax: int
    total: int


def price(items: Iterable[Item], rates: Mapping[str, Decimal], shipping: ShippingTerms | None) -> Quote:
    """Quote the items with the tax `rates` of the country they go to, by tax class.

    A class without a rate is untaxed; without a shipping method nothing is added for the way.
    """
    lines = tuple(_quote(item, rates.get(item.tax_class, UNTAXED)) for item in items)
    subtotal = sum(line.subtotal for line in lines)
    discount = sum(line.discount for line in lines)
    shipping_price = shipping.price_for(subtotal) if shipping and lines else 0
    shipping_tax = included_tax(shipping_price, rates.get(SHIPPING_TAX_CLASS, UNTAXED))
    return Quote(
        lines=lines,
        subtotal=subtotal,
        discount=discount,
        shipping=shipping_price,
        tax=sum(line.tax for line in lines) + shipping_tax,
        total=subtotal - discount + shipping_price,
    )


def included_tax(gross: int, rate: Decimal) -> int:
    """The tax that a gross amount contains: gross - gross / (1 + rate), half up to the minor unit."""
    net = (Decimal(gross) / (1 + rate)).quantize(Decimal(1), ROUND_HALF_UP)
    return gross - int(net)


def _quote(item: Item, rate: Decimal) -> QuotedLine:
    subtotal = item.unit_price * item.quantity
    return QuotedLine(
        variant_id=item.variant_id,
        quantity=item.quantity,
        unit_price=item.unit_price,
        subtotal=subtotal,
        discount=0,  # the shop runs no promotions
        tax_rate=rate,
        tax=included_tax(subtotal, rate),
        total=subtotal,
    )
