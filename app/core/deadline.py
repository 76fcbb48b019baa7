"""The longest that a request may keep anybody waiting."""

import asyncio
from collections.abc import Callable

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.core.logging import get_logger

logger = get_logger(__name__)


class Deadline:
    """Cancels what has not begun to answer within `seconds(scope)`, and answers `late` in its place.

    A transaction that is cancelled rolls back; whoever sent an Idempotency-Key may send the request again. An answer
    that has begun may go on, such as a stream: how slowly it is read is for app/core/http_protocol.py to bound.
    """

    def __init__(self, app: ASGIApp, *, seconds: Callable[[Scope], float], late: ASGIApp) -> None:
        self._app = app
        self._seconds = seconds
        self._late = late

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_in_time(message: Message) -> None:
            if message["type"] == "http.response.start":
                deadline.reschedule(None)
            await send(message)

        try:
            async with asyncio.timeout(self._seconds(scope)) as deadline:
                await self._app(scope, receive, send_in_time)
        except TimeoutError:
            if not deadline.expired():
                raise
            logger.warning("request took too long", method=scope["method"], path=scope["path"])
            await self._late(scope, receive, send)
