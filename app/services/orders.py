"""Orders: placed, read, cancelled, expired."""

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from sqlalchemy import Select

from app.core.ids import uuid7
from app.core.logging import get_logger
from app.core.metrics import ORDERS
from app.core.pagination import CursorSigner, Page
from app.core.security import OrderTokens
from app.database import Database, UnitOfWork, retried_on_conflict
from app.errors import InvalidTransition, NotFound, Unauthorized
from app.gateways.payments import Intent, ProviderUnavailable, StripePayments
from app.models.inventory import ReservationStatus
from app.models.orders import TRANSITIONS, Order, OrderEvent, OrderStatus
from app.models.payments import Payment
from app.models.scopes import Scope
from app.repositories.checkout import DuePayment, NewOrder
from app.schemas.orders import OrderCreate, OrderQuery, OrderRead
from app.services.checkout import Checkout
from app.services.idempotency import Answer, Attempt
from app.services.order_view import present, present_placed
from app.services.principals import Caller, Shopper
from app.services.settlement import confirm, refund_in_full
from app.settings import Settings

logger = get_logger(__name__)
BATCH = 100


@dataclass(frozen=True, slots=True)
class _Placed:
    """An order that waits to be announced and answered. There is no payment when there is nothing to pay."""

    order: Order | NewOrder
    payment: Payment | DuePayment | None


class OrderService:
    def __init__(self, database: Database, provider: StripePayments, cursors: CursorSigner, settings: Settings) -> None:
        self._database = database
        self._provider = provider
        self._cursors = cursors
        self._tokens = OrderTokens(settings.secret_key.get_secret_value())
        self._reservation = timedelta(minutes=settings.reservation_minutes)
        self._home_country = settings.home_country

    async def place(self, shopper: Shopper, data: OrderCreate, key: str) -> Answer:
        """Make the shopper's cart an order: reserve, announce the payment to the provider, answer.

        Three steps, so that no transaction waits for the provider. Whoever repeats the request with its key after
        a crash continues where it stopped. A provider that is away costs nothing but the `client_secret`.
        """
        attempt = Attempt.of(shopper.scope, "POST /orders", key, data)
        placed = await self._prepare(attempt, shopper, data)
        if isinstance(placed, Answer):
            return placed
        intent = await self._announce(placed.payment) if placed.payment else None
        if placed.order.grand_total == 0:
            return await self._finish_free(attempt, placed.order.id)
        return await self._finish(attempt, placed, intent)

    @retried_on_conflict
    async def _prepare(self, attempt: Attempt, shopper: Shopper, data: OrderCreate) -> Answer | _Placed:
        order_id, payment_id = uuid7(), uuid7()
        async with self._database.short_transaction() as tx:
            claim = await attempt.begin(tx, order_id)
            if isinstance(claim, Answer):
                return claim
            if claim.resource_id is None:
                checkout = Checkout(shopper, data, self._tokens, self._reservation, self._home_country)
                order = await checkout.prepare(tx, order_id, payment_id)
                payment = DuePayment(payment_id, order_id, order.grand_total, order.currency)
                return _Placed(order, payment if order.grand_total else None)
        return await self._placed_before(claim.resource_id)

    async def _placed_before(self, order_id: UUID) -> _Placed:
        """What a request has made that died before it could answer."""
        async with self._database.snapshot() as tx:
            order = await tx.orders.get(tx.orders.everyones(), order_id)
            if order is None:
                raise NotFound
            return _Placed(order, await tx.payments.live_of(order_id))

    async def _announce(self, payment: Payment | DuePayment) -> Intent | None:
        try:
            return await self._provider.open(
                payment.amount,
                payment.currency,
                {"order_id": str(payment.order_id), "payment_id": str(payment.id)},
                key=str(payment.id),
            )
        except ProviderUnavailable:
            logger.warning("order placed without the payment provider", order_id=str(payment.order_id))
            return None

    @retried_on_conflict
    async def _finish(self, attempt: Attempt, placed: _Placed, intent: Intent | None) -> Answer:
        answer = present_placed(placed.order, placed.payment, intent, self._token_of(placed.order))
        async with self._database.short_transaction() as tx:
            if placed.payment and intent:
                await tx.checkout.refer(placed.payment.id, intent.reference)
            return await attempt.complete(tx, 201, answer)

    @retried_on_conflict
    async def _finish_free(self, attempt: Attempt, order_id: UUID) -> Answer:
        """Zero-total orders skip payment (domain rule 2)."""
        async with self._database.transaction() as tx:
            order = await self._lock(tx, tx.orders.everyones(), order_id)
            if order.status == OrderStatus.PENDING_PAYMENT:
                await confirm(tx, order)
                order = await self._lock(tx, tx.orders.everyones(), order_id)
            return await attempt.complete(tx, 201, present_placed(order, None, None, self._token_of(order)))

    def _token_of(self, order: Order | NewOrder) -> str | None:
        return None if order.user_id else self._tokens.of(order.id)

    async def get(self, shopper: Shopper, order_id: UUID) -> OrderRead:
        async with self._database.snapshot() as tx:
            order = await tx.orders.get(_scope(tx, shopper, Scope.ORDERS_READ_ALL), order_id)
            if order is None:
                raise NotFound
            return present(order)

    async def page(self, lister: Caller, query: OrderQuery) -> Page[OrderRead]:
        bound = query.bound()
        position = self._cursors.read(query.cursor, bound)
        shopper = Shopper(lister.user_id, caller=lister)
        async with self._database.snapshot() as tx:
            visible = _scope(tx, shopper, Scope.ORDERS_READ_ALL)
            scope = tx.orders.filtered(visible, query.status, query.payment_status)
            orders = await tx.orders.page(scope, limit=query.limit, position=position)
            total = await tx.orders.count(scope) if query.include_total else None
        return self._cursors.page(
            [present(order) for order in orders],
            lambda order: (order.placed_at.isoformat(), str(order.id)),
            limit=query.limit,
            position=position,
            query=bound,
            total=total,
        )

    async def events(self, shopper: Shopper, order_id: UUID) -> list[OrderEvent]:
        """The order's timeline, oldest first."""
        async with self._database.snapshot() as tx:
            if await tx.orders.get(_scope(tx, shopper, Scope.ORDERS_READ_ALL), order_id) is None:
                raise NotFound
            return list(await tx.orders.events(order_id))

    @retried_on_conflict
    async def cancel(self, shopper: Shopper, order_id: UUID, key: str) -> Answer:
        """Give the stock back and, when it was paid, the money: that through the outbox, after the commit."""
        attempt = Attempt.of(shopper.scope, f"POST /orders/{order_id}/cancel", key)
        async with self._database.transaction() as tx:
            claim = await attempt.begin(tx)
            if isinstance(claim, Answer):
                return claim
            order = await self._lock(tx, _scope(tx, shopper, Scope.ORDERS_WRITE_ALL), order_id)
            if order.status != OrderStatus.CANCELLED:
                if not await tx.orders.move(order, OrderStatus.CANCELLED):
                    raise InvalidTransition(status=order.status, allowed=TRANSITIONS[OrderStatus(order.status)])
                payment = await tx.payments.lock_live_of(order.id)
                await tx.inventory.release(order.id, ReservationStatus.RELEASED)
                await tx.orders.note(order.id, "order.cancelled")
                await tx.outbox.announce("order.cancelled", order.id)
                if payment and payment.amount_captured:
                    await refund_in_full(tx, payment, "order_cancelled")
                tx.after_commit(lambda: ORDERS.labels("cancelled").inc())
            order = await self._lock(tx, tx.orders.everyones(), order_id)
            return await attempt.complete(tx, 200, present(order))

    @retried_on_conflict
    async def expire_overdue(self) -> int:
        """Expire unpaid orders whose reservation has run out, and free their stock; returns how many.

        Several workers may do this at once: each passes over what another holds.
        """
        async with self._database.transaction() as tx:
            overdue = await tx.orders.lock_overdue(BATCH)
            for order in overdue:
                await tx.orders.move(order, OrderStatus.EXPIRED)
                await tx.inventory.release(order.id, ReservationStatus.EXPIRED)
                await tx.orders.note(order.id, "order.expired")
                await tx.outbox.announce("order.expired", order.id)
            tx.after_commit(lambda: ORDERS.labels("expired").inc(len(overdue)))
            return len(overdue)

    async def _lock(self, tx: UnitOfWork, scope: Select[Order], order_id: UUID) -> Order:
        order = await tx.orders.lock(scope, order_id)
        if order is None:
            raise NotFound
        return order


def _scope(tx: UnitOfWork, shopper: Shopper, of_all: Scope) -> Select[Order]:
    """What exists for this shopper: everybody's orders with the scope `of_all`, otherwise their own."""
    if shopper.may(of_all):
        return tx.orders.everyones()
    if shopper.user_id is None and shopper.order_hash is None:
        raise Unauthorized("Sign in, or send the X-Order-Token of this order.")
    return tx.orders.visible_to(shopper.user_id, shopper.order_hash)
