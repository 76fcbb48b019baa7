"""Signed events to the shop, in the order they happened, as often as it takes.

As https://docs.stripe.com/webhooks has it: `Stripe-Signature: t=<unix time>,v1=<hex>`, where v1 is the HMAC-SHA256
of `<t>.<raw body>` under the endpoint's secret; any answer but a 2xx means "again, later".
"""

import asyncio
import hashlib
import hmac
import json
import logging
import random
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any

import httpx
from pydantic import SecretStr

from sandbox.faults import Faults, Mode, Target
from sandbox.payments.objects import API_VERSION, new_id

MAX_ATTEMPTS = 10
MAX_PAUSE_SECONDS = 10.0
MAX_WAITING = 10_000
ATTEMPT_TIMEOUT_SECONDS = 10.0

logger = logging.getLogger("sandbox.webhooks")


def sign(body: bytes, secret: SecretStr, timestamp: int) -> str:
    """The `Stripe-Signature` header for a body sent at `timestamp` (seconds since 1970)."""
    signed = f"{timestamp}.".encode() + body
    digest = hmac.new(secret.get_secret_value().encode(), signed, hashlib.sha256).hexdigest()
    return f"t={timestamp},v1={digest}"


@dataclass(frozen=True)
class Delivery:
    event_id: str
    event_type: str
    body: bytes
    delay_ms: int = 0


class Webhooks:
    """Collects events at once and delivers them one after the other from a background task."""

    def __init__(self, url: str, secret: SecretStr, backoff_seconds: float, faults: Faults) -> None:
        self._url = url
        self._secret = secret
        self._backoff_seconds = backoff_seconds
        self._faults = faults
        self._queue: asyncio.Queue[Delivery] = asyncio.Queue(MAX_WAITING)

    def emit(self, event_type: str, snapshot: dict[str, Any]) -> None:
        """Queue an event about an object as it is now. Never blocks."""
        event = {
            "id": new_id("evt"),
            "object": "event",
            "api_version": API_VERSION,
            "created": int(time.time()),
            "data": {"object": snapshot},
            "livemode": False,
            "pending_webhooks": 1,
            "request": {"id": None, "idempotency_key": None},
            "type": event_type,
        }
        fault = self._faults.take(Target.WEBHOOKS)
        if fault is not None and fault.mode is Mode.DROP:
            logger.info("dropped %s, as injected", event_type)
            return
        delay_ms = fault.delay_ms if fault is not None else 0
        delivery = Delivery(str(event["id"]), event_type, json.dumps(event).encode(), delay_ms)
        for _ in range(2 if fault is not None and fault.mode is Mode.DUPLICATE else 1):
            if self._queue.full():
                logger.error("lost %s: %d events are waiting already", event_type, MAX_WAITING)
            else:
                self._queue.put_nowait(delivery)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Deliver while the block runs."""
        # A proxy of the developer's environment must not swallow calls between two local services.
        async with httpx.AsyncClient(timeout=ATTEMPT_TIMEOUT_SECONDS, trust_env=False) as client:
            task = asyncio.create_task(self._deliver_all(client), name="webhooks")
            try:
                yield
            finally:
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task

    async def _deliver_all(self, client: httpx.AsyncClient) -> None:
        while True:
            delivery = await self._queue.get()
            await asyncio.sleep(delivery.delay_ms / 1000)
            await self._deliver(client, delivery)

    async def _deliver(self, client: httpx.AsyncClient, delivery: Delivery) -> None:
        for attempt in range(1, MAX_ATTEMPTS + 1):
            outcome = await self._attempt(client, delivery)
            if outcome is None:
                logger.info("delivered %s %s", delivery.event_type, delivery.event_id)
                return
            logger.warning("attempt %d of %d for %s failed: %s", attempt, MAX_ATTEMPTS, delivery.event_type, outcome)
            if attempt < MAX_ATTEMPTS:
                await asyncio.sleep(self._pause(attempt))
        logger.error("gave up on %s %s", delivery.event_type, delivery.event_id)

    async def _attempt(self, client: httpx.AsyncClient, delivery: Delivery) -> str | None:
        """Send once; say what went wrong, or None. Signed anew, or a late retry would look like a replay."""
        headers = {
            "Content-Type": "application/json; charset=utf-8",
            "Stripe-Signature": sign(delivery.body, self._secret, int(time.time())),
            "User-Agent": "Stripe/1.0 (sandbox)",
        }
        try:
            response = await client.post(self._url, content=delivery.body, headers=headers)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            return f"{type(error).__name__}: {error}"
        return None if response.is_success else f"HTTP {response.status_code}"

    def _pause(self, attempt: int) -> float:
        """Exponential backoff with half of it random, so that retries do not march in step."""
        pause = min(self._backoff_seconds * 2.0 ** (attempt - 1), MAX_PAUSE_SECONDS)
        return pause * random.uniform(0.5, 1.0)  # noqa: S311 -- spreads load, guards nothing
