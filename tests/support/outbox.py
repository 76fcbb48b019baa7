"""Relay and worker in one call, for tests whose transaction no other process can see."""

from datetime import timedelta

from app.shop import Shop
from worker.consumers import CONSUMERS, Event, NotYet, consume, consumers_of


async def deliver(shop: Shop) -> list[str]:
    """Hand every waiting event to its consumers, and theirs, until none is left; returns the types put off."""
    put_off: list[str] = []
    while True:
        async with shop.database.transaction() as tx:
            waiting = await tx.outbox.lock_waiting(100)
            await tx.outbox.mark_published(waiting)
        if not waiting:
            return put_off
        for event in (Event.of(row) for row in waiting):
            for consumer in consumers_of(event.type):
                try:
                    await consume(shop, consumer, event)
                except NotYet:
                    put_off.append(event.type)


async def publish_unprocessed_again(shop: Shop) -> None:
    """What the periodic task does, without waiting for events to be old: a test's transaction has but one `now()`."""
    async with shop.database.transaction() as tx:
        for name, consumer in CONSUMERS.items():
            await tx.outbox.publish_again(name, consumer.handlers, timedelta(seconds=-1))
