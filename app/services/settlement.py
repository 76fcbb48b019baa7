"""What a payment does to its order, wherever the news comes from: our own call, a webhook or a look-up.

Each step is a conditional move of the state machines, so the same news twice, or late, changes nothing more
(domain rules 4 to 8). Locks are taken in the global order: order, payment, stock.
"""

from app.core.ids import uuid7
from app.core.logging import get_logger
from app.core.metrics import ORDERS, PAYMENT_FAILURES, REVENUE
from app.database import UnitOfWork
from app.gateways.payments import Intent
from app.models.orders import Order, OrderStatus, PaymentStatus
from app.models.payments import Payment, PaymentState, Refund

logger = get_logger(__name__)
STATES = frozenset(state.value for state in PaymentState)


async def settle(tx: UnitOfWork, order: Order, payment: Payment, intent: Intent) -> None:
    """Bring order and payment, both locked, to where the provider says that the payment is."""
    if payment.status == PaymentState.NEEDS_REVIEW or payment.amount_captured:
        return
    if intent.state == PaymentState.SUCCEEDED:
        await _succeeded(tx, order, payment, intent)
        return
    if payment.status == PaymentState.CANCELED:
        return  # what comes now is older: the provider's events are unordered, and none but money follows this one
    payment.status = intent.state if intent.state in STATES else PaymentState.PROCESSING
    if intent.decline and intent.state == PaymentState.REQUIRES_PAYMENT_METHOD:
        await _declined(tx, order, intent)


async def confirm(tx: UnitOfWork, order: Order) -> bool:
    """The order is paid for: keep its stock for good. False when it expired and the stock has gone since."""
    if not await tx.inventory.commit(order.id) and not await tx.inventory.reclaim(order.id):
        return False
    if not await tx.orders.move(order, OrderStatus.CONFIRMED):
        return False
    await tx.orders.move_payment(order, PaymentStatus.PAID)
    await tx.orders.note(order.id, "order.confirmed")
    await tx.outbox.announce("order.confirmed", order.id)
    tx.after_commit(lambda: ORDERS.labels("confirmed").inc())
    return True


async def refund_in_full(tx: UnitOfWork, payment: Payment, reason: str) -> None:
    """Set everything that is left aside for the customer; a task gives it back through the provider."""
    amount = payment.amount_captured - payment.amount_refunded
    if amount and await tx.payments.take_refund(payment, amount):
        refund = Refund(id=uuid7(), payment_id=payment.id, amount=amount, reason=reason)
        await tx.payments.add_refund(refund)
        await tx.orders.note(payment.order_id, "refund.requested", reason=reason, amount=amount)
        await tx.outbox.announce("refund.requested", refund.id)


async def _succeeded(tx: UnitOfWork, order: Order, payment: Payment, intent: Intent) -> None:
    if (intent.amount_received, intent.currency) != (payment.amount, payment.currency):
        payment.status = PaymentState.NEEDS_REVIEW
        await tx.orders.note(
            order.id, "payment.needs_review", received=intent.amount_received, currency=intent.currency
        )
        logger.error("a payment is not what was asked for", payment_id=str(payment.id))
        return

    payment.status = PaymentState.SUCCEEDED
    payment.amount_captured = payment.amount
    await tx.payments.flush()
    await tx.orders.note(order.id, "payment.captured", amount=payment.amount)
    await tx.outbox.announce("payment.captured", payment.id, order_id=str(order.id))
    tx.after_commit(lambda: REVENUE.labels(payment.currency).inc(payment.amount))

    if not await confirm(tx, order):
        # Paid after it expired or was cancelled, and its stock is gone: the money goes back by itself.
        await tx.orders.move_payment(order, PaymentStatus.PAID)
        await refund_in_full(tx, payment, "order_not_fulfillable")


async def _declined(tx: UnitOfWork, order: Order, intent: Intent) -> None:
    decline = intent.decline
    if decline is None or not await tx.orders.move_payment(order, PaymentStatus.FAILED):
        return
    await tx.orders.note(order.id, "payment.failed", code=decline.code, decline_code=decline.decline_code)
    await tx.outbox.announce("payment.failed", order.id, code=decline.code)
    tx.after_commit(lambda: PAYMENT_FAILURES.labels(decline.decline_code or decline.code).inc())
