"""How a cart is shown: priced and checked against the stock, without changing anything."""

from app.models.shipping import ShippingTerms
from app.repositories.carts_read import ShownCart, ShownLine
from app.schemas.base import Money
from app.schemas.carts import Address, CartLineRead, CartRead, CartShipping, CartWarning, ShippingOption, Totals
from app.services.pricing import PRICES_INCLUDE_TAX, Item, Quote, QuotedLine, price


def present(cart: ShownCart) -> CartRead:
    """The cart as its owner sees it."""
    method = cart.method
    quote = price(items_of(cart), cart.tax_rates, method)
    lines = [_line(line, quoted, cart.currency) for line, quoted in zip(cart.lines, quote.lines, strict=True)]
    return CartRead(
        id=cart.id,
        version=cart.version,
        currency=cart.currency,
        status=cart.status,
        lines=lines,
        coupons=[],
        discounts=[],
        shipping=CartShipping(
            address=Address.model_validate(cart.shipping_address) if cart.shipping_address else None,
            method=_option(method, quote.subtotal) if method else None,
        ),
        totals=totals_of(quote, cart.currency),
        prices_include_tax=PRICES_INCLUDE_TAX,
        warnings=[warning for line in lines for warning in line.warnings],
        expires_at=cart.expires_at,
    )


def items_of(cart: ShownCart) -> list[Item]:
    """What `price` needs of each line, in the order of the lines."""
    return [Item(line.variant_id, line.quantity, line.unit_price, line.tax_class) for line in cart.lines]


def shipping_options(cart: ShownCart, home_country: str) -> list[ShippingOption]:
    """The methods that serve the cart's address, priced for the goods in it."""
    subtotal = sum(line.quantity * line.unit_price for line in cart.lines)
    country = cart.shipping_address["country"] if cart.shipping_address else home_country
    return [_option(method, subtotal) for method in cart.methods if method.serves(country)]


def totals_of(quote: Quote, currency: str) -> Totals:
    return Totals(
        subtotal=Money(amount=quote.subtotal, currency=currency),
        discount=Money(amount=quote.discount, currency=currency),
        shipping=Money(amount=quote.shipping, currency=currency),
        tax=Money(amount=quote.tax, currency=currency),
        total=Money(amount=quote.total, currency=currency),
    )


def _option(method: ShippingTerms, subtotal: int) -> ShippingOption:
    return ShippingOption(
        id=method.id,
        code=method.code,
        name=method.name,
        price=Money(amount=method.price_for(subtotal), currency=method.currency),
    )


def _line(line: ShownLine, quoted: QuotedLine, currency: str) -> CartLineRead:
    return CartLineRead(
        id=line.id,
        variant_id=line.variant_id,
        sku=line.sku,
        name=line.name,
        options=line.options,
        quantity=line.quantity,
        unit_price=Money(amount=quoted.unit_price, currency=currency),
        subtotal=Money(amount=quoted.subtotal, currency=currency),
        discount=Money(amount=quoted.discount, currency=currency),
        tax=Money(amount=quoted.tax, currency=currency),
        total=Money(amount=quoted.total, currency=currency),
        available=line.available,
        warnings=_warnings(line),
    )


def _warnings(line: ShownLine) -> list[CartWarning]:
    if not line.is_for_sale:
        return [CartWarning(code="unavailable", message="This is not for sale any more.", variant_id=line.variant_id)]
    if line.available < line.quantity:
        return [
            CartWarning(
                code="insufficient_stock", message=f"Only {line.available} are left.", variant_id=line.variant_id
            )
        ]
    return []
