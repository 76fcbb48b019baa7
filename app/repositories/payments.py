"""Payments, refunds, and the inbox of the provider's events."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert

from app.core.ids import uuid7
from app.models.orders import Order
from app.models.payments import Payment, PaymentEvent, PaymentState, Refund, RefundState
from app.repositories.base import ModelRepository


class PaymentRepository(ModelRepository[Payment]):
    model = Payment

    async def live_of(self, order_id: UUID) -> Payment | None:
        return await self._one_or_none(
            select(Payment).where(Payment.order_id == order_id, Payment.status != PaymentState.CANCELED)
        )

    async def lock_live_of(self, order_id: UUID) -> Payment | None:
        return await self._one_or_none(
            select(Payment)
            .where(Payment.order_id == order_id, Payment.status != PaymentState.CANCELED)
            .with_for_update()
            .execution_options(populate_existing=True)
        )

    async def lock(self, payment_id: UUID) -> Payment | None:
        return await self._one_or_none(
            select(Payment).where(Payment.id == payment_id).with_for_update().execution_options(populate_existing=True)
        )

    async def refer(self, payment_id: UUID, provider_ref: str) -> None:
        await self._session.execute(update(Payment).where(Payment.id == payment_id).values(provider_ref=provider_ref))

    async def by_reference(self, provider_ref: str) -> Payment | None:
        return await self._one_or_none(select(Payment).where(Payment.provider_ref == provider_ref))

    async def stuck(self, older_than: timedelta, limit: int) -> Sequence[Payment]:
        """Payments of unpaid orders that the provider may know more about than we do."""
        waiting = (PaymentState.REQUIRES_ACTION, PaymentState.PROCESSING, PaymentState.REQUIRES_PAYMENT_METHOD)
        return await self._all(
            select(Payment)
            .join(Order, Order.id == Payment.order_id)
            .where(
                Payment.status.in_(waiting),
                Payment.provider_ref.is_not(None),
                Payment.updated_at < func.now() - older_than,
                Order.placed_at > func.now() - timedelta(days=1),
            )
            .order_by(Payment.id)
            .limit(limit)
        )

    async def take_refund(self, payment: Payment, amount: int) -> bool:
        """Set aside what is to be refunded, before the provider is asked: never more than was captured."""
        return await self._moved(
            update(Payment)
            .where(Payment.id == payment.id, Payment.amount_captured - Payment.amount_refunded >= amount)
            .values(amount_refunded=Payment.amount_refunded + amount)
        )

    async def give_back_refund(self, payment_id: UUID, amount: int) -> None:
        """The provider refused: the money is still ours to refund."""
        await self._session.execute(
            update(Payment).where(Payment.id == payment_id).values(amount_refunded=Payment.amount_refunded - amount)
        )

    async def add_refund(self, refund: Refund) -> None:
        self._session.add(refund)
        await self._session.flush()

    async def refund(self, refund_id: UUID) -> Refund | None:
        return await self._session.get(Refund, refund_id)

    async def end_refund(self, refund: Refund, status: RefundState, provider_ref: str | None) -> bool:
        return await self._moved(
            update(Refund)
            .where(Refund.id == refund.id, Refund.status == RefundState.PENDING)
            .values(status=status, provider_ref=provider_ref)
        )

    async def receive(self, event_id: str, type_: str, payload: dict[str, Any]) -> UUID | None:
        """Put an event into the inbox; None when it is there already."""
        received = await self._session.execute(
            insert(PaymentEvent)
            .values(id=uuid7(), provider="stripe", event_id=event_id, type=type_, payload=payload)
            .on_conflict_do_nothing(index_elements=["provider", "event_id"])
            .returning(PaymentEvent.id)
        )
        return received.scalar_one_or_none()

    async def lock_unprocessed(self, inbox_id: UUID) -> PaymentEvent | None:
        return await self._one_or_none(
            select(PaymentEvent)
            .where(PaymentEvent.id == inbox_id, PaymentEvent.processed_at.is_(None))
            .with_for_update()
        )
