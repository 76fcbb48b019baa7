"""How an order and its payment are shown."""

from typing import Any

from app.gateways.payments import Intent
from app.models.orders import Order, OrderLine
from app.models.payments import Payment
from app.repositories.checkout import DuePayment, NewOrder, NewOrderLine
from app.schemas.base import Money
from app.schemas.carts import Address, Totals
from app.schemas.orders import OrderLineRead, OrderPlaced, OrderRead, PaymentRead


def present(order: Order | NewOrder) -> OrderRead:
    """The order with its lines, which must be loaded."""
    return OrderRead(**_fields(order))


def present_placed(
    order: Order | NewOrder, payment: Payment | DuePayment | None, intent: Intent | None, token: str | None
) -> OrderPlaced:
    """What whoever placed the order is told; `token` is a guest's key to it."""
    return OrderPlaced(
        **_fields(order), payment=present_payment(payment, intent) if payment else None, order_token=token
    )


def _fields(order: Order | NewOrder) -> dict[str, Any]:
    def money(amount: int) -> Money:
        return Money(amount=amount, currency=order.currency)

    return {
        **{name: getattr(order, name) for name in _COPIED},
        "lines": [_line(line, order.currency) for line in order.lines],
        "totals": Totals(
            subtotal=money(order.subtotal),
            discount=money(order.discount_total),
            shipping=money(order.shipping_total),
            tax=money(order.tax_total),
            total=money(order.grand_total),
        ),
        "shipping_address": Address.model_validate(order.shipping_address),
        "billing_address": Address.model_validate(order.billing_address),
    }


_COPIED = (
    "id",
    "number",
    "status",
    "payment_status",
    "fulfillment_status",
    "currency",
    "email",
    "prices_include_tax",
    "shipping_method",
    "notes",
    "placed_at",
    "expires_at",
    "version",
)


def present_payment(payment: Payment | DuePayment, intent: Intent | None) -> PaymentRead:
    """The payment, with what only the provider knows when it could be reached."""
    return PaymentRead(
        id=payment.id,
        order_id=payment.order_id,
        status=intent.state if intent else payment.status,
        amount=Money(amount=payment.amount, currency=payment.currency),
        client_secret=intent.client_secret if intent else None,
        next_action=intent.next_action if intent else None,
    )


def _line(line: OrderLine | NewOrderLine, currency: str) -> OrderLineRead:
    def money(amount: int) -> Money:
        return Money(amount=amount, currency=currency)

    return OrderLineRead(
        id=line.id,
        variant_id=line.variant_id,
        sku=line.sku,
        name=line.name,
        options=line.option_values,
        quantity=line.quantity,
        unit_price=money(line.unit_price),
        subtotal=money(line.subtotal),
        discount=money(line.discount),
        tax=money(line.tax),
        total=money(line.total),
    )
