"""Events waiting to be told."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from app.models.platform import OutboxEvent
from app.repositories.base import ModelRepository

KEPT_AFTER_PUBLISHING = timedelta(days=7)


class OutboxRepository(ModelRepository[OutboxEvent]):
    model = OutboxEvent

    async def announce(self, type_: str, aggregate_id: UUID, **payload: Any) -> None:
        """Write the event beside the change it tells of; the relay publishes it after the commit. Ids only."""
        await self.add(OutboxEvent(type=type_, aggregate_id=aggregate_id, payload=payload))

    async def announce_each(self, type_: str, payloads: dict[UUID, dict[str, Any]]) -> None:
        await self.add_all(
            OutboxEvent(type=type_, aggregate_id=aggregate_id, payload=payload)
            for aggregate_id, payload in payloads.items()
        )
