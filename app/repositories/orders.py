"""Orders. Every customer-facing read starts from `visible_to`, so no endpoint decides whose order it is."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import Select, func, select, tuple_, update
from sqlalchemy.orm import selectinload

from app.core.pagination import Position
from app.models.orders import (
    Order,
    OrderEvent,
    OrderStatus,
    PaymentStatus,
    may_become,
    payment_may_become,
)
from app.repositories.base import ModelRepository, owned_by


class OrderRepository(ModelRepository[Order]):
    model = Order

    def visible_to(self, user_id: UUID | None, token_hash: bytes | None) -> Select[Order]:
        """What a customer, or the guest with an order's token, may see."""
        return select(Order).where(owned_by(Order.user_id, user_id, Order.guest_token_hash, token_hash))

    def everyones(self) -> Select[Order]:
        """For staff who may see all orders."""
        return select(Order)

    async def get(self, scope: Select[Order], order_id: UUID) -> Order | None:
        return await self._one_or_none(scope.where(Order.id == order_id).options(selectinload(Order.lines)))

    async def lock(self, scope: Select[Order], order_id: UUID) -> Order | None:
        statement = scope.where(Order.id == order_id).options(selectinload(Order.lines)).with_for_update(of=Order)
        return await self._one_or_none(statement.execution_options(populate_existing=True))

    def filtered(
        self, scope: Select[Order], status: OrderStatus | None, payment_status: PaymentStatus | None
    ) -> Select[Order]:
        if status:
            scope = scope.where(Order.status == status)
        if payment_status:
            scope = scope.where(Order.payment_status == payment_status)
        return scope

    async def page(self, scope: Select[Order], *, limit: int, position: Position | None) -> Sequence[Order]:
        """Newest first, or towards the newest when going back; one row more than `limit` tells that it goes on."""
        backwards = position is not None and position.backwards
        if position:
            placed_at, order_id = position.values
            here, there = tuple_(Order.placed_at, Order.id), tuple_(datetime.fromisoformat(placed_at), UUID(order_id))
            scope = scope.where(here > there if backwards else here < there)
        order = (Order.placed_at.asc(), Order.id.asc()) if backwards else (Order.placed_at.desc(), Order.id.desc())
        return await self._all(scope.options(selectinload(Order.lines)).order_by(*order).limit(limit + 1))

    async def count(self, scope: Select[Order]) -> int:
        return (await self._session.execute(select(func.count()).select_from(scope.subquery()))).scalar_one()

    async def move(self, order: Order, status: OrderStatus) -> bool:
        """Move the order if its present status allows it (the state machine is data: models/orders.py)."""
        return await self._moved(
            update(Order)
            .where(Order.id == order.id, Order.status.in_(may_become(status)))
            .values(status=status, version=Order.version + 1)
        )

    async def move_payment(self, order: Order, status: PaymentStatus) -> bool:
        return await self._moved(
            update(Order)
            .where(Order.id == order.id, Order.payment_status.in_(payment_may_become(status)))
            .values(payment_status=status, version=Order.version + 1)
        )

    async def note(self, order_id: UUID, type_: str, **data: object) -> None:
        """Add to the order's timeline."""
        self._session.add(OrderEvent(order_id=order_id, type=type_, data=data))
        await self._session.flush()

    async def events(self, order_id: UUID) -> Sequence[OrderEvent]:
        return await self._all(select(OrderEvent).where(OrderEvent.order_id == order_id).order_by(OrderEvent.id))

    async def lock_overdue(self, limit: int) -> Sequence[Order]:
        """Unpaid orders whose reservation has run out; those that another worker holds are passed over."""
        return await self._all(
            select(Order)
            .where(Order.status == OrderStatus.PENDING_PAYMENT, Order.expires_at < func.now())
            .order_by(Order.id)
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
