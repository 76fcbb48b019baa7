"""How a cart is shown: priced and checked against the stock, without changing anything."""

from collections.abc import Sequence

from app.database import UnitOfWork
from app.models.carts import Cart, CartLine
from app.models.products import ProductStatus, Variant, VariantStatus
from app.models.shipping import ShippingMethod
from app.schemas.base import Money
from app.schemas.carts import Address, CartLineRead, CartRead, CartShipping, CartWarning, ShippingOption, Totals
from app.services.pricing import PRICES_INCLUDE_TAX, Item, Quote, QuotedLine, price


async def present(tx: UnitOfWork, cart: Cart, home_country: str) -> CartRead:
    """The cart as its owner sees it. Before there is an address, tax is that of the shop's own country."""
    methods = await tx.shipping.methods()
    method = next((method for method in methods if method.id == cart.shipping_method_id), None)
    quote = price(items_of(cart), await tx.shipping.tax_rates(country_of(cart, home_country)), method)
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


def country_of(cart: Cart, home_country: str) -> str:
    return str(cart.shipping_address["country"]) if cart.shipping_address else home_country


def items_of(cart: Cart) -> list[Item]:
    """What `price` needs of each line, in the order of the lines."""
    return [
        Item(line.variant_id, line.quantity, line.variant.price_amount, line.variant.product.tax_class)
        for line in cart.lines
    ]


def shipping_options(cart: Cart, methods: Sequence[ShippingMethod], home_country: str) -> list[ShippingOption]:
    subtotal = sum(item.quantity * item.unit_price for item in items_of(cart))
    country = country_of(cart, home_country)
    return [_option(method, subtotal) for method in methods if method.serves(country)]


def is_for_sale(variant: Variant) -> bool:
    return variant.status == VariantStatus.ACTIVE and variant.product.status == ProductStatus.ACTIVE


def available_of(variant: Variant) -> int:
    """How many could be ordered now, back-orders included."""
    return max(0, variant.stock.available + variant.stock.backorder_limit) if is_for_sale(variant) else 0


def totals_of(quote: Quote, currency: str) -> Totals:
    return Totals(
        subtotal=Money(amount=quote.subtotal, currency=currency),
        discount=Money(amount=quote.discount, currency=currency),
        shipping=Money(amount=quote.shipping, currency=currency),
        tax=Money(amount=quote.tax, currency=currency),
        total=Money(amount=quote.total, currency=currency),
    )


def _option(method: ShippingMethod, subtotal: int) -> ShippingOption:
    return ShippingOption(
        id=method.id,
        code=method.code,
        name=method.name,
        price=Money(amount=method.price_for(subtotal), currency=method.currency),
    )


def _line(line: CartLine, quoted: QuotedLine, currency: str) -> CartLineRead:
    return CartLineRead(
        id=line.id,
        variant_id=line.variant_id,
        sku=line.variant.sku,
        name=line.variant.product.name,
        options=line.variant.option_values,
        quantity=line.quantity,
        unit_price=Money(amount=quoted.unit_price, currency=currency),
        subtotal=Money(amount=quoted.subtotal, currency=currency),
        discount=Money(amount=quoted.discount, currency=currency),
        tax=Money(amount=quoted.tax, currency=currency),
        total=Money(amount=quoted.total, currency=currency),
        available=available_of(line.variant),
        warnings=_warnings(line),
    )


def _warnings(line: CartLine) -> list[CartWarning]:
    available = available_of(line.variant)
    if not is_for_sale(line.variant):
        return [CartWarning(code="unavailable", message="This is not for sale any more.", variant_id=line.variant_id)]
    if available < line.quantity:
        return [
            CartWarning(code="insufficient_stock", message=f"Only {available} are left.", variant_id=line.variant_id)
        ]
    return []
