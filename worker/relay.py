"""The outbox relay: `python -m worker.relay` hands committed events to their consumers, at least once.

PostgreSQL's NOTIFY makes it prompt; a look every second makes it sure. Two relays share the work, each passing over
the rows that the other has locked. Publishing happens inside the transaction that holds those rows, the one place
where a transaction waits for something outside: the wait is bounded by the broker's socket timeout, and a relay that
dies between publishing and committing publishes again.
"""

import asyncio
import signal
from contextlib import suppress

from celery import Celery
from kombu.exceptions import OperationalError
from sqlalchemy.exc import SQLAlchemyError

from app.core.logging import configure_logging, get_logger
from app.core.notices import Listener
from app.database import Database, driver_url
from app.settings import Settings
from worker.celery_app import celery_app
from worker.consumers import CONSUMERS, Event, consumers_of
from worker.heartbeat import beat
from worker.tasks.events import HANDLE_EVENT

logger = get_logger(__name__)

BATCH = 100
LOOK_EVERY = 1.0  # seconds
PAUSE_AFTER_FAILURE = 1.0  # seconds


class Relay:
    def __init__(self, database: Database, broker: Celery) -> None:
        self._database = database
        self._broker = broker

    async def publish_waiting(self) -> int:
        """Publish one batch of waiting events; returns how many."""
        async with self._database.transaction() as tx:
            waiting = await tx.outbox.lock_waiting(BATCH)
            if waiting:
                await asyncio.to_thread(self._publish, [Event.of(row) for row in waiting])
                await tx.outbox.mark_published(waiting)
            return len(waiting)

    def _publish(self, events: list[Event]) -> None:
        with self._broker.connection_for_write() as connection:
            for event in events:
                for consumer in consumers_of(event.type):
                    self._broker.send_task(
                        HANDLE_EVENT,
                        (consumer, event.to_message()),
                        queue=CONSUMERS[consumer].queue,
                        connection=connection,
                    )


async def run(settings: Settings, broker: Celery, stop: asyncio.Event) -> None:
    """Publish until told to stop; whatever fails is logged and tried again."""
    wake = asyncio.Event()
    listening = asyncio.create_task(Listener(driver_url(settings), {"outbox": lambda _: wake.set()}).run())
    try:
        async with Database.connected(settings) as database:
            relay = Relay(database, broker)
            while not stop.is_set():
                beat()
                wake.clear()
                try:
                    published = await relay.publish_waiting()
                except (OperationalError, SQLAlchemyError, OSError) as error:
                    logger.warning("could not publish", error=type(error).__name__)
                    await asyncio.sleep(PAUSE_AFTER_FAILURE)
                    continue
                if published < BATCH:
                    with suppress(TimeoutError):
                        await asyncio.wait_for(wake.wait(), LOOK_EVERY)
    finally:
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)


async def main() -> None:
    settings = Settings()
    configure_logging(settings.log_level, settings.log_format)
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    for signal_number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(signal_number, stop.set)
    logger.info("relay started")
    await run(settings, celery_app, stop)


if __name__ == "__main__":
    asyncio.run(main())
