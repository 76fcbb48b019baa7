"""Payments: tried by the shopper, reported by the provider, looked up when neither happened."""

from datetime import timedelta
from uuid import UUID

from app.core.clock import now
from app.core.logging import get_logger
from app.database import Database, UnitOfWork, retried_on_conflict
from app.errors import (
    CardDeclined,
    NotFound,
    PaymentNotPossible,
    ServiceUnavailable,
    ShopError,
    Unauthorized,
    ValidationFailed,
)
from app.gateways.payments import (
    UNEXPECTED_STATE,
    Intent,
    ProviderEvent,
    ProviderRefused,
    ProviderUnavailable,
    StripePayments,
    intent_of,
)
from app.models.orders import Order, OrderStatus, PaymentStatus
from app.models.payments import Payment, PaymentState, Refund, RefundState
from app.schemas.orders import PaymentCreate, PaymentMade
from app.services.idempotency import Answer, Attempt
from app.services.order_view import present, present_payment
from app.services.principals import Shopper
from app.services.settlement import settle

logger = get_logger(__name__)

STUCK_AFTER = timedelta(minutes=5)
BATCH = 50


class PaymentService:
    def __init__(self, database: Database, provider: StripePayments) -> None:
        self._database = database
        self._provider = provider

    async def pay(self, shopper: Shopper, order_id: UUID, data: PaymentCreate, key: str) -> Answer:
        """Confirm the order's payment with the given method, on the server.

        Raises:
            CardDeclined: the bank said no; the answer is kept for this key, another key may try another method.
            PaymentNotPossible: the order is paid, cancelled or expired.
            ServiceUnavailable: the provider is away. The same key may ask again: it never charges twice.
        """
        attempt = Attempt.of(shopper.scope, f"POST /orders/{order_id}/payments", key, data)
        begun = await self._begin(attempt, shopper, order_id)
        if isinstance(begun, Answer):
            return begun
        payment, is_open = begun
        try:
            intent = await (self._charge(payment, data.payment_method, key) if is_open else self._find_charged(payment))
        except (ProviderUnavailable, ProviderRefused) as error:
            async with self._database.transaction() as tx:
                await attempt.let_go(tx)
            raise _refusal(error) from error
        answer = await self._conclude(attempt, payment, intent)
        if isinstance(answer, CardDeclined):
            raise answer
        return answer

    @retried_on_conflict
    async def _begin(self, attempt: Attempt, shopper: Shopper, order_id: UUID) -> Answer | tuple[Payment, bool]:
        """The payment, and whether its order may still be charged for."""
        if shopper.user_id is None and shopper.order_hash is None:
            raise Unauthorized("Sign in, or send the X-Order-Token of this order.")
        async with self._database.transaction() as tx:
            claim = await attempt.begin(tx)
            if isinstance(claim, Answer):
                return claim
            order = await tx.orders.lock(tx.orders.visible_to(shopper.user_id, shopper.order_hash), order_id)
            if order is None:
                raise NotFound
            payment = await tx.payments.lock_live_of(order_id)
            is_open = order.status == OrderStatus.PENDING_PAYMENT
            continues = claim.resource_id is not None  # an earlier request with this key may have charged already
            if payment is None or not (is_open or continues):
                raise PaymentNotPossible(f"The order is {order.status}, its payment {order.payment_status}.")
            await tx.orders.move_payment(order, PaymentStatus.PENDING)
            await attempt.remember(tx, payment.id)
            return payment, is_open

    async def _charge(self, payment: Payment, payment_method: str, key: str) -> Intent:
        reference = payment.provider_ref or await self._open(payment)
        return await self._provider.confirm(reference, payment_method, key=f"{payment.id}:{key}")

    async def _find_charged(self, payment: Payment) -> Intent:
        """What became of a charge whose request died, now that the order is closed: it is not tried again."""
        intent = await self._provider.find(payment.provider_ref or "")
        if intent.state != PaymentState.SUCCEEDED:
            raise ProviderRefused("The order is closed.", UNEXPECTED_STATE)
        return intent

    async def _open(self, payment: Payment) -> str:
        """Announce a payment that could not be when its order was placed: the provider was away.

        Its reference is kept before anything is charged, or nobody would know whose money came should we die next.
        """
        opened = await self._provider.open(
            payment.amount,
            payment.currency,
            {"order_id": str(payment.order_id), "payment_id": str(payment.id)},
            key=str(payment.id),
        )
        async with self._database.transaction() as tx:
            await tx.payments.refer(payment.id, opened.reference)
        return opened.reference

    @retried_on_conflict
    async def _conclude(self, attempt: Attempt, begun: Payment, intent: Intent) -> Answer | CardDeclined:
        async with self._database.transaction() as tx:
            order, payment = await _lock(tx, begun)
            await settle(tx, order, payment, intent)
            if intent.decline and intent.state == PaymentState.REQUIRES_PAYMENT_METHOD:
                refusal = CardDeclined(
                    intent.decline.message, decline_code=intent.decline.decline_code or intent.decline.code
                )
                await attempt.refuse(tx, refusal)
                return refusal
            order, payment = await _lock(tx, begun)
            made = PaymentMade(**present_payment(payment, intent).model_dump(), order=present(order))
            return await attempt.complete(tx, 201, made)

    async def receive(self, event: ProviderEvent) -> None:
        """Put a verified webhook into the inbox, once; the outbox makes a task of it.

        Acknowledged at once and processed later: a provider that waits for us too long sends it again.
        """
        async with self._database.transaction() as tx:
            inbox_id = await tx.payments.receive(event.id, event.type, event.model_dump())
            if inbox_id:
                await tx.outbox.announce("payment_event.received", inbox_id)

    @retried_on_conflict
    async def process(self, inbox_id: UUID) -> bool:
        """Let one received event take effect; False while it tells of a payment that we do not know (yet)."""
        async with self._database.transaction() as tx:
            event = await tx.payments.lock_unprocessed(inbox_id)
            if event is None:
                return True
            event.attempts += 1
            if event.type.startswith("payment_intent."):
                intent = intent_of(event.payload["data"]["object"])
                known = await tx.payments.by_reference(intent.reference)
                if known is None:
                    return False
                order, payment = await _lock(tx, known)
                await settle(tx, order, payment, intent)
            event.processed_at = now()
            return True

    async def reconcile(self) -> int:
        """Ask the provider about payments that nobody told us the end of; returns how many were asked about."""
        async with self._database.snapshot() as tx:
            stuck = await tx.payments.stuck(STUCK_AFTER, BATCH)
        for payment in stuck:
            try:
                intent = await self._provider.find(payment.provider_ref or "")
            except (ProviderUnavailable, ProviderRefused):
                logger.warning("could not look a payment up", payment_id=str(payment.id))
                continue
            await self._settle(payment, intent)
        return len(stuck)

    async def call_off(self, order_id: UUID) -> None:
        """The order is off: make sure at the provider that its payment cannot succeed any more.

        One that succeeded in the meantime is settled, which gives the money back.
        """
        async with self._database.snapshot() as tx:
            payment = await tx.payments.live_of(order_id)
        if payment is None or payment.provider_ref is None or payment.amount_captured:
            return
        try:
            intent = await self._provider.cancel(payment.provider_ref)
        except ProviderRefused as error:
            logger.warning(
                "the provider does not know a payment to call off", payment_id=str(payment.id), code=error.code
            )
            return
        await self._settle(payment, intent)

    @retried_on_conflict
    async def _settle(self, asked_about: Payment, intent: Intent) -> None:
        async with self._database.transaction() as tx:
            order, payment = await _lock(tx, asked_about)
            await settle(tx, order, payment, intent)

    async def refund(self, refund_id: UUID) -> None:
        """Give a refund to the provider. Its id is the idempotency key: however often this runs, it pays once."""
        async with self._database.snapshot() as tx:
            refund = await tx.payments.refund(refund_id)
            payment = await tx.payments.by_id(refund.payment_id) if refund else None
        if refund is None or payment is None or refund.status != RefundState.PENDING:
            return
        try:
            reference = await self._provider.refund(payment.provider_ref or "", refund.amount, key=str(refund.id))
        except ProviderRefused:
            await self._refund_failed(refund, payment.order_id)
        else:
            await self._refund_succeeded(refund, payment, reference)

    async def _refund_succeeded(self, refund: Refund, payment: Payment, reference: str) -> None:
        async with self._database.transaction() as tx:
            order, _ = await _lock(tx, payment)
            if await tx.payments.end_refund(refund, RefundState.SUCCEEDED, reference):
                await tx.orders.move_payment(order, PaymentStatus.REFUNDED)
                await tx.orders.note(order.id, "refund.succeeded", amount=refund.amount)
                await tx.outbox.announce("refund.succeeded", refund.id, order_id=str(order.id))

    async def _refund_failed(self, refund: Refund, order_id: UUID) -> None:
        logger.error("the provider refused a refund", refund_id=str(refund.id))
        async with self._database.transaction() as tx:
            if await tx.payments.end_refund(refund, RefundState.FAILED, None):
                await tx.payments.give_back_refund(refund.payment_id, refund.amount)
                await tx.orders.note(order_id, "refund.failed", amount=refund.amount)
                await tx.outbox.announce("refund.failed", refund.id, order_id=str(order_id))


async def _lock(tx: UnitOfWork, payment: Payment) -> tuple[Order, Payment]:
    """The payment's order, then the payment as it is now: the global lock order."""
    order = await tx.orders.lock(tx.orders.everyones(), payment.order_id)
    locked = await tx.payments.lock(payment.id)
    if order is None or locked is None:
        raise NotFound
    return order, locked


def _refusal(error: ProviderUnavailable | ProviderRefused) -> ShopError:
    if isinstance(error, ProviderUnavailable):
        return ServiceUnavailable("The payment provider does not answer. Try again with the same key.")
    if error.code == UNEXPECTED_STATE:
        return PaymentNotPossible("The payment has moved on meanwhile. Look at the order.")
    return ValidationFailed.at("/payment_method", "refused", str(error))
