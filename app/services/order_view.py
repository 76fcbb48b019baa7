"""How an order and its payment are shown."""

from app.gateways.payments import Intent
from app.models.orders import Order, OrderLine
from app.models.payments import Payment
from app.schemas.base import Money
from app.schemas.carts import Address, Totals
from app.schemas.orders import OrderLineRead, OrderRead, PaymentRead


def present(order: Order) -> OrderRead:
    """The order with its lines, which must be loaded."""

    def money(amount: int) -> Money:
        return Money(amount=amount, currency=order.currency)

    return OrderRead.model_validate(
        {
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
    )


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


def present_payment(payment: Payment, intent: Intent | None) -> PaymentRead:
    """The payment, with what only the provider knows when it could be reached."""
    return PaymentRead(
        id=payment.id,
        order_id=payment.order_id,
        status=intent.state if intent else payment.status,
        amount=Money(amount=payment.amount, currency=payment.currency),
        client_secret=intent.client_secret if intent else None,
        next_action=intent.next_action if intent else None,
    )


def _line(line: OrderLine, currency: str) -> OrderLineRead:
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
