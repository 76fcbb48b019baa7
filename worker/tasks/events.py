"""The task that hands an event to a consumer."""

import random
from typing import Any

from celery import Task

from app.core.logging import get_logger
from app.database_errors import as_shop_error
from app.errors import ServiceUnavailable
from app.gateways.mail import MailNotSent
from app.gateways.media_store import MediaStoreUnavailable
from app.gateways.payments import ProviderUnavailable
from app.services.mail import MailBusy
from worker import runtime
from worker.celery_app import celery_app
from worker.consumers import Event, NotYet, consume

logger = get_logger(__name__)

HANDLE_EVENT = "emporium.handle_event"
RETRIES = 4
LONGEST_WAIT = 15.0  # seconds: a waiting retry counts against the broker's visibility timeout

PASSING = (MailBusy, MailNotSent, MediaStoreUnavailable, NotYet, ProviderUnavailable)


def may_pass(error: Exception) -> bool:
    """Sure to pass, or likely to. After the last retry the event comes again from the outbox."""
    return isinstance(error, PASSING) or isinstance(as_shop_error(error), ServiceUnavailable)


@celery_app.task(name=HANDLE_EVENT, bind=True, max_retries=RETRIES)
def handle_event(self: "Task[..., None]", consumer: str, message: dict[str, Any]) -> None:
    event = Event.from_message(message)
    try:
        runtime.run(lambda shop: consume(shop, consumer, event))
    except Exception as error:
        if not may_pass(error):
            raise
        if self.request.retries >= RETRIES:
            logger.warning("event put off", consumer=consumer, type=event.type, event_id=str(event.event_id))
            return
        wait = min(LONGEST_WAIT, 2.0**self.request.retries)
        raise self.retry(exc=error, countdown=random.uniform(wait / 2, wait)) from error  # noqa: S311 - jitter
