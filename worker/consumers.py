"""Who hears of which event, and what they do.

Delivery is at least once, so every handler may be called again with the same event: the effects behind them are
idempotent, and `processed_events` saves the work.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Self
from uuid import UUID

from app.models.platform import OutboxEvent
from app.services.account_mail import NOTICES
from app.shop import Shop


class NotYet(Exception):
    """The event tells of something that we do not know yet: it is to come again."""


@dataclass(frozen=True, slots=True)
class Event:
    """What travels through the broker: ids, never personal data."""

    event_id: UUID
    type: str
    aggregate_id: UUID
    payload: dict[str, Any]

    @classmethod
    def of(cls, row: OutboxEvent) -> Self:
        return cls(row.event_id, row.type, row.aggregate_id, row.payload)

    def to_message(self) -> dict[str, Any]:
        return {
            "event_id": str(self.event_id),
            "type": self.type,
            "aggregate_id": str(self.aggregate_id),
            "payload": self.payload,
        }

    @classmethod
    def from_message(cls, message: dict[str, Any]) -> Self:
        return cls(UUID(message["event_id"]), message["type"], UUID(message["aggregate_id"]), message["payload"])


Handler = Callable[[Shop, Event], Awaitable[None]]


async def _confirm_address(shop: Shop, event: Event) -> None:
    await shop.account_mail.confirm_address(event.event_id, event.aggregate_id)


async def _remind_of_account(shop: Shop, event: Event) -> None:
    await shop.account_mail.remind_of_account(event.event_id, event.aggregate_id)


async def _reset_password(shop: Shop, event: Event) -> None:
    await shop.account_mail.reset_password(event.event_id, event.aggregate_id)


async def _confirm_new_address(shop: Shop, event: Event) -> None:
    await shop.account_mail.confirm_new_address(event.event_id, UUID(event.payload["change_id"]))


async def _tell_old_address(shop: Shop, event: Event) -> None:
    await shop.account_mail.tell_old_address(event.event_id, UUID(event.payload["change_id"]))


async def _tell_owner(shop: Shop, event: Event) -> None:
    await shop.account_mail.tell_owner(event.event_id, event.aggregate_id, event.type)


async def _confirm_order(shop: Shop, event: Event) -> None:
    await shop.mail.confirm_order(event.event_id, event.aggregate_id)


async def _warn_of_low_stock(shop: Shop, event: Event) -> None:
    await shop.mail.warn_of_low_stock(event.event_id, event.aggregate_id)


async def _process_payment_event(shop: Shop, event: Event) -> None:
    if not await shop.payments.process(event.aggregate_id):
        raise NotYet


async def _refund(shop: Shop, event: Event) -> None:
    await shop.payments.refund(event.aggregate_id)


async def _call_off_payment(shop: Shop, event: Event) -> None:
    await shop.payments.call_off(event.aggregate_id)


async def _make_renditions(shop: Shop, event: Event) -> None:
    await shop.media.make_renditions(event.aggregate_id)


async def _export_personal_data(shop: Shop, event: Event) -> None:
    await shop.personal_data.export(event.aggregate_id)


async def _finish_deletion(shop: Shop, event: Event) -> None:
    await shop.account_deletion.finish(event.aggregate_id)


@dataclass(frozen=True, slots=True)
class Consumer:
    queue: str
    handlers: dict[str, Handler]


CONSUMERS: dict[str, Consumer] = {
    "accounts": Consumer(
        "bulk", {"customer.deleted": _finish_deletion, "customer.export_requested": _export_personal_data}
    ),
    "media": Consumer("bulk", {"media.uploaded": _make_renditions}),
    "notifications": Consumer(
        "default",
        {
            "customer.registered": _confirm_address,
            "customer.verification_requested": _confirm_address,
            "customer.registered_again": _remind_of_account,
            "customer.password_reset_requested": _reset_password,
            "customer.email_change_requested": _confirm_new_address,
            "customer.email_change_noticed": _tell_old_address,
            "customer.email_changed": _tell_old_address,
            **dict.fromkeys(NOTICES, _tell_owner),
            "order.confirmed": _confirm_order,
            "stock.low": _warn_of_low_stock,
        },
    ),
    "payments": Consumer(
        "critical",
        {
            "payment_event.received": _process_payment_event,
            "refund.requested": _refund,
            "order.cancelled": _call_off_payment,
            "order.expired": _call_off_payment,
        },
    ),
}


def consumers_of(event_type: str) -> list[str]:
    return [name for name, consumer in CONSUMERS.items() if event_type in consumer.handlers]


async def consume(shop: Shop, consumer: str, event: Event) -> None:
    """Let the consumer deal with the event, unless it has."""
    async with shop.database.snapshot() as tx:
        if await tx.outbox.is_processed(consumer, event.event_id):
            return
    await CONSUMERS[consumer].handlers[event.type](shop, event)
    async with shop.database.transaction() as tx:
        await tx.outbox.mark_processed(consumer, event.event_id)
