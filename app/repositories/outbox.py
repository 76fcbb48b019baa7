"""Events waiting to be told, and the consumers that were told."""

from collections.abc import Collection, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import delete, exists, func, select, update
from sqlalchemy.dialects.postgresql import insert

from app.models.platform import OutboxEvent, ProcessedEvent
from app.repositories.base import ModelRepository

KEPT_FOR = timedelta(days=7)


class OutboxRepository(ModelRepository[OutboxEvent]):
    model = OutboxEvent

    async def announce(self, type_: str, aggregate_id: UUID, **payload: Any) -> None:
        """Write the event beside the change it tells of; the relay publishes it after the commit. Ids only."""
        await self.add(OutboxEvent(type=type_, aggregate_id=aggregate_id, payload=payload))

    async def lock_waiting(self, limit: int) -> Sequence[OutboxEvent]:
        """The oldest unpublished events, locked; those that another relay has in hand are passed over."""
        return await self._all(
            select(OutboxEvent)
            .where(OutboxEvent.published_at.is_(None), OutboxEvent.next_attempt_at <= func.now())
            .order_by(OutboxEvent.position)
            .limit(limit)
            .with_for_update(skip_locked=True)
        )

    async def mark_published(self, events: Collection[OutboxEvent]) -> None:
        await self._session.execute(
            update(OutboxEvent)
            .where(OutboxEvent.position.in_([event.position for event in events]))
            .values(published_at=func.now(), attempts=OutboxEvent.attempts + 1)
            .execution_options(synchronize_session=False)
        )

    async def is_processed(self, consumer: str, event_id: UUID) -> bool:
        return await self._session.get(ProcessedEvent, (consumer, event_id)) is not None

    async def mark_processed(self, consumer: str, event_id: UUID) -> None:
        await self._session.execute(
            insert(ProcessedEvent).values(consumer=consumer, event_id=event_id).on_conflict_do_nothing()
        )

    async def publish_again(self, consumer: str, types: Collection[str], older_than: timedelta) -> int:
        """Put back events that were handed to the broker and never dealt with: it may have lost them."""
        dealt_with = exists().where(
            ProcessedEvent.consumer == consumer, ProcessedEvent.event_id == OutboxEvent.event_id
        )
        again = await self._session.execute(
            update(OutboxEvent)
            .where(
                OutboxEvent.type.in_(types),
                OutboxEvent.published_at < func.now() - older_than,
                OutboxEvent.published_at > func.now() - KEPT_FOR,
                ~dealt_with,
            )
            .values(published_at=None)
            .returning(OutboxEvent.position)
            .execution_options(synchronize_session=False)
        )
        return len(again.all())

    async def forget_published(self) -> None:
        """Delete what was published and dealt with long ago."""
        old = func.now() - KEPT_FOR
        await self._session.execute(delete(OutboxEvent).where(OutboxEvent.published_at < old))
        await self._session.execute(delete(ProcessedEvent).where(ProcessedEvent.processed_at < old))
